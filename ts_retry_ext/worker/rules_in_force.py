"""Read the operator's own rules, from the file that is set or from ``model-config.yaml``."""

from __future__ import annotations

from collections.abc import Iterator

from ts_retry_ext.frontend.rules_file import RulesFileError, named_rules_files, read_rules_file
from ts_retry_ext.judge.rule import Rule
from ts_retry_ext.judge.user_rules import rules_from_data, rules_of_packs
from ts_retry_ext.settings import Resolved
from ts_retry_ext.worker.output import say
from ts_retry_ext.worker.session import Session


def rules_in_force(session: Session) -> tuple[Rule, ...]:
    """Return the operator's rules; each wrong one, or a file that cannot be read, is named in a line."""
    setting = session.settings.rules
    if setting.value is None:
        return ()
    if isinstance(setting.value, str):
        rules, problems = rules_of_packs(_packs(setting, session.configuration.cwd))
    else:
        rules, problems = rules_from_data(setting.value, setting.source)
    for problem in problems:
        say(str(problem))
    return rules


def _packs(setting: Resolved, directory: str) -> Iterator[tuple[object, str]]:
    """Yield what each file holds; one that cannot be read takes nothing from the others."""
    try:
        files = named_rules_files(setting.value, directory)
    except RulesFileError as error:
        say(f"{error} (set by {setting.source}); the built-in rules apply")
        return
    others = "the others and the built-in rules" if len(files) > 1 else "the built-in rules"
    for path in files:
        data = _read(path, f"(set by {setting.source}); {others} apply")
        if data is not None:
            yield data, path


def _read(path: str, consequence: str) -> object:
    try:
        return read_rules_file(path)
    except RulesFileError as error:
        say(f"{error} {consequence}")
        return None
