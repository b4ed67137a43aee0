"""The models of the demo: what each of them is, and what must become of it."""

from __future__ import annotations

from dataclasses import dataclass

from ts_retry_ext.snapshot.state import State


@dataclass(frozen=True)
class DemoModel:
    """One model.

    Attributes:
        name: the name it is packed and registered under.
        source: the file that tells how to pack it, relative to the directory of the handlers.
        outcome: what must become of it when the package is active.
        request: the body of a prediction: a file there, or None where any body will do.
        outlasts_window: whether TorchServe alone gives it up.
    """

    name: str
    source: str
    outcome: State
    request: str | None = None
    outlasts_window: bool = False

    def serves(self, *, switched_off: bool) -> bool:
        """Tell whether it must come to serve, with the package or without it."""
        return self.outcome is State.SERVING and not (switched_off and self.outlasts_window)


#: In the order of the table: what serves, what stops at its first failure, what must repeat first.
MODELS = (
    DemoModel("digits", "digits/digits_handler.py", State.SERVING, "digits/seven.txt"),
    DemoModel("language", "language/language_handler.py", State.SERVING, "language/question.txt"),
    DemoModel("flaky_connection", "broken/flaky_connection/handler.py", State.SERVING),
    DemoModel(
        "late_service", "broken/late_service/handler.py", State.SERVING, outlasts_window=True
    ),
    DemoModel("syntax_error", "broken/syntax_error/handler.py", State.HALTED),
    DemoModel("syntax_error_in_import", "broken/syntax_error_in_import/handler.py", State.HALTED),
    DemoModel("missing_module", "broken/missing_module/handler.py", State.HALTED),
    DemoModel("state_dict_mismatch", "broken/state_dict_mismatch/wider_model.py", State.HALTED),
    DemoModel("declared", "broken/declared/handler.py", State.HALTED),
    DemoModel("same_error", "broken/same_error/handler.py", State.WAITING),
    DemoModel("segfault", "broken/segfault/handler.py", State.WAITING),
    DemoModel("os_exit", "broken/os_exit/handler.py", State.WAITING),
)
