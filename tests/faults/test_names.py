"""Models with names that are meant to do harm, or do it by chance."""

from __future__ import annotations

import os
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from tests.faults.mutating import effort
from tests.faults.spoiling import NAMES
from tests.faults.test_state_directory import run_stories
from ts_retry_ext.store.directory import model_directory


def test_a_model_of_any_name_is_halted_and_leaves_nothing_elsewhere(tmp_path: Path) -> None:
    stories = {str(n): (f"name={n} worker worker", "loaded held") for n in range(len(NAMES))}
    for number, workers in run_stories(tmp_path, stories).items():
        name = NAMES[int(number)]
        assert [worker["story"] for worker in workers] == ["loaded", "held"], name
        # Half of a surrogate pair is a question mark wherever Java writes it, so the frontend's name is that.
        known = name.encode("utf-8", "replace").decode("utf-8") or "model"
        assert {worker["model"] for worker in workers} == {known}
    assert {path.name for path in tmp_path.iterdir()} == {"model", "logs", "tmp"}
    assert {path.name for path in (tmp_path / "logs").iterdir()} == {"ts_retry"}
    assert not list((tmp_path / "tmp").iterdir())


@effort(100, 20_000)
@given(
    name=st.text(),
    other=st.text(),
    registration=st.text(min_size=1, alphabet=st.characters(max_codepoint=0xD7FF)),
)
def test_every_name_gives_a_directory_right_here(name: str, other: str, registration: str) -> None:
    path = model_directory("/state/server-1-1", name, registration)
    folder, base = os.path.split(path)
    assert folder == "/state/server-1-1"
    assert base.isascii()
    assert base.isprintable()
    assert 0 < len(base) < 100
    assert not base.startswith(".")
    # Not even on a file system that does not tell capitals from small letters.
    elsewhere = model_directory("/state/server-1-1", other, registration + "x")
    assert elsewhere.lower() != path.lower()
