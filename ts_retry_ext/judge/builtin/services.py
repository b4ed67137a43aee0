"""What clients of databases, queues, vaults and trackers say of a setting that cannot work."""

from __future__ import annotations

from ts_retry_ext.judge.builtin.lines import any_of
from ts_retry_ext.judge.builtin.table import ambiguous, curable, fatal
from ts_retry_ext.judge.builtin.words import NETWORK_MODULES
from ts_retry_ext.judge.damaged_file import WEIGHTS
from ts_retry_ext.judge.rule import When
from ts_retry_ext.judge.verdict import Scope

CAUSE_LIES_OUTSIDE = True
_SINCE = "2026-11-23"
#: What a service says while it is made ready for a client.
_SETTING_UP = r"not (?:yet )?ready|please retry|try again|pending_registration"

FATAL_IN_DISGUISE = (
    ambiguous(
        "served-model-unknown",
        When(
            message=r"request for unknown model: .{1,200} is not found|servable not found for request"
            r"|status = statuscode\.not_found|model(?:version)?notfoundexception",
            unless=r"not (?:yet )?ready|statuscode\.unavailable",
        ),
        "The model server is there, but does not have this model, or not yet.",
        "Look at the model server's repository and log; correct the name or version.",
        since=_SINCE,
        scope=Scope.HOST,
    ),
)

RECOVERABLE_IN_DISGUISE = (
    curable(
        "kafka-not-reached",
        When(
            message=any_of(r"""
                # librdkafka
                broker transport failure|code=_(?:transport|all_brokers_down|resolve|timed_out)\b|brokers are down
            """),
        ),
        "The Kafka client got no connection to a broker, or no answer in time.",
        "Nothing to repair in the model; look whether {address|the brokers of bootstrap.servers, and those that they advertise "
        "(advertised.listeners),} can be reached from this host if it goes on.",
        since="2026-11-27",
    ),
    curable(
        "service-in-trouble",
        When(
            message=any_of(r"""
                # kafka-python
                nodenotreadyerror
                # Elasticsearch
                es_rejected_execution|state not recovered
                # Weights & Biases
                cannot use artifact .{1,200} as it has not committed
                # Redis Sentinel
                ^no (?:master|slave|replica) found for
                # AWS
                \((?:internalserver(?:error|exception|fault)|internalservice\w*|serviceunavailable\w*|internal\w*)\) when calling the
                # Several
                active (?:cluster )?node not found
            """)
        ),
        "{connection|The service is in trouble at this moment, or still gathering its nodes}.",
        "Nothing to repair in the model; {connection_step|look at the service} if it goes on.",
        since=_SINCE,
    ),
)

RULES = (
    fatal(
        "broker-forbids-vhost",
        When(message=r"\(530\),? ['\"]?not_allowed|not_allowed - (?:access to )?vhost"),
        "The broker does not have this virtual host, or not for this user.",
        "Correct the virtual host, or set its permissions.",
        since=_SINCE,
        scope=Scope.HOST,
    ),
    ambiguous(
        "queue-missing",
        When(message=r"not_found - no (?:queue|exchange)|nonexistentqueue"),
        "The service does not have what is asked for; another process may create it.",
        "Create it, or correct the name.",
        since=_SINCE,
        scope=Scope.HOST,
    ),
    fatal(
        "client-configuration",
        When(
            type=(
                "KafkaConfigurationError",
                "UnsupportedModelRegistryStoreURIException",
                "UnsupportedModelRegistryStoreURIError",
                "kubernetes.config.config_exception.ConfigException",
                "ConfigException",
                "InvalidName",
                "NoRemoteError",
                "NotDvcRepoError",
                "InvalidGitRepositoryError",
                "NoSuchPathError",
                "AzureSigningError",
                "DataNotFoundError",
                "InvalidIMDSEndpointError",
                "MissingDependencyException",
                "InvalidRetryConfigurationError",
                "InvalidProxyURL",
                "NoSuchModuleError",
            ),
            unless_type=("ConnectionError", "TimeoutError"),
        ),
        "A client of a service is configured in a way that cannot work.",
        "Correct the setting that the message names.",
        since=_SINCE,
    ),
    fatal(
        "api-key-missing",
        When(
            message=any_of(r"""
                must be set either by passing
                api[_ -]?key.{0,60}(?:not (?:set|configured|provided|found|specified)|is (?:missing|required|empty)|must be (?:set|provided|passed))
                no (?:api[_ -]?key|access token) (?:was |is )?(?:found|provided|given|set|configured)
            """),
            unless=_SETTING_UP,
        ),
        "A client has no API key or token, and nobody can log in in a worker.",
        "Set {variable|the key} for TorchServe's process, which passes its environment to the workers (WANDB_API_KEY, OPENAI_API_KEY, HF_TOKEN).",
        since="2026-11-26",
        scope=Scope.HOST,
    ),
    fatal(
        "ray-of-another-version",
        When(
            message=any_of(r"""
                version mismatch: the cluster was started with
            """),
            unless=_SETTING_UP,
        ),
        "The Ray cluster runs another version of Ray or of Python than this worker.",
        "Install the versions of the cluster into TorchServe's environment; the message has both.",
        since="2026-11-27",
        scope=Scope.HOST,
    ),
    fatal(
        "api-key-refused",
        When(
            message=any_of(r"""
                incorrect api key provided|either invalid or missing
            """),
            unless=_SETTING_UP,
        ),
        "The service does not take the API key: it is wrong, was withdrawn, or is missing.",
        "Set a valid key in the environment of TorchServe's process, without blanks or quotes around it.",
        since="2026-11-27",
        scope=Scope.HOST,
    ),
    fatal(
        "kubernetes-right-missing",
        When(
            message=any_of(r"""
                is forbidden: user .{1,200} cannot \w+ resource
            """),
            unless=_SETTING_UP,
        ),
        "The service account of the pod lacks a right in the Kubernetes API; the message names the verb and the resource.",
        "Bind a Role with this verb and resource to the service account (kubectl auth can-i shows it).",
        since="2026-11-27",
        scope=Scope.HOST,
    ),
    fatal(
        "client-configuration-text",
        When(
            message=any_of(r"""
                # Ray
                called ray\.init twice
                # MLflow
                not a proper models:/ uri|invalid_parameter_value|could not find experiment with id
                model does not have the .{1,40} flavor
                # SQLAlchemy
                requires an async driver
                # Azure
                connection string (?:is either blank or malformed|missing required)|either a sas token or an account shared key
                azure cli not found on path
                # botocore
                invalid endpoint:[ ]
                # kafka-python, librdkafka
                ^unrecognized configs:[ ]|\bcode=_(?:invalid_arg|conflict|unknown_?protocol|not_implemented)\b|no such configuration property
                # Several
                cannot recognize storage type|^missing model file|not a valid (?:\w+ )?private key
                does not have \w+ \w+ permission on
            """),
            unless=_SETTING_UP,
        ),
        "A client of a service lacks a setting or a right, or the setting cannot work.",
        "Correct what the message names, in the model's configuration or environment.",
        since=_SINCE,
        scope=Scope.HOST,
    ),
    fatal(
        "aws-refuses-the-request",
        When(
            message=any_of(r"""
                # Botocore's ClientError
                \((?:nosuch\w+|[\w.]*notfound(?:exception|fault)?|\w*doesnotexist\w*|validation\w*|malformed\w*|unsupported\w*|missing\w+| \
                notimplemented|invalid(?:request|argument|signature\w*|parameter\w*|bucket\w*|uri|range|location\w*|digest|input\w*|policy\w*|action| \
                query\w*|arn\w*)(?:exception|fault)?)\) when calling the
            """),
            unless=r"temporar|try again|not (?:yet )?ready|is being|in progress|token|in state|creating|pending|updating",
        ),
        "AWS refuses the request as it is.",
        "Correct name, region and parameters in the model's configuration.",
        since=_SINCE,
    ),
    fatal(
        "url-host-malformed",
        When(
            message=r"'idna' codec|label (?:empty or )?too long|could not be parsed as (?:a )?url|nonnumeric port|port could not be cast|port out of range 0-65535"
        ),
        "The address asked for is no valid URL.",
        "Correct the address in the model's configuration or environment.",
        since=_SINCE,
    ),
    fatal(
        "archive-damaged",
        When(
            type=(
                "tarfile.TarError",
                "TarError",
                "ReadError",
                "zlib.error",
                "LZMAError",
                "BadGzipFile",
            ),
            message=any_of(r"""
                # tarfile
                file could not be opened successfully|invalid header|truncated header|bad checksum|empty (?:file|header)
                missing or bad subsequent header|end of file header
                # gzip
                not a gzip file
                # zlib
                incorrect header check|incomplete or truncated stream|invalid (?:stored block|block type|code lengths|distance)
                # lzma
                not supported by decoder|corrupt input data
            """),
            unless_frame=NETWORK_MODULES,
        ),
        "A packed file is cut or damaged, or is not of the format its name says.",
        "Pack the archive again from a sound file, and compare sizes or checksums.",
        since=_SINCE,
        damaged_file=WEIGHTS,
    ),
)
