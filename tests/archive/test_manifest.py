from __future__ import annotations

import json

import pytest

from ts_retry_ext.archive.manifest import Manifest, ManifestError, parse_manifest


def encoded(content: object) -> bytes:
    return json.dumps(content).encode()


def test_manifest_of_torch_model_archiver_is_read() -> None:
    content = {
        "runtime": "python",
        "model": {
            "modelName": "m",
            "modelVersion": "2.1",
            "handler": "h.py",
            "configFile": "c.yaml",
        },
    }

    assert parse_manifest(encoded(content)) == Manifest("m", "2.1", "h.py", "c.yaml")


VALUES = [
    (b"{}", Manifest(None, "1.0", None, None)),
    (b'{"model": {}}', Manifest(None, "1.0", None, None)),
    (b'\xef\xbb\xbf{"model": {"modelName": "bom"}}', Manifest("bom")),
    (b'{"model": {"modelVersion": 1.0}}', Manifest(version="1.0")),
    (b'{"model": {"modelVersion": 3}}', Manifest(version="3")),
    (b'{"model": {"modelName": true}}', Manifest("true")),
    (b'{"model": {"configFile": null}}', Manifest()),
    (b'{"runtime": "LSP"}', Manifest(runtime="LSP")),
]


@pytest.mark.parametrize(("data", "expected"), VALUES)
def test_values_become_text_and_what_is_missing_keeps_a_default(
    data: bytes, expected: Manifest
) -> None:
    assert parse_manifest(data) == expected


REFUSED = [
    (b"", "empty", True),
    (b" \n", "empty", True),
    (b"null", "null", True),
    (b'{"model": null}', "null for model", True),
    (b"{", "not valid JSON", False),
    (b"[" * 100_000, "not valid JSON", False),
    (b"[]", "no object", False),
    (b'{"model": "m"}', "no object for model", False),
    (b'{"runtime": "ruby"}', "runtime is 'ruby'", False),
    (b'{"runtime": null}', "runtime is None", False),
    (b'{"model": {"modelName": ["m"]}}', "no text for model.modelName", False),
]


@pytest.mark.parametrize(("data", "words", "stops_server"), REFUSED)
def test_what_the_frontend_does_not_take_is_named(
    data: bytes, words: str, stops_server: bool
) -> None:
    with pytest.raises(ManifestError, match=words) as caught:
        parse_manifest(data)

    assert caught.value.stops_server is stops_server


LENIENT = [
    ('{"model": {"modelVersion": 1.10}}', Manifest(version="1.10")),
    ('{"model": {"modelVersion": 1.0E+5}}', Manifest(version="1.0E+5")),
    ('{"model": {"modelVersion": NaN}}', Manifest(version="NaN")),
    ('{"model": {"modelVersion": 01}}', Manifest(version="01")),
    ('{"model": {"modelVersion": 1.0.0}}', Manifest(version="1.0.0")),
    ('{"model": {"modelName": True}}', Manifest("true")),
    ('{"model": {"modelName": "a\tb\nc"}}', Manifest("a\tb\nc")),
    ("{'model': {'modelName': 'm'}}", Manifest("m")),
    ("{model: {modelName: m, handler: h}}", Manifest("m", handler="h")),
    ('{"model" = {"modelName" => "m"; "handler": "h"}}', Manifest("m", handler="h")),
    ('{/* a */ "model": {"modelName": "m"} // b\n # c\n}', Manifest("m")),
    ('{"a": [1, ], "b": [,], "model": {"modelName": "m"}}', Manifest("m")),
    (")]}'\n" + '{"model": {"modelName": "m"}}', Manifest("m")),
    ('{\'model\': {"modelName": "\\u0041\\\'\\\n"}}', Manifest("A'\n")),
    ('{"model": {"modelName": "m", "modelName": "n"}}', Manifest("n")),
    ('{"model": {"modelName": "\\ud83d"}}', Manifest("?")),
    ('{"runtime": "PYTHON3"}', Manifest(runtime="python3")),
    ('{"model": {"requirementsFile": "r.txt"}}', Manifest(requirements_file="r.txt")),
]


@pytest.mark.parametrize(("text", "expected"), LENIENT)
def test_what_gson_takes_beyond_json_is_read(text: str, expected: Manifest) -> None:
    assert parse_manifest(text.encode()) == expected


REFUSED_BY_GSON = [
    '{"model": {"modelName": "m",}}',
    '{"model": {"modelName": "m"}} x',
    '{"model": {"modelName": "m"}} // behind the end',
    '{"model": {"modelName": "m"}}\0',
    '{"model": {"modelName": hello world}}',
    '{"model" {"modelName": "m"}}',
    '{"model": {"modelName": "\\q"}}',
    '{"model": {"modelName": "\\u00zz"}}',
    '{"model": {"modelName": "m"',
    '{"model": {"modelName": \'m',
    '{"model": {} /* open',
    "{'model': " + "[" * 100_000,
    '{"createdOn": [1]}',
    '{"model": {"description": {}}}',
]


@pytest.mark.parametrize("text", REFUSED_BY_GSON)
def test_what_gson_refuses_is_refused(text: str) -> None:
    with pytest.raises(ManifestError, match=r"MANIFEST\.json"):
        parse_manifest(text.encode())
