"""The package's rooms, and which may use which: data flows one way, and nothing imports upward.

A room is a package of ``ts_retry_ext`` or a module directly in it. Imports inside functions count as
well: they are late to be cheap, not to go round a circle.
"""

from __future__ import annotations

import ast
import sys
from pathlib import Path
from typing import Iterable, Iterator, NamedTuple

import pytest

PACKAGE = Path(__file__).parents[1] / "ts_retry_ext"

#: What each room may use. A room that is missing in another's row may not be used there.
MAY_USE: dict[str, str] = {
    # At the bottom.
    "errors": "",
    "garbage_collector": "",
    "plain_text": "",
    "settings": "",
    # A jar for the frontend, and where it lies.
    "plugin": "",
    # What a model's files say; what a failure means. They know nothing of the rest.
    "archive": "garbage_collector",
    "judge": "",
    # What outlives a process, and the running server.
    "store": "plain_text settings archive",
    "frontend": "plain_text settings archive store",
    # Inside the worker, and beside it.
    "worker": "errors garbage_collector plain_text settings archive judge store frontend",
    "handler": "errors worker",
    "__init__": "errors handler",
    "trial": "plain_text settings archive judge store frontend worker",
    "logs": "plain_text settings archive judge",
    # Over both.
    "snapshot": "plain_text settings archive judge store frontend trial logs",
    "analyze": "plain_text settings archive judge store logs",
    "check": "plain_text settings archive judge store frontend worker trial snapshot",
    "doctor": "plain_text settings archive store frontend logs snapshot plugin",
    "demo": "plain_text settings archive judge store frontend trial logs snapshot",
    "sidecar": "plain_text settings archive judge store frontend trial snapshot",
    "cli": "plain_text settings archive judge store frontend trial logs snapshot"
           " analyze check doctor demo sidecar",
    "__main__": "cli",
}  # fmt: skip
#: Imports that are not allowed and are there today, as "module uses module"; there is to be none.
EXCEPTIONS: frozenset[str] = frozenset()
#: Where a held worker begins; what these import at once is what a holder is made of.
HOLDER = (
    "worker.startup",
    "worker.session",
    "worker.other_workers",
    "worker.marker_in_force",
    "worker.holder",
)
#: Of the standard library, what is too large for a holder.
TOO_LARGE = frozenset({"dataclasses", "inspect", "unicodedata", "difflib", "logging", "subprocess"})


class Import(NamedTuple):
    """One import of a module of the package: who, whom, and whether it runs with the module."""

    user: str
    used: str
    at_once: bool


def _modules() -> dict[str, Path]:
    found = {}
    for path in PACKAGE.rglob("*.py"):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        found[".".join(parts[:-1] if len(parts) > 1 and parts[-1] == "__init__" else parts)] = path
    return found


MODULES = _modules()


def _imported(tree: ast.AST, *, at_once: bool = True) -> Iterator[tuple[str, bool]]:
    """Yield the dotted names that a module imports, and whether that happens with its own import."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, at_once) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from ((f"{node.module}.{alias.name}", at_once) for alias in node.names)
        late = isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) or (
            isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
        )
        yield from _imported(node, at_once=at_once and not late)


def _imports() -> list[Import]:
    found = set()
    for user, path in MODULES.items():
        for name, at_once in _imported(ast.parse(path.read_text())):
            package, _, used = name.partition(".")
            if package != PACKAGE.name:
                continue
            while used and used not in MODULES:  # A name in a module.
                used = used.rpartition(".")[0]
            if used and used != user:
                found.add(Import(user, used, at_once))
    return sorted(found)


IMPORTS = _imports()


def _room(module: str) -> str:
    return module.partition(".")[0]


def test_every_room_has_its_row() -> None:
    assert {_room(module) for module in MODULES} == set(MAY_USE)


def test_rows_make_no_circle() -> None:
    """Each room uses only rooms that stand above it in the table."""
    known: set[str] = set()
    for room, used in MAY_USE.items():
        assert set(used.split()) <= known, room
        known.add(room)


def test_no_module_uses_a_room_that_it_may_not_use() -> None:
    wrong = {
        f"{user} uses {used}"
        for user, used, _ in IMPORTS
        if _room(user) != _room(used) and _room(used) not in MAY_USE[_room(user)].split()
    }
    assert wrong == EXCEPTIONS


def test_modules_import_each_other_in_no_circle() -> None:
    uses: dict[str, set[str]] = {module: set() for module in MODULES}
    for user, used, _ in IMPORTS:
        uses[user].add(used)
    while True:
        free = {module for module, used in uses.items() if not used & uses.keys()}
        if not free:
            break
        uses = {module: used for module, used in uses.items() if module not in free}
    assert not uses, f"modules that import each other, or use such: {sorted(uses)}"


def _at_once(modules: Iterable[str]) -> set[str]:
    """Return `modules`, and what of the package is imported with them."""
    found: set[str] = set()
    left = list(modules)
    while left:
        module = left.pop()
        if module not in found:
            found.add(module)
            left += [used for user, used, at_once in IMPORTS if user == module and at_once]
    return found


@pytest.mark.skipif(not hasattr(sys, "stdlib_module_names"), reason="Python does not name them")
def test_a_holder_imports_the_standard_library_only_and_little_of_it() -> None:
    for module in _at_once(HOLDER):
        names = {
            name.partition(".")[0]
            for name, at_once in _imported(ast.parse(MODULES[module].read_text()))
            if at_once
        } - {PACKAGE.name}
        assert names <= sys.stdlib_module_names, module
        assert not names & TOO_LARGE, module


def test_no_class_or_module_has_the_name_of_another() -> None:
    """A name that stands in two rooms has to be looked up to be understood."""
    named: dict[str, set[str]] = {}
    for module, path in MODULES.items():
        if path.stem != "__init__":
            named.setdefault(f"module {path.stem}", set()).add(module)
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                named.setdefault(f"class {node.name}", set()).add(module)
    assert not {name: sorted(places) for name, places in named.items() if len(places) > 1}
