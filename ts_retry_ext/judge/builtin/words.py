"""Words that several topics need: what speaks for the environment, and who talks to a network."""

from __future__ import annotations

from ts_retry_ext.judge.builtin.lines import any_of

#: What a remedy says of a thing that a job makes: the cause lies elsewhere, and `store/trial_schedule.py` has the interval.
WAIT_FOR_THE_JOB = "If a job writes it, wait for the job: a trial load comes after 5 minutes."

#: What the reason and the remedy of an `unknown` thing say that a job may be about to make.
UNLESS_A_JOB_MAKES_IT = (
    "Probably final: the name is wrong, or nobody makes it, unless a job is about to."
)
TRIED_UNTIL_THEN = "If a job makes it, wait for the job: the model is tried again."

#: Types by whose name a service says that it is away or has too much to do at this moment, of whatever library.
PASSING_TYPES = tuple(
    f"{name}{ending}"
    for name in (
        "ServiceUnavailable",
        "ServiceTemporarilyUnavailable",
        "ServerUnavailable",
        "TemporarilyUnavailable",
        "TemporaryUnavailable",
        "Unavailable",
        "TooManyRequests",
        "Throttled",
        "Throttling",
        "Throttle",
        "RequestThrottled",
        "RateLimited",
        "RateLimit",
        "RateLimitExceeded",
        "Overloaded",
        "ServiceOverloaded",
        "ServerOverloaded",
    )
    for ending in ("", "Error", "Exception")
)

#: Types of failures that lie outside of the model. Where one is in the chain, an error of the code
#: that handled it says nothing.
ENVIRONMENT_TYPES = (
    "OSError",
    "ConnectionError",
    "TimeoutError",
    "MemoryError",
    "OutOfMemoryError",
    "HTTPError",
    "HTTPException",
    "HTTPStatusError",
    "TransportError",
    "RequestException",
    "ClientError",
    "BotoCoreError",
    "GoogleAPICallError",
    "GoogleAuthError",
    "AzureError",
    "OperationalError",
    "InterfaceError",
    "RedisError",
    "PyMongoError",
    "KafkaError",
    "AMQPError",
    "RpcError",
    "CalledProcessError",
    "Timeout",
    "MaxRetryError",
    "RayError",
    *PASSING_TYPES,
)

#: Modules that talk to something outside of the process. With one of them on the stack, an error
#: of plain Python can come from an unexpected answer.
NETWORK_MODULES = (
    "requests",
    "urllib3",
    "urllib.request",
    "http.client",
    "httpx",
    "httpcore",
    "aiohttp",
    "socket",
    "ssl",
    "botocore",
    "boto3",
    "s3fs",
    "gcsfs",
    "adlfs",
    "fsspec",
    "google.auth",
    "google.cloud",
    "google.api_core",
    "azure",
    "grpc",
    "redis",
    "psycopg",
    "psycopg2",
    "asyncpg",
    "pymysql",
    "MySQLdb",
    "pymongo",
    "sqlalchemy",
    "kafka",
    "pika",
    "elasticsearch",
    "cassandra",
    "hvac",
    "consul",
    "kubernetes",
    "ray",
    "subprocess",
    "multiprocessing",
    "concurrent.futures",
    "filelock",
    "huggingface_hub.file_download",
    "huggingface_hub._snapshot_download",
    "huggingface_hub.hf_api",
    "gdown",
    "wget",
    "paramiko",
    "mlflow",
    "wandb",
    "torch.hub",
    "torch.distributed",
    "pynvml",
)

#: Words that let an environment at fault be suspected behind an error of plain Python.
ENVIRONMENT_WORDS = any_of(r"""
    # A passing state
    busy|unavailable|temporar|retr(?:y|ie)|again|time(?:d)?[ -_]?out|ready|loading\b.{0,20}progress|starting|pending
    wait|stale|race|concurren|deadline|expired?|unreachable|overload|alive|offline
    # Networks and services
    connect|network|server|download|fetch|request|response|https?\b|\burl|remote|broker|cluster|\bnodes?\b|leader
    credential|port\b|socket|address|heartbeat
    # Memory and devices
    memory|alloc|\bfree\b|resource|\block|quota|limit|capacity|disk|space left|device|gpu|cuda|nvml|queue
    # Processes
    session|worker|process|signal|killed|abort|cancel|interrupt|subprocess|exit(?:ed)? (?:code|status)
    # Tokens and answers
    closed|\beof\b|lease|token|etag|content-
""")

#: Words that tell of something that was not there: it may come, where another process brings it.
ABSENCE_WORDS = any_of(r"""
    # It wasn't there
    \bfound\b
    (?:could|did|can|do|does|was|is)(?: ?not|n't|n\u2019t) (?:be )?(?:find|found|load|loaded|locate|open|read|exist)
    unable to|failed|no such|missing|\bempty\b|\bno (?:model|file|weights|checkpoint|data)|must contain
    # Where it should be
    \bhub\b|\brepo|artifact|registry|\bs3\b|gs:|bucket|endpoint|service\b|\bhost|health|status|\bshards?\b
    /(?:mnt|data|nfs|efs|fsx|pvc|shared?|volumes?)/
""")

#: Words by which a text itself says that the state it tells of passes.
PASSING_WORDS = any_of(r"""
    \btemporar(?:y|ily)|\btry(?:ing)? again|\b(?:please|will|can|should|to|and|then|before) (?:be )?retr(?:y|ied|ying)
    timed? ?out|\bservice unavailable|unavailable[ .,:)]|overloaded|too many requests|rate[ -]limit|not (?:yet )?ready
    (?:starting|warming) up|in progress
    # Something is going on
    still (?:loading|starting|initiali[sz]ing|syncing|saving|writing|copying|uploading|building|running|indexing|migrating)
    \b(?:until|meanwhile|under way|at the moment|right now)\b|\bpropagat(?:ed|es|ing|ion)\b
    \b(?:refreshing|resyncing|resharding|rebuilding|rebalancing|re-?indexing|draining|replaying|rotating|catching up)\b
    \bis (?:still )?being (?:written|replaced|moved|copied|updated|migrated|rebuilt|patched|rotated|upgraded|restored|refreshed|created|published)
    \b(?:job|export|copy|upload|sync|migration|rebuild|publisher|trainer|indexer|upgrade|rotation|replication|backup|restore) \
    (?:is |has )?(?:still )?(?:running|writing|saving|not (?:yet )?(?:run|finished|ended)|lags)\b|\brolling (?:upgrade|update|restart)
    connections? (?:was |were )?(?:reset|refused|closed|lost|aborted)|\b50[0234] (?:internal|bad gateway|service|gateway)
""")
