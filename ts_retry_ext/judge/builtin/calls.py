"""Calls that a client or a service refuses as they are: a query, an argument, a schema, a key. By type where there is one."""

from __future__ import annotations

from ts_retry_ext.judge.builtin.lines import any_of
from ts_retry_ext.judge.builtin.table import fatal
from ts_retry_ext.judge.rule import When
from ts_retry_ext.judge.verdict import Scope

CAUSE_LIES_OUTSIDE = True
_SINCE = "2026-11-26"

#: A client may wrap a passing state in the type that it has for a refused call.
_PASSES = r"not (?:yet )?ready|try again|temporar|timed? ?out|time-?out|loading|recover|starting|throttl|too many|connect"

RULES = (
    fatal(
        "login-refused-by-type",
        When(
            type=(
                "asyncpg.exceptions.InvalidAuthorizationSpecificationError",
                "psycopg.errors.InvalidAuthorizationSpecification",
                "psycopg2.errors.InvalidAuthorizationSpecification",
                "cassandra.AuthenticationFailed",
                "neo4j.exceptions.AuthError",
                "trino.exceptions.TrinoAuthError",
                "elasticsearch.AuthenticationException",
                "opensearchpy.exceptions.AuthenticationException",
                "weaviate.exceptions.AuthenticationFailedError",
                "weaviate.exceptions.AuthenticationFailedException",
                "nats.errors.AuthorizationError",
                "nats.errors.InvalidUserCredentialsError",
                "kazoo.exceptions.AuthFailedError",
                "ldap3.core.exceptions.LDAPInvalidCredentialsResult",
                "ldap.INVALID_CREDENTIALS",
                "smbprotocol.exceptions.LogonFailure",
                "smbprotocol.exceptions.WrongPassword",
                "smbprotocol.exceptions.PasswordExpired",
                "paramiko.ssh_exception.BadAuthenticationType",
                "openai.AuthenticationError",
                "anthropic.AuthenticationError",
                "wandb.errors.AuthenticationError",
            ),
            unless=_PASSES,
        ),
        "The service refuses these credentials.",
        "Correct user, password or key in the model's configuration or environment.",
        since=_SINCE,
        scope=Scope.HOST,
    ),
    fatal(
        "key-file-encrypted",
        When(type=("paramiko.ssh_exception.PasswordRequiredException",)),
        "The private key is encrypted, and no passphrase was given for it.",
        "Give the passphrase in the model's configuration, or a key without one.",
        since=_SINCE,
        scope=Scope.HOST,
    ),
    fatal(
        "query-malformed",
        When(
            type=(
                "psycopg.errors.SyntaxError",
                "psycopg.errors.UndefinedFunction",
                "psycopg2.errors.SyntaxError",
                "psycopg2.errors.UndefinedFunction",
                "asyncpg.exceptions.PostgresSyntaxError",
                "asyncpg.exceptions.UndefinedFunctionError",
                "cassandra.protocol.SyntaxException",
                "neo4j.exceptions.CypherSyntaxError",
                "neo4j.exceptions.CypherTypeError",
                "duckdb.ParserException",
                "duckdb.SyntaxException",
                "duckdb.BinderException",
                "duckdb.InvalidInputException",
                "duckdb.InvalidTypeException",
                "duckdb.TypeMismatchException",
                "_duckdb.ParserException",
                "_duckdb.SyntaxException",
                "_duckdb.BinderException",
                "_duckdb.InvalidInputException",
                "_duckdb.InvalidTypeException",
                "_duckdb.TypeMismatchException",
                "sqlalchemy.exc.ArgumentError",
                "sqlalchemy.exc.CompileError",
                "sqlalchemy.exc.NoSuchColumnError",
                "sqlalchemy.exc.ObjectNotExecutableError",
            ),
            unless=_PASSES,
        ),
        "The database or its client does not understand the query.",
        "Correct the query where the message points to, or install the version that it was written for.",
        since=_SINCE,
    ),
    fatal(
        "query-malformed-text",
        When(
            message=any_of(r"""
                # MySQL: 1064, 1305
                you have an error in your sql syntax|function [\w.]{1,100} does not exist
                # SQLite
                near \".{1,60}\": syntax error|no such function: \w
                # ClickHouse: 46, 62
                \((?:syntax_error|unknown_function)\)
                # Trino
                name=(?:syntax_error|function_not_found|type_mismatch|invalid_function_argument)\b
                # DuckDB, Snowflake, SQL Server, Oracle
                catalog error: .{0,40}function with name|sql compilation error:.{0,20}syntax error|incorrect syntax near
                ora-(?:00900|00904|00923|00933|00936)\b
            """),
            unless=r"\bextension",
        ),
        "The database does not understand the query.",
        "Correct the query where the message points to, or install the version that it was written for.",
        since=_SINCE,
    ),
    fatal(
        "call-refused-by-its-client",
        When(
            type=(
                "pymilvus.exceptions.ParamError",
                "pymilvus.exceptions.SchemaNotReadyException",
                "pymilvus.exceptions.CannotInferSchemaException",
                "pymilvus.exceptions.DataTypeNotMatchException",
                "pymilvus.exceptions.DataTypeNotSupportException",
                "pymilvus.exceptions.DataNotMatchException",
                "pymilvus.exceptions.PrimaryKeyException",
                "pymilvus.exceptions.PartitionKeyException",
                "pymilvus.exceptions.FieldsTypeException",
                "pymilvus.exceptions.FieldTypeException",
                "pymilvus.exceptions.ConnectionConfigException",
                "pymilvus.exceptions.InvalidConsistencyLevel",
                "weaviate.exceptions.WeaviateInvalidInputError",
                "weaviate.exceptions.SchemaValidationError",
                "weaviate.exceptions.AdditionalPropertiesError",
                "weaviate.exceptions.InvalidDataModelError",
                "weaviate.exceptions.WeaviateUnsupportedFeatureError",
                "weaviate.exceptions.WeaviateClosedClientError",
                "elasticsearch.UnsupportedProductError",
                "opensearchpy.exceptions.ImproperlyConfigured",
                "pymongo.errors.InvalidURI",
                "pymongo.errors.InvalidName",
                "pymongo.errors.InvalidOperation",
                "pymongo.errors.DocumentTooLarge",
                "redis.exceptions.DataError",
                "redis.exceptions.CrossSlotTransactionError",
                "nats.errors.BadSubjectError",
                "nats.errors.MaxPayloadError",
                "kazoo.exceptions.BadArgumentsError",
                "kazoo.exceptions.InvalidACLError",
                "ldap3.core.exceptions.LDAPInvalidDNSyntaxResult",
                "ldap3.core.exceptions.LDAPInvalidDnError",
                "botocore.exceptions.ParamValidationError",
                "hvac.exceptions.ParamValidationError",
                "google.api_core.exceptions.InvalidArgument",
                "pyarrow.lib.ArrowTypeError",
                "pyarrow.lib.ArrowKeyError",
            ),
            unless=_PASSES,
        ),
        "The client of a service cannot do what it is asked: an argument, a name or a schema does not fit.",
        "Correct the call at the last frame of the model's own code; the message names what does not fit.",
        since=_SINCE,
    ),
    fatal(
        "call-refused-by-the-service",
        When(message=r"statuscode\.(?:invalid_argument|out_of_range)"),
        "The service refuses what it is asked: an input's name, shape or type does not fit.",
        "Compare names, shapes and types with what the service takes; the message names what does not fit.",
        since=_SINCE,
    ),
)
