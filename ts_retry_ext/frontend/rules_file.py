"""Read the YAML files of rules that a server's settings name, for its workers and for commands alike."""

from __future__ import annotations

import os

from ts_retry_ext.plain_text import in_one_line

#: A file that is larger is none of rules.
MAX_RULES_BYTES = 1 << 20
#: Files of one folder that are read.
MAX_RULES_FILES = 100
_ENDINGS = (".yaml", ".yml")


class RulesFileError(Exception):
    """The file cannot be read at all; the message names the file and says why."""

    def __init__(self, path: str, why: str) -> None:
        super().__init__(f"{path}: {why}")


def named_rules_files(setting: str, directory: str) -> list[str]:
    """Return the files that a setting names: a file, a folder of them, or several divided by commas.

    Args:
        setting: what the operator wrote; a name that exists as it stands is one name, commas or not.
        directory: what relative names are relative to.

    Raises:
        RulesFileError: a folder holds no YAML file, more than `MAX_RULES_FILES`, or cannot be read.
    """
    whole = os.path.join(directory, setting)
    names = [setting] if os.path.exists(whole) else [part.strip() for part in setting.split(",")]
    files: list[str] = []
    for name in filter(None, names):
        path = os.path.join(directory, name)
        files += _files_of(path) if os.path.isdir(path) else [path]
    return files


def _files_of(folder: str) -> list[str]:
    try:
        found = sorted(name for name in os.listdir(folder) if name.endswith(_ENDINGS))
    except OSError as error:
        raise RulesFileError(folder, f"cannot be read: {error.strerror}") from None
    if not found:
        raise RulesFileError(folder, "holds no file that ends in .yaml or .yml")
    if len(found) > MAX_RULES_FILES:
        raise RulesFileError(folder, f"holds more than {MAX_RULES_FILES} files of rules")
    return [os.path.join(folder, name) for name in found]


def read_rules_file(path: str) -> object:
    """Return the parsed YAML of `path`, which nobody has looked at yet.

    Raises:
        RulesFileError: the file cannot be opened, is larger than `MAX_RULES_BYTES` or is not YAML,
            or PyYAML is missing.
    """
    try:
        import yaml
    except ImportError:
        why = "cannot be read: PyYAML is not installed here, install it with: pip install pyyaml"
        raise RulesFileError(path, why) from None
    try:
        with open(path, "rb") as stream:
            data = stream.read(MAX_RULES_BYTES + 1)
    except OSError as error:
        raise RulesFileError(path, f"cannot be read: {error.strerror}") from None
    if len(data) > MAX_RULES_BYTES:
        raise RulesFileError(path, f"is larger than {MAX_RULES_BYTES} bytes")
    try:
        return yaml.safe_load(data)
    except yaml.YAMLError as error:
        raise RulesFileError(path, f"is not valid YAML: {in_one_line(str(error))}") from None
    except Exception as error:  # A tag that does not fit its value is no error of YAML's.
        said = f"{type(error).__name__}: {in_one_line(str(error))}"
        raise RulesFileError(path, f"is not YAML that can be read: {said}") from None
