from __future__ import annotations

import json
from pathlib import Path

import pytest

from ts_retry_ext.store import journal
from ts_retry_ext.store.atomic import UntrustedFileError, set_aside
from ts_retry_ext.store.directory import marker_path
from ts_retry_ext.store.exception_record import CauseRecord, ExceptionRecord, FrameRecord
from ts_retry_ext.store.marker import (
    MarkedServer,
    MarkedWorker,
    Marker,
    end_halt,
    read_marker,
    remove_marker,
    write_marker,
)

MARKER = Marker(
    model="m", version="1.0", model_dir="/tmp/models/0123", handler="h.py",
    server=MarkedServer(1, 2.5), worker=MarkedWorker(3, "/tmp/.ts.sock.9000"),
    registration="/tmp/models/0123", phase="import",
    verdict="non_recoverable", basis="rule", rule="syntax-error", scope="model",
    reason="why", remedy="what to do", fingerprint="0123456789abcdef", fingerprint_version=1,
    exception=ExceptionRecord("SyntaxError", "x", (CauseRecord("E", "y"),), (FrameRecord("h.py", "f", True),)),
    failures=1, action="hold", max_retry_timeout_sec=300, max_retry_timeout_source="default",
    created_at="2026-11-23T16:00:00.000Z", waits_for=("the model's files",),
    next_trial_at="2026-11-23T16:00:15.000Z", trials=2,
)  # fmt: skip


def test_a_marker_comes_back_as_it_was_and_has_the_keys_of_the_contract(tmp_path: Path) -> None:
    assert read_marker(str(tmp_path)) is None
    write_marker(str(tmp_path), MARKER)
    assert read_marker(str(tmp_path)) == MARKER
    content = json.loads(Path(marker_path(str(tmp_path))).read_text())
    contract = (
        "schema model version model_dir handler server worker phase verdict basis rule scope reason "
        "remedy fingerprint fingerprint_version exception failures action max_retry_timeout_sec "
        "max_retry_timeout_source created_at waits_for next_trial_at trials"
    )
    assert set(contract.split()) <= set(content)
    assert content["schema"] == 1


def test_removing_tells_whether_there_was_one(tmp_path: Path) -> None:
    write_marker(str(tmp_path), MARKER)
    assert remove_marker(str(tmp_path))
    assert not remove_marker(str(tmp_path))
    assert read_marker(str(tmp_path)) is None


@pytest.mark.parametrize("key", ["fingerprint", "reason", "server", "exception", "trials"])
@pytest.mark.parametrize("value", [None, -5, ["x"]])
def test_a_marker_with_a_spoilt_key_is_not_trusted_and_set_aside(
    tmp_path: Path, key: str, value: object
) -> None:
    write_marker(str(tmp_path), MARKER)
    path = Path(marker_path(str(tmp_path)))
    content = json.loads(path.read_text())
    path.write_text(json.dumps({**content, key: value}))
    with pytest.raises(UntrustedFileError) as caught:
        read_marker(str(tmp_path))
    assert key in str(caught.value)
    set_aside(str(path))
    assert read_marker(str(tmp_path)) is None


def test_a_marker_without_a_key_is_not_trusted(tmp_path: Path) -> None:
    for key in set(MARKER._fields) - set(MARKER._field_defaults):
        write_marker(str(tmp_path), MARKER)
        path = Path(marker_path(str(tmp_path)))
        content = json.loads(path.read_text())
        del content[key]
        path.write_text(json.dumps(content))
        with pytest.raises(UntrustedFileError) as caught:
            read_marker(str(tmp_path))
        assert key in str(caught.value)


def test_a_marker_of_before_there_were_trial_loads_is_read(tmp_path: Path) -> None:
    write_marker(str(tmp_path), MARKER)
    path = Path(marker_path(str(tmp_path)))
    content = json.loads(path.read_text())
    for key in ("waits_for", "next_trial_at", "trials"):
        del content[key]
    path.write_text(json.dumps(content))
    older = MARKER._replace(waits_for=(), next_trial_at=None, trials=0)
    assert read_marker(str(tmp_path)) == older


def test_a_marker_for_some_workers_says_which_and_never_means_all_by_mistake(
    tmp_path: Path,
) -> None:
    narrow = MARKER._replace(worker=MarkedWorker(3, "s", ("s", "t")))
    write_marker(str(tmp_path), narrow)
    assert read_marker(str(tmp_path)) == narrow
    path = Path(marker_path(str(tmp_path)))
    content = json.loads(path.read_text())
    content["worker"]["only"] = "s"
    path.write_text(json.dumps(content))
    with pytest.raises(UntrustedFileError, match="worker"):
        read_marker(str(tmp_path))


def test_marker_is_gone_and_the_journal_says_who_ended_the_halt(tmp_path: Path) -> None:
    write_marker(str(tmp_path), MARKER)
    end_halt(str(tmp_path), model="m", version="1.0", reason="a hand")

    assert read_marker(str(tmp_path)) is None
    (record,) = journal.read(str(tmp_path))
    assert (record.event, record.model, record.reason) == ("resume", "m", "a hand")


def test_halt_ends_also_where_the_journal_cannot_be_written(tmp_path: Path) -> None:
    """A disk that is full must not keep a model from serving."""
    write_marker(str(tmp_path), MARKER)
    (tmp_path / "journal.jsonl").mkdir()

    end_halt(str(tmp_path), model="m", version="1.0", reason="a hand")
    assert read_marker(str(tmp_path)) is None


def test_a_marker_means_all_workers_or_those_it_names() -> None:
    assert MARKER.means("a")
    narrow = MARKER._replace(worker=MarkedWorker(3, "b", ("b",)))
    assert (narrow.means("a"), narrow.means("b")) == (False, True)
