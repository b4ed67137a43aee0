"""Query engines and warehouses: Snowflake, Trino, Spark, Databricks, BigQuery, ClickHouse, Hive."""

from __future__ import annotations

from ts_retry_ext.judge.builtin.lines import any_of
from ts_retry_ext.judge.builtin.table import curable
from ts_retry_ext.judge.rule import When

CAUSE_LIES_OUTSIDE = True
_SINCE = "2026-11-26"

RECOVERABLE_IN_DISGUISE = (
    curable(
        "warehouse-not-selected",
        When(
            message=any_of(r"""
                # Snowflake: 57P03, 000606
                no active warehouse selected
            """),
        ),
        "The session has no active warehouse: none is named, the role may not use it, or it is suspended and does not resume by itself.",
        "Name it (warehouse=…, or USE WAREHOUSE), grant USAGE on it to the role, or resume it.",
        since="2026-11-27",
    ),
    curable(
        "query-engine-starting",
        When(
            message=any_of(r"""
                # Snowflake
                warehouse .{1,80} (?:is resuming|is starting|cannot be resumed at this time)
                # Trino, Presto
                server_starting_up|server is still initializing
                # Databricks, Redshift
                cluster .{1,80} is (?:pending|starting|restarting|resizing|terminating|in unexpected state pending)|clusternotready\w*
                warehouse is (?:starting|not running)|cluster is (?:resuming|being|paused)
            """),
        ),
        "The warehouse or cluster that runs the queries is starting, resuming or paused.",
        "Nothing to repair in the model; start or resume it before the model is loaded if it goes on.",
        since="2026-11-27",
    ),
    curable(
        "query-engine-queue-full",
        When(
            message=any_of(r"""
                # Trino, ClickHouse, Impala, Redshift, BigQuery
                query_queue_full|too many queued queries|too_many_simultaneous_queries|too many simultaneous queries|too_many_requests_failed
                admission for query .{0,80}timed out|query .{0,40}cancelled on system|job ?exceeded rate limits
            """),
        ),
        "The engine has more queries than it takes at this moment.",
        "Nothing to repair in the model; look at its queue and limits, or let fewer workers ask at once, if it goes on.",
        since="2026-11-27",
    ),
    curable(
        "query-engine-without-memory",
        When(
            message=any_of(r"""
                cluster_out_of_memory|insufficient_resources|exceeded_(?:cluster|global)_memory
            """),
        ),
        "The engine has no memory for the query beside those that run at this moment.",
        "Nothing to repair in the model; give the engine more memory, or let the query read less, if it goes on.",
        since="2026-11-27",
    ),
    curable(
        "query-engine-without-workers",
        When(
            message=any_of(r"""
                no_nodes_available|no worker nodes available|remote_host_gone|initial job has not accepted any resources|has no backends
                all replicas are (?:stale|lost)
            """),
        ),
        "The engine has no worker that takes the query at this moment: none is registered, or those that are left are away.",
        "Nothing to repair in the model; look at the engine's workers and at what is free on them if it goes on.",
        since="2026-11-27",
    ),
    curable(
        "query-engine-busy",
        When(
            message=any_of(r"""
                # Snowflake
                snowflake service is unavailable
                \b(?:250001|250003|251005|290503|390114)\b.{0,200}(?:unavailable|could not connect|failed to connect|timeout)
                000(?:604|629|630)\b
                # Trino, Presto, Athena
                page_transport_timeout|remote_task_error
                # Databricks, Spark
                temporarily_unavailable|sparkconnect.{0,80}unavailable
                # BigQuery, Redshift
                backenderror|jobbackenderror|job_?internal_?error|serializable isolation violation
                # ClickHouse: 159, 209, 210, 252, 279, 999
                all_connection_tries_failed|keeper_exception|network_error\)|socket_timeout\)|too_many_parts|timeout_exceeded\)
                # Hive, Impala
                tsocket read 0 bytes|could not connect to any of \[|sessionexpired|invalid sessionhandle|zookeeper.{0,60}expired
            """)
        ),
        "{connection|The engine, or a part of it, is away or in trouble at this moment}.",
        "Nothing to repair in the model; {connection_step|look at the engine and its log} if it goes on.",
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
        "{connection|The engine could not be reached, or is overloaded}.",
        "Nothing to repair in the model; {connection_step|look at the engine and its address} if it goes on.",
        since=_SINCE,
    ),
)
