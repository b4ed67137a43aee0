"""What a log says of one server: its starts and end, what it registered or refused, its models and workers."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from ts_retry_ext.analyze.logged_worker import LoggedWorker
from ts_retry_ext.analyze.model_tally import ModelTally
from ts_retry_ext.logs.merging import LoggedServer
from ts_retry_ext.logs.registration_lines import (
    ADDED,
    REFUSED,
    RESTORE_ENDED,
    RESTORE_TOLD,
    archive_name,
)
from ts_retry_ext.logs.server_log import BOUND, STOPPED

_LOADED = re.compile(r"Model (.+) loaded\.$")
#: Of the server and its registrations (0.12.0 ModelServer, ModelManager).
_MOST_NOT_REGISTERED = 200
_REFUSED = re.compile(r"Invalid maxRetryTimeoutIn\w+: (.{0,200}), should be")


@dataclass
class Ended:
    """The end of a server, or of a registration.

    Attributes:
        at: when, milliseconds since the epoch.
        served: whether the server had been open for requests.
        told: what the frontend said of it.
        why: what the exception below says; empty where there is none.
    """

    at: int
    served: bool
    told: str = ""
    why: str = ""


@dataclass
class ServerTally:
    """One server of the log.

    Attributes:
        starts: times that the log shows it start.
        models: by the name that the frontend gives to model and version.
        last_at: when it last said something of a worker or itself.
        set_back: how often its clock was set back.
        serves: whether its APIs were opened.
        ended: how it stopped, or None.
        not_registered: what was refused, by archive or model.
    """

    server: LoggedServer
    torchserve: str | None = None
    starts: int = 0
    started_at: int = 0
    last_at: int = 0
    set_back: int = 0
    models: dict[bytes, ModelTally] = field(default_factory=dict)
    workers: dict[tuple[bytes, bytes], LoggedWorker] = field(default_factory=dict)
    names: dict[bytes, tuple[str, str]] = field(default_factory=dict)
    refused: dict[bytes, str] = field(default_factory=dict)
    ignored: dict[str, str] = field(default_factory=dict)
    in_error: LoggedWorker | None = None
    serves: bool = False
    ended: Ended | None = None
    not_registered: dict[str, Ended] = field(default_factory=dict)
    awaits_why: Ended | None = None

    def told(self, text: str, at: int, thread: bytes) -> bytes | None:
        """Take what the frontend says of itself or of a registration.

        Returns:
            model and version, joined, where a model is registered.
        """
        self.awaits_why = None
        added = ADDED.match(text)
        if added is not None:
            version, model = added.groups()
            name = f"{model}_{version}".encode()
            self.names[name] = (model, version)
            return name
        loaded, refused, unregistered = (
            _LOADED.match(text),
            _REFUSED.search(text),
            REFUSED.match(text),
        )
        if loaded is not None:
            value = self.refused.pop(thread, None)
            if value is not None:
                self.ignored[loaded[1]] = value
        elif text == STOPPED:
            self.ended = self.awaits_why = Ended(at, self.serves)
        elif BOUND.search(text):
            self.serves, self.ended = True, None
        elif unregistered is not None:
            archive = archive_name(unregistered[1] or unregistered[2])
            if len(self.not_registered) < _MOST_NOT_REGISTERED:
                found = Ended(at, False, text)
                self.awaits_why = self.not_registered.setdefault(archive, found)
        elif refused is not None:
            self.refused[thread] = refused[1]
        elif restore := RESTORE_ENDED.match(text):
            self.not_registered["the rest of the snapshot"] = Ended(
                at, False, RESTORE_TOLD, restore[1]
            )
        return None

    def split(self, name: bytes) -> tuple[str, str | None]:
        """Return model and version of what the frontend joins with an underscore."""
        known = self.names.get(name)
        if known is not None:
            return known
        model, joined, version = name.decode("utf-8", "replace").rpartition("_")
        return (model, version) if joined else (version, None)
