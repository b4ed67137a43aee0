"""How far a worker was, as the frames of its traceback show it."""

from __future__ import annotations

from typing import Sequence

from ts_retry_ext.judge.failure import Frame, Phase

#: Functions of TorchServe 0.12.0 TsModelLoader that import and construct a handler; `worker.guard` has the same.
_IMPORTING = ("_load_handler_file", "_load_default_handler", "_load_default_envelope")
_CONSTRUCTING = ("_get_class_entry_point", "_get_function_entry_point")
#: Methods of a handler that serve a request (0.12.0 BaseHandler).
_SERVING = ("handle", "preprocess", "inference", "postprocess", "_infer_with_profiler")


def phase_of(frames: Sequence[Frame]) -> Phase | None:
    """Return how far the worker was, or None where no frame shows it.

    Args:
        frames: outermost call first; an excerpt may lack the first ones.
    """
    functions: dict[str, set[str]] = {}
    for frame in frames:
        functions.setdefault(_script(frame), set()).add(frame.function)
    loader = functions.get("ts/model_loader.py", set())
    if "predict" in functions.get("ts/service.py", ()):
        return Phase.INFERENCE
    if loader.intersection(_IMPORTING):
        return Phase.IMPORT
    if loader.intersection(_CONSTRUCTING):
        return Phase.CONSTRUCT
    script = functions.get("ts/model_service_worker.py", set())
    if loader or "load_model" in script:
        return Phase.INITIALIZE
    own = {frame.function for frame in frames if frame.in_app}
    if "initialize" in own:
        return Phase.INITIALIZE
    if own.intersection(_SERVING):
        return Phase.INFERENCE
    return Phase.STARTUP if script else None


def _script(frame: Frame) -> str:
    """Return the last two parts of a path: which of TorchServe's files it is."""
    return "/".join(frame.file.replace("\\", "/").split("/")[-2:])
