"""What works here and needs a look: settings that make no sense, packages that nothing brings."""

from __future__ import annotations

import os
from typing import Mapping

from ts_retry_ext.archive.model_folder import ModelFolder
from ts_retry_ext.frontend.server_configuration import ServerConfiguration
from ts_retry_ext.settings import MODEL_SECTION
from ts_retry_ext.trial.findings import Findings
from ts_retry_ext.trial.launch import Launch
from ts_retry_ext.trial.undeclared_imports import declared

_MODULE_MISSING = ("module-missing", "module-missing-text")


def settings_problems(model_dir: str, configuration: ServerConfiguration) -> list[tuple[str, str]]:
    """Return what is wrong with this package's settings for the model."""
    folder = ModelFolder(model_dir)
    section, unreadable = folder.section(MODEL_SECTION)
    named = folder.manifest.config_file or "model-config.yaml"
    _, problems = configuration.settings(section, named)
    found = [*([unreadable] if unreadable else ()), *problems]
    return [("retry-settings", problem) for problem in found]


def requirement_problems(
    launch: Launch, model_dir: str, properties: Mapping[str, str], found: Findings
) -> list[tuple[str, str]]:
    """Return what has to be said of the packages that the archive's code imports."""
    installs = properties.get("install_py_dep_per_model", "").strip().lower() == "true"
    file = launch.requirements_file
    problems = []
    if found.undeclared:
        names = ", ".join(found.undeclared)
        lacks = f"which its {file} does not name" if file else "without a requirements file"
        message = f"it imports {names}, {lacks}; the server has to have them"
        problems.append(("requirements-missing", message))
    if file and not os.path.isfile(os.path.join(model_dir, file)):
        message = f"the manifest names {file} as requirementsFile, the archive lacks it"
        problems.append(("requirements-file-missing", message))
    elif file and not installs and found.failure and found.failure.rule in _MODULE_MISSING:
        names = ", ".join(sorted(declared(model_dir)))
        message = (
            f"its {file} ({names}) was not installed: TorchServe does so with "
            "install_py_dep_per_model=true in config.properties; --ts-config FILE tells the check"
        )
        problems.append(("requirements-not-installed", message))
    return problems
