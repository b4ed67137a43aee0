"""What is promised of any bytes: each function hands them in as a disk, a log or a socket does, and checks.

The tests with hypothesis and the coverage-guided ones (`tests.faults.fuzz`) check the same promises. Those
of the judge are in `tests.judge.promises`.
"""

from __future__ import annotations

import io
import json
import os
import shutil
import socket
import time
from contextlib import redirect_stderr, redirect_stdout, suppress
from pathlib import Path

from tests.frontend.api import described
from tests.judge.promises import data_gives_rules_or_problems
from tests.sidecar.test_metrics import text
from ts_retry_ext.analyze.analysis import Analysis
from ts_retry_ext.analyze.judged_failure import FailureJudge
from ts_retry_ext.analyze.log_report import LogReport, report_of
from ts_retry_ext.analyze.text_failures import failures_in
from ts_retry_ext.archive.model_archive import ArchiveError, read_archive
from ts_retry_ext.archive.model_folder import ModelFolder
from ts_retry_ext.archive.schedule import schedule
from ts_retry_ext.check.unpack import NoRoomError, unpack
from ts_retry_ext.cli import show
from ts_retry_ext.cli.main import main
from ts_retry_ext.cli.status_output import print_models
from ts_retry_ext.frontend.asking import Asking
from ts_retry_ext.frontend.condition import ManagementError
from ts_retry_ext.frontend.conversation import Conversations
from ts_retry_ext.frontend.endpoint import Endpoint
from ts_retry_ext.frontend.exchange import HttpAnswer
from ts_retry_ext.frontend.properties import read_properties, resolve_environment
from ts_retry_ext.frontend.rules_file import RulesFileError, read_rules_file
from ts_retry_ext.frontend.running_model import running_model
from ts_retry_ext.judge import Limits
from ts_retry_ext.judge.builtin import BUILTIN_RULES
from ts_retry_ext.logs.log_files import LogFile
from ts_retry_ext.logs.open_logs import Reading
from ts_retry_ext.settings import resolve
from ts_retry_ext.sidecar.metrics import Metrics
from ts_retry_ext.sidecar.recovery import recovery_of, starts_saved
from ts_retry_ext.snapshot.attempts import attempts_of
from ts_retry_ext.snapshot.join import died_by_its_words, status_of
from ts_retry_ext.snapshot.model import WindowInForce
from ts_retry_ext.snapshot.registration_files import read_registration
from ts_retry_ext.snapshot.take import take_snapshot_of_run
from ts_retry_ext.store import journal
from ts_retry_ext.store.atomic import UntrustedFileError
from ts_retry_ext.store.directory import marker_path
from ts_retry_ext.store.failures_in_a_row import failures_in_a_row
from ts_retry_ext.store.journal_totals import summarise
from ts_retry_ext.store.marker import read_marker
from ts_retry_ext.store.record import Event, Record
from ts_retry_ext.store.worker_states import holders_of, served_by, unfinished_loads
from ts_retry_ext.trial.frontend_side import NoAnswerError, WorkerDiedError, read_response
from ts_retry_ext.worker.protocol import (
    LOAD,
    DisconnectedError,
    batch_response,
    read_command,
    read_load,
    read_requests,
)

SOCKET = "/tmp/.ts.sock.9000"


def configuration_gives_settings(path: Path, data: bytes) -> None:
    """Settings come out of any ``config.properties``, and problems name the file."""
    path.write_bytes(data)
    properties = resolve_environment(read_properties(str(path)), {"HOME": "/root"})
    settings, problems = resolve(properties, {}, config_file=str(path))
    assert settings.max_hard_crashes.value >= 0
    assert settings.on_fatal.value in ("hold", "reject", "retire", "shutdown", "observe")
    assert all(str(path) in problem for problem in problems)


def rules_are_read_or_refused(path: Path, data: bytes) -> None:
    """A file of rules is read, or refused as what `ts-retry` and a worker tell."""
    path.write_bytes(data)
    with suppress(RulesFileError):
        data_gives_rules_or_problems(read_rules_file(str(path)))


def model_folder_is_read(folder: Path, config: bytes, manifest: bytes) -> None:
    """A worker reads any manifest and ``model-config.yaml``; the package stays active."""
    (folder / "MAR-INF").mkdir(parents=True, exist_ok=True)
    (folder / "MAR-INF" / "MANIFEST.json").write_bytes(manifest)
    (folder / "model-config.yaml").write_bytes(config)
    section, _ = ModelFolder(str(folder)).section("retry")
    settings, _ = resolve({}, {}, section)
    assert settings.max_hard_crashes.value >= 0


def archive_is_read_or_refused(path: Path) -> None:
    """``ts-retry config`` shows any archive or folder, or refuses it with its path and a reason."""
    why = None
    try:
        read_archive(str(path))
    except ArchiveError as refused:
        why = str(refused)
    assert why is None or (why.startswith(f"{path}: ") and len(why) > len(f"{path}: "))
    with redirect_stdout(io.StringIO()) as out:
        code = main(["config", "--json", str(path)])
    shown = json.loads(out.getvalue())
    assert [row["archive"] for row in shown] == [str(path)]
    unread = shown[0]["max_retry_timeout_sec"] is None
    assert code == int(unread)
    assert not unread or shown[0]["problems"]


def archive_is_unpacked_inside(path: Path, folder: Path) -> None:
    """An archive is unpacked into its directory, without links, or refused; nothing lies elsewhere."""
    shutil.rmtree(folder, ignore_errors=True)
    target = folder / "deep" / "target"
    target.mkdir(parents=True)
    why = f"{path}: "
    try:
        unpack(str(path), str(target), max_unpacked=1 << 20)
    except (ArchiveError, NoRoomError) as refused:
        why = str(refused)
    assert why.startswith(f"{path}: ")
    assert os.listdir(folder) == ["deep"]
    assert os.listdir(folder / "deep") == ["target"]
    for place, folders, files in os.walk(target):
        assert not any(os.path.islink(os.path.join(place, name)) for name in (*folders, *files))


def marker_is_refused_or_as_good_as_ours(folder: Path, data: bytes) -> None:
    """What is read has everything that holding and the commands use, of the type that they expect."""
    folder.mkdir(exist_ok=True)
    Path(marker_path(str(folder))).write_bytes(data)
    try:
        found = read_marker(str(folder))
    except UntrustedFileError:
        return
    assert found is not None
    texts = (found.model, found.registration, found.action, found.reason, found.remedy)
    assert all(isinstance(text, str) for text in texts)
    assert isinstance(found.worker.socket, str)
    assert isinstance(found.server.pid, int)


def commands_read_what_lies_there(
    run_dir: Path, lines: bytes, marker: bytes, run: bytes, retired: bytes
) -> None:
    """``status``, ``show``, the sidecar's time line and metrics come of any state directory."""
    folder = run_dir / "m-1"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "journal.jsonl").write_bytes(lines)
    (folder / "marker.json").write_bytes(marker)
    (folder / "retired.json").write_bytes(retired)
    (run_dir / "server.json").write_bytes(run)

    registration = read_registration(str(folder))
    entry = described(workers=[{"id": "9000", "status": "UNLOADING", "pid": 4}])
    now, died = 1_600_000_100.0, died_by_its_words(registration)
    model = status_of(
        running_model(entry, "1.0"),
        registration,
        WindowInForce(300, "default"),
        now=now,
        died_by=died,
    )
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        for command in ("status", "history"):
            for form in ([], ["--json"]):
                assert main([command, "--state-dir", str(run_dir.parent), *form]) in (0, 1, 3)
        snapshot = take_snapshot_of_run(str(run_dir))
        assert json.loads(json.dumps(snapshot.to_json()))
        print_models(snapshot, every=True, wide=True, hook_is_missing=False)
        for shown in (*snapshot.models, model):
            show._print(shown, snapshot.resume_command(shown))
            assert json.dumps(show._content(shown))
            recovery_of(shown, now)
            starts_saved(shown, now)
    attempts_of(registration.records)
    assert text(Metrics(), 1, *snapshot.models, model)

    found = journal.read(str(folder))
    assert summarise(found).failures >= 0
    assert all(attempt.pid >= 0 for attempt in unfinished_loads(found))
    failures_in_a_row(found, SOCKET)
    served_by(found, SOCKET)
    holders_of(found, released=False)


def answer_is_shown_or_refused(body: bytes) -> None:
    """A description by the management API gives models for every command and metric, or an error."""
    conversation = Conversations(
        Asking(Endpoint("http://127.0.0.1:1"), lambda kind: None)
    ).describe("m")
    question, found = next(conversation), None
    try:
        while question:
            question = conversation.send(HttpAnswer(200, body))
    except StopIteration as end:
        found = end.value
    except ManagementError:
        return
    assert found is not None
    window = WindowInForce(300, "default")
    models = [status_of(one, None, window, now=1_600_000_100.0, died_by=None) for one in found]
    for one in found:
        schedule(one.max_retry_timeout_sec or 0)
        json.dumps(dict(one.parameters))
    assert text(Metrics(), 1, *models)
    with redirect_stdout(io.StringIO()):
        for shown in models:
            show._print(shown, "")
            json.dumps(show._content(shown))


def journal_is_written_on(folder: Path, lines: bytes) -> list[Record]:
    """A journal is read whatever is in it, and written on; return what was read before."""
    folder.mkdir(exist_ok=True)
    path = folder / "journal.jsonl"
    path.write_bytes(lines)
    before = journal.read(str(folder))
    journal.append(str(folder), Record(Event.END, pid=5))
    after = journal.read(str(folder))
    assert after[:-1] == before
    assert after[-1].event == Event.END
    path.unlink()
    return before


def log_gives_a_report(data: bytes) -> LogReport:
    """Any bytes are read as a log of TorchServe, and a report comes of them."""
    reading = Reading([LogFile("x.log", len(data), "x", content=data)], lambda _: None)
    analysis = Analysis(_JUDGE, Limits())
    for server, at, record in reading.records():
        analysis.take(server, at, record)
    analysis.finish()
    problems, zone_known = reading.problems, reading.zone_known
    report = report_of(analysis, ["x.log"], len(data), problems, zone_known=zone_known)
    json.dumps(report.content)
    assert report.content["totals"]["failures"] >= 0
    return report


def paste_is_classified(data: bytes) -> None:
    """Any text is read in whatever form it has, and each failure that is found gets a verdict."""
    found = failures_in(data, "x", _JUDGE)
    json.dumps(found.report.content)
    for failure in found.found:
        json.dumps(failure.judged.verdict.to_record())
        assert failure.count > 0


_JUDGE = FailureJudge(BUILTIN_RULES)


def message_is_read_or_refused(data: bytes) -> None:
    """What a frontend or a worker sends is a message of the protocol, or refused as none."""
    with _sent(data) as connection:
        try:
            while True:
                if read_command(connection) == LOAD:
                    read_load(connection)
                else:
                    assert batch_response(read_requests(connection), 503, "phrase", "{}")
        except (DisconnectedError, ValueError):
            pass
    with _sent(data) as connection:
        try:
            while True:
                read_response(connection, time.monotonic() + 5)
        except (WorkerDiedError, NoAnswerError, ValueError):
            pass


def _sent(data: bytes) -> socket.socket:
    """Return a connection whose other end sent `data`, and is gone."""
    ours, theirs = socket.socketpair()
    with theirs:
        theirs.sendall(data)
    return ours
