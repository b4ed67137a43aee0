"""Whatever lies in the state directory, it halts nothing that a marker of ours does not, and nothing breaks."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.faults.mutating import effort, replaced, spoilt
from tests.faults.promises import (
    commands_read_what_lies_there,
    journal_is_written_on,
    marker_is_refused_or_as_good_as_ours,
)
from tests.faults.sound import JOURNAL, MARKER, RECORDS, RETIRED, RUN
from ts_retry_ext.store import journal
from ts_retry_ext.store.atomic import UntrustedFileError
from ts_retry_ext.store.directory import marker_path
from ts_retry_ext.store.marker import read_marker

LINES = st.lists(st.sampled_from(RECORDS).flatmap(replaced), max_size=8).map(b"\n".join)


def _files(whole: dict[str, object]) -> st.SearchStrategy[bytes]:
    return st.one_of(replaced(whole), spoilt(json.dumps(whole).encode()), st.binary(max_size=200))


@effort(40, 20_000)
@given(data=_files(MARKER))
def test_a_marker_that_was_spoilt_is_refused_or_as_good_as_ours(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    marker_is_refused_or_as_good_as_ours(tmp_path_factory.getbasetemp() / "marker", data)


@pytest.mark.parametrize("length", [0, 1, 50, 500, -2])
def test_a_marker_cut_anywhere_is_refused(tmp_path: Path, length: int) -> None:
    Path(marker_path(str(tmp_path))).write_bytes(json.dumps(MARKER).encode()[:length])
    with pytest.raises(UntrustedFileError):
        read_marker(str(tmp_path))


@effort(60, 20_000)
@given(
    lines=st.one_of(spoilt(JOURNAL), LINES),
    marker_file=_files(MARKER),
    run=_files(RUN),
    retired=_files(RETIRED),
)
def test_every_command_reads_whatever_lies_there(
    tmp_path_factory: pytest.TempPathFactory,
    lines: bytes,
    marker_file: bytes,
    run: bytes,
    retired: bytes,
) -> None:
    run_dir = tmp_path_factory.getbasetemp() / "state" / "server-1"
    commands_read_what_lies_there(run_dir, lines, marker_file, run, retired)


@effort(30, 5_000)
@given(lines=spoilt(JOURNAL))
def test_a_journal_that_was_spoilt_is_written_on_and_loses_no_whole_line(
    tmp_path_factory: pytest.TempPathFactory, lines: bytes
) -> None:
    before = journal_is_written_on(tmp_path_factory.getbasetemp() / "written-on", lines)
    whole = set(lines.splitlines()).intersection(JOURNAL.splitlines())
    assert {journal.line_of(r).strip() for r in before} >= whole
