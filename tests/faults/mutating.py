"""Spoil bytes as disks, torn copies and other programs do."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from tests.faults.effort import examples


def effort(short: int, long: int) -> settings:
    """Return hypothesis' settings for a test that tries `short` examples, or `long` ones once."""
    return settings(
        max_examples=examples(short, long),
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )


#: With halves of surrogate pairs: JSON and YAML hold them, and no encoding does.
TEXT = st.text(st.characters(exclude_categories=()), max_size=40)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)


@st.composite
def spoilt(draw: st.DrawFn, whole: bytes) -> bytes:
    """Return `whole` with some of it cut, flipped, doubled or overwritten."""
    data = bytearray(whole)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(data)))
        kind = draw(st.sampled_from(["cut", "flip", "drop", "double", "overwrite"]))
        length = draw(st.integers(1, 40))
        if kind == "cut":
            del data[at:]
        elif kind == "flip" and at < len(data):
            data[at] ^= 1 << draw(st.integers(0, 7))
        elif kind == "drop":
            del data[at : at + length]
        elif kind == "double":
            data[at:at] = data[at : at + length]
        elif kind == "overwrite":
            data[at : at + length] = draw(st.binary(max_size=length))
    return bytes(data)


def replaced(content: dict[str, Any]) -> st.SearchStrategy[bytes]:
    """Return JSON files like `content` in which some values, at any depth, are others."""

    @st.composite
    def build(draw: st.DrawFn) -> bytes:
        copy = json.loads(json.dumps(content))
        for _ in range(draw(st.integers(1, 3))):
            place = copy
            while True:
                key = draw(st.sampled_from(sorted(place)))
                inner = place[key]
                if not isinstance(inner, dict) or not inner or draw(st.booleans()):
                    break
                place = inner
            if draw(st.integers(0, 5)):
                place[key] = draw(VALUES)
            elif len(place) > 1:
                del place[key]
        return json.dumps(copy).encode()

    return build()
