"""The keys of ``config.properties`` that TorchServe reads, and what it takes for a value.

Read from 0.12.0 ConfigManager; the last ones are read by the launcher, ``ts/model_server.py``.
"""

from __future__ import annotations

from enum import Enum


class ValueKind(Enum):
    """What TorchServe makes of a value."""

    NUMBER = "a whole number, without a unit"
    """``Integer.parseInt``, which throws for anything else."""
    BOOLEAN = "true or false"
    """``Boolean.parseBoolean``: anything but ``true`` is false, in silence."""
    ADDRESS = "http://HOST:PORT, https://HOST:PORT or unix:/PATH"
    PORT = "a port from 1 to 65535"
    FOLDER = "an existing folder, without quotes"
    TLS_FILE = "a file that can be read, without quotes"
    """Opened when an address is ``https``."""
    METRICS_FILE = "a YAML file that can be read, without quotes"
    """Without it the server starts, and keeps none of the metrics that it names."""
    METRICS_MODE = "log, prometheus or legacy"
    """Anything else is ``log``, with an error in the log."""
    LOADED = "all, or archives separated by commas"
    """The server starts without a model whose archive is missing."""
    MODELS = "JSON: {name: {version: {parameter: value}}}"
    TEXT = "text"


def _table() -> dict[str, ValueKind]:
    rows = {
        ValueKind.NUMBER: "default_workers_per_model default_response_timeout default_startup_timeout"
        " unregister_model_timeout number_of_netty_threads netty_client_threads job_queue_size"
        " number_of_gpu max_request_size max_response_size io_ratio metric_time_interval"
        " grpc_inference_max_connection_age_ms grpc_management_max_connection_age_ms"
        " grpc_inference_max_connection_age_grace_ms grpc_management_max_connection_age_grace_ms",
        ValueKind.BOOLEAN: "debug model_metrics_auto_detect disable_system_metrics ipex_enable"
        " cpu_launcher_enable ipex_gpu_enable async_logging decode_input_request"
        " limit_max_image_pixels prefer_direct_buffer install_py_dep_per_model enable_metrics_api"
        " enable_grpc_ssl ts_open_inference_protocol disable_token_authorization enable_model_api"
        " use_native_io enable_envvars_config use_env_allowed_urls",
        ValueKind.ADDRESS: "inference_address management_address metrics_address",
        ValueKind.PORT: "grpc_inference_port grpc_management_port initial_worker_port"
        " initial_distribution_port",
        ValueKind.FOLDER: "model_store workflow_store",
        ValueKind.TLS_FILE: "keystore certificate_file private_key_file",
        ValueKind.METRICS_FILE: "metrics_config",
        ValueKind.METRICS_MODE: "metrics_mode",
        ValueKind.LOADED: "load_models",
        ValueKind.MODELS: "models",
        ValueKind.TEXT: "blacklist_env_vars cpu_launcher_args"
        " cors_allowed_origin cors_allowed_methods cors_allowed_headers keystore_pass keystore_type"
        " default_service_handler service_envelope model_server_home allowed_urls"
        " grpc_inference_address grpc_management_address cpp_log_config token_expiration_min"
        " ts_header_key_sequence_id ts_header_key_sequence_start ts_header_key_sequence_end"
        " model_snapshot version system_metrics_cmd python vmargs plugins_path",
    }
    return {key: kind for kind, keys in rows.items() for key in keys.split()}


#: Each key with what its value must be.
SERVER_KEYS = _table()
#: Parameters of a version in ``models`` that are whole numbers, and the others (0.12.0 Model).
MODEL_NUMBERS = (
    *("minWorkers", "maxWorkers", "batchSize", "maxBatchDelay"),
    *("responseTimeout", "startupTimeout", "parallelLevel"),
)
MODEL_TEXTS = ("defaultVersion", "marName", "runtimeType")
