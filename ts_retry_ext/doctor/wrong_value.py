"""What is wrong with the value of a key of ``config.properties``."""

from __future__ import annotations

import re
from typing import NamedTuple

from ts_retry_ext.doctor.diagnosis import WRONG

#: What people put around a value, and what counts as part of it.
QUOTES = "\"'"
#: What is left of a variable that is not set.
UNSET_VARIABLE = re.compile(r"\$\$([^$]+)\$\$")


class WrongValue(NamedTuple):
    """What is wrong with a value: why, what to write, and whether TorchServe goes on all the same."""

    why: str
    write: str
    outcome: str = WRONG
