"""The page of the JSON that commands and the sidecar give, from ``docs/reference/openapi.yaml``."""

from __future__ import annotations

from typing import Any

from reference.openapi import openapi
from reference.table import table

_HEAD = """# JSON

This is what commands print with `--json`, and what [the sidecar](http-api.md) answers. The schemas are in [`openapi.yaml`](openapi.yaml), under
`components`. Keys may be added in later versions. A value that is not known is `null`; unknown is not zero. Times are ISO 8601 in UTC.

"""


def json_page() -> str:
    """Return the page."""
    schemas = openapi()["components"]["schemas"]
    shown = {name: schema for name, schema in schemas.items() if "properties" in schema}
    rows = [
        (f"`ts-retry {schema['x-command']} --json`", _whole(name, schema))
        for name, schema in shown.items()
        if "x-command" in schema
    ]
    parts = [_HEAD, table(("command", "prints"), rows)]
    parts += [_section(name, schema) for name, schema in sorted(shown.items())]
    return "".join(parts)


def link_to(schema: dict[str, Any]) -> str:
    """Return a schema in a few words, with links to the sections of this page."""
    for several in ("oneOf", "anyOf"):
        if several in schema:
            return " or ".join(map(link_to, schema[several]))
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        found = openapi()["components"]["schemas"][name]
        return f"[{name}](json.md#{name.lower()})" if "properties" in found else link_to(found)
    if "enum" in schema:
        return ", ".join(f"`{'null' if value is None else value}`" for value in schema["enum"])
    if "const" in schema:
        return f"`{schema['const']}`"
    kinds = schema.get("type", "any value")
    kind = " or ".join(kinds) if isinstance(kinds, list) else str(kinds)
    return f"{kind} of {link_to(schema['items'])}" if "items" in schema else kind


def _whole(name: str, schema: dict[str, Any]) -> str:
    link = f"[{name}](#{name.lower()})"
    return f"a list of {link}" if schema.get("x-list") else link


def _section(name: str, schema: dict[str, Any]) -> str:
    said = schema.get("description") or schema.get("x-title")
    required = schema.get("required", ())
    rows = [
        (f"`{key}`", link_to(value), _note(value, key in required))
        for key, value in schema["properties"].items()
    ]
    head = f"\n## {name}\n\n" + (f"{said}.\n\n" if said else "")
    return head + table(("key", "value", ""), rows)


def _note(schema: dict[str, Any], is_always_there: bool) -> str:
    said = schema.get("description") or ""
    return said if is_always_there else f"{said} (not always there)".strip()
