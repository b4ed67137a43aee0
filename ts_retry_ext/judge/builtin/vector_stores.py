"""Vector stores and search: Milvus, Qdrant, Weaviate, Elasticsearch and their kin."""

from __future__ import annotations

from ts_retry_ext.judge.builtin.lines import any_of
from ts_retry_ext.judge.builtin.table import ambiguous, curable
from ts_retry_ext.judge.builtin.words import TRIED_UNTIL_THEN, UNLESS_A_JOB_MAKES_IT
from ts_retry_ext.judge.rule import When
from ts_retry_ext.judge.verdict import Scope

CAUSE_LIES_OUTSIDE = True
_SINCE = "2026-11-26"

RECOVERABLE_IN_DISGUISE = (
    curable(
        "search-memory-in-use",
        When(
            message=any_of(r"""
                circuit_breaking_exception|memory limit exceeded\[predict
            """),
        ),
        "The search engine refuses the request, because it would not fit into its own memory (a circuit breaker).",
        "Nothing to repair in the model; give the nodes of {address|the cluster} more heap, or ask for less at once, if it goes on.",
        since="2026-11-27",
    ),
    curable(
        "search-writes-blocked",
        When(
            message=any_of(r"""
                cluster_block.{0,400}(?:flood.?stage|read-only)
            """),
        ),
        "The search engine has made an index read-only, because a disk of it is nearly full or somebody has blocked it.",
        "Nothing to repair in the model; make room on the nodes' disks and take the block away (index.blocks.read_only_allow_delete) if it goes on.",
        since="2026-11-27",
    ),
    curable(
        "search-queue-full",
        When(
            message=any_of(r"""
                es_rejected_execution|quota exceeded\[reason=rate
            """),
        ),
        "The search engine has more requests than it takes at this moment.",
        "Nothing to repair in the model; let fewer workers ask at once, or give {address|the cluster} more nodes, if it goes on.",
        since="2026-11-27",
    ),
    curable(
        "search-without-leader",
        When(
            message=any_of(r"""
                master_not_discovered|cluster_block|state not recovered|no registered leader was found
            """),
        ),
        "The search cluster has no elected leader, or has not recovered its state yet.",
        "Nothing to repair in the model; look at the nodes of {address|the cluster} and their logs (Elasticsearch: _cluster/health) if it goes on.",
        since="2026-11-27",
    ),
    curable(
        "vector-store-does-not-answer",
        When(
            message=any_of(r"""
                # Milvus; Weaviate, Chroma: they say the same of a wrong address
                fail connecting to server|could not connect to (?:a )?(?:chroma|weaviate|tenant)|did not start up in
            """),
        ),
        "The client got no connection to {address|the store}: it is not up yet, or address, port, TLS or login of the client are wrong.",
        "Look whether {address|the store} can be reached from this host and is started; correct the client's address and settings if it is.",
        since="2026-11-27",
    ),
    curable(
        "collection-not-loaded",
        When(
            message=any_of(r"""
                collection (?:is )?not (?:fully )?loaded|segment not loaded|no available (?:query|shard)
            """),
        ),
        "The store has the collection, but has not loaded it (or not on enough nodes) for queries.",
        "Nothing to repair in the model; load the collection (Milvus: collection.load()) and look at the query nodes of "
        "{address|the store} if it goes on.",
        since="2026-11-27",
    ),
    curable(
        "vector-store-not-ready",
        When(
            message=any_of(r"""
                # Milvus
                channel not available|service not ready|not all nodes
                (?:collection|node|replica|segment|service) (?:on|in|is|under) ?recover(?:y|ing)
                # Elasticsearch, OpenSearch, Solr
                no_shard_available|search_phase_execution_exception.{0,200}(?:unavailable|shards failed)|replica .{0,40}not available
                # Weaviate, Pinecone, Vespa
                index (?:is )?(?:not ready|still initializing|initializing)|pod is (?:initializing|terminating)
                shard is (?:not ready|loading|indexing|readonly|initializing)
            """)
        ),
        "A part of the store is away, or still starts or recovers: what the model asks for is not served at this moment.",
        "Nothing to repair in the model; look at the nodes and shards of {address|the store} if it goes on.",
        since=_SINCE,
    ),
    curable(
        "vector-store-client-says-so",
        When(
            type=(
                "qdrant_client.http.exceptions.ResponseHandlingException",
                "WeaviateStartUpError",
                "WeaviateConnectionError",
                "WeaviateTimeoutError",
                "WeaviateGRPCUnavailableError",
                "elasticsearch.ConnectionTimeout",
                "elasticsearch.exceptions.ConnectionTimeout",
                "elasticsearch.exceptions.ConnectionError",
                "elastic_transport.ConnectionTimeout",
                "elastic_transport.ConnectionError",
                "opensearchpy.exceptions.ConnectionTimeout",
                "opensearchpy.exceptions.ConnectionError",
                "pinecone.exceptions.ServiceException",
                "pinecone.core.client.exceptions.ServiceException",
                "MilvusUnavailableException",
            )
        ),
        "{connection|The store could not be reached, or is not ready}.",
        "Nothing to repair in the model; {connection_step|look at the store and its address} if it goes on.",
        since=_SINCE,
    ),
)

RULES = (
    ambiguous(
        "collection-missing",
        # Not found is all that a collection under another name gives, too.
        When(
            message=any_of(r"""
                # Qdrant
                not found: collection .{1,200} doesn
                # Milvus, Chroma
                (?:can't find|cannot find|couldn't find) (?:the )?collection|\bcollections? \W?[\w.\-]{1,200}\W? (?:does not exist|doesn't exist|not found|not exist)
                # Weaviate
                could not find class [\w\"'.\-]{1,200} in schema
                # LanceDB
                \btable ['\"]?[\w.\-]{1,200}['\"]? was not found
                # Elasticsearch, OpenSearch, Redis
                index_not_found|no such index \[|: no such index$
            """),
            unless=r"no such column",
        ),
        f"The store does not have the collection, index or table that is asked for. {UNLESS_A_JOB_MAKES_IT}",
        f"Correct its name, or create it. {TRIED_UNTIL_THEN}",
        since=_SINCE,
        scope=Scope.HOST,
    ),
)
