"""Ask a frontend again that did not answer in time.

A registration that installs requirements keeps one of the frontend's threads busy, for as long as that takes, and
what is asked of that thread waits for it; TorchServe bounds that nowhere. Asked again, another thread answers
(0.12.0). A question that was given up is still heard later: only what may be done twice is asked again.
"""

from __future__ import annotations

from time import monotonic, sleep
from typing import Callable, TypeVar

from ts_retry_ext.frontend.condition import Condition, ManagementError
from ts_retry_ext.frontend.refusal import BAD_GATEWAY

T = TypeVar("T")
#: For how long: as TorchServe waits for the end of one worker, unless it is configured otherwise
#: (0.12.0 ConfigManager.getUnregisterModelTimeout).
LIMIT_SEC = 120.0
PAUSE_SEC = 1.0
#: What fails sooner was no wait: nobody listens there.
_AT_ONCE_SEC = 1.0
#: TorchServe's answer if a worker did not end in time, with "please resend request" in its log.
_TIMED_OUT = 408


def asked_again(ask: Callable[[], T], tell: Callable[[str], None]) -> T:
    """Return the answer to a question that may be asked twice.

    Args:
        ask: asks it.
        tell: is told each time that it is asked again.

    Raises:
        ManagementError: it is refused, or not answered for `LIMIT_SEC`.
    """
    begun = monotonic()
    while True:
        asked = monotonic()
        try:
            return ask()
        except ManagementError as error:
            now = monotonic()
            if not _may_pass(error, now - asked) or now - begun > LIMIT_SEC:
                raise
            tell(f"{error}. It is asked again, for {LIMIT_SEC - (now - begun):.0f} s")
        sleep(PAUSE_SEC)


def _may_pass(error: ManagementError, took_sec: float) -> bool:
    """Tell whether nobody refuses: TorchServe, or a proxy before it, did not answer in time."""
    if error.status is None:
        return error.condition is Condition.AWAY and took_sec > _AT_ONCE_SEC
    return error.status == _TIMED_OUT if error.is_own else error.status in BAD_GATEWAY
