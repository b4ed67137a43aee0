"""Names that a module does not have: `from module import name`, `module.name`."""

from __future__ import annotations

from ts_retry_ext.judge.builtin.table import fatal
from ts_retry_ext.judge.builtin.words import ENVIRONMENT_TYPES
from ts_retry_ext.judge.rule import When
from ts_retry_ext.judge.verdict import Scope

_SINCE = "2026-11-27"

#: A module's file in the standard library: no part of it can be installed alone.
_PYTHONS_OWN = (
    r" from ['\"][\w.]{1,200}['\"] \((?:[^()\n]{0,300}/lib(?:64)?/python3(?:\.\d{1,2})?t?|[a-z]:\\[^()\n]{0,300}\\lib)[/\\]"
    r"(?!site-packages|dist-packages)[^()\n]{1,200}\)"
)

FATAL_IN_DISGUISE = (
    fatal(
        "circular-import",
        When(
            type=("ImportError",),
            message=r"cannot import name .{1,500}(?:partially initialized module|circular import)|circular import",
            unless_type=ENVIRONMENT_TYPES,
        ),
        "Two modules import each other: {source|one of them} is asked for {name|a name} before it has defined it. Versions have no part in it.",
        "Move one of the two imports into the function that needs it, or what both need into a third module; "
        "a file of the archive that has the name of a library does the same.",
        since=_SINCE,
    ),
    fatal(
        "name-missing-in-python-itself",
        When(
            type=("ImportError",),
            message=r"cannot import name .{1,200}" + _PYTHONS_OWN,
            unless_type=ENVIRONMENT_TYPES,
        ),
        "{source|The module} is a part of Python itself, and this version of Python does not have {name|the name} in it.",
        "Run the workers with a Python that has {name|it}, or change the import: typing_extensions has the newer names of typing, collections.abc "
        "those that collections lost; install nothing under the name {source|of the module}.",
        since=_SINCE,
        scope=Scope.MODEL,
    ),
    fatal(
        "libraries-do-not-fit-each-other",
        When(
            type=("ImportError",),
            message=r"cannot import name ['\"]\w",
            raised_in="library",
            unless_type=ENVIRONMENT_TYPES,
        ),
        "{importer|An installed library} imports {name|a name} from {source|a module}, and the installed version does not have "
        "it: the two do not fit.",
        "Update {importer|the library that imports it}, or install a version of {source_package|the module} that still has {name|the name}; "
        "pin both in the archive's requirements.txt.",
        since=_SINCE,
    ),
    fatal(
        "name-missing-in-module",
        When(
            type=("ImportError",),
            message=r"cannot import name|circular import",
            unless_type=ENVIRONMENT_TYPES,
        ),
        "{source|A module} does not have {name|the name} that is imported from it: mostly another version is installed.",
        "Install a version of {source_package|the module} that has {name|it}, or change the import in the model's code to where the "
        "installed version has it.",
        since="2026-11-23",
    ),
)
