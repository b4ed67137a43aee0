"""Give a model new workers and a new retry window: scale it to 0 and back to its own numbers.

Scaling is allowed while ``enable_model_api`` is off, its default, and it is the only way to get a
worker started once the frontend's retry window is over. Needs neither aiohttp nor psutil.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Callable

from ts_retry_ext.frontend.condition import Condition, ManagementError
from ts_retry_ext.store.retired import Retired, forget_retired, write_retired

if TYPE_CHECKING:
    from ts_retry_ext.frontend.management import ManagementApi

#: The frontend kills each worker and waits for it (``unregister_model_timeout``, 120 s).
SCALE_TIMEOUT_SEC = 60.0
#: Pauses before a model is scaled up once more where the frontend did not answer itself.
GIVE_BACK_PAUSES_SEC = (0.5, 2.0)
_NO_KEY = (Condition.REFUSED, Condition.EXPIRED_KEY)


def own_numbers(low: int, high: int, retired: Retired | None) -> tuple[int, int]:
    """Return how many workers a model is to have at least and at most.

    Those that it had before it was retired, or before a restart that somebody was interrupted in;
    one worker where nobody remembers any.

    Args:
        retired: what the registration's ``retired.json`` holds.
    """
    if low > 0:
        return low, max(low, high)
    if retired is not None:
        return retired.min_workers, retired.max_workers
    return 1, max(1, high)


def restart_workers(
    api: ManagementApi,
    model: str,
    version: str,
    low: int,
    high: int,
    *,
    directory: str | None = None,
    between: Callable[[], None] | None = None,
) -> None:
    """Replace all workers of a model; returns when the old ones are gone and new ones are asked for.

    The numbers are written down before the model is scaled down, and removed after it was scaled up.
    If this process is killed in between, whoever reads them gives the model its workers back.

    Args:
        low: workers that the frontend is to keep, at least 1; see `own_numbers`.
        directory: the registration's directory in the state directory; None where there is none,
            then nothing is written down.
        between: is called while the model has no workers, to remove its marker. If it raises,
            the model gets its workers back all the same.

    Raises:
        ManagementError: the API cannot be reached or refuses. The numbers stay written down where
            the model could not be scaled up.
        OSError: the numbers cannot be written down, and nothing was scaled; or not removed.
    """
    if directory is not None:
        write_retired(directory, low, high)
    try:
        api.scale(model, version, 0, 0, synchronous=True, timeout_sec=SCALE_TIMEOUT_SEC)
        if between is not None:
            between()
    finally:
        # Whatever came in between, the model must get its numbers back. A frontend that refused to
        # scale down, or took too long to answer, may have scaled down all the same.
        _give_back(api, model, version, low, high)
        if directory is not None:
            forget_retired(directory)


def _give_back(api: ManagementApi, model: str, version: str, low: int, high: int) -> None:
    """Scale a model up, again where the frontend does not answer for a moment, or a proxy in its place.

    Raises ManagementError.
    """
    for pause_sec in GIVE_BACK_PAUSES_SEC:
        try:
            api.scale(model, version, low, high, synchronous=False, timeout_sec=SCALE_TIMEOUT_SEC)
        except ManagementError as error:  # noqa: PERF203 - each is a try of its own
            if error.is_own or error.condition in _NO_KEY:
                raise
            time.sleep(pause_sec)
        else:
            return
    api.scale(model, version, low, high, synchronous=False, timeout_sec=SCALE_TIMEOUT_SEC)
