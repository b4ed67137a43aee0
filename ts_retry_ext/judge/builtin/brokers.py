"""Brokers of messages: Kafka, RabbitMQ, Pulsar, NATS, the clouds' queues."""

from __future__ import annotations

from ts_retry_ext.judge.builtin.lines import any_of
from ts_retry_ext.judge.builtin.table import curable
from ts_retry_ext.judge.rule import When

CAUSE_LIES_OUTSIDE = True
_SINCE = "2026-11-26"

RECOVERABLE_IN_DISGUISE = (
    curable(
        "kafka-brokers-do-not-answer",
        When(
            message=any_of(r"""
                # kafka-python says the same of all of these
                nobrokersavailable|no brokers available|failed to get metadata
            """),
        ),
        "No address of bootstrap_servers answered as a Kafka broker: a broker that starts says so, and so does a wrong address, "
        "a name that is not known, or a protocol that does not fit.",
        "Look whether {address|each address of bootstrap_servers} can be reached from this host, and whether security_protocol "
        "and api_version are those of the brokers; correct bootstrap_servers or wait for the brokers.",
        since="2026-11-27",
    ),
    curable(
        "kafka-leader-moves",
        When(
            message=any_of(r"""
                coordinator (?:is )?(?:not available|load)\w*|leader ?not ?available\w*|not_leader\w*
                not_?enough_?replicas\w*|group_?load_?in_?progress|broker_?not_?available|unknown_?leader_?epoch
                node ?not ?ready\w*|rebalance ?in ?progress\w*|preferred_leader_not
            """),
        ),
        "Kafka elects a leader, loads a coordinator or rebalances its consumers at this moment, as it does after a broker was started again.",
        "Nothing to repair in the model; look at the brokers and at partitions without enough replicas (kafka-topics.sh "
        "--describe --under-replicated-partitions) if it goes on.",
        since="2026-11-27",
    ),
    curable(
        "queue-held-by-another-client",
        When(
            message=any_of(r"""
                # RabbitMQ
                resource_locked|cannot obtain exclusive access to locked queue
                # Pulsar
                pulsar error: (?:consumerbusy|producerbusy)
            """),
        ),
        "Another client has the queue or the topic for itself (an exclusive consumer, or one that has not been given up yet).",
        "Nothing to repair in the model; if it goes on, end the other client, or consume without exclusive access.",
        since="2026-11-27",
    ),
    curable(
        "broker-out-of-room",
        When(
            message=any_of(r"""
                # RabbitMQ, AMQP
                connection\.blocked|resource alarm|amqp:resource-limit-exceeded|com\.microsoft:server-busy
                # Pulsar
                pulsar error: toomany\w+
            """),
        ),
        "The broker takes nothing more at this moment: its memory, its disk or its limit of requests is used up.",
        "Nothing to repair in the model; look at the alarms and limits of {address|the broker} (RabbitMQ: rabbitmq-diagnostics "
        "alarms) if it goes on.",
        since="2026-11-27",
    ),
    curable(
        "broker-not-ready",
        When(
            message=any_of(r"""
                # RabbitMQ
                connection_forced|broker forced connection closure|socket closed when connection was open|stream connection lost
                # Pulsar
                pulsar error: (?:connecterror|timeout|serviceunitnotready|brokermetadataerror|lookuperror|retryable|notconnected)
                service ?unit ?not ?ready|namespace bundle .{1,120} is being unloaded
                # NATS, MQTT, ActiveMQ
                nats: (?:no servers available|timeout|no responders|stale connection|connection closed)|no servers available for connection
                connection refused - server unavailable|broker is stopping|failover in progress
                # clouds: Service Bus, Event Hubs, SQS
                (?:entity|namespace) .{1,120} is (?:being created|temporarily)
                amqp:(?:connection:forced|link:detach-forced|internal-error)|com\.microsoft:timeout
            """)
        ),
        "{connection|The broker is not ready, or has ended the connection, at this moment}.",
        "Nothing to repair in the model; {connection_step|look at the broker and its log} if it goes on.",
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
        "{connection|The broker could not be reached, or is not ready}.",
        "Nothing to repair in the model; {connection_step|look at the broker and its address} if it goes on.",
        since=_SINCE,
    ),
)
