"""Built-in rows answer as meant, and the row that answers is the one that says why.

A row of the table: rule, verdict (N: no retry can cure it, R: a retry can, U: the text doesn't settle
it), type, message, and what else the record holds. Names and numbers are made up.
"""

from __future__ import annotations

from typing import Any

import pytest

from ts_retry_ext.judge import Outcome, failure_from_record, judge
from ts_retry_ext.judge.capture import failure_from_exception
from ts_retry_ext.judge.failure import Phase

WANTED = {
    "N": Outcome.NON_RECOVERABLE,
    "R": Outcome.RECOVERABLE,
    "U": Outcome.UNKNOWN,
}

ROWS: list[tuple[str, str, str, str, dict[str, Any]]] = [
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
        "credentials-not-found",
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
        "database-login-not-possible",
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
    ("broker-not-ready", "R", "kafka.errors.NodeNotReadyError", "NodeNotReadyError: 1", {}),
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
    ("file-system-busy", "R", "OSError", "[Errno 23] Too many open files in system", {}),
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
        "U",
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
        "onnx-unloadable",
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
        "abi-mismatch",
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
        "extension-not-built",
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
        "licence-server-away-or-full",
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
        "licence-does-not-allow",
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
        "credentials-refused",
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
    ("wrong-architecture", "N", "ImportError", "/opt/lib/libfoo.so: file too short", {}),
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
        "http-refused",
        "N",
        "requests.exceptions.HTTPError",
        "404 Client Error: Not Found for url: http://models.example/ready-made/m.tar",
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
        "onnx-unloadable",
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
