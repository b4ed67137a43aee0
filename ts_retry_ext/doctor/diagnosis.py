"""What was found in one place, how it is, and what to do about it; of a key of ``config.properties`` too."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

FINE, WARNING, WRONG = "ok", "warning", "wrong"
#: What people put around a value, and what counts as part of it.
QUOTES = "\"'"
#: What is left of a variable that is not set.
UNSET_VARIABLE = re.compile(r"\$\$([^$]+)\$\$")


@dataclass(frozen=True)
class Diagnosis:
    """The outcome of one check.

    Attributes:
        outcome: ``ok``, ``warning`` or ``wrong``.
        remedy: what to do about it; None where nothing is to be done.
    """

    name: str
    outcome: str
    found: str
    remedy: str | None = None

    @property
    def is_wrong(self) -> bool:
        """Tell whether a halt, or the start of the server, cannot work because of it."""
        return self.outcome == WRONG


class WrongValue(NamedTuple):
    """What is wrong with the value of a key: why, what to write, and whether TorchServe goes on all the same."""

    why: str
    write: str
    outcome: str = WRONG
