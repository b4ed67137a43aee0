"""A remedy sends nobody to the wrong place: causes that one type or text has in common are told apart.

A row: rule, type, message, what else the record holds, and words that reason and remedy together hold. The inputs
are shapes of failures that a reader of blind verdicts was misled by; names and numbers are made up.
"""

from __future__ import annotations

from typing import Any

import pytest

from ts_retry_ext.judge import failure_from_record, judge

SITE = "/usr/lib/python3.10/site-packages"
LOADER = [f"{SITE}/ts/model_loader.py", "load"]
OWN = ["/tmp/models/0123456789abcdef0123456789abcdef/handler.py", "initialize"]


def at(*frames: str) -> dict[str, Any]:
    """Return the stack of a load that ends in these files of installed libraries."""
    return {"frames": [LOADER, OWN, *([f"{SITE}/{file}", "f"] for file in frames)]}


ROWS: list[tuple[str, str, str, dict[str, Any], tuple[str, ...]]] = [
    # Calls and imports: whose line it is
    (
        "handler-takes-arguments",
        "TypeError",
        "Scorer.__init__() missing 1 required positional argument: 'settings'",
        {"phase": "construct", "frames": [LOADER, [LOADER[0], "_get_class_entry_point"]]},
        ("without arguments", "initialize(self, context)"),
    ),
    (
        "call-does-not-fit",
        "TypeError",
        "Net.__init__() missing 1 required positional argument: 'settings'",
        {"phase": "construct", "frames": [LOADER, [OWN[0], "__init__"]]},
        ("last frame of the model's own code",),
    ),
    (
        "call-inside-library-does-not-fit",
        "TypeError",
        "AdapterConfig.__init__() got an unexpected keyword argument 'new_field'",
        at("peft/peft_model.py", "peft/config.py"),
        ("peft makes a call", "Update peft", "adapter_config.json"),
    ),
    (
        "call-does-not-fit",
        "TypeError",
        "load() got an unexpected keyword argument 'speed'",
        at(),
        ("last frame of the model's own code",),
    ),
    (
        "name-missing-in-python-itself",
        "ImportError",
        "cannot import name 'override' from 'typing' (/usr/lib/python3.10/typing.py)",
        at(),
        ("typing is a part of Python itself", "have override", "typing_extensions"),
    ),
    (
        "name-missing-in-python-itself",
        "ImportError",
        "cannot import name 'Iterable' from 'collections' (/opt/conda/lib/python3.10/collections/__init__.py)",
        at(),
        ("collections is a part of Python itself",),
    ),
    (
        "libraries-do-not-fit-each-other",
        "ImportError",
        f"cannot import name 'old_name' from 'sklearn.utils' ({SITE}/sklearn/utils/__init__.py)",
        at("imblearn/base.py"),
        ("The installed imblearn imports old_name from sklearn.utils", "version of scikit-learn that still has old_name"),
    ),
    (
        "circular-import",
        "ImportError",
        "cannot import name 'Net' from partially initialized module 'layers' (most likely due to a circular import) (/x/layers.py)",
        at(),
        ("layers is asked for Net", "Versions have no part in it"),
    ),
    (
        "name-missing-in-module",
        "ImportError",
        f"cannot import name 'old_name' from 'transformers' ({SITE}/transformers/__init__.py)",
        at(),
        ("version of transformers that has old_name", "the import in the model's code"),
    ),
    (
        "module-attribute-missing-in-library",
        "AttributeError",
        "module 'numpy' has no attribute 'float'",
        at("skmultiflow/core.py"),
        ("The installed skmultiflow uses an attribute that numpy does not have",),
    ),
    (
        "pickle-needs-another-version",
        "ModuleNotFoundError",
        "No module named 'sklearn.tree.tree'",
        at("joblib/numpy_pickle.py"),
        ("installed scikit-learn does not have", "save it anew"),
    ),
    # Compiled packages
    (
        "package-required",
        "ImportError",
        "Using this needs a package: `pip install -U accelerate`",
        {},
        ("Install accelerate into",),
    ),
    (
        "package-required",
        "ImportError",
        "AutoModel requires the PyTorch library but it was not found in your environment.",
        {},
        ("Install torch into",),
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "kind", "message", "more", "words"),
    [pytest.param(*row, id=f"{row[0]}-{number}") for number, row in enumerate(ROWS)],
)
def test_reason_and_remedy_name_this_cause(
    rule: str, kind: str, message: str, more: dict[str, Any], words: tuple[str, ...]
) -> None:
    record = {"phase": "initialize", "exc_type": kind, "mro": [], "message": message, **more}
    verdict = judge(failure_from_record(record))
    assert verdict.rule == rule
    told = f"{verdict.reason} {verdict.remedy}"
    assert [word for word in words if word not in told] == [], told
