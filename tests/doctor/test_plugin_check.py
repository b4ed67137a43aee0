from __future__ import annotations

import re

import pytest

from ts_retry_ext.doctor.diagnosis import FINE, WARNING
from ts_retry_ext.doctor.plugin_check import check_plugin
from ts_retry_ext.frontend.process import Frontend
from ts_retry_ext.frontend.server_configuration import Server, ServerConfiguration
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
    running = server(class_path, **properties)
    found = check_plugin(running, running.configuration)
    assert found.outcome == outcome
    assert re.search(told, found.found)


@pytest.mark.parametrize(
    ("properties", "outcome", "told"),
    [
        ({}, FINE, LINE),
        ({"plugins_path": FOLDER}, FINE, "on, if the server is started with this file"),
        ({"plugins_path": "/elsewhere"}, WARNING, "there is no /elsewhere/"),
    ],
)
def test_before_the_start_it_is_said_whether_the_file_has_the_line(
    properties: dict[str, str], outcome: str, told: str
) -> None:
    found = check_plugin(None, server("", **properties).configuration)
    assert found.outcome == outcome
    assert told in found.found
