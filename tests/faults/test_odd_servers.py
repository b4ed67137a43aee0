"""Commands that act on a server whose management API answers oddly: never a wrong success, nothing lost.

The registry behind it is sound, and does what TorchServe does with what it is asked. One answer on the way
back is replaced, as a proxy, a broken network or another server would.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any, Callable, Iterator, NamedTuple
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.archive.packing import files, manifest, write_mar
from tests.cli.servers import Frontend, described, frontend
from tests.cli.test_status import halt
from tests.faults.effort import LONG
from tests.faults.odd_answers import DESCRIPTIONS, LISTS, NETWORK, SECRET, TOLERATED, page
from tests.sidecar.sidecars import sidecar
from tests.snapshot.writing import record, write_journal
from ts_retry_ext.frontend import restart
from ts_retry_ext.snapshot import (
    asked_again,
    deployment,
    deployment_switch,
    probation,
    real_load,
    resumption,
)
from ts_retry_ext.store.directory import marker_path
from ts_retry_ext.store.record import Event
from ts_retry_ext.store.retired import read_retired

#: A sample of what is tried everywhere.
ODD: dict[str, Any] = {
    name: NETWORK[name]
    for name in (
        *("closed at once", "closed in a header", "cut body", "empty 200", "204", "page 200"),
        *("page 404", "page 502", "401", "429", "redirect 307", "not UTF-8", "null", "JSON {}"),
    )
}
ALL_ODD = NETWORK if LONG else ODD
WORDS = {"status": "done"}


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (deployment, probation, real_load, resumption):
        monkeypatch.setattr(module, "POLL_SEC", 0.01)
    monkeypatch.setattr(deployment_switch, "RECOVERY_SEC", 0.1)
    monkeypatch.setattr(asked_again, "PAUSE_SEC", 0.01)
    monkeypatch.setattr(asked_again, "LIMIT_SEC", 0.1)
    monkeypatch.setattr(restart, "GIVE_BACK_PAUSES_SEC", (0.01, 0.01))


class Registry:
    """What a frontend has of the model ``m``: versions, the default one, and whether workers serve.

    Attributes:
        serving: by version whether its workers have loaded it.
        default: the default version.
        odd: for a request, by its pattern, what is answered in place of what it came to, or a function
            that is given that.
        lost: versions that were unregistered while the others did not serve.
    """

    def __init__(self, running: Frontend) -> None:
        self.serving = {"1.0": True}
        self.default = "1.0"
        self.odd: dict[str, Any] = {}
        self.lost: list[str] = []
        self.loads = True
        self._api = running.api
        for asked, do in {
            "GET /models/m/all": lambda: self._described(*self.serving),
            "GET /models/m": lambda: self._described(self.default),
            "GET /models": lambda: {"models": [{"modelName": "m"}]},
            "POST /models": self._register,
            **{f"PUT /models/m/{v}": self._scale for v in ("1.0", "2.0")},
            **{f"PUT /models/m/{v}/set-default": self._set_default for v in ("1.0", "2.0")},
            **{f"DELETE /models/m/{v}": self._unregister for v in ("1.0", "2.0")},
        }.items():
            running.api.answers[asked] = self._answering(do)

    def _answering(self, do: Callable[[], Any]) -> Callable[[str | None], Any]:
        def answer(_: str | None) -> Any:
            good, asked = do(), self._api.asked[-1]
            for pattern, odd in self.odd.items():
                if re.fullmatch(pattern, asked):
                    return odd(good) if callable(odd) else odd
            return good

        return answer

    def _described(self, *versions: str) -> list[dict[str, Any]]:
        return [
            described("m", version, workers=[
                {"id": f"900{int(version[0]) - 1}", "status": "READY" if self.serving[version] else "UNLOADING",
                 "pid": -1}])
            for version in versions
        ]  # fmt: skip

    def _register(self) -> Any:
        query = parse_qs(urlsplit(self._api.asked[-1]).query)
        if "url" not in query:
            words = "Parameter url is required."
            return 400, {"code": 400, "type": "BadRequestException", "message": words}
        self.serving["2.0"] = self.loads
        return WORDS

    def _scale(self) -> Any:
        return WORDS

    def _set_default(self) -> Any:
        self.default = self._version()
        return WORDS

    def _unregister(self) -> Any:
        version = self._version()
        if version == self.default:
            words = "Cannot remove default version for model m"
            return 403, {"code": 403, "type": "InvalidModelVersionException", "message": words}
        del self.serving[version]
        if not self.serving.get(self.default):
            self.lost.append(version)
        return WORDS

    def _version(self) -> str:
        return urlsplit(self._api.asked[-1]).path.split("/")[3]

    @property
    def new_serves(self) -> bool:
        return self.default == "2.0" and self.serving.get("2.0", False)


class Odd(NamedTuple):
    """A frontend with a key, its registry, and an archive of the model's next version."""

    running: Frontend
    registry: Registry
    archive: str

    def deploy(self, *options: str) -> int:
        words = (self.archive, "--no-check", "--drain", "0.05", "--timeout", "0.5", *options)
        return self.running.run("deploy", *words)


@pytest.fixture
def odd(tmp_path: Path) -> Iterator[Odd]:
    store = tmp_path / "run"
    with frontend(store) as running:
        config = store / "config.properties"
        config.write_text(config.read_text().replace("disable_token_authorization=true\n", ""))
        key = {"key": SECRET, "expiration time": "2100-01-01T00:00:00Z"}
        kinds = ("management", "inference", "API")
        (store / "key_file.json").write_text(json.dumps(dict.fromkeys(kinds, key)))
        archive = write_mar(tmp_path / "m.mar", files(manifest("m", modelVersion="2.0")))
        yield Odd(running, Registry(running), str(archive))


def said(capsys: pytest.CaptureFixture[str], odd: Odd) -> str:
    """Return the one line that says what is wrong, which names the address and what was asked."""
    out, err = capsys.readouterr()
    assert SECRET not in out + err
    assert "Traceback" not in out + err, out + err
    lines = [line for line in err.splitlines() if line.startswith("ts-retry: ")]
    assert len(lines) == 1, out + err
    assert odd.running.api.address in lines[0]
    assert re.search(r"(GET|PUT|POST|DELETE) /models|another TorchServe", lines[0]), lines[0]
    return lines[0]


def test_deploy_over_a_sound_server_puts_the_new_version_in_place(
    odd: Odd, capsys: pytest.CaptureFixture[str]
) -> None:
    assert odd.deploy() == 0
    assert (odd.registry.serving, odd.registry.new_serves) == ({"2.0": True}, True)
    assert capsys.readouterr().out.endswith("m 2.0 serves\n")


STEPS = (
    "GET /models/m/all",
    "GET /models/m",
    "POST /models",
    "POST /models[?].*",
    "PUT /models/m/2.0[?].*",
    "PUT /models/m/2.0/set-default",
    "DELETE /models/m/1.0",
)


@pytest.mark.parametrize("step", STEPS)
def test_deploy_says_what_was_odd_and_the_old_version_stays_until_the_new_one_serves(
    odd: Odd, capsys: pytest.CaptureFixture[str], step: str
) -> None:
    """Where the frontend has done what it was asked, and only its answer is lost, its state counts."""
    for name, answer in ALL_ODD.items():
        registry = odd.registry
        registry.serving, registry.default, registry.odd = {"1.0": True}, "1.0", {step: answer}
        code = odd.deploy()
        if step in ("POST /models[?].*", "DELETE /models/m/1.0") and code == 0:
            assert registry.new_serves, name
            assert step != "DELETE /models/m/1.0" or registry.serving == {"2.0": True}, name
            capsys.readouterr()
            continue
        assert code == 1, (name, capsys.readouterr())
        told = said(capsys, odd)
        assert registry.lost == [], (name, told)
        assert "1.0" in registry.serving or registry.new_serves, (name, told)
        (odd.running.folder / "m-2.0.mar").unlink(missing_ok=True)


@pytest.mark.parametrize("entries", DESCRIPTIONS.values(), ids=DESCRIPTIONS)
def test_deploy_begins_nothing_with_a_description_that_no_frontend_gives(
    odd: Odd, capsys: pytest.CaptureFixture[str], entries: Any
) -> None:
    odd.registry.odd = {"GET /models/m.*": entries}
    for options in ((), ("--new",)):
        assert odd.deploy(*options) == 1
        said(capsys, odd)
    asked = [asked for asked in odd.running.api.asked if not asked.startswith("GET")]
    assert set(asked) <= {"POST /models"}


def test_deploy_waits_for_what_a_proxy_did_not_wait_for(odd: Odd) -> None:
    odd.registry.odd = {"POST /models[?].*": page(504, "Gateway Time-out")}
    odd.registry.loads = False
    looks: list[None] = []

    def later(good: Any) -> Any:
        looks.append(None)
        if len(looks) == 4:
            odd.registry.serving["2.0"] = True
        return good

    odd.registry.odd["GET /models/m/all"] = later
    assert odd.deploy() == 0
    assert odd.registry.new_serves


def test_version_that_does_not_load_in_time_behind_a_proxy_is_taken_away(
    odd: Odd, capsys: pytest.CaptureFixture[str]
) -> None:
    odd.registry.odd = {"POST /models[?].*": page(504, "Gateway Time-out")}
    odd.registry.loads = False
    assert odd.deploy() == 3
    assert (
        "have not loaded it: it is unknown for more than 0 s; version 1.0 goes on serving"
        in capsys.readouterr().out
    )
    assert odd.registry.serving == {"1.0": True}


def test_version_that_somebody_else_has_registered_meanwhile_is_not_taken_away(
    odd: Odd, capsys: pytest.CaptureFixture[str]
) -> None:
    words = "Model version 2.0 is already registered for model m"
    conflict = (409, {"code": 409, "type": "ConflictStatusException", "message": words})
    odd.registry.odd = {"POST /models[?].*": conflict}
    assert odd.deploy() == 3
    assert words in capsys.readouterr().out
    assert odd.registry.serving == {"1.0": True, "2.0": True}


def test_default_that_was_not_set_though_it_was_said_keeps_the_old_version(
    odd: Odd, capsys: pytest.CaptureFixture[str]
) -> None:
    """Such as by a proxy that answers from its cache."""
    odd.running.api.answers["PUT /models/m/2.0/set-default"] = WORDS
    assert odd.deploy() == 1
    out, err = capsys.readouterr()
    assert "describes another version as the default one" in err
    assert "the server has of m: 1.0 (the default one), 2.0" in err
    assert odd.registry.serving == {"1.0": True, "2.0": True}
    assert "serves" not in out


def test_version_that_stops_serving_once_it_is_the_default_gives_its_place_back(
    odd: Odd, capsys: pytest.CaptureFixture[str]
) -> None:
    def set_default(good: Any) -> Any:
        odd.registry.serving["2.0"] = False
        return good

    odd.registry.odd = {"PUT /models/m/2.0/set-default": set_default}
    assert odd.deploy() == 3
    assert "Version 1.0 is the default one again" in capsys.readouterr().out
    assert (odd.registry.serving, odd.registry.default) == ({"1.0": True}, "1.0")


def test_deploy_to_another_server_that_took_the_port_is_refused(
    odd: Odd, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    with frontend(tmp_path / "other") as other:
        workers = [{"id": "9000", "status": "READY", "pid": other.child()}]
        odd.registry.odd = {"GET /models/m.*": [described("m", workers=workers)]}
        assert odd.deploy() == 1
    told = said(capsys, odd)
    assert (
        f"another TorchServe answers, process {other.pid}, and not process {odd.running.pid}"
        in told
    )
    assert odd.registry.serving == {"1.0": True}


@pytest.mark.parametrize(
    "options", [("m",), ("m", "--version", "1.0"), ("--all",), ("--cause", "fedcba9876543210")]
)
def test_resume_claims_no_success_and_keeps_the_marker(
    odd: Odd, capsys: pytest.CaptureFixture[str], options: tuple[str, ...]
) -> None:
    """After TorchServe's window nobody would take the place of a holder that leaves."""
    halt(odd.running, "m")
    odd.registry.serving["1.0"] = False
    for name, answer in ALL_ODD.items():
        odd.registry.odd = {"GET /models.*": answer}
        assert odd.running.run("resume", *options, "--timeout", "0.3") == 1, name
        said(capsys, odd)
        assert os.path.exists(marker_path(str(odd.running.kept / "m-1"))), name
    assert [asked for asked in odd.running.api.asked if asked.startswith("PUT")] == []


@pytest.mark.parametrize("options", [("m",), ("--all",)])
def test_resume_says_of_no_model_that_it_serves_because_it_once_loaded(
    odd: Odd, capsys: pytest.CaptureFixture[str], options: tuple[str, ...]
) -> None:
    write_journal(odd.running.kept / "m-1", record(Event.LOADED, 0, pid=77))
    for name, answer in ALL_ODD.items():
        odd.registry.odd = {"GET /models.*": answer}
        assert odd.running.run("resume", *options) == 1, name
        said(capsys, odd)


@pytest.mark.parametrize(
    "step", ["GET /models/m.*", "PUT .*min_worker=0.*", "PUT .*min_worker=1.*"]
)
def test_resume_that_is_interrupted_by_odd_answers_remembers_the_numbers(
    odd: Odd, capsys: pytest.CaptureFixture[str], step: str
) -> None:
    halt(odd.running, "m")
    odd.registry.serving["1.0"] = False
    for name, answer in ALL_ODD.items():
        odd.registry.odd = {}
        halt(odd.running, "m")
        odd.registry.odd = {step: answer}
        asked = len(odd.running.api.asked)
        assert odd.running.run("resume", "m", "--timeout", "0.3") == 1, name
        told = said(capsys, odd)
        scaled = [one for one in odd.running.api.asked[asked:] if one.startswith("PUT")]
        given_back = bool(scaled) and "min_worker=1" in scaled[-1]
        assert given_back is bool(scaled), (name, told)
        kept = read_retired(str(odd.running.kept / "m-1"))
        assert (kept is not None) is (step == "PUT .*min_worker=1.*"), (name, told)


def test_resume_waits_for_the_model_that_was_asked_for_and_no_other(
    odd: Odd, capsys: pytest.CaptureFixture[str]
) -> None:
    halt(odd.running, "m")
    odd.registry.serving["1.0"] = False

    def scaled(good: Any) -> Any:
        odd.registry.odd["GET /models/m.*"] = [described("other")]
        return good

    odd.registry.odd = {"PUT .*min_worker=1.*": scaled}
    assert odd.running.run("resume", "m", "--timeout", "2") == 1
    assert "JSON that is not a description of m" in said(capsys, odd)


@pytest.mark.parametrize("command", ["status", "resume"])
def test_another_server_that_took_the_port_is_named(
    odd: Odd, capsys: pytest.CaptureFixture[str], tmp_path: Path, command: str
) -> None:
    halt(odd.running, "m")
    with frontend(tmp_path / "other") as other:
        workers = [{"id": "9000", "status": "READY", "pid": other.child()}]
        odd.registry.odd = {"GET /models/m.*": [described("m", workers=workers)]}
        assert odd.running.run(command, "m") == (3 if command == "status" else 1)
    assert f"another TorchServe answers, process {other.pid}" in said(capsys, odd)
    assert os.path.exists(marker_path(str(odd.running.kept / "m-1")))


@pytest.mark.parametrize("halted", [False, True])
def test_status_shows_what_the_workers_wrote_and_why_the_server_does_not_tell(
    odd: Odd, capsys: pytest.CaptureFixture[str], halted: bool
) -> None:
    if halted:
        halt(odd.running, "m")
    for name, answer in {**ALL_ODD, **LISTS, **DESCRIPTIONS}.items():
        where = "GET /models[?].*" if name in LISTS else "GET /models.*"
        odd.registry.odd = {where: answer}
        assert odd.running.run("status") == (3 if halted else 1), name
        said(capsys, odd)


def test_status_shows_what_is_odd_and_of_the_right_form(
    odd: Odd, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, answer in TOLERATED.items():
        odd.registry.odd = {"GET /models/m.*": answer}
        assert odd.running.run("status", "-o", "wide") == 0, name
        assert odd.running.run("show", "m") == 0, name
        assert odd.running.run("status", "--json") == 0, name
        assert capsys.readouterr().err == "", name


def test_sidecar_resumes_nothing_on_odd_answers_and_goes_on(odd: Odd, tmp_path: Path) -> None:
    (odd.running.folder / "key_file.json").unlink()
    halt(odd.running, "m")
    odd.registry.serving["1.0"] = False
    with sidecar(tmp_path / "sidecar", "--pid", str(odd.running.pid)) as observing:
        observing.wait_for(lambda: observing.states() == {"m": "halted"}, "it is known")
        for name in ("cut body", "JSON {}", "page 502"):
            # By the picture it has, it would scale the model; the frontend does not take that.
            odd.registry.odd = {"(GET|PUT) /models.*": NETWORK[name]}
            told = observing.ask("/models/m/resume?wait=20", "POST")
            assert (told.status, told.json()["result"]) == (502, "failed"), (name, told.text)
            assert odd.running.api.address in told.json()["message"], name
            assert os.path.exists(marker_path(str(odd.running.kept / "m-1"))), name
        assert "Traceback" not in observing.log()


def test_sidecar_goes_on_whatever_describes_a_model(odd: Odd, tmp_path: Path) -> None:
    (odd.running.folder / "key_file.json").unlink()
    with sidecar(tmp_path / "sidecar", "--pid", str(odd.running.pid)) as observing:
        for name, entries in TOLERATED.items():
            looks: list[None] = []

            def look(_: Any, entries: Any = entries, looks: list[None] = looks) -> Any:
                looks.append(None)
                return entries

            odd.registry.odd = {"GET /models/m/all": look}
            write_journal(odd.running.kept / "m-1", record(Event.LOADED, 0, pid=77))
            observing.wait_for(looks.copy, f"it has seen {name}")
        odd.registry.odd = {}
        write_journal(odd.running.kept / "m-1", record(Event.LOADED, 1, pid=77))
        observing.wait_for(lambda: observing.states() == {"m": "serving"}, "it goes on")
        assert "Traceback" not in observing.log()


def test_version_that_a_busy_frontend_unregisters_late_is_asked_for_again(
    odd: Odd, capsys: pytest.CaptureFixture[str]
) -> None:
    """TorchServe's own words, after which its log asks to send the request again."""
    words = "Timed out while cleaning resources: m"
    timed_out = (408, {"code": 408, "type": "RequestTimeoutException", "message": words})
    asked: list[None] = []

    def second(good: Any) -> Any:
        asked.append(None)
        if len(asked) == 1:
            odd.registry.serving["1.0"] = True
            return timed_out
        return good

    odd.registry.odd = {"DELETE /models/m/1.0": second}
    assert odd.deploy() == 0
    assert odd.registry.serving == {"2.0": True}
    told = capsys.readouterr().out
    assert f"refuses DELETE /models/m/1.0: {words}. It is asked again, for 0 s" in told
