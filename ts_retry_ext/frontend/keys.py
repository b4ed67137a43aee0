"""Find the keys of TorchServe's token authorization, which is on unless it was switched off.

TorchServe 0.12.0 TokenAuthorization writes ``key_file.json`` into the server's working directory,
mode 0600. The management key expires after ``token_expiration_min`` (60 minutes); the API key does
not, and makes a new one. Keys are never logged and are no part of any ``repr``.
"""

from __future__ import annotations

import json
import os
import re
import time
from calendar import timegm
from typing import NamedTuple

_INSTANT = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?Z")


#: Pauses before a key file that holds no key is looked at again.
LOOK_AGAIN_SEC = (0.01, 0.03)


class KeyFileError(Exception):
    """The key file is missing, unreadable or not what TorchServe writes."""


class Key(NamedTuple):
    """One key.

    Attributes:
        expires_at: seconds since the epoch, or None where it does not expire.
    """

    text: str
    expires_at: float | None

    def __repr__(self) -> str:
        """Return what it is without the key itself."""
        return f"Key(expires_at={self.expires_at})"

    def is_expired(self) -> bool:
        """Tell whether the frontend refuses this key by now."""
        return self.expires_at is not None and time.time() >= self.expires_at

    @property
    def headers(self) -> dict[str, str]:
        """Return the header that a request carries this key in."""
        return {"Authorization": f"Bearer {self.text}"}


def is_kept(path: str | None) -> bool:
    """Tell whether there is a key file at `path`, readable or not.

    Where there is none a request goes without a key, and the server's answer shows whether it asks
    for one.
    """
    return path is not None and os.path.lexists(path)


class KeyFile:
    """The keys of one server, read again when the file changed.

    Args:
        path: where the file is, or None where the server asks for no key.
    """

    def __init__(self, path: str | None) -> None:
        self._path = path
        self._kept: dict[str, tuple[object, Key]] = {}

    def key(self, kind: str) -> Key | None:
        """Return the key of a kind (``management``, ``inference``, ``API``); None without a file.

        The server writes the file in place, so that a reader may find half of it: one that holds no
        such key is looked at again.

        Raises:
            KeyFileError: the file cannot be read or holds no such key.
        """
        if self._path is None or not is_kept(self._path):
            return None
        identity = _identity(self._path)
        kept = self._kept.get(kind)
        if kept is None or kept[0] != identity:
            kept = self._kept[kind] = (identity, self._read(self._path, kind))
        return kept[1]

    def _read(self, path: str, kind: str) -> Key:
        for pause_sec in LOOK_AGAIN_SEC:
            try:
                return read_key(path, kind)
            except KeyFileError as error:  # noqa: PERF203 - each look is a try
                if isinstance(error.__cause__, OSError):
                    raise
                time.sleep(pause_sec)
        return read_key(path, kind)


def _identity(path: str) -> object:
    """Return what changes when the file does."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return (status.st_ino, status.st_mtime_ns, status.st_size)


def read_key(path: str, name: str) -> Key:
    """Return the key `name` (``management``, ``inference`` or ``API``) of the key file at `path`.

    Raises:
        KeyFileError: the file cannot be read or holds no such key. The message names the file and
            nothing of its content.
    """
    try:
        with open(path, encoding="utf-8") as stream:
            section = json.load(stream)[name]
        text, expires = section["key"], section.get("expiration time")
    except PermissionError as error:
        msg = f"{path} may not be read by this user; run this as the server's user"
        raise KeyFileError(msg) from error
    except OSError as error:
        msg = f"cannot read {path}: {error.strerror}"
        raise KeyFileError(msg) from error
    except (ValueError, KeyError, TypeError, AttributeError):
        msg = f"{path} holds no {name} key as TorchServe writes it"
        raise KeyFileError(msg) from None
    if not isinstance(text, str) or not re.fullmatch(r"[\x21-\x7e]+", text):
        msg = f"{path} holds no {name} key as TorchServe writes it"
        raise KeyFileError(msg)
    return Key(text, _seconds(expires) if isinstance(expires, str) else None)


def _seconds(instant: str) -> float | None:
    """Return what ``java.time.Instant.toString`` wrote in seconds since the epoch."""
    match = _INSTANT.fullmatch(instant)
    if match is None:
        return None
    whole = timegm(time.strptime(match[1], "%Y-%m-%dT%H:%M:%S"))
    return whole + float(match[2] or 0)
