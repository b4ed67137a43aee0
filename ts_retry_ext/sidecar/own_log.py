"""The sidecar's own log: text or JSON, where it goes, and a line for each halt, trial load, retirement and recovery."""

from __future__ import annotations

import json
import logging
import sys
import time
from logging.handlers import RotatingFileHandler
from typing import Callable

from ts_retry_ext.sidecar.picture import Picture
from ts_retry_ext.snapshot.down_in_words import trials_in_words, what_ends_it
from ts_retry_ext.snapshot.model import DOWN, ModelStatus
from ts_retry_ext.snapshot.state import State

log = logging.getLogger(__name__)

FORMATS = ("text", "json")
#: A log file is begun anew at this size, in bytes, and so many older ones are kept.
MAX_LOG_BYTES, KEPT_LOGS = 5 * 1024 * 1024, 2
_TEXT = "%(asctime)s %(levelname)s %(message)s"


class JsonFormatter(logging.Formatter):
    """Writes time (ISO 8601 UTC), level and message; of a model also event, name, version, fingerprint."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line."""
        at = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        content = {
            "time": f"{at}.{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "message": record.getMessage(),
            **getattr(record, "facts", {}),
        }
        if record.exc_info:
            content["traceback"] = self.formatException(record.exc_info)
        return json.dumps(content)


def log_to(form: str, path: str | None) -> None:
    """Send the log to the standard error stream, or to a file that is rotated.

    Raises:
        OSError: the file cannot be opened.
    """
    handler: logging.Handler
    if path is None:
        handler = logging.StreamHandler(sys.stderr)
    else:
        handler = RotatingFileHandler(path, maxBytes=MAX_LOG_BYTES, backupCount=KEPT_LOGS)
    handler.setFormatter(JsonFormatter() if form == "json" else logging.Formatter(_TEXT))
    logging.basicConfig(level=logging.INFO, handlers=[handler])


class Story:
    """Tells what has changed from one picture to the next, so that the log of a container tells it by itself."""

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
