"""What must hold for any input: no exception, no secret through, no chance in a fingerprint."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.corpus.shapes import SHAPES, record
from tests.judge.promises import (
    data_gives_rules_or_problems,
    failure_gets_a_verdict,
    record_gets_a_verdict,
    text_gets_a_verdict,
)
from ts_retry_ext.judge import (
    Cause,
    Failure,
    Frame,
    Phase,
    failure_from_exception,
    failure_from_record,
    failure_from_text,
    fingerprint,
    judge,
    record_of,
    redact,
    redacted,
)

TEXT = st.text(max_size=300)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)
MESSAGES = st.sampled_from([row[2] for rows in SHAPES.values() for row in rows])
MIXED = st.tuples(TEXT, MESSAGES, TEXT).map("".join)
SLOW = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
CAUSES = st.builds(
    Cause,
    type=TEXT,
    message=MIXED,
    mro=st.lists(TEXT, max_size=3).map(tuple),
    errno=st.none() | st.integers(-5, 2**40),
    notes=st.lists(TEXT, max_size=2).map(tuple),
    http_status=st.none() | st.integers(),
    filename=st.none() | TEXT,
)
FRAMES = st.builds(Frame, file=TEXT, function=TEXT, module=TEXT, line=st.none() | st.integers())
FAILURES = st.builds(
    Failure,
    type=TEXT,
    message=MIXED,
    phase=st.sampled_from(list(Phase)),
    mro=st.lists(TEXT, max_size=3).map(tuple),
    errno=st.none() | st.integers(),
    chain=st.lists(CAUSES, max_size=3).map(tuple),
    frames=st.lists(FRAMES, max_size=4).map(tuple),
)


@SLOW
@given(FAILURES)
def test_any_failure_gets_a_verdict(failure: Failure) -> None:
    failure_gets_a_verdict(failure)


@SLOW
@given(
    st.dictionaries(
        st.sampled_from(
            [
                "phase",
                "exc_type",
                "mro",
                "message",
                "errno",
                "chain",
                "frames",
                "notes",
                "http_status",
            ]
        ),
        JSON,
    )
)
def test_any_json_object_gets_a_verdict(data: dict[str, Any]) -> None:
    record_gets_a_verdict(data)


@SLOW
@given(TEXT | MIXED | MIXED.map(lambda text: f"Traceback (most recent call last):\n{text}"))
def test_any_text_gets_a_verdict(text: str) -> None:
    text_gets_a_verdict(text)


@SLOW
@given(TEXT, st.lists(st.integers(0, 5), max_size=4))
def test_any_object_raised_gets_a_verdict(text: str, switches: list[int]) -> None:
    class HostileError(Exception):
        def __str__(self) -> str:
            if 0 in switches:
                raise ValueError(text)
            return text

        def __getattr__(self, name: str) -> Any:
            if 1 in switches:
                raise KeyError(name)
            if 2 in switches:
                return self
            raise AttributeError(name)

    try:
        raise HostileError(text)
    except HostileError as exc:
        if 3 in switches:
            exc.__cause__ = exc
        failure = failure_from_exception(exc, Phase.CONSTRUCT)
    judge(failure)
    json.dumps(record_of(failure)).encode("utf-8")


@SLOW
@given(JSON)
def test_any_data_is_survived_as_rules(data: object) -> None:
    data_gives_rules_or_problems(data)


SECRET = st.text(
    alphabet="ABCDEFGHJKMNPQRSTUVWXYZabcdefghjkmnpqrstuvwxyz23456789", min_size=24, max_size=40
)
PLANTS = st.sampled_from(
    [
        "https://user:{}@host.example/x",
        "redis://:{}@cache:6379/0",
        "Authorization: Bearer {}1",
        "token=hf_{}",
        "ghp_{}",
        "password={}",
        "'api_key': '{}'",
        "AWS_SECRET_ACCESS_KEY={}",
        "AccountKey={};",
        "?X-Amz-Signature={}&x=1",
        "client_secret: {}",
        "xoxb-{}",
        "eyJ{0}.{0}.{0}",
        "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----",
        '{{"access_token": "{}"}}',
    ]
)


@SLOW
@given(SECRET, PLANTS, MESSAGES, st.sampled_from([" ", "\n", ", ", "; "]))
def test_a_planted_secret_never_gets_through(
    secret: str, plant: str, message: str, joint: str
) -> None:
    text = message + joint + plant.format(secret) + joint + message
    assert secret not in redact(text)


@SLOW
@given(SECRET, MIXED, FAILURES)
def test_a_known_value_never_gets_through(secret: str, text: str, failure: Failure) -> None:
    planted = Failure(
        type="E",
        message=text + secret + text,
        phase=failure.phase,
        chain=(*(replace(cause, type="E", mro=()) for cause in failure.chain), Cause("E", secret)),
        frames=(Frame(f"/{secret}/x.py", "f"),),
        traceback=secret,
    )
    clean = redacted(planted, (secret,))
    assert secret not in repr(clean)


NAME = st.text(alphabet="abcdefghijklmnopqrstuvwxyz", min_size=3, max_size=12)
DIRECTORY = st.lists(NAME, min_size=1, max_size=4).map(lambda parts: "/" + "/".join(parts))


def faulty(directory: str, pid: int, address: int, port: int, stamp: int) -> Failure:
    return Failure(
        type="RuntimeError",
        message=f"worker {pid} at 2026-01-{stamp:02d}T10:00:{stamp:02d} could not read "
        f"'{directory}/model.pt' into <Net object at {address:#x}> from 127.0.0.1:{port}",
        phase=Phase.INITIALIZE,
        chain=(Cause("OSError", f"pid {pid}: {directory}/vocab.txt: attempt {stamp} of 99"),),
        frames=(Frame(f"{directory}/handler.py", "initialize", "handler", pid, True),),
    )


@SLOW
@given(
    DIRECTORY,
    DIRECTORY,
    st.tuples(st.integers(1, 4_000_000), st.integers(1, 4_000_000)),
    st.tuples(st.integers(1, 2**48), st.integers(1, 2**48)),
    st.tuples(st.integers(1, 65535), st.integers(1, 65535)),
    st.tuples(st.integers(1, 28), st.integers(1, 28)),
)
def test_chance_does_not_change_a_fingerprint(
    one: str,
    other: str,
    pids: tuple[int, int],
    addresses: tuple[int, int],
    ports: tuple[int, int],
    stamps: tuple[int, int],
) -> None:
    first = faulty(one, pids[0], addresses[0], ports[0], stamps[0])
    second = faulty(other, pids[1], addresses[1], ports[1], stamps[1])
    assert fingerprint(first) == fingerprint(second)


def test_no_recorded_shape_loses_its_verdict_by_the_way_it_comes_in() -> None:
    """A record, and the text that it would be printed as, agree where the frames don't decide."""
    for rows in SHAPES.values():
        for row in rows:
            if len(row) > 3 or not row[2].strip():
                continue
            data = record(row)
            text = f'Traceback (most recent call last):\n  File "/x/y.py", line 1, in load\n{row[1]}: {row[2]}\n'
            as_text = failure_from_text(text)
            assert judge(as_text).verdict is judge(failure_from_record(data)).verdict, row
