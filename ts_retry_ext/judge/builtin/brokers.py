"""Brokers of messages: Kafka, RabbitMQ, Pulsar, NATS, the clouds' queues."""

from __future__ import annotations

from ts_retry_ext.judge.builtin.lines import any_of
from ts_retry_ext.judge.builtin.table import curable
from ts_retry_ext.judge.rule import When

_SINCE = "2026-11-26"

RECOVERABLE_IN_DISGUISE = (
    curable(
        "broker-not-ready",
        When(
            message=any_of(r"""
                # Kafka
                nobrokersavailable|no brokers available|coordinator (?:is )?(?:not available|load)\w*|leader ?not ?available\w*|not_leader\w*
                not_?enough_?replicas\w*|group_?load_?in_?progress|broker_?not_?available|unknown_?leader_?epoch|failed to get metadata
                node ?not ?ready\w*|rebalance ?in ?progress\w*|preferred_leader_not
                # RabbitMQ
                resource_locked|cannot obtain exclusive access to locked queue|connection_forced|broker forced connection closure
                connection\.blocked|socket closed when connection was open|stream connection lost|resource alarm
                # Pulsar
                pulsar error: (?:connecterror|timeout|serviceunitnotready|brokermetadataerror|toomany\w+|consumerbusy|producerbusy|lookuperror|retryable|notconnected)
                service ?unit ?not ?ready|namespace bundle .{1,120} is being unloaded
                # NATS, MQTT, ActiveMQ
                nats: (?:no servers available|timeout|no responders|stale connection|connection closed)|no servers available for connection
                connection refused - server unavailable|broker is stopping|failover in progress
                # clouds: Service Bus, Event Hubs, SQS
                (?:entity|namespace) .{1,120} is (?:being created|temporarily)
                amqp:(?:connection:forced|link:detach-forced|resource-limit-exceeded|internal-error)|com\.microsoft:(?:server-busy|timeout)
            """)
        ),
        "The broker is not ready, or another client has the queue at this moment.",
        "Nothing to repair in the model; look at {address|the broker}, and at who else consumes, if it goes on.",
        since=_SINCE,
    ),
    curable(
        "broker-client-says-so",
        When(
            type=(
                "NoBrokersAvailable",
                # kafka-python 2.2 and later: the base of all that passes.
                "kafka.errors.RetriableError",
                "kafka.errors.CoordinatorNotAvailableError",
                "KafkaTimeoutError",
                "KafkaConnectionError",
                "kafka.errors.LeaderNotAvailableError",
                "kafka.errors.NodeNotReadyError",
                "kafka.errors.BrokerNotAvailableError",
                "kafka.errors.RequestTimedOutError",
                "kafka.errors.GroupCoordinatorNotAvailableError",
                "kafka.errors.NotLeaderForPartitionError",
                "aiokafka.errors.KafkaConnectionError",
                "aiokafka.errors.LeaderNotAvailableError",
                "aiokafka.errors.NotLeaderForPartitionError",
                "aiokafka.errors.NodeNotReadyError",
                "aiokafka.errors.RequestTimedOutError",
                "aiokafka.errors.GroupCoordinatorNotAvailableError",
                "AMQPConnectionError",
                "pika.exceptions.StreamLostError",
                "pika.exceptions.ConnectionClosedByBroker",
                "pika.exceptions.ConnectionBlockedTimeout",
                "pika.exceptions.AMQPHeartbeatTimeout",
                "pulsar.ConnectError",
                "pulsar.Timeout",
                "pulsar.ServiceUnitNotReady",
                "pulsar.NotConnected",
                "_pulsar.ConnectError",
                "_pulsar.Timeout",
                "nats.errors.NoServersError",
                "nats.errors.TimeoutError",
                "nats.errors.NoRespondersError",
                "nats.errors.ConnectionClosedError",
                "nats.errors.StaleConnectionError",
                "celery.exceptions.TimeoutError",
                "kombu.exceptions.OperationalError",
                "stomp.exception.ConnectFailedException",
                "azure.servicebus.exceptions.ServiceBusConnectionError",
                "azure.servicebus.exceptions.ServiceBusServerBusyError",
                "azure.servicebus.exceptions.OperationTimeoutError",
                "azure.eventhub.exceptions.ConnectError",
                "azure.eventhub.exceptions.ConnectionLostError",
            ),
            unless=r"unknown ?topic|access_refused|authentication failure|\bnot_allowed|probableauthentication|sasl",
        ),
        "The broker could not be reached, or is not ready.",
        "Nothing to repair in the model; look at {address|the broker} if it goes on.",
        since=_SINCE,
    ),
)
