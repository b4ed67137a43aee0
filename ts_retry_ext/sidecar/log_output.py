"""Where the sidecar's log goes and what it looks like: text for people, or a JSON object a line."""

from __future__ import annotations

import json
import logging
import sys
import time
from logging.handlers import RotatingFileHandler

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
