"""The reference in the documentation is made from the tables that the code reads."""

from __future__ import annotations

import pytest

from reference.pages import FOLDER, pages


@pytest.mark.parametrize("name", sorted(pages()))
def test_a_page_is_that_of_the_tables(name: str) -> None:
    assert (FOLDER / name).read_text(encoding="utf-8") == pages()[name], "run: python -m reference"


def test_every_page_of_the_reference_is_made() -> None:
    assert {path.name for path in FOLDER.iterdir()} == {*pages(), "openapi.yaml"}
