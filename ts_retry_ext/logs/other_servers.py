"""Tell the logs of other model servers by words that only they write."""

from __future__ import annotations

from typing import Sequence

#: Lines at the begin of a file that are looked at.
_LOOKED_AT = 300
#: What each of them writes, and TorchServe does not.
_WORDS = {
    "multi-model-server": (b"com.amazonaws.ml.mms.", b"Multi Model Server version", b"MMS Home:"),
    "Triton": (b"model_lifecycle.cc:", b"tritonserver", b"triton_python_backend", b"model_repository_manager.cc:"),
    "vLLM": (b"vLLM API server version", b"(APIServer pid=", b"vllm.entrypoints.openai"),
    "TensorFlow Serving": (b"tensorflow_serving/",),
    "BentoML": (b"[bentoml.",),
    "MLServer": (b"[mlserver]", b"mlserver.rest"),
}  # fmt: skip
#: A line of TorchServe's own: an engine that a handler starts is no server.
_TORCHSERVE = (b"org.pytorch.serve.", b"MODEL_LOG - ", b"Torchserve version")


def other_server(lines: Sequence[bytes]) -> str | None:
    """Return the name of the server that wrote a file, by its first lines; None for TorchServe and what nobody knows."""
    head = b"\n".join(line[:400] for line in lines[:_LOOKED_AT])
    if any(word in head for word in _TORCHSERVE):
        return None
    return next(
        (name for name, words in _WORDS.items() if any(word in head for word in words)), None
    )
