from __future__ import annotations

import pytest

from ts_retry_ext.store.event_order import trusted_in
from ts_retry_ext.store.failures_in_a_row import failures_in_a_row
from ts_retry_ext.store.record import Event, Record
from ts_retry_ext.store.worker_states import unfinished_loads

AT = "2026-11-23T16:00:00.000Z"


def records(text: str) -> list[Record]:
    """Read words such as ``failure@2`` (of process 2) as a journal; a failure's phase may follow a colon."""
    found = []
    for word in text.split():
        rest, _, phase = word.partition(":")
        event, _, pid = rest.partition("@")
        process = None if pid == "none" else int(pid or 1)
        start = None if process is None else str(process)
        found.append(Record(Event(event), AT, process, start, "s", phase=phase or None))
    return found


@pytest.mark.parametrize(
    "text",
    [
        "",
        "start load loaded",
        "start load failure",
        "start failure:startup",
        "start end",
        "start load crash start@2 load@2 loaded@2",
        "start load loaded failure:inference",
        "start load failure end",  # its marker could not be written
        "hold release start@2",
        "hold trial tried trial tried release",
        "hold tried release",  # a full disk took the line of the trial
        "start load failure load failure load loaded",  # asyncCommunication: one process
        "start load failure hold release",  # it ran its command again in place
        "start load failure start load failure",
        "resume start load failure",
        "summary load failure start@2 load@2",
        "summary failure start@2",
        "start@1 start@2 load@2 load@1 failure@2 failure@1",
    ],
)
def test_what_workers_write_can_have_happened(text: str) -> None:
    found = records(text)
    assert trusted_in(found) == (found, ())


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("start loaded", "'loaded' after 'start'"),
        ("load failure", "'load' as its first word"),
        ("failure", "'failure' as its first word"),
        ("crash", "'crash' as its first word"),
        ("start start", "'start' after 'start'"),
        ("start load start", "'start' after 'load'"),
        ("start load loaded failure:initialize", "'failure' after 'loaded'"),
        ("start load loaded crash", "'crash' after 'loaded'"),
        ("start load failure crash", "'crash' after 'failure'"),
        ("start load crash crash", "'crash' after 'crash'"),
        ("start load crash loaded", "'loaded' after 'crash'"),
        ("hold load failure", "'load' after 'hold'"),
        ("start trial", "'trial' after 'start'"),
        ("summary start start", "'start' after 'start'"),
    ],
)
def test_what_cannot_have_happened_is_named_and_counts_for_nothing(text: str, named: str) -> None:
    found, impossible = trusted_in(records(text))
    (sentence,) = impossible
    assert named in sentence
    assert "process 1" in sentence
    assert not failures_in_a_row(found, "s")
    assert not unfinished_loads(found)


def test_other_processes_count_as_before() -> None:
    text = "start load failure start@2 load@2 loaded@3 failure@2"
    found, impossible = trusted_in(records(text))
    assert len(impossible) == 1
    assert [record.pid for record in failures_in_a_row(found, "s")] == [2]


def test_a_load_that_succeeded_ends_a_row_even_where_its_process_cannot_be_right() -> None:
    found, _ = trusted_in(records("start load failure loaded@2"))
    assert not failures_in_a_row(found, "s")


def test_a_failure_that_names_no_process_counts_for_nothing() -> None:
    found, _ = trusted_in(records("failure@none failure@none"))
    assert not failures_in_a_row(found, "s")
