"""The form of a row of the corpus: a name, the verdict wanted, and what really raises."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import resource
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, Callable

from tests.corpus.world import World


@dataclass(frozen=True)
class Raised:
    """Hold one failure that is really raised.

    Attributes:
        name: what fails, unique in the corpus.
        wanted: N (no retry can cure it), R (a retry can) or U (the evidence doesn't settle it).
        raiser: raises when called with the world.
        needs: module it needs; the row is left out where it isn't installed.
        build: local label that the version of the module's distribution must have, as in `2.13.0+cpu`.
    """

    name: str
    wanted: str
    raiser: Callable[[World], Any]
    needs: str = ""
    build: str = ""

    def is_possible(self) -> bool:
        """Tell whether the library is installed here."""
        if not self.needs:
            return True
        try:
            found = importlib.util.find_spec(self.needs) is not None
        except ModuleNotFoundError:  # the package above it isn't there
            return False
        return found and (
            not self.build or metadata.version(self.needs).partition("+")[2] == self.build
        )


def library(name: str) -> Any:
    """Import a module that the checks of types don't need to know."""
    return importlib.import_module(name)


def raise_it(exc: BaseException) -> None:
    """Raise, where only an expression is allowed."""
    raise exc


@contextlib.contextmanager
def memory_limited(spare: int) -> Iterator[None]:
    """Let this process have `spare` bytes more of address space than it has, for a while."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + spare, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
