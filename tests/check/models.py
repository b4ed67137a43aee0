"""Archives for the check, and a run of it without torch: TorchServe's own script, a torch of one line."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, Mapping

from tests.archive.packing import CONFIG, manifest, write_mar
from ts_retry_ext.check.environment import configuration_here, server_home
from ts_retry_ext.check.loading import Options
from ts_retry_ext.trial.child_processes import Children


def entries(
    source: str,
    config: str | None = None,
    files: Mapping[str, str] | None = None,
    **model: Any,
) -> dict[str, bytes]:
    """Return the entries of an archive whose handler, in ``h.py``, is `source`."""
    if config is not None:
        model["configFile"] = CONFIG
    text = {"MAR-INF/MANIFEST.json": json.dumps(manifest(**model)), "h.py": source}
    text.update(files or {})
    if config is not None:
        text[CONFIG] = config
    return {name: content.encode() for name, content in text.items()}


def pack(folder: Path, name: str, source: str, **parts: Any) -> str:
    """Write ``name.mar`` and return its path."""
    return str(write_mar(folder / f"{name}.mar", entries(source, name=name, **parts)))


def stub_torch(folder: Path) -> dict[str, str]:
    """Return an environment in which a worker finds a torch that costs nothing to import."""
    (folder / "stub").mkdir()
    (folder / "stub" / "torch.py").write_text("class Tensor: pass\n")
    environ = {**os.environ, "PYTHONPATH": str(folder / "stub")}
    environ.pop("PYTHONDONTWRITEBYTECODE", None)
    return environ


def options(folder: Path, *, config: str = "", **more: Any) -> Options:
    """Return what a run needs, with a stub for torch and an own ``config.properties``."""
    environ = stub_torch(folder)
    (folder / "config.properties").write_text(config)
    configuration = configuration_here(str(folder / "config.properties"))._replace(environ=environ)
    return Options(
        configuration=configuration, home=server_home(), gpus=0, children=Children(), **more
    )
