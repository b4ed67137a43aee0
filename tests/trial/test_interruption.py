from __future__ import annotations

import os
import signal

import pytest

from ts_retry_ext.trial.interruption import orderly_end, uninterrupted


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_to_end_runs_what_cleans_up(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    cleaned_up = False
    with pytest.raises(SystemExit) as caught, orderly_end():
        try:
            os.kill(os.getpid(), number)
        finally:
            cleaned_up = True
    assert cleaned_up
    assert caught.value.code == 128 + number
    assert signal.getsignal(number) is before


def test_a_signal_waits_until_the_block_is_done() -> None:
    done = False
    with pytest.raises(KeyboardInterrupt), uninterrupted():
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)
        done = True
    assert done
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
