"""The frontend plug-in: a jar that makes TorchServe's own ``/ping`` say which model is down.

It is off unless ``plugins_path`` names this folder; its source and how it is built are in ``plugin/``.
"""

from __future__ import annotations

import os

#: What ``plugins_path`` has to name. The frontend takes every jar in it (0.12.0 ``ts/model_server.py``).
FOLDER = os.path.dirname(os.path.abspath(__file__))
JAR = os.path.join(FOLDER, "ts-retry-plugin.jar")
#: The line of ``config.properties`` that switches it on.
LINE = f"plugins_path={FOLDER}"
