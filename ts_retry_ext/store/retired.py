"""How many workers a model had before it was retired, so that it gets them back."""

from __future__ import annotations

import os
from typing import NamedTuple

from ts_retry_ext.store.atomic import trusted_content, write_json
from ts_retry_ext.store.times import is_time, now_text

RETIRED_FILE = "retired.json"


class Retired(NamedTuple):
    """What a registration's ``retired.json`` holds.

    It is written before the model is scaled down and removed after it was scaled up again, so
    whoever is interrupted in between finds in it what is left to do.

    Attributes:
        min_workers: workers that the frontend kept.
        max_workers: workers that it could have.
        at: when it was written, ISO 8601 UTC; empty where that is lost.
    """

    min_workers: int
    max_workers: int
    at: str


def write_retired(model_dir: str, min_workers: int, max_workers: int) -> None:
    """Remember the numbers of the registration kept in `model_dir`. Raises OSError."""
    write_json(_path(model_dir), Retired(min_workers, max_workers, now_text())._asdict())


def read_retired(model_dir: str) -> Retired | None:
    """Return the numbers of a retired registration, or None where it was not retired.

    A file that cannot be trusted counts as none. Never raises.
    """
    content = trusted_content(_path(model_dir))
    low, high, at = (content.get(name) for name in Retired._fields)
    if not isinstance(low, int) or not isinstance(high, int) or not 0 < low <= high:
        return None
    return Retired(low, high, str(at) if is_time(at) else "")


def forget_retired(model_dir: str) -> None:
    """Remove the numbers: the model has them back. Raises OSError."""
    try:
        os.remove(_path(model_dir))
    except FileNotFoundError:
        pass


def _path(model_dir: str) -> str:
    return os.path.join(model_dir, RETIRED_FILE)
