"""Read the operator's own rules, from the file that is set or from ``model-config.yaml``."""

from __future__ import annotations

import os

from ts_retry_ext.frontend.rules_file import RulesFileError, read_rules_file
from ts_retry_ext.judge.rule import Rule
from ts_retry_ext.judge.user_rules import rules_from_data
from ts_retry_ext.worker.output import say
from ts_retry_ext.worker.session import Session


def rules_in_force(session: Session) -> tuple[Rule, ...]:
    """Return the operator's rules; each wrong one, or a file that cannot be read, is named in a line."""
    setting = session.settings.rules
    if setting.value is None:
        return ()
    data, source = setting.value, setting.source
    if isinstance(setting.value, str):
        source = os.path.join(session.configuration.cwd, setting.value)
        try:
            data = read_rules_file(source)
        except RulesFileError as error:
            say(f"{error} (set by {setting.source}); the built-in rules apply")
            return ()
    rules, problems = rules_from_data(data, source)
    for problem in problems:
        say(str(problem))
    return rules
