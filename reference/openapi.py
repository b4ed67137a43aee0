"""The description of the sidecar's HTTP API and of the JSON that commands print."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

OPENAPI = Path(__file__).parents[1] / "docs" / "reference" / "openapi.yaml"
_REFERENCE = "#/components/"


@lru_cache(maxsize=1)
def openapi() -> dict[str, Any]:
    """Return ``docs/reference/openapi.yaml``, read once; nobody changes it."""
    content: dict[str, Any] = yaml.safe_load(OPENAPI.read_text(encoding="utf-8"))
    return content


def resolved(content: dict[str, Any], part: dict[str, Any]) -> dict[str, Any]:
    """Return what a part refers to, or the part; what stands beside a reference is kept."""
    reference = part.get("$ref")
    if reference is None:
        return part
    kind, name = reference[len(_REFERENCE) :].split("/")
    beside = {key: value for key, value in part.items() if key != "$ref"}
    found: dict[str, Any] = content["components"][kind][name]
    return {**found, **beside}


def schema_named(name: str) -> dict[str, Any]:
    """Return a schema that a validator can be given alone."""
    content = openapi()
    return {"$ref": f"#/components/schemas/{name}", "components": content["components"]}


def command_schemas() -> dict[str, str]:
    """Return the names of the schemas of what commands print, by the command's line."""
    schemas = openapi()["components"]["schemas"]
    return {
        schema["x-command"]: name for name, schema in schemas.items() if schema.get("x-command")
    }
