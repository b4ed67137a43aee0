"""The page of one model: where it failed, what its workers did, its history and settings; and error pages."""

from __future__ import annotations

import html
import re
from pathlib import Path
from typing import Iterator

import pytest

from tests.cli.servers import Frontend, described, frontend
from tests.sidecar.fleets import CAUSES, FIRST_PID, WORKER, fleet
from tests.sidecar.sidecars import Sidecar, sidecar
from tests.snapshot.writing import START, failure, hold, record, write_journal
from ts_retry_ext.sidecar.model_page import own_lines
from ts_retry_ext.store.directory import ServerRun, create_server_directory
from ts_retry_ext.store.exception_record import ExceptionRecord, FrameRecord
from ts_retry_ext.store.record import Event
from ts_retry_ext.store.times import to_text

BROWSER = {"Accept": "text/html,application/xhtml+xml"}
REPAIRED, SLASHED = "repaired", "a/b c"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Frontend]:
    with frontend(tmp_path_factory.mktemp("server") / "run") as running:
        names = fleet(running, 4, (1, 0, 1, 0))
        (running.kept / names[0]).rename(running.kept / f"{names[0]}-0000000a")
        files = running.folder / "unpacked"
        (files / "MAR-INF").mkdir(parents=True)
        (files / "MAR-INF" / "MANIFEST.json").write_text('{"model": {"configFile": "c.yaml"}}')
        (files / "c.yaml").write_text("retry:\n  onFatal: retire\n  firstTrail: 5\n")
        told = dict(CAUSES[0], model=names[0], model_dir=str(files))
        hold(running.kept / f"{names[0]}-0000000a", FIRST_PID, **told)
        # An earlier run of the same server had the model, too, and one of a similar name.
        earlier = ServerRun(
            2**22 + 5, "boot", START - 9000, None, "/", running.api.address, "0.12.0"
        )
        before = Path(create_server_directory(str(running.kept.parent), earlier))
        for name in (names[0], f"{names[0]}-b"):
            at = -8000.0 if name == names[0] else -7000.0
            loads = (record(Event.START, at, model=name), record(Event.LOADED, at + 3, model=name))
            write_journal(before / f"{name}-0000000b", *loads)
        for name, pid in ((REPAIRED, 77), (SLASHED, 78)):
            starts = [record(Event.START, t, pid, model=name) for t in (0, 3)]
            write_journal(
                running.kept / f"{pid}-0",
                starts[0],
                failure(1, pid, model=name),
                starts[1],
                record(Event.LOADED, 5, pid, model=name),
            )
        entries = [
            described(name, workers=[dict(WORKER, pid=pid, status=status)])
            for name, pid, status in (
                *((n, FIRST_PID + i, "UNLOADING") for i, n in enumerate(names)),
                (REPAIRED, 77, "READY"),
                (SLASHED, 78, "READY"),
            )
        ]
        running.register(*entries)
        quoted = "/models/a%2Fb%20c"
        for path in (quoted, f"{quoted}/all"):
            running.api.answers[f"GET {path}"] = [entries[-1]]
        yield running


@pytest.fixture(scope="module")
def observing(server: Frontend, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sidecar]:
    options = ("--pid", str(server.pid), "--inference", server.api.address)
    with sidecar(tmp_path_factory.mktemp("sidecar"), *options) as running:
        running.wait_for(lambda: running.states().get("model-0000") == "halted", "it is seen", 60)
        page = "/model/model-0000/1.0"  # What the frontend says of it comes a moment later.
        asked = "maxRetryTimeoutInSec 300 s"
        running.wait_for(
            lambda: asked in running.ask(page, headers=BROWSER).text, "and asked for", 30
        )
        yield running


def text_of(observing: Sidecar, path: str) -> str:
    answer = observing.ask(path, headers=BROWSER)
    assert answer.status == 200
    return html.unescape(answer.text)


def test_page_opens_on_the_own_frame_with_the_line_of_code(observing: Sidecar) -> None:
    text = text_of(observing, "/model/model-0000/1.0")
    frame = text[text.index('<figure class="frame">') :]
    assert "<code>h.py</code>, line 8, in <code>initialize</code>" in frame
    assert "self.t = float(thresold)</pre>" in frame
    assert text.index("<figure") < text.index("Traceback")
    own = re.findall(r"<strong>(.*?)</strong>", text[text.index('class="traceback"') :])
    assert own[:2] == ['  File "h.py", line 8, in initialize', "    self.t = float(thresold)"]


def test_time_line_has_an_axis_and_a_legend_and_a_table_says_the_same(observing: Sidecar) -> None:
    text = text_of(observing, "/model/model-0000/1.0")
    line = text[text.index('<svg class="timeline"') : text.index('<ul class="legend"')]
    assert 'role="img" aria-label="Time line over' in line
    assert line.count('class="tick"') > 2
    assert "holding</text>" in line
    legend = text[text.index('<ul class="legend"') :]
    assert "load failed</li>" in legend
    assert "5 events as a table" in text


def test_history_has_earlier_runs_of_this_model_and_no_other(observing: Sidecar) -> None:
    text = text_of(observing, "/model/model-0000/1.0")
    history = text[text.index('<details id="history">') : text.index('<section id="settings"')]
    time_cell = r'<td class="time"><time [^>]*datetime="([^"]*)">[^<]*</time></td>'
    events = re.findall(time_cell + r"<td>[^<]*</td><td>([^<]*)</td>", history)
    assert [event for _, event in events][-3:] == ["serves", "registered", "server started"]
    assert events[-1][0] == to_text(START - 9000)
    assert to_text(START - 7000) not in history
    assert "halted" in [event for _, event in events]


def test_settings_are_folded_and_name_where_each_comes_from(observing: Sidecar) -> None:
    text = text_of(observing, "/model/model-0000/1.0")
    settings = text[text.index('<section id="settings"') :]
    assert "<summary>maxRetryTimeoutInSec 300 s" in settings
    assert "12 retries, the last after 376 s" in settings
    assert "c.yaml (retry: onFatal)" in settings
    assert '<th scope="row">retry_on_fatal</th><td>retire</td>' in settings
    assert "firstTrail" in settings


def test_repaired_failure_is_in_the_past(observing: Sidecar) -> None:
    text = text_of(observing, f"/model/{REPAIRED}/1.0")
    assert "Last failure, repaired at <time" in text
    assert "Remedy:" not in text
    assert "Resume" not in text


def test_page_of_an_odd_name_is_found_by_its_link(observing: Sidecar) -> None:
    links = re.findall(r'<th scope="row"><a href="([^"]*)">', text_of(observing, "/"))
    (link,) = (link for link in links if "b%20c" in link)
    assert "a/b c" in text_of(observing, link)


def test_name_without_a_version_leads_to_the_model(observing: Sidecar) -> None:
    assert "model-0000" in text_of(observing, "/model/model-0000")


@pytest.mark.parametrize(
    ("path", "told", "others"),
    [
        ("/nothing/here", "There is no page /nothing/here here", []),
        ("/static/secret", "There is no page /static/secret here", []),
        ("/model/model-000/1.0", "There is no model model-000 1.0.", ["model-0000", "model-0001"]),
        ("/model/model-0000/9.9", "There is no model model-0000 9.9.", ["model-0000"]),
        ("/model/%3Cscript%3Ex/1", "There is no model &lt;script&gt;x 1.", []),
        ("/models/none", "There is no model &#39;none&#39;", []),
    ],
)
def test_what_is_not_there_is_named_and_the_page_leads_back(
    observing: Sidecar, path: str, told: str, others: list[str]
) -> None:
    answer = observing.ask(path, headers=BROWSER)
    assert answer.status == 404
    assert answer.headers["Content-Type"].startswith("text/html")
    assert told in answer.text
    assert '<a href="/">All models</a>' in answer.text
    found = re.findall(r'<li><a href="/model/([^/]*)/', answer.text)
    assert sorted(found)[: len(others)] == others
    assert "hidden>this page is not up to date" in answer.text


def test_programs_get_errors_as_json(observing: Sidecar) -> None:
    answer = observing.ask("/nothing")
    assert answer.status == 404
    assert answer.json()["type"] == "NotFoundException"
    assert "/nothing" in answer.json()["message"]


def test_error_page_says_nothing_of_the_server_to_a_foreign_page(
    observing: Sidecar, server: Frontend
) -> None:
    answer = observing.ask("/", headers={**BROWSER, "Host": "evil.example"})
    assert answer.status == 403
    assert "--allow-host" in answer.text
    assert str(server.pid) not in answer.text
    assert "0.12.0" not in answer.text


def test_method_that_is_not_taken_is_named(observing: Sidecar) -> None:
    answer = observing.ask("/models", "DELETE", headers=BROWSER)
    assert answer.status == 405
    assert "/models does not take DELETE" in answer.text
    assert answer.headers["Allow"]


def test_own_frames_are_told_from_others_by_file_and_function() -> None:
    traceback = (
        "Traceback (most recent call last):\n"
        '  File "/srv/ts/loader.py", line 1, in load\n    f()\n    ^^^\n'
        '  File "/tmp/m/h.py", line 2, in load\n    g()\n    ^^^\n'
        '  File "/lib/h2.py", line 3, in load\n    raise E\n'
        "E: File in\n    a message"
    )
    frames = (FrameRecord("loader.py", "load", False), FrameRecord("/h.py", "load", True))
    lines = own_lines(ExceptionRecord("E", "", frames=frames, traceback=traceback))
    assert [line for is_own, line in lines if is_own] == [
        '  File "/tmp/m/h.py", line 2, in load',
        "    g()",
        "    ^^^",
    ]
    assert own_lines(None) == []
