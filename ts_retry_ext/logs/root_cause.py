"""Choose among the tracebacks of one worker process the one that says why it ended."""

from __future__ import annotations

import re
from typing import Sequence

from ts_retry_ext.logs.tracebacks import Traceback

#: What the worker script logs of the exception that ends it (0.12.0).
DIED = "Backend worker process died."
#: What it logs of a load that it answers with an error (0.12.0 load_model).
_REFUSED = re.compile(
    r"^(?:Failed to load model .*, exception |Load model .* (?:cpu|cuda) OOM, exception )"
)
#: What stands above a traceback that ends neither a load nor a process.
_ASIDE = re.compile(
    r"^(?:Exception (?:ignored in|in thread)|Error in (?:atexit|sys\.excepthook)|--- Logging error ---"
    r"|Task exception was never retrieved|Invoking custom service failed)"
)
#: Exceptions that say no more than that something failed elsewhere. Each names who raises it.
_WRAPPER = re.compile(
    r"""(?x)
      ^(?:RuntimeError:\ )?50[07]\ -\ (?:Unknown\ exception|System\ out\ of\ memory)$  # TorchServe's worker script, after the failure
    | \bsee\ (?:the\ )?(?:root\ cause|stack\ ?trace|traceback|error|logs?|exception|output)s?\ (?:\w+\ ){0,3}(?:above|for\ the\ root\ cause)  # vLLM
    | \bfailed\ core\ proc | \bengine\ (?:process|core)\ (?:failed\ to\ start|initialization\ failed)     # vLLM
    | \bChildFailedError\b                                                          # torchrun
    | \bProcess(?:Raised|Exited)Exception\b                                         # torch.multiprocessing
    | ^(?:subprocess\.)?CalledProcessError:\ .*non-zero\ exit\ status               # DeepSpeed's builder, any child
    | \b(?:worker|actor|process|rank)s?\b.{0,80}\b(?:died|exited|terminated)\ (?:unexpectedly|before|because)  # Ray, DataLoader
    """,
    re.IGNORECASE,
)


def root_of(tracebacks: Sequence[Traceback]) -> Traceback | None:
    """Return the traceback of the failure, or None where none is one that ends a load or a process.

    The one that the worker script logs when it ends or refuses a load counts, of several processes (ranks) the first;
    else the last one, of several ranks again the first. Where it only points at another one above, that one counts.

    Args:
        tracebacks: of one worker process and its children, in the order in which they begin.
    """
    whole = [found for found in tracebacks if found.is_whole]
    main = [found for found in whole if not _ASIDE.match(found.above)]
    if not main:
        return None
    ended = [found for found in main if found.above == DIED or _REFUSED.match(found.above)]
    chosen = ended[0] if ended else _first_to_end(main)
    while is_wrapper(chosen):
        earlier = whole[: whole.index(chosen)]
        if not earlier:
            later = [found for found in main if not is_wrapper(found)]
            return later[0] if later else chosen
        chosen = earlier[-1]
    return chosen


def _first_to_end(main: Sequence[Traceback]) -> Traceback:
    """Return of each writer's last traceback the one that begins first: other ranks fail because of it."""
    last = {found.writer: found for found in main}
    return next(found for found in main if found is last[found.writer])


def is_wrapper(traceback: Traceback) -> bool:
    """Tell whether an exception only says that something failed elsewhere, so that the cause stands above it."""
    return any(
        _WRAPPER.search(line) for line in traceback.lines[-12:] if not line.startswith("  File")
    )
