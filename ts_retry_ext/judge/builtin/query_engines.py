"""Query engines and warehouses: Snowflake, Trino, Spark, Databricks, BigQuery, ClickHouse, Hive."""

from __future__ import annotations

from ts_retry_ext.judge.builtin.lines import any_of
from ts_retry_ext.judge.builtin.table import curable
from ts_retry_ext.judge.rule import When

_SINCE = "2026-11-26"

RECOVERABLE_IN_DISGUISE = (
    curable(
        "query-engine-busy",
        When(
            message=any_of(r"""
                # Snowflake
                snowflake service is unavailable
                \b(?:250001|250003|251005|290503|390114)\b.{0,200}(?:unavailable|could not connect|failed to connect|timeout)
                warehouse .{1,80} (?:is resuming|is starting|cannot be resumed at this time)|000(?:604|629|630)\b
                # Trino, Presto, Athena
                insufficient_resources|query_queue_full|too many queued queries|server_starting_up|server is still initializing|no_nodes_available
                no worker nodes available|cluster_out_of_memory|too_many_requests_failed|page_transport_timeout|remote_host_gone|remote_task_error
                exceeded_(?:cluster|global)_memory
                # Databricks, Spark
                temporarily_unavailable|cluster .{1,80} is (?:pending|starting|restarting|resizing|terminating|in unexpected state pending)
                clusternotready\w*|initial job has not accepted any resources|warehouse is (?:starting|not running)|sparkconnect.{0,80}unavailable
                # BigQuery, Redshift
                job ?exceeded rate limits|backenderror|jobbackenderror|job_?internal_?error|serializable isolation violation
                cluster is (?:resuming|being|paused)|query .{0,40}cancelled on system
                # ClickHouse: 159, 202, 209, 210, 252, 279, 999
                too_many_simultaneous_queries|too many simultaneous queries|no active warehouse selected|all_connection_tries_failed
                keeper_exception|network_error\)|socket_timeout\)|too_many_parts
                timeout_exceeded\)|all replicas are (?:stale|lost)
                # Hive, Impala
                tsocket read 0 bytes|could not connect to any of \[|sessionexpired|invalid sessionhandle|admission for query .{0,80}timed out
                has no backends|zookeeper.{0,60}expired
            """)
        ),
        "The engine is starting, or has no room for a further query at this moment.",
        "Nothing to repair in the model; look at the engine's queue, or start its warehouse or cluster before, if it goes on.",
        since=_SINCE,
    ),
    curable(
        "query-engine-client-says-so",
        When(
            type=(
                "snowflake.connector.errors.ServiceUnavailableError",
                "snowflake.connector.errors.InternalServerError",
                "snowflake.connector.errors.GatewayTimeoutError",
                "snowflake.connector.errors.BadGatewayError",
                "snowflake.connector.errors.TooManyRequests",
                "trino.exceptions.Http502Error",
                "trino.exceptions.Http503Error",
                "trino.exceptions.Http504Error",
                "trino.exceptions.TrinoConnectionError",
                "thrift.transport.TTransport.TTransportException",
                "TTransportException",
                "databricks.sql.exc.MaxRetryDurationError",
                "databricks.sdk.errors.platform.TemporarilyUnavailable",
                "databricks.sdk.errors.platform.ResourceExhausted",
                "databricks.sdk.errors.platform.TooManyRequests",
                "databricks.sdk.errors.platform.DeadlineExceeded",
                "databricks.sdk.errors.platform.InternalError",
                "ClickHouseNetworkError",
            )
        ),
        "The engine could not be reached, or is overloaded.",
        "Nothing to repair in the model; look at the engine if it goes on.",
        since=_SINCE,
    ),
)
