"""What the page of one model shows besides the picture: its history and settings, read when somebody looks."""

from __future__ import annotations

import asyncio
import os
import re
from typing import Any, NamedTuple, Sequence

from ts_retry_ext.archive.model_folder import ModelFolder
from ts_retry_ext.settings import MODEL_SECTION, SETTINGS, Resolved
from ts_retry_ext.sidecar.picture import Picture, cause_json
from ts_retry_ext.sidecar.recovery import starts_saved
from ts_retry_ext.sidecar.target import Target
from ts_retry_ext.snapshot.down_in_words import (
    deploy_command,
    facts_of,
    trial_runs_since,
    waits_for,
)
from ts_retry_ext.snapshot.effective import worker_folders
from ts_retry_ext.snapshot.history_over_runs import HistoryEntry, history_of, name_of
from ts_retry_ext.snapshot.model import ModelKey, ModelStatus
from ts_retry_ext.snapshot.observed_server import ObservedServer
from ts_retry_ext.snapshot.registration_files import read_run
from ts_retry_ext.store.directory import server_runs
from ts_retry_ext.store.exception_record import ExceptionRecord

#: Entries of the history that are shown, the newest.
MOST_ENTRIES = 50
_MOST_KEPT = 32
#: Facts that have a place of their own on the page.
_SHOWN_ABOVE = frozenset(
    (
        "reason",
        "remedy",
        "at",
        "since",
        "next trial",
        "waits for",
        "window",
        "repaired",
        "decided by",
        "fingerprint",
    )
)
_FRAME = re.compile(r'^ *File "(?P<file>[^"]{1,4000})", line \d+, in (?P<function>.+)$')


class ModelReading(NamedTuple):
    """What was read about a model.

    Attributes:
        history: what happened to it, the newest first.
        earlier: how many entries before that are not shown.
        settings: the package's settings in force, by key.
        problems: what is wrong with them, one sentence each.
    """

    history: Sequence[HistoryEntry] = ()
    earlier: int = 0
    settings: Sequence[tuple[str, Resolved]] = ()
    problems: Sequence[str] = ()


class ModelReader:
    """Reads it, and again only once a worker of the model has written something."""

    def __init__(self) -> None:
        self._kept: dict[ModelKey, tuple[object, ModelReading]] = {}

    async def read(self, model: ModelStatus, target: Target | None) -> ModelReading:
        """Return what is to be read about a model; nothing where there is no server."""
        if target is None:
            return ModelReading()
        seen = (target, _signature(model))
        kept = self._kept.get(model.key)
        if kept is not None and kept[0] == seen:
            return kept[1]
        loop = asyncio.get_running_loop()
        reading = await loop.run_in_executor(None, _read, model, target)
        if len(self._kept) >= _MOST_KEPT:
            self._kept.clear()
        self._kept[model.key] = (seen, reading)
        return reading


def _signature(model: ModelStatus) -> object:
    """Return what changes when a worker of the model writes something."""
    registration = model.registration
    if registration is None:
        return None
    marker, records = registration.marker, registration.records
    return registration.directory, len(records), registration.last_word_at, marker


def _read(model: ModelStatus, target: Target) -> ModelReading:
    server = target.server
    entries: list[HistoryEntry] = []
    if model.registration is not None:
        alike = model.registration.directory
        paths = [path for place in server.state_dirs for path in server_runs(place)]
        runs = [read_run(path, alike) for path in dict.fromkeys(paths)]
        # Another server may keep its state in the same place.
        runs = [run for run in runs if run.ended or run.pid == server.frontend.pid]
        entries = list(history_of(runs, name_of(model.registration)))
    settings, problems = settings_in_force(model, server)
    newest = entries[::-1][:MOST_ENTRIES]
    return ModelReading(newest, len(entries) - len(newest), settings, problems)


def shown_of(model: ModelStatus, picture: Picture, now: float) -> dict[str, Any]:
    """Return what the page says of a model."""
    server = picture.snapshot.server
    runs = server is not None and server.running
    content = model.to_json()
    facts = facts_of(model, now, server_runs=runs).items()
    return {
        "model": model,
        "cause": cause_json(model)["cause"],
        "command": picture.snapshot.resume_command(model),
        "deploy": deploy_command(model),
        "is_resumable": runs and model.can_be_resumed,
        "place": model.failing_line,
        "reason": content["reason"],
        "remedy": content["remedy"],
        "traceback": own_lines(model.exception),
        "since": model.since,
        "rule": content["rule"],
        "decided_by": model.decided_by,
        "fingerprint": content["fingerprint"],
        "next_trial_at": model.next_trial_at if runs else None,
        "trial_runs_since": trial_runs_since(model) if runs and model.can_be_resumed else None,
        "waits_for": waits_for(model),
        "row": picture.effective_of.get(model.key),
        "saved": starts_saved(model, picture.at),
        "recoveries": picture.recoveries.get(model.key, ()),
        "why_unknown": picture.why_unknown.get(model.key),
        "facts": [(label, text) for label, text in facts if label not in _SHOWN_ABOVE],
    }


def own_lines(exception: ExceptionRecord | None) -> list[tuple[bool, str]]:
    """Return the lines of a traceback, each with whether it is a frame of the model's own code."""
    if exception is None:
        return []
    own = [(frame.file, frame.function) for frame in exception.frames if frame.in_app]
    lines, is_own = [], False
    for line in exception.traceback.rstrip("\n").split("\n"):
        frame = _FRAME.match(line)
        if frame is not None:
            is_own = any(
                frame["function"] == function and frame["file"].endswith(file)
                for file, function in own
            )
        elif not line.startswith("    "):
            is_own = False
        lines.append((is_own, line))
    return lines


def settings_in_force(
    model: ModelStatus, server: ObservedServer
) -> tuple[tuple[tuple[str, Resolved], ...], tuple[str, ...]]:
    """Return the settings that a model has a say in, by key, and a sentence for each problem.

    Reads the model's unpacked files. Where they cannot be seen, the server's settings are all that is known,
    and so is what an environment that cannot be seen would say.
    """
    folder = _folder(model, server)
    unpacked = None if folder is None else ModelFolder(folder)
    section, unreadable = (None, None) if unpacked is None else unpacked.section(MODEL_SECTION)
    config_file = (unpacked and unpacked.config_path) or "model-config.yaml"
    settings, problems = server.configuration.settings(section, config_file)
    found = settings._asdict()
    own = tuple((row.property_key, found[row.name]) for row in SETTINGS if row.model_key)
    return own, ((unreadable, *problems) if unreadable else problems)


def _folder(model: ModelStatus, server: ObservedServer) -> str | None:
    """Return where the model's unpacked files are, or None where they cannot be seen."""
    running = model.running
    folders = list(worker_folders(running)) if running and server.sees_processes else []
    if model.marker is not None:
        folders.append(model.marker.model_dir)
    return next((path for path in folders if os.path.isdir(path)), None)
