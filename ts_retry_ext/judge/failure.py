"""A failure as plain data: what is left of an exception once its process has ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

#: What stands where a text of a failure was cut.
LEFT_OUT = "characters left out"
#: Inner causes kept of one failure.
CHAIN_LIMIT = 16
#: Frames kept of one failure: half of them from the start of the stack, half from its end.
FRAME_LIMIT = 64
#: Notes (PEP 678) kept of one exception.
NOTE_LIMIT = 8


class Phase(str, Enum):
    """Say how far the worker was when it failed.

    startup: the worker script itself, before a model is named; process: it died without an
    exception.
    """

    STARTUP = "startup"
    IMPORT = "import"
    CONSTRUCT = "construct"
    INITIALIZE = "initialize"
    INFERENCE = "inference"
    PROCESS = "process"


@dataclass(frozen=True)
class Frame:
    """Hold one call of a stack.

    Attributes:
        file: path as Python reports it.
        function: name of the function.
        module: dotted name, derived from the path where it is not known.
        line: line number, None where it is not known.
        in_app: True for the model's own code, False for libraries and the interpreter.
    """

    file: str
    function: str
    module: str = ""
    line: int | None = None
    in_app: bool = False


@dataclass(frozen=True)
class Cause:
    """Hold one exception of a chain.

    Attributes:
        type: qualified name; builtin types without a module.
        message: `str(exception)`, bounded and free of control characters.
        mro: names of the type and its bases, nearest first, without `object`.
        errno: operating system error number, also where it hides in `reason`, args or text.
        notes: PEP 678 notes.
        missing_module: name an ImportError could not find.
        http_status: status code the exception object carries.
        filename: path the exception object carries.
        remedy: what to do, where a declared failure says so (`NonRecoverableError`).
        is_printed: whether Python prints it; `from None` and `from other` hide a context.
    """

    type: str
    message: str
    mro: tuple[str, ...] = ()
    errno: int | None = None
    notes: tuple[str, ...] = ()
    missing_module: str | None = None
    http_status: int | None = None
    filename: str | None = None
    remedy: str | None = None
    is_printed: bool = True


@dataclass(frozen=True)
class Failure:
    """Hold one failed load: the exception that came out, what it was caused by, and where.

    Attributes are those of `Cause` for the outermost exception, and:
        chain: inner causes, outermost first.
        frames: outermost call first; this package's own frames are left out.
        phase: how far the worker was.
        traceback: the whole text, bounded.
    """

    type: str
    message: str
    phase: Phase
    mro: tuple[str, ...] = ()
    errno: int | None = None
    notes: tuple[str, ...] = ()
    chain: tuple[Cause, ...] = ()
    frames: tuple[Frame, ...] = ()
    traceback: str = ""
    missing_module: str | None = None
    http_status: int | None = None
    filename: str | None = None
    remedy: str | None = None

    @property
    def links(self) -> tuple[Cause, ...]:
        """Return the outermost exception and its inner causes in one sequence."""
        outermost = Cause(
            type=self.type,
            message=self.message,
            mro=self.mro,
            errno=self.errno,
            notes=self.notes,
            missing_module=self.missing_module,
            http_status=self.http_status,
            filename=self.filename,
            remedy=self.remedy,
        )
        return (outermost, *self.chain)


def failure_of(
    links: Sequence[Cause], frames: Sequence[Frame], phase: Phase, traceback: str
) -> Failure:
    """Build a failure from a chain of at least one exception, the outermost first."""
    first = links[0]
    return Failure(
        type=first.type,
        message=first.message,
        phase=phase,
        mro=first.mro,
        errno=first.errno,
        notes=first.notes,
        chain=tuple(links[1 : CHAIN_LIMIT + 1]),
        frames=tuple(frames),
        traceback=traceback,
        missing_module=first.missing_module,
        http_status=first.http_status,
        filename=first.filename,
        remedy=first.remedy,
    )
