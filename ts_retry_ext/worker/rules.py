"""Read the operator's own rules, from the file that is set or from ``model-config.yaml``."""

from __future__ import annotations

import os

from ts_retry_ext.judge.rule import Rule
from ts_retry_ext.judge.user_rules import rules_from_data
from ts_retry_ext.plain_text import in_one_line
from ts_retry_ext.worker.output import say
from ts_retry_ext.worker.session import Session

MAX_RULES_BYTES = 1 << 20


def rules_in_force(session: Session) -> tuple[Rule, ...]:
    """Return the operator's rules; each wrong one, or a file that can't be read, is named in a line."""
    setting = session.settings.rules
    if setting.value is None:
        return ()
    data: object = setting.value
    source = setting.source
    if isinstance(setting.value, str):
        source = os.path.join(session.configuration.cwd, setting.value)
        try:
            data = _load(source)
        except (OSError, ValueError, ImportError) as error:
            say(f"{source}: rules not read, built-in ones apply: {error} (set by {setting.source})")
            return ()
    rules, problems = rules_from_data(data, source)
    for problem in problems:
        say(str(problem))
    return rules


def _load(path: str) -> object:
    """Return the parsed YAML of `path`.

    Raises:
        OSError: it cannot be read.
        ValueError: it is no YAML, or larger than `MAX_RULES_BYTES`.
        ImportError: PyYAML is not installed.
    """
    import yaml

    with open(path, "rb") as stream:
        data = stream.read(MAX_RULES_BYTES + 1)
    if len(data) > MAX_RULES_BYTES:
        msg = f"larger than {MAX_RULES_BYTES} bytes"
        raise ValueError(msg)
    try:
        return yaml.safe_load(data)
    except yaml.YAMLError as error:
        raise ValueError(in_one_line(str(error))) from None
    except Exception as error:  # A tag that does not fit its value is no error of YAML's.
        msg = f"{type(error).__name__}: {in_one_line(str(error))}"
        raise ValueError(msg) from None
