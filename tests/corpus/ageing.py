"""Which library, in which version, really wrote the words of a rule, and whether the installed one still does.

    python -m tests.corpus.ageing            list rules whose words the installed libraries no longer write
    python -m tests.corpus.ageing --write    keep what the installed libraries write in raised_by.json

The first is a nightly job with the newest libraries (`nox -s ageing`), not a test: a new version of a
library is no fault of a change. It exits with 3 if a rule has aged.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
import warnings
from importlib import metadata
from pathlib import Path
from typing import Any, Dict, Iterator

from tests.corpus import raised_libraries, raised_python, raised_torch
from tests.corpus.raising import Raised
from tests.corpus.world import World, world
from ts_retry_ext.judge import Host, Phase, failure_from_exception, judge
from ts_retry_ext.judge.builtin import BUILTIN_RULES

KEPT = Path(__file__).with_name("raised_by.json")
ROWS = (*raised_python.ROWS, *raised_torch.ROWS, *raised_libraries.ROWS)
#: Rules that read a message: the others have no words that could age.
_TEXT_RULES = frozenset(rule.id for rule in BUILTIN_RULES if rule.when.message)
#: What is kept as the library of a row that needs none.
PYTHON = "python"
#: Status if a rule has aged.
AGED = 3

#: Row of the corpus -> rule that decided it, library, version.
Record = Dict[str, Dict[str, str]]


def raised(rows: Iterator[Raised]) -> Record:
    """Raise every row and return what decided those that a rule with a message decides."""
    found: Record = {}
    with tempfile.TemporaryDirectory() as directory, world(Path(directory)) as made:
        for number, row in enumerate(rows):
            made.tmp = Path(directory) / str(number)
            made.tmp.mkdir()
            rule = _rule_of(row, made)
            if rule in _TEXT_RULES:
                library = _distribution(row.needs)
                found[row.name] = {"rule": rule, "library": library, "version": _version(library)}
    return found


def _rule_of(row: Raised, here: World) -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            row.raiser(here)
        except KeyboardInterrupt:
            raise
        except BaseException as exc:
            failure = failure_from_exception(exc, Phase.INITIALIZE, model_dir=str(here.tmp))
            host = Host(model_dir=str(here.tmp), exists=os.path.exists)
            return judge(failure, host=host).rule or ""
    return ""


def _distribution(module: str) -> str:
    """Return what installs a module: several distributions share a package such as `google`."""
    if not module:
        return PYTHON
    package, path = module.partition(".")[0], module.replace(".", "/")
    # Known from Python 3.10 on; before, a distribution is taken to be called like its package.
    known: Any = getattr(metadata, "packages_distributions", dict)()
    names: list[str] = known.get(package, [package])
    for name in names if len(names) > 1 else ():
        files = (str(file) for file in metadata.files(name) or ())
        if any(file == f"{path}.py" or file.startswith(f"{path}/") for file in files):
            return name
    return names[0]


def _version(library: str) -> str:
    if library == PYTHON:
        return platform.python_version()
    try:
        return metadata.version(library)
    except metadata.PackageNotFoundError:
        return ""


def aged(kept: Record, now: Record, possible: frozenset[str]) -> list[str]:
    """Return a line for each row that another rule decides today, of those that can be raised."""
    lines = []
    for name, was in sorted(kept.items()):
        rule = now.get(name, {}).get("rule", "no rule with words")
        if name in possible and rule != was["rule"]:
            lines.append(
                f"{was['rule']}: {name} was decided by it with {was['library']} {was['version']}, "
                f"and is by {rule} with {_version(was['library'])}"
            )
    return lines


def main() -> int:
    """Raise, and keep or compare."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--write", action="store_true", help="keep what is raised now")
    options = parser.parse_args()
    rows = [row for row in ROWS if row.is_possible()]
    now = raised(iter(rows))
    if options.write:
        KEPT.write_text(json.dumps(now, indent=1, sort_keys=True) + "\n", encoding="utf-8")
        print(f"{len(now)} rows kept in {KEPT}")
        return 0
    kept = json.loads(KEPT.read_text(encoding="utf-8"))
    lines = aged(kept, now, frozenset(row.name for row in rows))
    seen = set(kept) & {row.name for row in rows}
    left_out = sorted({kept[name]["library"] for name in set(kept) - seen})
    print("\n".join(lines) or f"the words of {len(seen)} rows still occur")
    if left_out:
        print(
            f"not asked: {len(kept) - len(seen)} rows of {', '.join(left_out)}, not installed here"
        )
    return AGED if lines else 0


if __name__ == "__main__":
    sys.exit(main())
