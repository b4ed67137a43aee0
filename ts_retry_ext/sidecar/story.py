"""Log what becomes of models: one line for each halt, trial load, retirement and recovery.

So that the log of the sidecar's container tells the story by itself.
"""

from __future__ import annotations

import logging
from typing import Callable

from ts_retry_ext.sidecar.picture import Picture
from ts_retry_ext.snapshot.down_in_words import trials_in_words, what_ends_it
from ts_retry_ext.snapshot.model import DOWN, ModelStatus
from ts_retry_ext.snapshot.state import State

log = logging.getLogger(__name__)


class Story:
    """Tells what has changed from one picture to the next."""

    def __init__(self) -> None:
        self._seen: dict[tuple[str, str], tuple[State, int]] = {}

    def go_on(self, picture: Picture) -> None:
        """Log what has become of the models since the last picture."""
        seen = {model.key: (model.state, _trials(model)) for model in picture.models}
        for model in picture.models:
            before, trials_before = self._seen.get(model.key, (None, 0))
            state, trials = seen[model.key]
            if trials > trials_before and before is not None:
                _tell(log.info, model, "trial", f"trial load {trials_in_words(model, picture.at)}")
            if state is not before and model.is_down:
                why = f"{model.cause or 'the cause is not known'}; {model.judged or 'not judged'}."
                ends = what_ends_it(model, picture.at) or ""
                _tell(log.warning, model, state.value, f"is {state.value}: {why} {ends}".rstrip())
            elif state is State.SERVING and before in DOWN:
                _tell(log.info, model, "recovered", "serves again")
        # A frontend that does not answer for a moment has no models to tell of.
        self._seen.update(seen)


def _trials(model: ModelStatus) -> int:
    return model.registration.history.trials if model.registration else 0


def _tell(write: Callable[..., None], model: ModelStatus, event: str, words: str) -> None:
    facts = {
        "event": event,
        "model": model.model,
        "version": model.version,
        "fingerprint": model.fingerprint,
    }
    write("%s %s %s", model.model, model.version, words, extra={"facts": facts})
