"""Every page of ``docs/reference`` by its file's name."""

from __future__ import annotations

from pathlib import Path

from reference.commands_page import commands_page
from reference.http_page import http_page
from reference.json_page import json_page
from reference.man_page import man_page
from reference.metrics_page import metrics_page
from reference.settings_page import settings_page

FOLDER = Path(__file__).parents[1] / "docs" / "reference"
#: Second line of each page that is Markdown.
MADE_BY = "<!-- made by: python -m reference -->"


def pages() -> dict[str, str]:
    """Return the text of each page by the name of its file in `FOLDER`."""
    made = {
        "settings.md": settings_page(),
        "commands.md": commands_page(),
        "metrics.md": metrics_page(),
        "http-api.md": http_page(),
        "json.md": json_page(),
    }
    return {**{name: _marked(text) for name, text in made.items()}, "ts-retry.1": man_page()}


def _marked(text: str) -> str:
    title, _, rest = text.partition("\n")
    return f"{title}\n\n{MADE_BY}\n{rest}"
