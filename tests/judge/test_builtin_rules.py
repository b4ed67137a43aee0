"""Built-in rows answer as meant, and the row that answers is the one that says why.

A row of the table: rule, verdict (N: no retry can cure it, R: a retry can, U: the text doesn't settle
it), type, message, and what else the record holds. Names and numbers are made up.
"""

from __future__ import annotations

import ast
import xml.etree.ElementTree
from typing import Any, Callable

import pytest

from ts_retry_ext.judge import Host, Outcome, failure_from_record, judge
from ts_retry_ext.judge.capture import failure_from_exception
from ts_retry_ext.judge.failure import Phase

WANTED = {
    "N": Outcome.NON_RECOVERABLE,
    "R": Outcome.RECOVERABLE,
    "U": Outcome.UNKNOWN,
}

#: faiss 1.15.1 and 1.7.4, cut short.
_FAISS = "Error in std::unique_ptr<faiss::Index> faiss::read_index_up(IOReader*, int) at /project/faiss/impl/index_read.cpp:3251: "
_FAISS_OLD = "Error in faiss::Index* faiss::read_index(faiss::IOReader*, int) at /project/faiss/faiss/impl/index_read.cpp:1065: Error: 'false' failed: "
_SITE = "/x/site-packages"
_MONGO = [
    f"pymongo.errors.{name}"
    for name in (
        "ServerSelectionTimeoutError",
        "AutoReconnect",
        "ConnectionFailure",
        "PyMongoError",
    )
]
_UNPACKED = "/tmp/models/0123456789abcdef0123456789abcdef"
_GATED = "403 Client Error.\n\nCannot access gated repo for url https://huggingface.co/org/m/resolve/main/config.json.\n"

ROWS: list[tuple[str, str, str, str, dict[str, Any]]] = [
    # A model that calls another one, which is registered later.
    (
        "served-model-unknown",
        "U",
        "RuntimeError",
        'answered 404: { "code": 404, "type": "ModelNotFoundException", "message": "Model not found: embedder" }',
        {},
    ),
    (
        "server-of-this-host-lacks-it",
        "U",
        "urllib.error.HTTPError",
        "HTTP Error 404: Not Found",
        {"filename": "http://localhost:8080/predictions/embedder", "http_status": 404},
    ),
    # What a remedy of a wider rule would have misled about.
    (
        "oracle-thin-mode-refuses",
        "N",
        "oracledb.exceptions.NotSupportedError",
        "DPY-3015: password verifier type 0x939 is not supported by python-oracledb in thin mode",
        {},
    ),
    (
        "class-missing-in-library-for-pickle",
        "N",
        "AttributeError",
        f"Can't get attribute 'DetectV9' on <module 'detector.nn.heads' from '{_SITE}/detector/nn/heads.py'>",
        {},
    ),
    (
        "class-pickled-in-a-script",
        "N",
        "AttributeError",
        f"Can't get attribute 'Net' on <module '__main__' from '{_SITE}/ts/model_service_worker.py'>",
        {},
    ),
    (
        "program-not-in-path",
        "N",
        "ffmpeg_like.FFmpegNotFoundError",
        "ffmpeg is not installed or is not on the PATH",
        {
            "errno": 2,
            "chain": [
                {
                    "exc_type": "FileNotFoundError",
                    "message": "[Errno 2] No such file or directory: 'ffmpeg'",
                }
            ],
        },
    ),
    (
        "driver-changed-under-the-kernel",
        "N",
        "RuntimeError",
        "Failed to initialize NVML: Driver/library version mismatch",
        {},
    ),
    (
        "cuda-toolkit-of-another-version",
        "N",
        "RuntimeError",
        "The detected CUDA version (12.4) mismatches the version that was used to compile PyTorch (11.8). Please make sure to use the same CUDA versions.",
        {},
    ),
    (
        "library-without-gpu",
        "N",
        "RuntimeError",
        "faiss was compiled without GPU support",
        {},
    ),
    (
        "api-key-missing",
        "N",
        "tracker.UsageError",
        "No API key configured.",
        {},
    ),
    (
        "file-open-elsewhere",
        "R",
        "BlockingIOError",
        "[Errno 11] Unable to open file (unable to lock file, errno = 11, error message = 'Resource temporarily unavailable')",
        {"errno": 11},
    ),
    # Quotas: what no waiting brings back, what comes back within a minute, and what does not say which.
    (
        "quota-used-up",
        "N",
        "anthropic.BadRequestError",
        "Error code: 400 - {'type': 'error', 'error': {'type': 'invalid_request_error', 'message': 'Your credit balance is too low to access the Anthropic API.'}}",
        {},
    ),
    (
        "quota-used-up",
        "N",
        "openai.APIStatusError",
        "Error code: 402 - {'error': {'message': 'Insufficient Balance', 'type': 'unknown_error'}}",
        {},
    ),
    (
        "throttled",
        "R",
        "google.api_core.exceptions.ResourceExhausted",
        "429 You exceeded your current quota, please check your plan and billing details. Quota exceeded for metric: generate_content_requests_per_minute, limit: 15. Please retry in 36s.",
        {},
    ),
    (
        "remote-client-is-throttled",
        "R",
        "google.api_core.exceptions.TooManyRequests",
        "429 Quota exceeded for quota metric 'Predict requests' and limit 'Predict requests per minute per region'",
        {},
    ),
    (
        "quota-used-up-or-throttled",
        "U",
        "google.genai.errors.ClientError",
        "429 You exceeded your current quota",
        {},
    ),
    # Seats of a license: all taken, and none for this user.
    (
        "licence-seats-taken",
        "R",
        "gurobipy.GurobiError",
        "Request denied: concurrent use limit (4) exceeded",
        {},
    ),
    (
        "licence-seats-taken",
        "R",
        "RuntimeError",
        "License checkout failed. License Manager Error -4. Maximum number of users for Statistics_Toolbox reached.",
        {},
    ),
    (
        "licence-seats-taken",
        "R",
        "HalconError",
        "Checkout exceeds MAX specified in options file. FlexNet Licensing error:-87,147",
        {},
    ),
    (
        "licence-not-for-this-user",
        "N",
        "gurobipy.GurobiError",
        "Request denied: host 'gpu-7' not on authorized host list",
        {},
    ),
    (
        "licence-not-for-this-user",
        "N",
        "RuntimeError",
        "User/host on EXCLUDE list for feature. FlexNet Licensing error:-38,349",
        {},
    ),
    (
        "licence-not-for-this-user",
        "N",
        "RuntimeError",
        "License checkout failed. License Manager Error -39",
        {},
    ),
    # A service that is away, by the type of its error.
    (
        "service-unavailable-by-type",
        "R",
        "feature_client.errors.TemporarilyUnavailableException",
        "code 7",
        {},
    ),
    ("service-unavailable-by-type", "R", "grpclib_like.Unavailable", "", {}),
    (
        "service-unavailable-by-type",
        "R",
        "RuntimeError",
        "no features",
        {"chain": [{"exc_type": "feature_client.ThrottlingException", "message": "slowly"}]},
    ),
    (
        "service-unavailable-by-word",
        "R",
        "registry.ApiError",
        "code=10008 description='the metadata system is temporarily unavailable'",
        {},
    ),
    # What calls its numbers err_code is not onnxruntime.
    (
        "service-unavailable-by-type",
        "R",
        "nats.js.errors.ServiceUnavailableError",
        "nats: ServiceUnavailableError: code=503 err_code=10118 description='a peer has left'",
        {},
    ),
    # A URL or DSN that its client refuses to parse.
    ("url-malformed", "N", "sentry_sdk.utils.BadDsn", "Missing public key", {}),
    ("url-malformed", "N", "aiohttp.client_exceptions.InvalidUrlClientError", "models", {}),
    (
        "url-unknown-type",
        "N",
        "neo4j.exceptions.ConfigurationError",
        "URI scheme 'postgres' is not supported. Supported URI schemes are ['bolt', 'neo4j']",
        {},
    ),
    # Vault: a login that is refused, and what changes by itself.
    (
        "vault-login-refused",
        "N",
        "hvac.exceptions.InvalidRequest",
        "invalid secret id, on post https://vault.example/v1/auth/approle/login",
        {},
    ),
    (
        "vault-login-refused",
        "N",
        "hvac.exceptions.Forbidden",
        "service account name not authorized, on post https://vault.example/v1/auth/kubernetes/login",
        {},
    ),
    (
        "vault-forbids-without-reason",
        "U",
        "hvac.exceptions.Forbidden",
        "permission denied, on post https://vault.example/v1/auth/kubernetes/login",
        {},
    ),
    (
        "vault-has-nothing-there",
        "U",
        "hvac.exceptions.InvalidPath",
        "None, on get https://vault.example/v1/kv/ranker",
        {},
    ),
    # Somebody is asked on a terminal.
    (
        "asked-on-a-terminal",
        "N",
        "EOFError",
        "EOF when reading a line",
        {"frames": [["/x/handler.py", "initialize"], [f"{_SITE}/voices/terms.py", "agree"]]},
    ),
    (
        "asked-on-a-terminal",
        "N",
        "termios.error",
        "(25, 'Inappropriate ioctl for device')",
        {"frames": [["/usr/lib/python3.10/getpass.py", "unix_getpass"]]},
    ),
    # Versions that do not fit, by the words that only their checks write (protobuf 5.29, grpcio-tools, weaviate-client 4, JDK 17).
    (
        "generated-code-for-another-version",
        "N",
        "google.protobuf.runtime_version.VersionError",
        "Detected mismatched Protobuf Gencode/Runtime major versions when loading ranker.proto: gencode 4.25.0 runtime 6.31.1. Same major version is required.",
        {},
    ),
    # The name of the file is no server that passes.
    (
        "generated-code-for-another-version",
        "N",
        "RuntimeError",
        "The grpc package installed is at version 1.62.0, but the generated code in server_request_pb2_grpc.py depends on grpcio>=1.70.0. Please upgrade your grpc module to grpcio>=1.70.0 or downgrade your generated code using grpcio-tools<=1.62.0.",
        {},
    ),
    (
        "generated-code-for-another-version",
        "N",
        "weaviate.exceptions.WeaviateProtobufIncompatibility",
        "gRPC incompatibility detected. Protobuf: 6.31.0, gRPC: 1.68.0. Ensure that your protobuf and grpcio versions are compatible or runtime errors may occur.",
        {},
    ),
    (
        "java-class-for-a-newer-java",
        "N",
        "py4j.protocol.Py4JJavaError",
        "An error occurred while calling None.org.example.Ranker.\n: java.lang.UnsupportedClassVersionError: org/example/Ranker has been compiled by a more recent version of the Java Runtime (class file version 65.0), this version of the Java Runtime only recognizes class file versions up to 55.0",
        {},
    ),
    (
        "tensorrt-module-of-another-version",
        "N",
        "RuntimeError",
        "[Error thrown at core/runtime/register_jit_hooks.cpp:63] Expected serialized_info.size() == SERIALIZATION_LEN to be true but got false\nProgram to be deserialized targets an incompatible Torch-TensorRT ABI",
        {},
    ),
    # A replica set of which some member answers: an election ends. Where no name is known, nobody can tell.
    (
        "replica-set-without-primary",
        "R",
        "pymongo.errors.ServerSelectionTimeoutError",
        "No replica set members match selector \"Primary()\", Timeout: 5.0s, Topology Description: <TopologyDescription topology_type: ReplicaSetNoPrimary, servers: [<ServerDescription ('db-0', 27017) server_type: RSSecondary>, <ServerDescription ('db-1', 27017) server_type: Unknown, error=AutoReconnect('db-1:27017: [Errno -2] Name or service not known')>]>",
        {"mro": _MONGO},
    ),
    (
        "database-host-unknown",
        "U",
        "pymongo.errors.ServerSelectionTimeoutError",
        "db-1:27017: [Errno -2] Name or service not known, Timeout: 5.0s, Topology Description: <TopologyDescription topology_type: ReplicaSetNoPrimary, servers: [<ServerDescription ('db-1', 27017) server_type: Unknown>]>",
        {"mro": _MONGO},
    ),
    (
        "broker-client-says-so",
        "R",
        "aiokafka.errors.NotLeaderForPartitionError",
        "[Error 6] NotLeaderForPartitionError",
        {},
    ),
    (
        "cache-without-master",
        "R",
        "redis.exceptions.ResponseError",
        "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
        {},
    ),
    # Connection strings that their parser refuses (pymongo 4.20, redis 8.1, SQLAlchemy 2.1, aiokafka, asyncpg).
    (
        "database-url-refused-by-its-parser",
        "N",
        "ValueError",
        "Invalid value for 'socket_timeout' in connection URL.",
        {
            "frames": [
                [f"{_SITE}/redis/connection.py", "from_url"],
                [f"{_SITE}/redis/connection.py", "parse_url"],
            ]
        },
    ),
    (
        "database-url-refused-by-its-parser",
        "N",
        "ValueError",
        "invalid literal for int() with base 10: 'port'",
        {
            "frames": [
                [f"{_SITE}/sqlalchemy/engine/url.py", "make_url"],
                [f"{_SITE}/sqlalchemy/engine/url.py", "_parse_url"],
            ]
        },
    ),
    (
        "database-url-refused-by-its-parser",
        "N",
        "ValueError",
        "invalid literal for int() with base 10: 'port'",
        {
            "frames": [
                [f"{_SITE}/aiokafka/conn.py", "collect_hosts"],
                [f"{_SITE}/aiokafka/conn.py", "get_ip_port_afi"],
            ]
        },
    ),
    (
        "database-url-refused-by-its-parser",
        "N",
        "pymongo.errors.InvalidURI",
        "Username and password must be escaped according to RFC 3986, use urllib.parse.quote_plus",
        {"frames": [[f"{_SITE}/pymongo/uri_parser_shared.py", "parse_userinfo"]]},
    ),
    # What a job makes may come: decision 64.
    (
        "collection-missing",
        "U",
        "qdrant_client.http.exceptions.UnexpectedResponse",
        'Unexpected Response: 404 (Not Found)\nRaw response content:\nb\'{"status":{"error":"Not found: Collection `articles` doesn\\\'t exist!"},"time":0.00001}\'',
        {},
    ),
    (
        "collection-missing",
        "U",
        "pymilvus.exceptions.MilvusException",
        "<MilvusException: (code=100, message=can't find collection[database=default][collection=docs])>",
        {},
    ),
    (
        "collection-missing",
        "U",
        "chromadb.errors.NotFoundError",
        "Collection [passages] does not exist",
        {},
    ),
    (
        "collection-missing",
        "U",
        "elasticsearch.NotFoundError",
        "NotFoundError(404, 'index_not_found_exception', 'no such index [passages]', passages, index_or_alias)",
        {},
    ),
    (
        "object-missing",
        "U",
        "google.api_core.exceptions.NotFound",
        "404 GET https://storage.googleapis.com/storage/v1/b/models/o/ranker.pt?alt=json: No such object: models/ranker.pt",
        {},
    ),
    (
        "registered-model-missing",
        "U",
        "mlflow.exceptions.RestException",
        "RESOURCE_DOES_NOT_EXIST: Run with id=0123456789abcdef0123456789abcdef not found",
        {},
    ),
    (
        "object-missing",
        "U",
        "mlflow.exceptions.MlflowException",
        'Could not find an "MLmodel" configuration file at "/mnt/models/ranker"',
        {},
    ),
    (
        "model-folder-without-mlmodel",
        "N",
        "mlflow.exceptions.MlflowException",
        f'Could not find an "MLmodel" configuration file at "{_UNPACKED}/ranker"',
        {},
    ),
    (
        "object-missing",
        "U",
        "botocore.errorfactory.ResourceNotFoundException",
        "An error occurred (ResourceNotFoundException) when calling the GetSecretValue operation: Secrets Manager can't find the specified secret.",
        {},
    ),
    (
        "google-or-azure-not-found",
        "U",
        "azure.core.exceptions.ResourceNotFoundError",
        "(SecretNotFound) A secret with (name/id) ranker-key was not found in this key vault.",
        {},
    ),
    (
        "model-store-lacks-model",
        "U",
        "ollama._types.ResponseError",
        'model "qwen2.5:7b" not found, try pulling it first (status code: 404)',
        {},
    ),
    (
        "model-store-lacks-model",
        "U",
        "bentoml.exceptions.NotFound",
        "Model 'ranker:v3' is not found in BentoML store <osfs '/srv/bento/models'>",
        {},
    ),
    # What no upload of an object cures.
    (
        "bucket-missing",
        "N",
        "google.api_core.exceptions.NotFound",
        "404 GET https://storage.googleapis.com/storage/v1/b/no-such?prettyPrint=false: The specified bucket does not exist.",
        {},
    ),
    (
        "bucket-missing",
        "N",
        "botocore.exceptions.ClientError",
        "An error occurred (404) when calling the HeadBucket operation: Not Found",
        {},
    ),
    (
        "bucket-missing",
        "N",
        "google.cloud.exceptions.NotFound",
        "Unable to parse bucket name of gs:///ranker.pt",
        {},
    ),
    (
        "http-file-missing",
        "U",
        "requests.exceptions.HTTPError",
        "404 Client Error: Not Found for url: https://artifacts.example/models/ranker/v7.tar.gz",
        {},
    ),
    (
        "http-not-found",
        "N",
        "requests.exceptions.HTTPError",
        "404 Client Error: Not Found for url: https://api.example/v1/modles/ranker",
        {},
    ),
    (
        "http-credentials-refused",
        "N",
        "requests.exceptions.HTTPError",
        "401 Client Error: Unauthorized for url: https://artifacts.example/models/ranker/v7.tar.gz",
        {},
    ),
    # An object that a text calls like a bucket is none.
    (
        "object-missing",
        "U",
        "botocore.exceptions.ClientError",
        "An error occurred (NoSuchKey) when calling the GetObject operation: The specified key does not exist. Bucket: ranker",
        {},
    ),
    # A file that a library names and cannot open is judged as one that open() does not find.
    (
        "file-not-opened-in-shared-place",
        "U",
        "cv2.error",
        "OpenCV(4.10.0) /io/opencv/modules/dnn/src/onnx/onnx_importer.cpp:277: error: (-5:Bad argument) Can't read ONNX file: /mnt/volume/m.onnx in function 'ONNXImporter'",
        {},
    ),
    (
        "file-missing-on-host-by-text",
        "N",
        "cv2.error",
        "OpenCV(4.10.0) /io/opencv/modules/dnn/src/onnx/onnx_importer.cpp:277: error: (-5:Bad argument) Can't read ONNX file: /opt/app/m.onnx in function 'ONNXImporter'",
        {},
    ),
    (
        "file-missing-by-text",
        "N",
        "cv2.error",
        f"OpenCV(4.10.0) /io/opencv/modules/dnn/src/caffe/caffe_io.cpp:1126: error: (-2:Unspecified error) FAILED: fs.is_open(). Can't open \"{_UNPACKED}/deploy.prototxt\" in function 'ReadProtoFromTextFile'",
        {},
    ),
    (
        "file-not-opened-in-shared-place",
        "U",
        "cv2.error",
        "OpenCV(4.10.0) /io/opencv/modules/dnn/src/darknet/darknet_importer.cpp:210: error: (-212:Parsing error) Failed to open NetParameter file: /data/yolo.cfg in function 'readNetFromDarknet'",
        {},
    ),
    (
        "file-not-opened-in-shared-place",
        "U",
        "ValueError",
        "The provided filename /mnt/volume/m.pt does not exist",
        {},
    ),
    (
        "file-missing-on-host-by-text",
        "N",
        "ValueError",
        "The provided filename /opt/app/m.pt does not exist",
        {},
    ),
    (
        "file-not-opened-in-shared-place",
        "U",
        "ValueError",
        "File not found: filepath=/mnt/volume/m.keras. Please ensure the file is an accessible `.keras` zip file.",
        {},
    ),
    (
        "hub-name-is-a-missing-directory",
        "N",
        "huggingface_hub.errors.HFValidationError",
        f"Repo id must be in the form 'repo_name' or 'namespace/repo_name': '{_UNPACKED}/encoder'. Use `repo_type` argument if needed.",
        {},
    ),
    # What is cut is no file of another format.
    (
        "hdf5-file-cut",
        "N",
        "OSError",
        "Unable to open file (truncated file: eof = 4096, sblock->base_addr = 0, stored_eof = 81920)",
        {},
    ),
    (
        "hdf5-file-not-one",
        "N",
        "OSError",
        "Unable to open file (file signature not found)",
        {},
    ),
    (
        "onnx-file-damaged",
        "N",
        "google.protobuf.message.DecodeError",
        "Unable to parse proto from file: /opt/app/m.onnx. Please check if it is a valid protobuf file of type <class 'onnx.onnx_ml_pb2.ModelProto'>.",
        {},
    ),
    # What PEFT says to whoever wrote the configuration is no passing state; what a service says is.
    (
        "adapter-does-not-fit-its-base",
        "N",
        "ValueError",
        "Target modules {'q', 'v'} not found in the base model. Please check the target modules and try again.",
        {},
    ),
    (
        "adapter-does-not-fit-its-base",
        "N",
        "ValueError",
        "No modules were targeted for adaptation. This might be caused by a combination of mismatched target modules and excluded modules.",
        {},
    ),
    (
        "adapter-does-not-fit-its-base",
        "N",
        "ValueError",
        "Target module Linear4bit(in_features=64, out_features=64, bias=False) is not supported. Currently, only the following modules are supported: `torch.nn.Linear`.",
        {},
    ),
    # The library's version, not a package that is missing, although the text names pip install.
    (
        "model-newer-than-the-library",
        "N",
        "ValueError",
        "The checkpoint you are trying to load has model type `zeta9` but Transformers does not recognize this architecture.\n\nYou can update Transformers with the command `pip install --upgrade transformers`.",
        {},
    ),
    (
        "keras-reads-no-saved-model",
        "N",
        "ValueError",
        "File format not supported: filepath=/opt/m. Keras 3 only supports V3 `.keras` files and legacy H5 format files (`.h5` extension).",
        {},
    ),
    (
        "keras-2-asked-for",
        "N",
        "ImportError",
        "`keras.optimizers.legacy` is not supported in Keras 3.",
        {},
    ),
    (
        "torch-operator-not-registered",
        "N",
        "RuntimeError",
        "Could not find schema for torchvision::nms.",
        {},
    ),
    (
        "torch-operator-not-registered",
        "N",
        "AttributeError",
        "'_OpNamespace' 'torchvision' object has no attribute 'nms'",
        {},
    ),
    (
        "torch-operator-not-registered",
        "N",
        "RuntimeError",
        "Tried to instantiate class '__torch__.torch.classes.tensorrt.Engine', but it does not exist! Ensure that it is registered via torch::class_",
        {},
    ),
    (
        "tensorrt-gave-no-engine",
        "U",
        "AttributeError",
        "'NoneType' object has no attribute 'num_io_tensors'",
        {},
    ),
    (
        "nothing-where-something-was-expected",
        "U",
        "AttributeError",
        "'NoneType' object has no attribute 'num_layers'",
        {},
    ),
    # A pointer of Git LFS and a newer index stay so; a page may be fetched anew, zeros may still be written.
    (
        "faiss-index-of-another-kind",
        "N",
        "RuntimeError",
        _FAISS + 'Index type 0x73726576 ("vers") not recognized',
        {},
    ),
    (
        "faiss-index-of-another-kind",
        "N",
        "RuntimeError",
        _FAISS_OLD + 'Index type 0x73726576 ("vers") not recognized',
        {},
    ),
    (
        "faiss-index-not-read",
        "U",
        "RuntimeError",
        _FAISS + 'Index type 0x73726576 ("vers") not recognized',
        {"frames": [["/x/site-packages/huggingface_hub/file_download.py", "f"]]},
    ),
    (
        "faiss-index-not-read",
        "U",
        "RuntimeError",
        _FAISS + 'Index type 0x6d74683c ("<htm") not recognized',
        {},
    ),
    (
        "faiss-index-not-read",
        "U",
        "RuntimeError",
        _FAISS + 'Index type 0x00000000 ("\\x00\\x00\\x00\\x00") not recognized',
        {},
    ),
    (
        "faiss-index-not-read",
        "U",
        "RuntimeError",
        _FAISS + "Error: 'ret == (1)' failed: read error in /opt/m.index: 0 != 1 (Success)",
        {},
    ),
    (
        "mount-fails",
        "R",
        "RuntimeError",
        _FAISS
        + "Error: 'ret == (1)' failed: read error in /mnt/m.index: 0 != 1 (Input/output error)",
        {},
    ),
    (
        "hub-access-awaits-review",
        "U",
        "huggingface_hub.errors.GatedRepoError",
        _GATED + "Your request to access model org/m is awaiting a review from the repo authors.",
        {},
    ),
    (
        "hub-access-not-asked-for",
        "N",
        "huggingface_hub.errors.GatedRepoError",
        _GATED + "Access to model org/m is restricted and you are not in the authorized list.",
        {},
    ),
    ("system-library-missing", "N", "OSError", "sndfile library not found", {}),
    (
        "nothing-where-something-was-expected",
        "U",
        "AttributeError",
        "'NoneType' object has no attribute 'endswith'",
        {"frames": [["/x/handler.py", "initialize"]]},
    ),
    (
        "nothing-where-something-was-expected",
        "U",
        "TypeError",
        "object of type 'NoneType' has no len()",
        {"frames": [["/x/ts/model_loader.py", "load"], ["/x/handler.py", "initialize"]]},
    ),
    ("package-required", "N", "ImportError", "timm package is not installed", {}),
    (
        "keras-of-another-version",
        "N",
        "ValueError",
        "Unrecognized keyword arguments passed to Dense: {'quantization_config': None}",
        {},
    ),
    (
        "keras-or-other-format",
        "N",
        "cv2.error",
        "OpenCV(4.10.0) /io/onnx_importer.cpp:277: error: (-210:Unsupported format or combination of formats) Failed to parse ONNX model: m.onnx in function 'ONNXImporter'",
        {},
    ),
    (
        "store-not-reached",
        "R",
        "OSError",
        "When resolving region for bucket 'm': AWS Error NETWORK_CONNECTION during HeadBucket operation: curlCode: 6, Couldn't resolve host name",
        {},
    ),
    (
        "bucket-missing",
        "N",
        "OSError",
        "When reading information for key 'x' in bucket 'm': AWS Error NO_SUCH_BUCKET during HeadObject operation: The specified bucket does not exist",
        {},
    ),
    (
        "object-not-picklable",
        "N",
        "joblib.externals.loky.process_executor.BrokenProcessPool",
        "A task has failed to un-serialize. Please ensure that the arguments of the function are all picklable.",
        {},
    ),
    (
        "child-process-killed",
        "U",
        "concurrent.futures.process.BrokenProcessPool",
        "A process in the process pool was terminated abruptly while the future was running or pending.",
        {},
    ),
    (
        "engine-wrapper",
        "U",
        "ValueError",
        "Model architectures ['AcmeForCausalLM'] failed to be inspected. Please check the logs for more details.",
        {},
    ),
    (
        "engine-lacks-architecture",
        "N",
        "ValueError",
        "Model architectures ['AcmeForCausalLM'] are not supported for now.",
        {},
    ),
    (
        "vector-store-not-ready",
        "R",
        "pymilvus.exceptions.MilvusException",
        "<MilvusException: (code=106, message=collection on recovering[collection=docs])>",
        {},
    ),
    (
        "share-not-reached",
        "R",
        "smbprotocol.exceptions.SMBOSError",
        "[Error 0] [NtStatus 0xc000020c] STATUS_CONNECTION_DISCONNECTED: '//nas/models/net.pt'",
        {},
    ),
    (
        "tree-model-not-one",
        "N",
        "xgboost.core.XGBoostError",
        "[10:11:12] /workspace/src/c_api/c_api.cc:1043: Unknown model format: `pickle`. Expecting `json` or `ubj`.",
        {},
    ),
    (
        "query-malformed-text",
        "N",
        "_duckdb.CatalogException",
        'Catalog Error: Scalar Function with name "list_cosine" does not exist!',
        {},
    ),
    (
        "query-malformed-text",
        "N",
        "trino.exceptions.TrinoUserError",
        "TrinoUserError(type=USER_ERROR, name=SYNTAX_ERROR, message=\"line 1:8: mismatched input 'FORM'\")",
        {},
    ),
    (
        "database-content-missing",
        "U",
        "trino.exceptions.TrinoUserError",
        "TrinoUserError(type=USER_ERROR, name=TABLE_NOT_FOUND, message=\"line 1:15: Table 'hive.default.f' does not exist\")",
        {},
    ),
    (
        "call-refused-by-its-client",
        "N",
        "pymilvus.exceptions.ParamError",
        "<ParamError: (code=1, message=`collection_name` value None is illegal)>",
        {},
    ),
    (
        "login-refused-by-type",
        "N",
        "ldap3.core.exceptions.LDAPInvalidCredentialsResult",
        "LDAPInvalidCredentialsResult - 49 - invalidCredentials - None - None - bindResponse - None",
        {},
    ),
    (
        "credentials-refused",
        "N",
        "RuntimeError",
        "The config profile (staging) could not be found",
        {},
    ),
    (
        "store-forbids",
        "N",
        "google.api_core.exceptions.PermissionDenied",
        "403 Permission 'bigquery.tables.get' denied for resource 'projects/1/datasets/d' (or it may not exist).",
        {},
    ),
    (
        "google-forbids-without-reason",
        "U",
        "google.api_core.exceptions.PermissionDenied",
        "403 Forbidden",
        {},
    ),
    (
        "weights-cut",
        "N",
        "RuntimeError",
        "PytorchStreamReader failed reading zip archive: failed finding central directory",
        {},
    ),
    (
        "weights-not-torchscript",
        "N",
        "RuntimeError",
        "PytorchStreamReader failed locating file constants.pkl: file not found",
        {},
    ),
    (
        "handler-class-count",
        "N",
        "ValueError",
        "Expected only one class in custom service code or a function entry point [<class 'handler.A'>, <class 'handler.B'>]",
        {},
    ),
    (
        "handler-without-class",
        "N",
        "ValueError",
        "Expected only one class as model definition. []",
        {},
    ),
    (
        "hub-file-missing",
        "N",
        "OSError",
        "[E050] Can't find model '/opt/models/ner'. It doesn't seem to be a Python package or a valid path to a data directory.",
        {},
    ),
    (
        "attention-not-available",
        "N",
        "RuntimeError",
        "FlashAttention only supports Ampere GPUs or newer.",
        {},
    ),
    (
        "quota-used-up",
        "N",
        "openai.RateLimitError",
        "Error code: 429 - {'error': {'message': 'You exceeded your current quota, please check your plan and billing details.', 'code': 'insufficient_quota'}}",
        {},
    ),
    (
        "client-configuration-text",
        "N",
        "cimpl.KafkaException",
        'KafkaError{code=_INVALID_ARG,val=-186,str="Invalid value for configuration property "acks""}',
        {},
    ),
    (
        "broker-client-says-so",
        "R",
        "kafka.errors.CoordinatorNotAvailableError",
        "[Error 15] CoordinatorNotAvailableError",
        {},
    ),
    ("remote-call-unavailable", "R", "RuntimeError", "the feature store is not ready", {}),
    ("remote-call-unavailable", "R", "RuntimeError", "Node worker-3 was not yet ready", {}),
    (
        "database-content-missing",
        "U",
        "clickhouse_connect.driver.exceptions.DatabaseError",
        "Code: 47. DB::Exception: Missing columns: 'age'. (UNKNOWN_IDENTIFIER)",
        {},
    ),
    (
        "database-content-missing",
        "U",
        "oracledb.exceptions.DatabaseError",
        'ORA-00942: table or view "ML"."FEATURES" does not exist',
        {},
    ),
    (
        "device-busy-or-unavailable",
        "U",
        "RuntimeError",
        "CUDA error: all CUDA-capable devices are busy or unavailable",
        {},
    ),
    (
        "metadata-host-unknown",
        "U",
        "google.auth.exceptions.TransportError",
        "HTTPConnectionPool(host='metadata.google.internal', port=80): Max retries exceeded with url: /x (Caused by NewConnectionError('<x>: Failed to establish a new connection: [Errno -2] Name or service not known'))",
        {},
    ),
    (
        "metadata-without-account",
        "U",
        "google.auth.exceptions.TransportError",
        "Failed to retrieve http://metadata.google.internal/x from the Google Compute Engine metadata service. Status: 404 Response: b''",
        {},
    ),
    (
        "download-unpacked-badly",
        "U",
        "zipfile.BadZipFile",
        "File is not a zip file",
        {"frames": [["/x/site-packages/nltk/downloader.py", "download"]]},
    ),
    (
        "hub-answers-unlike-a-hub",
        "U",
        "huggingface_hub.errors.LocalEntryNotFoundError",
        "An error happened while trying to locate the file on the Hub and we cannot find the requested files in the local cache.",
        {
            "chain": [
                {
                    "exc_type": "huggingface_hub.errors.FileMetadataError",
                    "message": "Distant resource does not seem to be on huggingface.co.",
                }
            ]
        },
    ),
    (
        "host-request-huge",
        "U",
        "RuntimeError",
        "[enforce fail at alloc_cpu.cpp:1] . DefaultCPUAllocator: can't allocate memory: you tried to allocate 200000000000 bytes. Error code 12 (Cannot allocate memory)",
        {},
    ),
    (
        "host-memory-shortage",
        "R",
        "RuntimeError",
        "[enforce fail at alloc_cpu.cpp:1] . DefaultCPUAllocator: can't allocate memory: you tried to allocate 2000000000 bytes. Error code 12 (Cannot allocate memory)",
        {},
    ),
    ("json-empty-unnamed", "U", "Exception", "EOF while parsing a value at line 1 column 0", {}),
    (
        "bitsandbytes-without-cuda",
        "N",
        "RuntimeError",
        "CUDA Setup failed despite GPU being available. Please run the following command: python -m bitsandbytes",
        {},
    ),
    (
        "queue-missing",
        "U",
        "amqp.exceptions.NotFound",
        "Queue.declare: (404) NOT_FOUND - no queue 'jobs' in vhost '/'",
        {},
    ),
    (
        "gpu-model-exceeds-card",
        "N",
        "RuntimeError",
        "CUDA out of memory. Tried to allocate 100.00 MiB (GPU 0; 2.00 GiB total capacity; 1.50 GiB already allocated; 20.00 MiB free; 1.60 GiB reserved in total by PyTorch)",
        {},
    ),
    (
        "gpu-memory-held-by-others",
        "R",
        "RuntimeError",
        "CUDA out of memory. Tried to allocate 100.00 MiB (GPU 0; 2.00 GiB total capacity; 300.00 MiB already allocated; 20.00 MiB free; 310.00 MiB reserved in total by PyTorch)",
        {},
    ),
    (
        "gpu-memory-numbers-contradict",
        "U",
        "RuntimeError",
        "CUDA out of memory. Tried to allocate 10.00 MiB (GPU 0; 12.00 GiB total capacity; 5.00 MiB already allocated; 9.00 GiB free; 6.00 MiB cached)",
        {},
    ),
    (
        "gpu-memory-held-mostly-here",
        "U",
        "RuntimeError",
        "CUDA out of memory. Tried to allocate 1.00 GiB (GPU 0; 16.00 GiB total capacity; 11.00 GiB already allocated; 500.00 MiB free; 12.00 GiB reserved in total by PyTorch)",
        {},
    ),
    (
        "gpu-memory-share-nearly-free",
        "U",
        "ValueError",
        "Free memory on device cuda:0 (21.00/24.00 GiB) on startup is less than desired GPU memory utilization (0.9, 21.20 GiB).",
        {},
    ),
    (
        "gpu-memory-held-by-others",
        "R",
        "ValueError",
        "Free memory on device cuda:0 (3.00/24.00 GiB) on startup is less than desired GPU memory utilization (0.9, 21.60 GiB).",
        {},
    ),
    (
        "credentials-not-configured",
        "N",
        "azure.identity._exceptions.CredentialUnavailableError",
        "EnvironmentCredential authentication unavailable. Environment variables are not fully configured.",
        {},
    ),
    (
        "azure-credentials-not-found",
        "U",
        "azure.core.exceptions.ClientAuthenticationError",
        "DefaultAzureCredential failed to retrieve a token from the included credentials. EnvironmentCredential authentication unavailable.",
        {},
    ),
    (
        "credentials-file-missing-in-shared-place",
        "U",
        "google.auth.exceptions.DefaultCredentialsError",
        "File /var/run/secrets/google/key.json was not found.",
        {},
    ),
    (
        "credentials-file-unusable",
        "N",
        "google.auth.exceptions.DefaultCredentialsError",
        "File 0123abcd was not found.",
        {},
    ),
    (
        "command-missing-unnamed",
        "N",
        "FileNotFoundError",
        "[WinError 2] The system cannot find the file specified",
        {"errno": 2, "frames": [["/usr/lib/python3.10/subprocess.py", "_execute_child"]]},
    ),
    (
        "local-directory-without-file",
        "N",
        "OSError",
        "Error no file named model.fp16.bin found in directory /srv/data/model/unet",
        {},
    ),
    (
        "local-directory-missing-in-shared-place",
        "U",
        "OSError",
        "Error no file named model.bin found in directory /root/.cache/huggingface/hub/models--a--b/snapshots/0123abc",
        {},
    ),
    (
        "no-kernel-image",
        "N",
        "RuntimeError",
        "GPUs with compute capability below 7.0 are not supported.",
        {},
    ),
    (
        "connection-errno",
        "R",
        "ConnectionRefusedError",
        "[Errno 111] Connection refused",
        {"errno": 111},
    ),
    (
        "private-host-unknown",
        "U",
        "requests.exceptions.ConnectionError",
        "HTTPConnectionPool(host='tracking', port=80): Max retries exceeded with url: /x (Caused by NewConnectionError('<x>: Failed to establish a new connection: [Errno -2] Name or service not known'))",
        {},
    ),
    (
        "connection-type",
        "R",
        "requests.exceptions.ConnectionError",
        "HTTPSConnectionPool(host='cdn.example.org', port=443): Max retries exceeded with url: /x (Caused by NewConnectionError('<x>: Failed to establish a new connection: [Errno -2] Name or service not known'))",
        {},
    ),
    ("quota-of-disk-reached", "R", "OSError", "[Errno 122] Disk quota exceeded", {"errno": 122}),
    (
        "file-missing-on-host-by-text",
        "N",
        "FileNotFoundError",
        "[Errno 2] No such file or directory: '/opt/ml/model/code/inference.py'",
        {"errno": 2},
    ),
    (
        "model-directory-incomplete",
        "N",
        "OSError",
        "Unable to open file (unable to open file: name = 'model.h5', errno = 2, error message = 'No such file or directory', flags = 0, o_flags = 0)",
        {},
    ),
    (
        "operation-not-permitted",
        "N",
        "PermissionError",
        "[Errno 1] Operation not permitted: '/models/x'",
        {"errno": 1},
    ),
    ("archive-damaged", "N", "tarfile.ReadError", "not a gzip file", {}),
    (
        "tls-not-built-in",
        "N",
        "urllib.error.URLError",
        "<urlopen error unknown url type: https>",
        {},
    ),
    (
        "certificate-file-unusable",
        "N",
        "ssl.SSLError",
        "[SSL: KEY_VALUES_MISMATCH] key values mismatch (_ssl.c:3900)",
        {},
    ),
    (
        "client-configuration",
        "N",
        "requests.exceptions.InvalidProxyURL",
        "Please check proxy URL. It is malformed and could be missing the host.",
        {},
    ),
    (
        "url-host-malformed",
        "N",
        "UnicodeError",
        "encoding with 'idna' codec failed (UnicodeError: label empty or too long)",
        {},
    ),
    (
        "aws-refuses-the-request",
        "N",
        "botocore.exceptions.ClientError",
        "An error occurred (ValidationException) when calling the X operation: The provided model identifier is invalid.",
        {},
    ),
    (
        "role-not-assumable-yet",
        "U",
        "botocore.exceptions.ClientError",
        "An error occurred (AccessDenied) when calling the AssumeRoleWithWebIdentity operation: Not authorized to perform sts:AssumeRoleWithWebIdentity",
        {},
    ),
    (
        "credentials-incomplete",
        "N",
        "botocore.exceptions.PartialCredentialsError",
        "Partial credentials found in env, missing: AWS_SECRET_ACCESS_KEY",
        {},
    ),
    (
        "login-by-a-person-needed",
        "N",
        "botocore.exceptions.UnauthorizedSSOTokenError",
        "The SSO session associated with this profile has expired or is otherwise invalid. To refresh this SSO session run aws sso login with the corresponding profile.",
        {},
    ),
    (
        "client-configuration-text",
        "N",
        "ValueError",
        "Invalid endpoint: https://s3..amazonaws.com",
        {},
    ),
    (
        "credentials-file-unusable",
        "N",
        "google.auth.exceptions.DefaultCredentialsError",
        "File /app/key.json is not a valid json file.",
        {},
    ),
    (
        "database-password-missing",
        "N",
        "psycopg2.OperationalError",
        "fe_sendauth: no password supplied\n",
        {},
    ),
    (
        "database-right-missing",
        "N",
        "psycopg2.errors.InsufficientPrivilege",
        "permission denied for table x\n",
        {},
    ),
    ("server-lacks-feature", "N", "sqlite3.OperationalError", "no such module: fts5", {}),
    (
        "database-host-unknown",
        "U",
        "redis.exceptions.ConnectionError",
        "Error -2 connecting to redis:6379. Name or service not known.",
        {},
    ),
    (
        "broker-forbids-vhost",
        "N",
        "pika.exceptions.ProbableAccessDeniedError",
        "ConnectionClosedByBroker: (530) \"NOT_ALLOWED - access to vhost '/x' refused for user 'u'\"",
        {},
    ),
    (
        "broker-not-ready",
        "R",
        "amqp.exceptions.ConnectionForced",
        "(0, 0): (320) CONNECTION_FORCED - broker forced connection closure with reason 'shutdown'",
        {},
    ),
    (
        "environment-variable-named",
        "N",
        "environs.EnvError",
        'Environment variable "X" not set',
        {},
    ),
    (
        "xml-damaged",
        "N",
        "xml.etree.ElementTree.ParseError",
        "not well-formed (invalid token): line 1, column 0",
        {},
    ),
    ("arguments-refused", "N", "SystemExit", "2", {}),
    ("spacy-error", "N", "OSError", "[E053] Could not read config file from /x/config.cfg", {}),
    (
        "cluster-worker-gone",
        "U",
        "ray.exceptions.RayActorError",
        "The actor died because of an error raised in its creation task, ray::X.__init__() (pid=1, ip=1)",
        {},
    ),
    (
        "import-error-told-by-transformers",
        "N",
        "RuntimeError",
        "Failed to import transformers.integrations because of the following error (look up to see its traceback):\nmodule 'numpy' has no attribute 'object'",
        {},
    ),
    (
        "shapes-do-not-fit",
        "N",
        "RuntimeError",
        "Sizes of tensors must match except in dimension 1. Expected size 4 but got size 3 for tensor number 1 in the list.",
        {},
    ),
    (
        "local-directory-without-file",
        "N",
        "OSError",
        "Error no file named pytorch_model.bin, tf_model.h5, model.ckpt.index or flax_model.msgpack found in directory /home/x/model.",
        {},
    ),
    (
        "estimator-of-another-version",
        "N",
        "ValueError",
        "node array from the pickle has an incompatible dtype",
        {},
    ),
    (
        "compute-type-unsupported",
        "N",
        "ValueError",
        "Requested float16 compute type, but the target device or backend do not support efficient float16 computation.",
        {},
    ),
    (
        "processes-exhausted",
        "U",
        "BlockingIOError",
        "[Errno 11] Resource temporarily unavailable",
        {"frames": [["/usr/lib/python3.10/subprocess.py", "_execute_child"]], "errno": 11},
    ),
    (
        "private-host-unknown",
        "U",
        "requests.exceptions.ConnectionError",
        "HTTPConnectionPool(host='mlflow', port=5000): Max retries exceeded with url: /x (Caused by NewConnectionError('<x>: Failed to establish a new connection: [Errno -2] Name or service not known'))",
        {},
    ),
    (
        "database-host-not-allowed",
        "U",
        "pymysql.err.OperationalError",
        "(1130, \"Host '10.0.0.9' is not allowed to connect to this MySQL server\")",
        {},
    ),
    ("kafka-leader-moves", "R", "kafka.errors.NodeNotReadyError", "NodeNotReadyError: 1", {}),
    (
        "store-head-says-no-reason",
        "U",
        "botocore.exceptions.ClientError",
        "An error occurred (400) when calling the HeadObject operation: Bad Request",
        {},
    ),
    (
        "address-not-available",
        "U",
        "OSError",
        "[Errno 99] Cannot assign requested address",
        {"errno": 99},
    ),
    ("file-locks-unavailable", "U", "OSError", "[Errno 37] No locks available", {"errno": 37}),
    ("download-failed-unexplained", "U", "RuntimeError", "Failed to download weights", {}),
    (
        "cache-client-says-so",
        "R",
        "redis.exceptions.ConnectionError",
        "Error 111 connecting to 127.0.0.1:6379. Connection refused.",
        {},
    ),
    (
        "cache-client-says-so",
        "R",
        "redis.exceptions.ConnectionError",
        "Error 111 connecting to 10.127.0.1:6379. Connection refused.",
        {},
    ),
    (
        "connection-errno",
        "R",
        "RuntimeError",
        "TCPStore: failed to connect to [127.0.0.1]:29500 (errno: 111 - Connection refused).",
        {},
    ),
    (
        "connection-type",
        "R",
        "botocore.exceptions.EndpointConnectionError",
        'Could not connect to the endpoint URL: "http://localhost:9000/bucket/key"',
        {},
    ),
    (
        "no-socket-on-this-host",
        "U",
        "redis.exceptions.ConnectionError",
        "Error 2 connecting to /run/redis.sock. No such file or directory.",
        {},
    ),
    (
        "address-wrong-or-service-late",
        "U",
        "ValueError",
        "Either the URL http://w:8080 is wrong or the service did not start.",
        {},
    ),
    (
        "mount-not-connected",
        "R",
        "OSError",
        "[Errno 107] Transport endpoint is not connected: '/m/x'",
        {},
    ),
    ("connection-errno", "R", "OSError", "[Errno 107] Transport endpoint is not connected", {}),
    ("open-files-exhausted", "U", "OSError", "[Errno 24] Too many open files", {}),
    (
        "host-has-too-many-open-files",
        "R",
        "OSError",
        "[Errno 23] Too many open files in system",
        {},
    ),
    ("device-or-mount-fails", "U", "OSError", "No such device (os error 19)", {}),
    ("mount-is-read-only", "U", "OSError", "[Errno 30] Read-only file system: '/mnt/a/b'", {}),
    (
        "read-only-file-system",
        "N",
        "OSError",
        "[Errno 30] Read-only file system: '/opt/ml/model/a'",
        {},
    ),
    (
        "path-too-long-for-windows",
        "N",
        "OSError",
        "[WinError 206] The filename or extension is too long: 'C:\\u\\.cache\\x.incomplete'",
        {},
    ),
    (
        "cache-entry-there-already",
        "R",
        "FileExistsError",
        "[Errno 17] File exists: '/root/.cache/torch/hub/x'",
        {},
    ),
    (
        "memory-request-impossible",
        "N",
        "numpy.core._exceptions._ArrayMemoryError",
        "Unable to allocate 596. TiB for an array with shape (1, 2) and data type float64",
        {},
    ),
    (
        "host-request-huge",
        "U",
        "onnxruntime.capi.onnxruntime_pybind11_state.RuntimeException",
        "[ONNXRuntimeError] : 6 : RUNTIME_EXCEPTION : Failed to allocate memory for requested buffer of size 8589934592",
        {},
    ),
    (
        "store-forbids-without-reason",
        "U",
        "botocore.exceptions.ClientError",
        "An error occurred (403) when calling the HeadObject operation: Forbidden",
        {},
    ),
    (
        "google-forbids-without-reason",
        "U",
        "google.api_core.exceptions.Forbidden",
        "403 GET https://storage.googleapis.com/storage/v1/b/m: Forbidden",
        {},
    ),
    (
        "weights-cut-in-download",
        "U",
        "EOFError",
        "Ran out of input",
        {"frames": [["/x/site-packages/torch/hub.py", "load_state_dict_from_url"]]},
    ),
    (
        "weights-not-loaded-unexplained",
        "U",
        "OSError",
        "Unable to load weights from pytorch checkpoint file for 'org/model'",
        {},
    ),
    (
        "quota-used-up",
        "N",
        "openai.RateLimitError",
        "Error code: 429 - {'error': {'message': 'You exceeded your current quota', 'code': 'insufficient_quota'}}",
        {},
    ),
    (
        "kernel-exceeds-device",
        "N",
        "triton.runtime.errors.OutOfResources",
        "out of resource: shared memory, Required: 131072, Hardware limit: 65536. Reducing block sizes or `num_stages` may help.",
        {},
    ),
    ("gpu-lost", "N", "pynvml.NVMLError_GpuIsLost", "GPU is lost", {}),
    (
        "gpu-memory-shortage",
        "R",
        "jaxlib.xla_extension.XlaRuntimeError",
        "RESOURCE_EXHAUSTED: Out of memory while trying to allocate 8589934592 bytes.",
        {},
    ),
    (
        "throttled",
        "R",
        "google.api_core.exceptions.ResourceExhausted",
        "429 RESOURCE_EXHAUSTED: Quota exceeded",
        {},
    ),
    (
        "onnx-providers-not-there",
        "N",
        "ValueError",
        "Specified provider 'CUDAExecutionProvider' is not in available provider names. Available providers: 'CPUExecutionProvider'",
        {},
    ),
    (
        "gguf-not-loaded-unexplained",
        "U",
        "ValueError",
        "Failed to load model from file: /opt/models/q4.gguf",
        {},
    ),
    (
        "generated-code-for-another-version",
        "N",
        "google.protobuf.runtime_version.VersionError",
        "Detected incompatible Protobuf Gencode/Runtime versions when loading x.proto: gencode 7.1.0 runtime 6.30.0.",
        {},
    ),
    (
        "version-conflict-text",
        "N",
        "AssertionError",
        "MMCV==2.3.0 is used but incompatible. Please install mmcv>=2.0.0rc4, <2.2.0.",
        {},
    ),
    (
        "cuda-toolkit-missing",
        "N",
        "op_builder.builder.MissingCUDAException",
        "CUDA_HOME does not exist, unable to compile CUDA op(s)",
        {},
    ),
    ("state-dict-mismatch", "N", "NotFoundError", "Key encoder/kernel not found in checkpoint", {}),
    ("page-instead-of-weights", "U", "_pickle.UnpicklingError", "invalid load key, '<'.", {}),
    (
        "weights-not-a-pickle",
        "N",
        "_pickle.UnpicklingError",
        "invalid load key, '<'.",
        {"frames": [["/x/site-packages/ts/torch_handler/base_handler.py", "_load_pickled_model"]]},
    ),
    ("weights-not-a-pickle", "N", "_pickle.UnpicklingError", "invalid load key, 'v'.", {}),
    (
        "packed-file-of-unknown-origin",
        "U",
        "tarfile.ReadError",
        "file could not be opened successfully",
        {"frames": [["/x/handler.py", "initialize"], ["/usr/lib/python3.10/tarfile.py", "open"]]},
    ),
    (
        "archive-damaged",
        "N",
        "tarfile.ReadError",
        "file could not be opened successfully: '/tmp/models/0123456789abcdef0123456789abcdef/w.tar'",
        {"frames": [["/x/handler.py", "initialize"], ["/usr/lib/python3.10/tarfile.py", "open"]]},
    ),
    (
        "connection-errno",
        "R",
        "tarfile.ReadError",
        "unexpected end of data",
        {
            "chain": [
                {
                    "exc_type": "ConnectionResetError",
                    "message": "[Errno 104] Connection reset by peer",
                }
            ],
            "frames": [["/usr/lib/python3.10/tarfile.py", "open"]],
        },
    ),
    (
        "safetensors-damaged-in-download",
        "U",
        "safetensors_rust.SafetensorError",
        "Error while deserializing header: MetadataIncompleteBuffer",
        {"frames": [["/x/site-packages/torch/hub.py", "load"]]},
    ),
    (
        "file-missing-by-text",
        "N",
        "RuntimeError",
        'ir: Could not open the file: "/tmp/models/0123456789abcdef0123456789abcdef/model.xml"',
        {},
    ),
    (
        "estimator-of-another-version",
        "N",
        "xgboost.core.XGBoostError",
        "Check failed: header == serialisation_header_: If you are loading a serialized model or configuration generated by an older version of XGBoost, please export it",
        {},
    ),
    (
        "xgboost-binary-model",
        "N",
        "xgboost.core.XGBoostError",
        "[14:45:01] /workspace/src/c_api/c_api.cc:1529: Check failed: str[0] == '{' (b vs. {) : \nStack trace:\n  [bt] (0) /x/lib/libxgboost.so(+0x10d95e) [0x7f]",
        {},
    ),
    (
        "openvino-operation-unknown",
        "N",
        "RuntimeError",
        "Exception from src/frontends/ir/src/ir_deserializer.cpp:964:\nCannot create NullNode layer NullNode_19 id:13 from unsupported opset: extension\n\n",
        {},
    ),
    (
        "configuration-key-unknown",
        "N",
        "KeyError",
        "'Non-existent config key: MODEL.VOVNET'",
        {"frames": [("/x/site-packages/yacs/config.py", "_merge_a_into_b")]},
    ),
    (
        "pipeline-part-missing",
        "N",
        "ValueError",
        "Pipeline <class 'diffusers.pipelines.stable_diffusion.StableDiffusionPipeline'> expected {'scheduler', 'unet', 'tokenizer'}, but only {'scheduler', 'unet'} were passed.",
        {},
    ),
    (
        "class-not-registered",
        "N",
        "KeyError",
        "'RTMDetX is not in the mmdet::model registry. Please check whether the value is correct'",
        {},
    ),
    (
        "class-not-registered",
        "N",
        "KeyError",
        "\"No object named 'NetA' found in 'META_ARCH' registry!\"",
        {},
    ),
    (
        "program-for-another-processor",
        "N",
        "subprocess.CalledProcessError",
        "Command '['/opt/bin/decode']' died with <Signals.SIGILL: 4>.",
        {},
    ),
    (
        "identity-provider-unknown",
        "U",
        "botocore.errorfactory.InvalidIdentityTokenException",
        "An error occurred (InvalidIdentityToken) when calling the AssumeRoleWithWebIdentity operation: No OpenIDConnect provider found in your account for https://oidc.example/id/AB",
        {},
    ),
    (
        "served-model-unknown",
        "U",
        "grpc._channel._InactiveRpcError",
        '<_InactiveRpcError of RPC that terminated with:\n\tstatus = StatusCode.NOT_FOUND\n\tdetails = "model x not found"\n>',
        {},
    ),
    ("url-unknown-type", "N", "ValueError", "Protocol not known: nosuch", {}),
    (
        "licence-seats-taken",
        "R",
        "RuntimeError",
        "Licensed number of users already reached. Feature: TTS FlexNet Licensing error:-4,132",
        {},
    ),
    (
        "licence-server-away-or-full",
        "R",
        "gurobipy.GurobiError",
        "Failed to connect to token server 'lic.example' (port 41954)",
        {},
    ),
    ("licence-does-not-allow", "N", "RuntimeError", "License expired on 2026-01-31", {}),
    (
        "licence-for-another-host",
        "N",
        "RuntimeError",
        "Invalid host. FlexNet Licensing error:-9,57",
        {},
    ),
    ("cuda-not-available-unexplained", "U", "AssertionError", "CUDA is not available", {}),
    ("torch-without-cuda", "N", "AssertionError", "Torch not compiled with CUDA enabled", {}),
    (
        "build-directory-shared",
        "R",
        "RuntimeError",
        "Error building extension 'fused': ninja: error: opening build log: No such file or directory",
        {},
    ),
    (
        "build-directory-shared",
        "R",
        "RuntimeError",
        "Error building extension 'fused': [2/2] c++ a.o -o fused.so\n/usr/bin/ld: a.o: file not recognized: file truncated\nninja: build stopped: subcommand failed.",
        {},
    ),
    (
        "extension-not-built-unexplained",
        "U",
        "RuntimeError",
        "Error building extension 'fused'",
        {},
    ),
    (
        "extension-not-built",
        "N",
        "RuntimeError",
        "Error building extension 'fused': [1/2] /usr/bin/nvcc x.cu\nx.cu(3): error: identifier is undefined",
        {},
    ),
    (
        "certificate-not-yet-valid",
        "R",
        "azure.core.exceptions.ClientAuthenticationError",
        "Server failed to authenticate the request.\nErrorCode:AuthenticationFailed\nauthenticationerrordetail:Request date header too old: 'Tue, 24 Nov 2026 08:00:00 GMT'",
        {},
    ),
    (
        "certificate-not-yet-valid",
        "R",
        "azure.core.exceptions.ClientAuthenticationError",
        "Authentication failed: AADSTS700024: Client assertion is not within its valid time range.",
        {},
    ),
    (
        "identity-provider-unknown",
        "U",
        "azure.core.exceptions.ClientAuthenticationError",
        "Authentication failed: AADSTS70021: No matching federated identity record found for presented assertion.",
        {},
    ),
    (
        "entra-secret-expired",
        "N",
        "azure.core.exceptions.ClientAuthenticationError",
        "Authentication failed: AADSTS7000222: The provided client secret keys for app 'ab' are expired.",
        {},
    ),
    (
        "download-fails-its-check-by-type",
        "R",
        "botocore.exceptions.FlexibleChecksumError",
        "Expected checksum AAAAAA== did not match calculated checksum: q8kS9A==",
        {},
    ),
    ("time-out-type", "R", "fsspec.exceptions.FSTimeoutError", "", {}),
    (
        "service-in-trouble",
        "R",
        "wandb.errors.CommError",
        "cannot use artifact QXJ0 as it has not committed (<Response [400]>)",
        {},
    ),
    (
        "file-missing-by-text",
        "N",
        "lightgbm.basic.LightGBMError",
        "Could not open /tmp/models/0123456789abcdef0123456789abcdef/model.txt",
        {},
    ),
    (
        "file-missing-by-text",
        "N",
        "_catboost.CatBoostError",
        "catboost/libs/model/model_import_interface.h:19: Model file doesn't exist: model.cbm",
        {},
    ),
    (
        "extension-not-built",
        "N",
        "torch._dynamo.exc.BackendCompilerFailed",
        "backend='inductor' raised:\nRuntimeError: Cannot find a working triton installation.",
        {},
    ),
    (
        "generated-module-half-written",
        "U",
        "AttributeError",
        "module 'transformers_modules.m.modeling' has no attribute 'Net'",
        {
            "frames": [
                ["/x/site-packages/transformers/dynamic_module_utils.py", "get_class_in_module"]
            ]
        },
    ),
    (
        "module-missing",
        "N",
        "ModuleNotFoundError",
        "No module named 'einops'",
        {
            "frames": [
                ["/x/site-packages/transformers/dynamic_module_utils.py", "get_class_in_module"]
            ]
        },
    ),
    (
        "weights-not-written",
        "U",
        "RuntimeError",
        "[enforce fail at inline_container.cc:603] . PytorchStreamWriter failed writing file data/3: file write failed",
        {},
    ),
    (
        "shared-memory-segment-missing",
        "U",
        "FileNotFoundError",
        "[Errno 2] No such file or directory: '/psm_5a3f2b1c'",
        {"frames": [["/usr/lib/python3.10/multiprocessing/shared_memory.py", "__init__"]]},
    ),
    (
        "library-cut-in-shared-place",
        "U",
        "ImportError",
        "/mnt/efs/lib/libfoo.so: file too short",
        {},
    ),
    ("compiled-file-cut", "N", "ImportError", "/opt/lib/libfoo.so: file too short", {}),
    (
        "hub-storage-refuses",
        "U",
        "RuntimeError",
        "Data processing error: CAS service error : Error : Authentication error: 401 token refresh failed",
        {},
    ),
    (
        "hub-storage-refuses",
        "U",
        "huggingface_hub.errors.HfHubHTTPError",
        "403 Forbidden: None. Cannot access content at: https://cas-bridge.xethub.hf.co/x. Make sure your token has the correct permissions.",
        {},
    ),
    ("hub-model-unknown", "N", "ValueError", "model 'ranker' not found", {}),
    (
        "local-directory-missing-in-shared-place",
        "U",
        "RuntimeError",
        "Cannot find any model weights with `/mnt/pvc/llama`",
        {},
    ),
    (
        "weights-missing-in-shared-place",
        "U",
        "ValueError",
        "No model weights found in /mnt/models/llama",
        {},
    ),
    (
        "service-not-ready-by-status",
        "U",
        "requests.exceptions.HTTPError",
        "404 Client Error: Not Found for url: http://127.0.0.1:8000/v2/models/encoder/ready",
        {},
    ),
    (
        "http-not-found",
        "N",
        "requests.exceptions.HTTPError",
        "404 Client Error: Not Found for url: http://models.example/ready-made/m",
        {},
    ),
    (
        "device-busy",
        "R",
        "RuntimeError",
        "CUDA error: the remote procedural call between the MPS server and the MPS client failed",
        {},
    ),
    (
        "device-busy",
        "R",
        "RuntimeError",
        "The TPU is already in use by process with pid 4321. Not attempting to load libtpu.so in this process.",
        {},
    ),
    (
        "picture-from-memory",
        "U",
        "PIL.UnidentifiedImageError",
        "cannot identify image file <_io.BytesIO object at 0x7f>",
        {},
    ),
    (
        "onnx-file-in-shared-place",
        "U",
        "onnxruntime.capi.onnxruntime_pybind11_state.NoSuchFile",
        "[ONNXRuntimeError] : 3 : NO_SUCHFILE : Load model from /mnt/models/m.onnx failed:Load model /mnt/models/m.onnx failed. File doesn't exist",
        {},
    ),
    (
        "onnx-file-not-there",
        "N",
        "onnxruntime.capi.onnxruntime_pybind11_state.NoSuchFile",
        "[ONNXRuntimeError] : 3 : NO_SUCHFILE : Load model from /opt/models/m.onnx failed:Load model /opt/models/m.onnx failed. File doesn't exist",
        {},
    ),
    (
        "weights-cut-in-shared-cache",
        "U",
        "OSError",
        "Unable to synchronously open file (truncated file: eof = 96, sblock->base_addr = 0, stored_eof = 2048): '/mnt/models/x.h5'",
        {},
    ),
    (
        "lock-held",
        "R",
        "OSError",
        "Unable to open file (file is already open for write (may use <h5clear file> to clear file consistency flags))",
        {},
    ),
    (
        "shared-library-missing-on-a-mount",
        "U",
        "ImportError",
        "/mnt/nfs/lib.so: cannot open shared object file: No such file or directory",
        {},
    ),
    (
        "shared-library-missing",
        "N",
        "ImportError",
        "libGL.so.1: cannot open shared object file: No such file or directory",
        {},
    ),
    (
        "shared-library-missing",
        "N",
        "OSError",
        "/home/svc/.local/lib/python3.10/site-packages/x/libx.so: cannot open shared object file: No such file or directory",
        {},
    ),
    (
        "database-login-refused",
        "N",
        "redis.exceptions.AuthenticationError",
        "WRONGPASS invalid username-password pair",
        {},
    ),
    (
        "database-locked",
        "R",
        "psycopg2.errors.SerializationFailure",
        "could not serialize access due to concurrent update",
        {},
    ),
]


@pytest.mark.parametrize(
    ("rule", "verdict", "kind", "message", "more"),
    [pytest.param(*row, id=f"{row[0]}-{number}") for number, row in enumerate(ROWS)],
)
def test_a_row_answers_as_meant(
    rule: str, verdict: str, kind: str, message: str, more: dict[str, Any]
) -> None:
    record = {"phase": "initialize", "exc_type": kind, "mro": [], "message": message, **more}
    answer = judge(failure_from_record(record))
    assert (answer.rule, answer.verdict) == (rule, WANTED[verdict])


@pytest.mark.parametrize(
    "message",
    [
        "expected 5 shards, got 4",
        "Expected 3 files in /mnt/models/llama, got 2",
        "checkpoint directory must contain at least one .safetensors file",
    ],
)
def test_a_number_of_files_that_is_not_right_yet_is_no_value_that_is_not_allowed(
    message: str,
) -> None:
    record = {"phase": "initialize", "exc_type": "ValueError", "mro": [], "message": message}
    assert judge(failure_from_record(record)).verdict is Outcome.UNKNOWN


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        (
            "redis.exceptions.AuthenticationError",
            "Authentication failed: timed out while contacting the server",
        ),
        (
            "azure.core.exceptions.ClientAuthenticationError",
            "Authentication failed: AADSTS50196: The server encountered a client request loop.",
        ),
        (
            "azure.core.exceptions.ResourceNotFoundError",
            "The specified container is being deleted. Try operation later.",
        ),
        (
            "mlflow.exceptions.RestException",
            "INVALID_PARAMETER_VALUE: Model version not ready, please retry",
        ),
        (
            "openai.BadRequestError",
            "Error code: 400 - {'error': {'message': 'model is not ready'}}",
        ),
        (
            "AttributeError",
            "partially initialized module 'torch' has no attribute 'version' (most likely due to a circular import)",
        ),
    ],
)
def test_a_refusal_that_speaks_of_a_passing_cause_is_not_final(kind: str, message: str) -> None:
    record = {"phase": "initialize", "exc_type": kind, "mro": [], "message": message}
    assert judge(failure_from_record(record)).verdict is not Outcome.NON_RECOVERABLE


def test_a_plain_connection_error_is_not_credited_to_a_database_client() -> None:
    try:
        raise ConnectionRefusedError(111, "Connection refused")
    except ConnectionRefusedError as problem:
        answer = judge(failure_from_exception(problem, Phase.INITIALIZE))
    assert answer.rule == "connection-errno"


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        # The name of a class in a message is no type of the failure.
        ("ValueError", "no class ServiceUnavailableError in handler.py"),
        ("ImportError", "cannot import name 'TooManyRequests' from 'ranker.errors'"),
        # What a type of this name can wrap.
        ("ranker.Unavailable", "the CUDA extension is not installed"),
        ("ranker.ServiceUnavailable", "invalid credentials"),
        # A list of another kind, a call of a file system, and a secret of another kind than a login's.
        ("pymongo.errors.OperationFailure", "client 10.0.0.7 is not in the authorized list"),
        ("OSError", "[Errno 25] Inappropriate ioctl for device: '/mnt/weights/m.bin'"),
        ("hvac.exceptions.InvalidRequest", "invalid secret path"),
        # Neither does an answer that ends in the middle.
        ("EOFError", "Compressed file ended before EOF when reading a line"),
    ],
)
def test_what_only_looks_like_one_of_them_is_judged_by_none_of_them(
    kind: str, message: str
) -> None:
    record = {"phase": "initialize", "exc_type": kind, "mro": [], "message": message}
    answer = judge(failure_from_record(record))
    assert answer.verdict is not Outcome.RECOVERABLE
    wide = ("asked-on-a-terminal", "licence-not-for-this-user", "vault-login-refused")
    assert answer.rule not in wide


@pytest.mark.parametrize(
    ("function", "verdict"),
    [("load", Outcome.NON_RECOVERABLE), ("loads", Outcome.UNKNOWN)],
)
def test_json_read_from_a_file_is_told_from_json_of_unknown_origin(
    function: str, verdict: Outcome
) -> None:
    record = {
        "phase": "initialize",
        "exc_type": "json.decoder.JSONDecodeError",
        "mro": [],
        "message": "Expecting value: line 1 column 1 (char 0)",
        "frames": [
            ["/x/handler.py", "initialize"],
            ["/usr/lib/python3.10/json/__init__.py", function],
        ],
    }
    assert judge(failure_from_record(record)).verdict is verdict


def _compiled(source: str) -> object:
    return compile(source, "/x/handler.py", "exec")


@pytest.mark.parametrize(
    ("read", "rule"),
    [
        (_compiled, "syntax-error"),
        # An answer of a service that is evaluated, or parsed, is no source file.
        (ast.literal_eval, None),
        (xml.etree.ElementTree.fromstring, "xml-damaged"),
    ],
)
def test_only_what_python_compiles_from_a_file_is_a_syntax_error(
    read: Callable[[str], object], rule: str | None
) -> None:
    with pytest.raises(SyntaxError) as raised:
        read("503 busy")
    failure = failure_from_exception(raised.value, Phase.INITIALIZE, model_dir="/x")
    host = Host(model_dir="/x", files=lambda: ("handler.py",))
    answer = judge(failure, host=host)
    wanted = Outcome.NON_RECOVERABLE if rule == "syntax-error" else Outcome.UNKNOWN
    assert (answer.rule, answer.verdict) == (rule, wanted)
