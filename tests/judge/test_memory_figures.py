"""Memory numbers are read from a message, and tell whether waiting can help."""

from __future__ import annotations

import pytest

from ts_retry_ext.judge.memory_figures import (
    held_by_others,
    memory_numbers,
    own_use_exceeds_total,
    request_exceeds_total,
    request_is_huge,
    request_is_impossible,
)

G = 2.0**30
NEW = (
    "CUDA out of memory. Tried to allocate {request} GiB. GPU 0 has a total capacity of 24.00 GiB of "
    "which {free} GiB is free. Including non-PyTorch memory, this process has {own} GiB memory in use. "
)
OLD = (
    "CUDA out of memory. Tried to allocate {request} GiB (GPU 0; 24.00 GiB total capacity; {own} GiB "
    "already allocated; {free} GiB free; {own} GiB reserved in total by PyTorch)"
)


@pytest.mark.parametrize("form", [NEW, OLD])
@pytest.mark.parametrize(
    ("request_gib", "free", "own", "exceeds", "own_exceeds", "others"),
    [
        (30, 23, 1, True, True, False),
        (2, 0.01, 23.5, False, True, False),
        (2, 0.5, 3, False, False, True),
        (2, 3, 20, False, False, False),
    ],
)
def test_numbers_decide(
    form: str,
    request_gib: float,
    free: float,
    own: float,
    exceeds: bool,
    own_exceeds: bool,
    others: bool,
) -> None:
    numbers = memory_numbers(form.format(request=request_gib, free=free, own=own))
    assert numbers is not None
    assert numbers.requested == request_gib * G
    assert numbers.total == 24 * G
    assert request_exceeds_total(numbers) is exceeds
    assert own_use_exceeds_total(numbers) is own_exceeds
    assert held_by_others(numbers) is others


def test_what_a_container_can_not_attribute_is_left_out() -> None:
    numbers = memory_numbers(NEW.format(request=1, free=0.1, own=17179869184.0))
    assert numbers is not None
    assert numbers.own is None
    assert not own_use_exceeds_total(numbers)


def test_other_processes_are_added_up() -> None:
    text = (
        NEW.format(request=1, free=0.1, own=2)
        + "Process 1 has 10 GiB memory in use. Process 2 has 11 GiB memory in use."
    )
    numbers = memory_numbers(text)
    assert numbers is not None
    assert numbers.others == 21 * G


def test_text_without_numbers_has_none() -> None:
    assert memory_numbers("CUDA out of memory") is None
    assert memory_numbers("nothing to do with it: 3 GiB") is None


@pytest.mark.parametrize(
    ("text", "huge", "impossible"),
    [
        ("Failed to allocate memory for requested buffer of size 150994944", False, False),
        ("Failed to allocate memory for requested buffer of size 8589934592", True, False),
        ("Failed to allocate memory for requested buffer of size 4585490524328388608", True, True),
        (
            "unable to mmap 23802932552 bytes from file </m>: Cannot allocate memory (12)",
            True,
            False,
        ),
        ("Unable to allocate 1.91 GiB for an array with shape (9,)", False, False),
    ],
)
def test_one_request_can_be_too_large_for_a_host(text: str, huge: bool, impossible: bool) -> None:
    numbers = memory_numbers(text)
    assert numbers is not None
    assert (request_is_huge(numbers), request_is_impossible(numbers)) == (huge, impossible)
