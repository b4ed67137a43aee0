"""A remedy sends nobody to the wrong place: causes that one type or text has in common are told apart.

A row: rule, type, message, what else the record holds, and words that reason and remedy together hold. The inputs
are shapes of failures that a reader of blind verdicts was misled by; names and numbers are made up.
"""

from __future__ import annotations

from typing import Any

import pytest

from ts_retry_ext.judge import Outcome, failure_from_record, judge

SITE = "/usr/lib/python3.10/site-packages"
LOADER = [f"{SITE}/ts/model_loader.py", "load"]
OWN = ["/tmp/models/0123456789abcdef0123456789abcdef/handler.py", "initialize"]


def at(*frames: str) -> dict[str, Any]:
    """Return the stack of a load that ends in these files of installed libraries."""
    return {"frames": [LOADER, OWN, *([f"{SITE}/{file}", "f"] for file in frames)]}


ROWS: list[tuple[str, str, str, dict[str, Any], tuple[str, ...]]] = [
    # Calls and imports: whose line it is
    (
        "handler-takes-arguments",
        "TypeError",
        "Scorer.__init__() missing 1 required positional argument: 'settings'",
        {"phase": "construct", "frames": [LOADER, [LOADER[0], "_get_class_entry_point"]]},
        ("without arguments", "initialize(self, context)"),
    ),
    (
        "call-does-not-fit",
        "TypeError",
        "Net.__init__() missing 1 required positional argument: 'settings'",
        {"phase": "construct", "frames": [LOADER, [OWN[0], "__init__"]]},
        ("last frame of the model's own code",),
    ),
    (
        "call-inside-library-does-not-fit",
        "TypeError",
        "AdapterConfig.__init__() got an unexpected keyword argument 'new_field'",
        at("peft/peft_model.py", "peft/config.py"),
        ("peft makes a call", "Update peft", "adapter_config.json"),
    ),
    (
        "call-does-not-fit",
        "TypeError",
        "load() got an unexpected keyword argument 'speed'",
        at(),
        ("last frame of the model's own code",),
    ),
    (
        "name-missing-in-python-itself",
        "ImportError",
        "cannot import name 'override' from 'typing' (/usr/lib/python3.10/typing.py)",
        at(),
        ("typing is a part of Python itself", "have override", "typing_extensions"),
    ),
    (
        "name-missing-in-python-itself",
        "ImportError",
        "cannot import name 'Iterable' from 'collections' (/opt/conda/lib/python3.10/collections/__init__.py)",
        at(),
        ("collections is a part of Python itself",),
    ),
    (
        "libraries-do-not-fit-each-other",
        "ImportError",
        f"cannot import name 'old_name' from 'sklearn.utils' ({SITE}/sklearn/utils/__init__.py)",
        at("imblearn/base.py"),
        ("imblearn imports old_name from sklearn.utils", "version of scikit-learn that still has old_name"),
    ),
    (
        "circular-import",
        "ImportError",
        "cannot import name 'Net' from partially initialized module 'layers' (most likely due to a circular import) (/x/layers.py)",
        at(),
        ("layers is asked for Net", "Versions have no part in it"),
    ),
    (
        "name-missing-in-module",
        "ImportError",
        f"cannot import name 'old_name' from 'transformers' ({SITE}/transformers/__init__.py)",
        at(),
        ("version of transformers that has old_name", "the import in the model's code"),
    ),
    (
        "module-attribute-missing-in-library",
        "AttributeError",
        "module 'numpy' has no attribute 'float'",
        at("skmultiflow/core.py"),
        ("skmultiflow uses an attribute that numpy does not have",),
    ),
    (
        "pickle-needs-another-version",
        "ModuleNotFoundError",
        "No module named 'sklearn.tree.tree'",
        at("joblib/numpy_pickle.py"),
        ("installed scikit-learn does not have", "save it anew"),
    ),
    # Connections
    (
        "connection-errno",
        "ConnectionRefusedError",
        "[Errno 111] Connect call failed ('10.0.0.7', 6379)",
        {"errno": 111},
        ("refuses the connection",),
    ),
    (
        "connection-errno",
        "requests.exceptions.ConnectionError",
        "HTTPConnectionPool(host='words.svc', port=8089): Max retries exceeded (Caused by NewConnectionError('x: [Errno 111] Connection refused'))",
        {},
        ("words.svc:8089 refuses the connection", "start words.svc:8089, or correct host and port"),
    ),
    (
        "connection-errno",
        "ConnectionResetError",
        "[Errno 104] Connection reset by peer",
        {},
        ("broke the connection off", "a load balancer"),
    ),
    (
        "connection-errno",
        "OSError",
        "[Errno 113] No route to host",
        {},
        ("has no way to", "network policy"),
    ),
    (
        "remote-client-says-so",
        "azure.core.exceptions.ServiceRequestError",
        "<urllib3.connection.HTTPSConnection object at 0x7f>: Failed to establish a new connection: [Errno -3] Temporary failure in name resolution",
        {"chain": [{"exc_type": "socket.gaierror", "message": "[Errno -3] Temporary failure in name resolution"}]},
        ("could not resolve the name", "whether the name is right"),
    ),
    (
        "mount-does-not-answer",
        "TimeoutError",
        "[Errno 110] Connection timed out: '/mnt/efs/ranker/v12.bin'",
        {"errno": 110},
        ("The mount under /mnt/efs/ranker/v12.bin", "connects to nothing itself"),
    ),
    (
        "store-not-reached",
        "OSError",
        "When reading information for key 'a.parquet' in bucket 'features': AWS Error NETWORK_CONNECTION during HeadObject operation: curlCode: 28, Timeout was reached",
        {},
        ("from the store of features", "from this host to the store"),
    ),
    (
        "ray-head-not-reached",
        "ConnectionError",
        "ray client connection timeout",
        {},
        ("head of the Ray cluster",),
    ),
    (
        "server-behind-the-proxy-away",
        "grpc._channel._InactiveRpcError",
        'status = StatusCode.UNAVAILABLE details = "upstream connect error or disconnect/reset before headers" peer ipv4:10.0.0.3:6566',
        {},
        ("10.0.0.3:6566", "not at the proxy"),
    ),
    (
        "database-client-says-so",
        "pymongo.errors.ServerSelectionTimeoutError",
        "db-1:27017: [Errno 111] Connection refused (configured timeouts: connectTimeoutMS: 20000.0ms), Timeout: 30s",
        {},
        ("db-1:27017 refuses the connection",),
    ),
    # Services that say what they lack
    (
        "account-rate-limited",
        "openai.RateLimitError",
        "Error code: 429 - {'error': {'message': 'Rate limit reached for m on tokens per min (TPM): Limit 9000. Please try again in 2s.'}}",
        {},
        ("tokens per min (TPM): Limit 9000", "raise the account's limit"),
    ),
    (
        "store-throttles",
        "botocore.exceptions.ClientError",
        "An error occurred (SlowDown) when calling the GetObject operation: Please reduce your request rate.",
        {},
        ("asks for fewer requests",),
    ),
    (
        "search-memory-in-use",
        "elasticsearch.exceptions.TransportError",
        "TransportError(429, 'circuit_breaking_exception', '[parent] Data too large, data for [<http_request>] would be [1.4gb]')",
        {},
        ("its own memory", "more heap"),
    ),
    (
        "vector-store-does-not-answer",
        "pymilvus.exceptions.MilvusException",
        "<MilvusException: (code=2, message=Fail connecting to server on vectors.svc:19530, illegal connection params or server unavailable)>",
        {},
        ("vectors.svc:19530", "correct the client's address"),
    ),
    (
        "kafka-brokers-do-not-answer",
        "kafka.errors.NoBrokersAvailable",
        "NoBrokersAvailable",
        {},
        ("bootstrap_servers", "api_version"),
    ),
    (
        "kafka-leader-moves",
        "cimpl.KafkaException",
        'KafkaError{code=COORDINATOR_LOAD_IN_PROGRESS,val=14,str="Broker: Coordinator load in progress"}',
        {},
        ("loads a coordinator",),
    ),
    (
        "metadata-service-in-trouble",
        "google.auth.exceptions.RefreshError",
        "Failed to retrieve http://metadata.google.internal/computeMetadata/v1/token from the Google Compute Engine metadata service. Status: 500 Response: b'x'",
        {},
        ("answers that it is in trouble", "gke-metadata-server"),
    ),
    (
        "entra-secret-expired",
        "azure.core.exceptions.ClientAuthenticationError",
        "Authentication failed: AADSTS7000222: The provided client secret keys for app 'a1' are expired.",
        {},
        ("has expired", "AZURE_CLIENT_SECRET"),
    ),
    (
        "sqlite-file-locked",
        "sqlite3.OperationalError",
        "database is locked",
        {},
        ("SQLite", "fuser"),
    ),
    (
        "lock-not-free",
        "BlockingIOError",
        "[Errno 11] Resource temporarily unavailable",
        {"errno": 11, **at()},
        ("LOCK_NB", "lslocks"),
    ),
    # Devices
    (
        "gpu-memory-defect",
        "RuntimeError",
        "CUDA error: uncorrectable ECC error encountered",
        {},
        ("its own memory", "ROW_REMAPPER"),
    ),
    (
        "cuda-not-initialized",
        "RuntimeError",
        "CUDA unknown error - this may be due to an incorrectly set up environment, e.g. changing env variable CUDA_VISIBLE_DEVICES after program start.",
        {},
        ("no fault of the card", "nvidia_uvm"),
    ),
    (
        "driver-too-old-for-torch",
        "RuntimeError",
        "The NVIDIA driver on your system is too old (found version 11040). Please update your GPU driver by downloading and installing a new version",
        {},
        ("driver of the node", "nothing in the container brings the driver"),
    ),
    (
        "tensor-shapes-do-not-fit",
        "RuntimeError",
        "mat1 and mat2 shapes cannot be multiplied (1x512 and 768x256)",
        {},
        ("1x512 and 768x256",),
    ),
    # Compiled packages
    (
        "shared-library-missing",
        "ImportError",
        "libnvinfer.so.8: cannot open shared object file: No such file or directory",
        at("tensorrt/__init__.py"),
        ("libnvinfer.so.8", "TensorRT's major version", "do not bring it"),
    ),
    (
        "shared-library-missing",
        "ImportError",
        "libGL.so.1: cannot open shared object file: No such file or directory",
        at("cv2/__init__.py"),
        ("opencv-python-headless", "libgl1"),
    ),
    (
        "shared-library-missing",
        "OSError",
        "libcublas.so.12: cannot open shared object file: No such file or directory",
        {},
        ("nvidia-cublas-cu12",),
    ),
    (
        "vision-of-another-torch",
        "RuntimeError",
        "operator torchvision::nms does not exist",
        {},
        ("torchvision was built for another torch",),
    ),
    (
        "extension-of-another-torch",
        "ImportError",
        f"{SITE}/flash_attn_2_cuda.cpython-310-x86_64-linux-gnu.so: undefined symbol: _ZN3c105ErrorC2E",
        {},
        ("flash-attn was built for another torch",),
    ),
    (
        "numpy-2-for-a-package-of-1",
        "ValueError",
        "numpy.dtype size changed, may indicate binary incompatibility. Expected 96 from C header, got 88 from PyObject",
        at("pandas/__init__.py"),
        ("pandas was built for NumPy 1", "numpy<2"),
    ),
    (
        "cuda-toolkit-missing",
        "op_builder.builder.MissingCUDAException",
        "CUDA_HOME does not exist, unable to compile CUDA op(s)",
        {},
        ("CUDA_HOME", "nvcc"),
    ),
    (
        "package-required",
        "ImportError",
        "Using this needs a package: `pip install -U accelerate`",
        {},
        ("Install accelerate into",),
    ),
    (
        "package-required",
        "ImportError",
        "AutoModel requires the PyTorch library but it was not found in your environment.",
        {},
        ("Install torch into",),
    ),
    # Certificates
    (
        "certificate-expired",
        "requests.exceptions.SSLError",
        ("HTTPSConnectionPool(host='models.example', port=443): Max retries exceeded (Caused by SSLError(SSLCertVerificationError(1, '[SSL: "
        "CERTIFICATE_VERIFY_FAILED] certificate verify failed: certificate has expired (_ssl.c:997)')))"),
        {},
        ("certificate of models.example:443 has expired", "does not help"),
    ),
    # Files and processes
    (
        "onnx-newer-than-the-runtime",
        "onnxruntime.capi.onnxruntime_pybind11_state.Fail",
        "[ONNXRuntimeError] : 1 : FAIL : Load model from m.onnx failed: Unsupported model IR version: 10, max supported IR version: 9",
        {},
        ("Update onnxruntime", "ir_version"),
    ),
    (
        "keras-reads-no-saved-model",
        "ValueError",
        ("File format not supported: filepath=m. Keras 3 only supports V3 `.keras` files and legacy H5 format files (`.h5` extension). "
        "Note that the legacy SavedModel format is not supported by `load_model()` in Keras 3."),
        {},
        ("TFSMLayer",),
    ),
    (
        "child-process-killed",
        "concurrent.futures.process.BrokenProcessPool",
        "A process in the process pool was terminated abruptly while the future was running or pending.",
        {},
        ("was killed", "OOM killer"),
    ),
    (
        "drive-file-not-public",
        "gdown.exceptions.FileURLRetrievalError",
        "Failed to retrieve file url:\n\n\tCannot retrieve the public link of the file. You may need to change\n\tthe permission to 'Anyone with the link', or have had many accesses.",
        {},
        ("not shared with everybody", "too many have fetched it"),
    ),
    # A second set of blind verdicts
    (
        "libraries-do-not-fit-each-other",
        "RuntimeError",
        ("Failed to import optimum.exporters.onnx.__main__ because of the following error (look up to see its traceback):\n"
        f"cannot import name 'is_old' from 'transformers.pytorch_utils' ({SITE}/transformers/pytorch_utils.py)"),
        {**at("transformers/utils/import_utils.py"), "chain": [{"exc_type": "ImportError", "message":
            f"cannot import name 'is_old' from 'transformers.pytorch_utils' ({SITE}/transformers/pytorch_utils.py)"}]},
        ("optimum imports is_old", "Update optimum", "a version of transformers that still has is_old"),
    ),
    (
        "module-attribute-missing-in-library",
        "AttributeError",
        "module 'numpy' has no attribute 'bool'.",
        at("mxnet/numpy/utils.py", "numpy/__init__.py"),
        ("mxnet uses an attribute that numpy does not have", "Update mxnet"),
    ),
    (
        "call-inside-library-lacks-argument",
        "TypeError",
        "__init__() missing 1 required positional argument: 'num_parallel_samples'",
        at("gluonts/core/serde/_base.py"),
        ("gluonts makes a call without an argument", "wrote the model's files"),
    ),
    (
        "library-not-for-this-python",
        "ValueError",
        "mutable default <class 'fairseq.dataclass.configs.CommonConfig'> for field common is not allowed: use default_factory",
        {"phase": "import", **at("fairseq/dataclass/configs.py")},
        ("fairseq is not written for this version of Python",),
    ),
    (
        "name-error-in-library",
        "NameError",
        "name 'autogptq_cuda_256' is not defined",
        at("auto_gptq/nn_modules/qlinear/qlinear_cuda_old.py"),
        ("auto_gptq uses a name that it did not define", "was not built"),
    ),
    (
        "mount-does-not-answer",
        "OSError",
        "[Errno 108] Cannot send after transport endpoint shutdown: '/lustre/models/ivf.npy'",
        {"errno": 108},
        ("The mount under /lustre/models/ivf.npy", "Lustre"),
    ),
    (
        "proxy-gives-no-tunnel",
        "requests.exceptions.ProxyError",
        "HTTPSConnectionPool(host='dl.example.com', port=443): Max retries exceeded with url: /x (Caused by ProxyError('Unable to connect to proxy', OSError('Tunnel connection failed: 503 Service Unavailable')))",
        {},
        ("HTTPS_PROXY", "not at the service"),
    ),
    (
        "tesseract-language-missing",
        "pytesseract.pytesseract.TesseractError",
        "(1, 'Error opening data file /usr/share/tesseract-ocr/4.00/tessdata/deu_frak.traineddata Please make sure the TESSDATA_PREFIX environment variable is set to your \"tessdata\" directory.')",
        {},
        ("data of a language", "deu_frak.traineddata", "apt-get install tesseract-ocr-"),
    ),
    (
        "module-missing",
        "ModuleNotFoundError",
        "No module named 'cv2'",
        {"phase": "import", **at()},
        ("cv2 that the code imports", "Install opencv-python"),
    ),
    # A fourth one
    (
        "hub-file-not-in-repository",
        "huggingface_hub.errors.EntryNotFoundError",
        "404 Client Error. Entry Not Found for url: https://huggingface.co/org/m/resolve/main/model.onnx.",
        {},
        ("has the repository, and not the file", "a token does not change it"),
    ),
    (
        "service-account-key-refused",
        "google.auth.exceptions.RefreshError",
        "('invalid_grant: Invalid JWT Signature.', {'error': 'invalid_grant', 'error_description': 'Invalid JWT Signature.'})",
        {},
        ("private_key_id", "gcloud iam service-accounts keys list"),
    ),
    (
        "key-missing",
        "KeyError",
        "'handler'",
        at(),
        ("handler",),
    ),
    (
        "still-being-made",
        "RuntimeError",
        "weights at /mnt/shared/llama are still being copied (.incomplete marker present), giving up after 120s",
        {},
        ("what copies or makes /mnt/shared/llama",),
    ),
    # A third one
    (
        "database-locked",
        "pymysql.err.OperationalError",
        "(1205, 'Lock wait timeout exceeded; try restarting transaction')",
        {},
        ("find the transaction that holds it",),
    ),
    (
        "model-name-not-offered",
        "RuntimeError",
        "Model large-v4 not found; available models = ['tiny.en', 'tiny']",
        at("whisper/__init__.py"),
        ("whisper does not offer", "one of the names in the message"),
    ),
    (
        "converted-model-incomplete",
        "RuntimeError",
        f"Unable to open file 'model.bin' in model '{OWN[0][:-11]}/whisper-ct2'",
        at("faster_whisper/transcribe.py"),
        ("no complete model of CTranslate2", "ct2-transformers-converter"),
    ),
    (
        "storage-account-busy",
        "azure.core.exceptions.HttpResponseError",
        "The server is busy.\nErrorCode:ServerBusy",
        {},
        ("retry_total",),
    ),
    (
        "settings-not-set",
        "pydantic_core._pydantic_core.ValidationError",
        "1 validation error for ServingSettings\nmodel_bucket\n  Field required [type=missing, input_value={}, input_type=dict]",
        {"phase": "construct", **at("pydantic_settings/main.py", "pydantic/main.py")},
        ("are not set", "env_prefix"),
    ),
    (
        "standby-canceled",
        "psycopg2.errors.SerializationFailure",
        "canceling statement due to conflict with recovery",
        {},
        ("hot_standby_feedback",),
    ),
    (
        "quantization-asked-otherwise",
        "ValueError",
        "Quantization method specified in the model config (awq) does not match the quantization method specified in the `quantization` argument (gptq).",
        {},
        ("Leave the argument quantization out",),
    ),
    (
        "too-few-replicas-alive",
        "cassandra.Unavailable",
        'Error from server: code=1000 [Unavailable exception] message="Cannot achieve consistency level LOCAL_QUORUM"',
        {},
        ("the address is right", "nodetool status"),
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "kind", "message", "more", "words"),
    [pytest.param(*row, id=f"{row[0]}-{number}") for number, row in enumerate(ROWS)],
)
def test_reason_and_remedy_name_this_cause(
    rule: str, kind: str, message: str, more: dict[str, Any], words: tuple[str, ...]
) -> None:
    record = {"phase": "initialize", "exc_type": kind, "mro": [], "message": message, **more}
    verdict = judge(failure_from_record(record))
    assert verdict.rule == rule
    told = f"{verdict.reason} {verdict.remedy}"
    assert [word for word in words if word not in told] == [], told


def test_a_file_that_the_models_own_function_fetches_by_its_name_is_unknown() -> None:
    record = {
        "phase": "initialize",
        "exc_type": "_catboost.CatBoostError",
        "message": "catboost/libs/model/model.cpp:1185: Incorrect model file descriptor",
        "frames": [LOADER, OWN, [OWN[0], "_load_from_mount"], ["_catboost.pyx", "_load_model"]],
    }
    assert judge(failure_from_record(record)).verdict is Outcome.UNKNOWN
    record["frames"] = [LOADER, OWN, ["_catboost.pyx", "_load_model"]]
    assert judge(failure_from_record(record)).verdict is Outcome.NON_RECOVERABLE
