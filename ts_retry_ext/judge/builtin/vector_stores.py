"""Vector stores and search: Milvus, Qdrant, Weaviate, Elasticsearch and their kin."""

from __future__ import annotations

from ts_retry_ext.judge.builtin.lines import any_of
from ts_retry_ext.judge.builtin.table import ambiguous, curable
from ts_retry_ext.judge.builtin.words import TRIED_UNTIL_THEN, UNLESS_A_JOB_MAKES_IT
from ts_retry_ext.judge.rule import When
from ts_retry_ext.judge.verdict import Scope

_SINCE = "2026-11-26"

RECOVERABLE_IN_DISGUISE = (
    curable(
        "vector-store-not-ready",
        When(
            message=any_of(r"""
                # Milvus
                fail connecting to server|collection (?:is )?not (?:fully )?loaded|channel not available|service not ready|not all nodes
                segment not loaded|no available (?:query|shard)
                (?:collection|node|replica|segment|service) (?:on|in|is|under) ?recover(?:y|ing)|memory limit exceeded\[predict|quota exceeded\[reason=rate
                # Elasticsearch, OpenSearch, Solr
                master_not_discovered|cluster_block|circuit_breaking_exception|es_rejected_execution|no_shard_available
                search_phase_execution_exception.{0,200}(?:unavailable|shards failed)|state not recovered|replica .{0,40}not available
                no registered leader was found
                # Weaviate, Chroma, Pinecone, Vespa
                did not start up in|could not connect to (?:a )?(?:chroma|weaviate|tenant)
                index (?:is )?(?:not ready|still initializing|initializing)|pod is (?:initializing|terminating)
                shard is (?:not ready|loading|indexing|readonly|initializing)
            """)
        ),
        "The store has not loaded what the model asks for, or a part of the cluster is away.",
        "Nothing to repair in the model; load the collection, or look at {address|the cluster}, if it goes on.",
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
        "The store could not be reached, or is not ready.",
        "Nothing to repair in the model; look at {address|the store} if it goes on.",
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
