"""A word to whoever waits with a model: try it now. Left in the registration's directory.

``ts-retry resume``, the sidecar, and the trial of another model that waited for the same thing
leave one; the process that waits takes it, at the latest half a second later.
"""

from __future__ import annotations

import os
from typing import NamedTuple

from ts_retry_ext.store.atomic import trusted_content, write_json

REQUEST_FILE = "try-now.json"


class TrialRequest(NamedTuple):
    """What somebody asks for.

    Attributes:
        why: who asks and why, in words for the log and the journal.
        for_real: whether the workers are to load the model at once, without a trial before: what
            it waits for is known to be there again.
    """

    why: str
    for_real: bool = False


def ask_for_trial(model_dir: str, request: TrialRequest) -> None:
    """Leave a request in a registration's directory; a later one takes the place of an earlier one.

    Raises OSError.
    """
    write_json(_path(model_dir), request._asdict())


def request_stands(model_dir: str) -> bool:
    """Tell whether a request was left that nobody has taken yet."""
    return os.path.lexists(_path(model_dir))


def take_request(model_dir: str) -> TrialRequest | None:
    """Return the request that was left, and remove it; None where there is none. Never raises."""
    path = _path(model_dir)
    if not os.path.lexists(path):
        return None
    content = trusted_content(path)
    try:
        os.remove(path)
    except OSError:
        return None  # Somebody else has taken it, or nothing can be removed here.
    why = content.get("why")
    return TrialRequest(str(why)[:400], content.get("for_real") is True) if why else None


def _path(model_dir: str) -> str:
    return os.path.join(model_dir, REQUEST_FILE)
