"""Put saved figures into the documents: the tables of docs/benchmarks.md and the README's pictures.

    python -m bench.publish

A bench run with ``--save`` leaves its figures in ``bench/results``. Each of them replaces what stands
between ``<!-- bench NAME -->`` and ``<!-- end -->``; what has no saved figures stays as it is.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, Mapping

from bench.outage_picture import outage_picture
from bench.picture import picture
from bench.report import RESULTS, caption

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"
PICTURE = PAGE.parent / "crash_loop.svg"
OUTAGE_PICTURE = PAGE.parent / "outage.svg"
_PLACE = re.compile(r"(<!-- bench (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def saved() -> dict[str, dict[str, Any]]:
    """Return the saved results by the name of their bench."""
    return {path.stem: json.loads(path.read_text()) for path in sorted(RESULTS.glob("*.json"))}


def page(text: str, results: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the page `text` with the tables of `results` in their places."""

    def filled(place: re.Match[str]) -> str:
        result = results.get(place[2])
        return place[0] if result is None else f"{place[1]}\n{block(result)}\n{place[3]}"

    return _PLACE.sub(filled, text)


def block(result: Mapping[str, Any]) -> str:
    """Return one result as Markdown: the command that repeats it, its table, how it was measured."""
    table = result["table"]
    rows = [table["columns"], ["---"] * len(table["columns"]), *table["rows"]]
    lines = "".join("| " + " | ".join(row) + " |\n" for row in rows)
    return f"    {result['command']}\n\n{lines}\n{caption(result)}\n"


def main() -> None:
    """Write the page and the pictures."""
    results = saved()
    PAGE.write_text(page(PAGE.read_text(), results))
    PICTURE.write_text(picture(results["crash_loop"]["found"]))
    if "outages" in results:
        OUTAGE_PICTURE.write_text(outage_picture(results["outages"]["found"]))


if __name__ == "__main__":
    main()
