"""Have TorchServe's worker script wait with torch until it uses it: on the PYTHONPATH of servers of the tests.

The script imports torch whatever the model is, to encode answers that are tensors (0.12.0,
``ts/protocol/otf_message_handler.py``). That takes 2.2 s of processor time, sixteen times as much as the rest of
its imports. A model that imports torch gets it as always, and so does a script where torch is missing.
"""

from __future__ import annotations

import importlib
import sys
from importlib.abc import Loader
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType
from typing import Any, Sequence

IMPORTER = "ts.protocol.otf_message_handler"


class _Torch(ModuleType):
    """Stands for torch in one module until that asks it for something."""

    def __getattr__(self, name: str) -> Any:
        return getattr(importlib.import_module("torch"), name)


class _LateTorchLoader(Loader):
    """Loads a module with `_Torch` in the place of torch."""

    def __init__(self, loader: Loader) -> None:
        self.loader = loader

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self.loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        stand_in = sys.modules["torch"] = _Torch("torch")
        try:
            self.loader.exec_module(module)
        finally:
            if sys.modules.get("torch") is stand_in:
                del sys.modules["torch"]


class LateTorchFinder:
    """Finds `IMPORTER` as the others do, and has it loaded without torch."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name != IMPORTER or "torch" in sys.modules or find_spec("torch") is None:
            return None
        others = (finder for finder in sys.meta_path if finder is not self)
        spec = next(filter(None, (other.find_spec(name, path, target) for other in others)), None)
        if spec is not None and spec.loader is not None:
            spec.loader = _LateTorchLoader(spec.loader)
        return spec


sys.meta_path.insert(0, LateTorchFinder())
