"""The page of the sidecar's HTTP API, from ``docs/reference/openapi.yaml``."""

from __future__ import annotations

from typing import Any, Iterator

from reference.json_page import link_to
from reference.openapi import openapi, resolved
from reference.table import table

_HEAD = """# HTTP API of the sidecar

[`openapi.yaml`](openapi.yaml) is the same as OpenAPI 3.1, for programs. [The sidecar](../sidecar.md) explains who may ask what.

"""


def http_page() -> str:
    """Return the page."""
    content = openapi()
    lines = [_HEAD]
    for path, methods in content["paths"].items():
        for method, operation in methods.items():
            lines += _operation(content, f"{method.upper()} {path}", operation)
    return "".join(lines)


def _operation(content: dict[str, Any], name: str, operation: dict[str, Any]) -> Iterator[str]:
    yield f"## {name}\n\n{operation['summary']}.\n\n"
    if "description" in operation:
        yield f"{operation['description']}\n\n"
    parameters = [resolved(content, one) for one in operation.get("parameters", ())]
    if parameters:
        rows = [(f"`{one['name']}`", f"{one['in']}: {one['description']}") for one in parameters]
        yield table(("parameter", ""), rows) + "\n"
    yield table(
        ("answer", "", "body"),
        [_answer(content, code, answer) for code, answer in operation["responses"].items()],
    )
    yield "\n"


def _answer(content: dict[str, Any], code: str, answer: dict[str, Any]) -> tuple[str, str, str]:
    found = resolved(content, answer)
    bodies = [body["schema"] for body in found["content"].values()]
    return (code, found["description"], " or ".join(map(link_to, bodies)))
