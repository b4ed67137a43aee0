"""Which packages the archive's code has imported and its requirements do not bring.

Runs in a worker: standard library only.
"""

from __future__ import annotations

import ast
import os
import re
import sysconfig
from typing import Iterable, Iterator, Mapping

from ts_retry_ext.archive.model_folder import ModelFolder

#: What every worker has, since the worker script imports it.
PROVIDED = ("torch", "torchserve", "pyyaml")
_OWN = "ts-retry-ext"
MAX_FILE_BYTES = 4 << 20
#: How deep requirements files may name each other.
MAX_NESTED = 8
_NAME = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)")
_EGG = re.compile(r"#(?:.*&)?egg=([A-Za-z0-9._-]+)")
_WHEEL = re.compile(r"([A-Za-z0-9._]+)-[^/\s]*\.whl\b")
_NESTED = re.compile(r"\s*(?:-r\s*|--requirement[\s=]+)(\S+)")


def undeclared(model_dir: str, modules: Mapping[str, object]) -> list[str]:
    """Return the distributions that the archive's own code imports and no requirement brings.

    What a required distribution requires itself counts as brought, and so does what every worker
    has (`PROVIDED`). `modules` is ``sys.modules``, as the load left it.
    """
    wanted = _imported_by(model_dir, modules)
    names = {name for name in wanted if _is_third_party(modules[name], model_dir)}
    if not names:
        return []
    from importlib import metadata

    owners: dict[str, set[str]] = {}
    requires: dict[str, list[str]] = {}
    for found in metadata.distributions():
        name = normal(found.metadata["Name"] or "")
        requires.setdefault(name, found.requires or [])
        for top in _top_names(found):
            owners.setdefault(top, set()).add(name)
    brought = {_OWN, *_closure([*PROVIDED, *declared(model_dir)], requires)}
    return sorted(
        min(owners[name])
        for name in names
        if name in owners and not owners[name].intersection(brought)
    )


def declared(model_dir: str) -> list[str]:
    """Return the names in the requirements file that the manifest names."""
    file = ModelFolder(model_dir).manifest.requirements_file
    return [] if file is None else list(_names_in(os.path.join(model_dir, file), MAX_NESTED))


def normal(name: str) -> str:
    """Return the form in which names of distributions are compared (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _names_in(path: str, depth: int) -> Iterator[str]:
    try:
        with open(path, encoding="utf-8", errors="replace") as stream:
            lines = stream.read(MAX_FILE_BYTES).splitlines()
    except OSError:
        return
    for line in lines:
        nested = _NESTED.match(line)
        if nested and depth:
            yield from _names_in(os.path.join(os.path.dirname(path), nested[1]), depth - 1)
            continue
        # A URL or path: the wheel's name, or what "#egg=" says.
        found = _EGG.search(line) or _WHEEL.search(line.split("#")[0])
        if found is None and "://" not in line.split("@")[0]:
            found = _NAME.match(line)
        if found:
            yield normal(found[1])


def _closure(names: Iterable[str], requires: dict[str, list[str]]) -> set[str]:
    """Return `names` and what they require, extras aside."""
    brought: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name in brought:
            continue
        brought.add(name)
        needed = (_NAME.match(line) for line in requires.get(name, ()) if "extra ==" not in line)
        waiting.extend(normal(found[1]) for found in needed if found)
    return brought


def _top_names(distribution: object) -> set[str]:
    """Return the modules and packages that a distribution installs at the top of site-packages."""
    text = distribution.read_text("top_level.txt")  # type: ignore[attr-defined]
    if text:
        return set(text.split())
    files = distribution.files or ()  # type: ignore[attr-defined]
    tops = {file.parts[0] for file in files if file.suffix in (".py", ".so")}
    return {top.partition(".")[0] for top in tops if not top.startswith("..")}


def _imported_by(model_dir: str, modules: Mapping[str, object]) -> set[str]:
    """Return the top names that modules of the archive import, of those that were imported."""
    wanted: set[str] = set()
    for module in modules.values():
        file = getattr(module, "__file__", None)
        if isinstance(file, str) and file.endswith(".py") and _lies_in(file, model_dir):
            wanted.update(_imports_of(file))
    return wanted.intersection(modules)


def _imports_of(path: str) -> Iterator[str]:
    try:
        with open(path, "rb") as stream:
            tree = ast.parse(stream.read(MAX_FILE_BYTES))
    except (OSError, SyntaxError, ValueError, RecursionError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


def _is_third_party(module: object, model_dir: str) -> bool:
    """Tell whether a module comes neither from Python nor from the archive."""
    file = getattr(module, "__file__", None)
    if not isinstance(file, str) or _lies_in(file, model_dir):
        return False
    if not _lies_in(file, sysconfig.get_paths()["stdlib"]):
        return True
    return "site-packages" in file or "dist-packages" in file


def _lies_in(file: str, folder: str) -> bool:
    return os.path.realpath(file).startswith(os.path.realpath(folder) + os.sep)
