"""Read the YAML file of rules that a server's settings name, for its workers and for commands alike."""

from __future__ import annotations

from ts_retry_ext.plain_text import in_one_line

#: A file that is larger is none of rules.
MAX_RULES_BYTES = 1 << 20


class RulesFileError(Exception):
    """The file cannot be read at all; the message names the file and says why."""

    def __init__(self, path: str, why: str) -> None:
        super().__init__(f"{path}: {why}")


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
