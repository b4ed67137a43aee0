"""Secrets taken out of text before it is stored or shown.

An ordered table of well-known shapes, then the values of secret-looking environment variables.
What an operator needs to find the fault stays: hosts, paths, user names, the first characters of a
key format that say which kind of key it was.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from ts_retry_ext.judge.failure import Cause, Failure, Frame

MASK = "[redacted]"
#: Environment values shorter than this are words, not secrets.
SECRET_MIN_LENGTH = 6

_KEY_WORD = (
    r"(?:pass(?:word|wd|phrase)?|pwd|secret(?:[_-]?(?:access)?[_-]?key)?|(?:access|api|account|shared|auth|private)"
    r"[_-]?key|(?:access|refresh|id|auth|bearer|session|security|api|hf|sas)?[_-]?token|credentials?|client[_-]?secret"
    r"|sig|signature|x-amz-signature|x-amz-security-token|x-amz-credential|x-goog-signature"
    r"|x-goog-credential|authorization)"
)

#: Name of the shape, pattern, what is put in its place.
_SHAPES: tuple[tuple[str, re.Pattern[str], str], ...] = (
    (
        "private key block",
        re.compile(
            r"-----BEGIN ([A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?)-----(?! \[redacted\])"
            r"(?:(?!-----END)[\s\S]){0,20000}(?:-----END [A-Z0-9 ]{0,60}-----)?"
        ),
        r"-----BEGIN \1----- " + MASK,
    ),
    (
        "password in a URL",
        re.compile(r"([A-Za-z][A-Za-z0-9+.\-]{0,30}://)([^\s/:@'\"?#]{0,200}):([^\s'\"]{1,500}?)@(?=[\w\[.\-])"),
        r"\1\2:" + MASK + "@",
    ),
    (
        "token as the user of a URL",
        re.compile(r"([A-Za-z][A-Za-z0-9+.\-]{0,30}://)([^\s/:@'\"?#]{16,500})@(?=[\w\[])"),
        r"\1" + MASK + "@",
    ),
    (
        "authorization header",
        re.compile(r"(?i)\b(bearer|basic|digest|negotiate)(\s{1,4})(?=[^\s'\",;]*[\d+/=._\-])([^\s'\",;]{8,8000})"),
        r"\1\2" + MASK,
    ),
    ("AWS access key id", re.compile(r"\b(AKIA|ASIA|AGPA|AROA|AIDA)[0-9A-Z]{12,124}"), r"\1" + MASK),
    ("GitHub token", re.compile(r"\b(gh[pousr]_|github_pat_)\w{16,400}"), r"\1" + MASK),
    ("GitLab token", re.compile(r"\b(gl(?:pat|dt|rt|cbt)-)[\w\-]{16,200}"), r"\1" + MASK),
    ("Hugging Face token", re.compile(r"\b(hf_|api_org_)[A-Za-z0-9]{16,200}"), r"\1" + MASK),
    ("Google API key", re.compile(r"\b(AIza)[\w\-]{30,60}"), r"\1" + MASK),
    ("Google OAuth token", re.compile(r"\b(ya29\.|GOCSPX-)[\w\-.]{16,2000}"), r"\1" + MASK),
    ("Slack token", re.compile(r"\b(xox[abeoprs]-|xapp-)[\w\-]{8,400}"), r"\1" + MASK),
    ("Slack hook", re.compile(r"(hooks\.slack\.com/(?:services|workflows)/)[\w/]{8,200}"), r"\1" + MASK),
    ("OpenAI style key", re.compile(r"\b(sk-|pk_live_|sk_live_|rk_live_|nvapi-|dapi|pypi-|npm_)[\w\-]{20,400}"), r"\1" + MASK),
    ("JSON web token", re.compile(r"\beyJ[\w\-]{8,8000}\.[\w\-]{4,8000}(?:\.[\w\-]{0,8000})?"), "eyJ" + MASK),
    ("Azure storage key", re.compile(r"(?i)(AccountKey=|SharedAccessKey=|SharedAccessSignature=)[^;\s'\"]{8,2000}"), r"\1" + MASK),
    (
        "named secret",
        re.compile(
            r"(?i)((?:^|[\s\"'{(,;&?\[])(?:[\w\-.]{1,60}[_\-.])?" + _KEY_WORD + r"[\"']?\s{0,4}(?:=|:|=>)\s{0,4})"
            r"(?:\"((?!\[redacted\])[^\"\n]{4,4000})\"|'((?!\[redacted\])[^'\n]{4,4000})'"
            r"|(?!\[redacted\]|[\w\-.]{1,20}\[redacted\]|bearer\b|basic\b|eyJ\[|none\b|null\b|true\b|false\b|str\b|not |is |<)([^\s\"'&,;}{)\]]{6,4000}))"
        ),
        r"\1" + MASK,
    ),
)  # fmt: skip

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
    for _name, pattern, shown in _SHAPES:
        text = pattern.sub(shown, text)
    return text


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
            found.add(value)
    return tuple(sorted(found, key=lambda value: (-len(value), value)))


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
