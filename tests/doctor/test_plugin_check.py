from __future__ import annotations

import re

import pytest

from ts_retry_ext.doctor.diagnosis import FINE, WARNING
from ts_retry_ext.doctor.plugin_check import check_plugin
from ts_retry_ext.frontend.process import Frontend
from ts_retry_ext.frontend.server import Server
from ts_retry_ext.frontend.server_configuration import ServerConfiguration
from ts_retry_ext.plugin import FOLDER, JAR, LINE

TORCHSERVE = ".:/site-packages/ts/frontend/*"


def server(class_path: str, **properties: str) -> Server:
    found = Frontend(7, "boot-1", 0.0, ("java", "-cp", class_path, "Main"), "/nowhere", {})
    return Server(found, ServerConfiguration("/nowhere", None, properties, "/nowhere/logs", {}))


@pytest.mark.parametrize(
    ("class_path", "properties", "outcome", "told"),
    [
        (f"{TORCHSERVE}:{FOLDER}/*", {"plugins_path": FOLDER}, FINE, "loaded: "),
        (f"{TORCHSERVE}:/other/*:{FOLDER}/*", {}, FINE, "loaded: "),
        (f"{TORCHSERVE}:{JAR}", {}, FINE, "loaded: "),
        (TORCHSERVE, {}, FINE, f"not loaded: TorchServe's own /ping fails .* {LINE}"),
        (f"{TORCHSERVE}:{JAR}/*", {"plugins_path": JAR}, WARNING, "not on the server's class path"),
        (f"{TORCHSERVE}:{FOLDER}", {"plugins_path": "/x"}, WARNING, "plugins_path is '/x'"),
        ("", {"plugins_path": FOLDER}, WARNING, "not on the server's class path"),
    ],
)
def test_what_is_on_the_class_path_is_loaded(
    class_path: str, properties: dict[str, str], outcome: str, told: str
) -> None:
    found = check_plugin(server(class_path, **properties))
    assert found.outcome == outcome
    assert re.search(told, found.found)


def test_without_a_server_the_line_to_add_is_named() -> None:
    assert LINE in check_plugin(None).found
