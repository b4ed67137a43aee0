from __future__ import annotations

import sys
from types import ModuleType

import pytest

from ts_retry_ext.worker.declared import HANDLER_MODULE, declared_types


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ((KeyError, OSError), (KeyError, OSError)),
        ([KeyError], (KeyError,)),
        (KeyError, (KeyError,)),  # What (KeyError) means: a comma was forgotten.
        (("KeyError", OSError, 3, int), (OSError,)),
        ("KeyError", ()),
        (None, ()),
        ((), ()),
    ],
)
def test_what_a_handler_names_is_taken_as_far_as_it_makes_sense(
    monkeypatch: pytest.MonkeyPatch, value: object, expected: tuple[type[BaseException], ...]
) -> None:
    module = ModuleType(HANDLER_MODULE)
    module.handler_classes = [type("Handler", (), {"recoverable": value})]  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, HANDLER_MODULE, module)
    assert declared_types("recoverable") == expected


def test_without_a_handler_of_ours_nothing_is_declared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, HANDLER_MODULE, raising=False)
    assert declared_types("poisonous") == ()
