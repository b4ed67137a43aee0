"""Secrets taken out of text before it is stored or shown.

First the values of secret-looking environment variables, then an ordered table of well-known shapes
(`secret_formats.py`), then values behind names (`named_secrets.py`).
What an operator needs to find the fault stays: hosts, paths, user names, the first characters of a
key format that say which kind of key it was.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from urllib.parse import quote, quote_plus

from ts_retry_ext.judge.failure import LEFT_OUT, Cause, Failure, Frame
from ts_retry_ext.judge.named_secrets import without_named_secrets
from ts_retry_ext.judge.secret_formats import MASK, without_known_formats

__all__ = ["MASK", "SECRET_MIN_LENGTH", "redact", "redacted", "secret_values"]

#: Environment values shorter than this are words, not secrets.
SECRET_MIN_LENGTH = 6
#: Characters of a divided secret that are masked; fewer tell nothing of it.
_PART_LENGTH = 4
#: Where `text.bounded` has cut.
_CUT = re.compile(r"( … \[\d{1,12} characters left out\] … )")

_SECRET_NAME = re.compile(
    r"(?i)(?:pass(?:word|wd|phrase)?$|^pass|pwd$|secret|token|api_?key|access_?key|private_?key"
    r"|account_?key|credential|auth_?key|_key$|_sas$|connection_?string|_dsn$|webhook)"
)
#: Variables whose names look secret, and whose values are paths, numbers or switches.
_NOT_SECRET_NAME = re.compile(
    r"(?i)(?:_file|_path|_dir|_url|_uri|_endpoint|_expiration|_enabled|_type|_name|_parallelism|_timeout|_min)$"
    r"|^(?:TOKENIZERS_|TS_DISABLE_TOKEN|PWD$|OLDPWD$)"
)


def redact(text: str, secrets: Sequence[str] = ()) -> str:
    """Return `text` without secrets of well-known shapes and without the given values.

    Args:
        text: anything on its way to a file, a log or a screen.
        secrets: values that must not appear, longest first (see `secret_values`).
    """
    for secret in secrets:
        if secret:
            text = text.replace(secret, MASK)
    if secrets and LEFT_OUT in text:
        text = _without_divided(text, secrets)
    return without_named_secrets(without_known_formats(text))


def _without_divided(text: str, secrets: Sequence[str]) -> str:
    """Mask the parts of secrets that a cut has left on its two sides."""
    head, mark, tail = _CUT.split(text, maxsplit=1) if _CUT.search(text) else (text, "", "")
    for secret in secrets:
        for length in range(len(secret) - 1, _PART_LENGTH - 1, -1):
            if head.endswith(secret[:length]):
                head = head[:-length] + MASK
            if tail.startswith(secret[-length:]):
                tail = MASK + tail[length:]
    return f"{head}{mark}{tail}"


def secret_values(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return the values of variables whose names look secret, longest first.

    Values that are paths, plain numbers or shorter than `SECRET_MIN_LENGTH` are left out: taking
    every "true" or "/models" out of a text would destroy what the operator needs.
    """
    found = set()
    for name, value in environ.items():
        if not _SECRET_NAME.search(name) or _NOT_SECRET_NAME.search(name):
            continue
        value = value.strip()
        is_path = value.startswith(("/", "./", "~"))
        is_number = value.isdigit() and len(value) < 12
        if len(value) >= SECRET_MIN_LENGTH and not is_path and not is_number:
            found.update(_spellings(value))
    return tuple(sorted(found, key=lambda value: (-len(value), value)))


def _spellings(value: str) -> set[str]:
    """Return a value as it stands, and as repr, JSON and a URL write it."""
    return {
        value,
        repr(value)[1:-1],
        json.dumps(value)[1:-1],
        quote(value),
        quote(value, safe=""),
        quote_plus(value, safe=""),
    }


def redacted(failure: Failure, secrets: Sequence[str] = ()) -> Failure:
    """Return a failure whose texts went through `redact`."""
    chain = tuple(_link(cause, secrets) for cause in failure.chain)
    return replace(
        failure,
        message=redact(failure.message, secrets),
        notes=tuple(redact(note, secrets) for note in failure.notes),
        chain=chain,
        frames=tuple(_frame(frame, secrets) for frame in failure.frames),
        traceback=redact(failure.traceback, secrets),
        filename=redact(failure.filename, secrets) if failure.filename else None,
        remedy=redact(failure.remedy, secrets) if failure.remedy else None,
    )


def _link(cause: Cause, secrets: Sequence[str]) -> Cause:
    return replace(
        cause,
        message=redact(cause.message, secrets),
        notes=tuple(redact(note, secrets) for note in cause.notes),
        filename=redact(cause.filename, secrets) if cause.filename else None,
        remedy=redact(cause.remedy, secrets) if cause.remedy else None,
    )


def _frame(frame: Frame, secrets: Sequence[str]) -> Frame:
    return replace(frame, file=redact(frame.file, secrets))
