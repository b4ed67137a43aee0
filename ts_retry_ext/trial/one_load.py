"""Drive one worker through start, load and, if one is given, one request."""

from __future__ import annotations

import signal
import uuid
from typing import Callable, NamedTuple

from ts_retry_ext.trial.child_processes import Children
from ts_retry_ext.trial.driven_worker import START_TIMEOUT_SEC, TORCHRUN, Place, Worker
from ts_retry_ext.trial.frontend_side import (
    NoAnswerError,
    Response,
    WorkerDiedError,
    load_message,
    predict_request,
)
from ts_retry_ext.trial.launch import Launch
from ts_retry_ext.worker.protocol import LoadRequest

#: Characters of an answer that are kept.
MAX_BODY = 2000
_BROADCAST = ("tp", "pptp")


class Order(NamedTuple):
    """What one worker is to do.

    Attributes:
        tell: is told what the worker does now, in a word.
    """

    load: LoadRequest
    timeout_sec: float
    data: bytes | None = None
    content_type: str | None = None
    tell: Callable[[str], None] = lambda _stage: None


class Answer(NamedTuple):
    """What a client would get for the request.

    Attributes:
        sec: seconds until the answer.
        content_type: what the handler named, or empty.
        size: length of the whole answer in bytes.
    """

    status: int
    sec: float
    content_type: str
    body: str
    size: int


class LoadOutcome(NamedTuple):
    """What was seen of a worker from outside.

    Attributes:
        why: why it does not serve, one sentence as it looks from outside; empty where it does.
        is_late: whether it does not serve because it took too long.
        died: whether there is a death to be judged: it ended by itself, or its load hung.
        start_sec: seconds until it listened, None where it never did.
        load_sec: seconds from LOAD to its answer, None where there was none.
        answer: what became of the request, None where none was sent.
        peak_memory: largest resident size that was seen, in bytes.
        output: the end of what it wrote.
        is_started: whether there was a process at all.
    """

    why: str = ""
    is_late: bool = False
    died: bool = False
    start_sec: float | None = None
    load_sec: float | None = None
    answer: Answer | None = None
    peak_memory: int = 0
    output: str = ""
    is_started: bool = True


def load_once(place: Place, launch: Launch, order: Order, children: Children) -> LoadOutcome:
    """Start a worker, load the model, send the request, and end the worker.

    Raises:
        AbortedError: the run was told to stop.
    """
    order.tell("starts")
    try:
        worker = Worker(place, launch, children)
    except OSError as error:
        return LoadOutcome(f"The worker cannot be started: {_why_not(error)}.", is_started=False)
    outcome = LoadOutcome()
    orderly = True
    try:
        outcome = outcome._replace(start_sec=worker.connect())
        order.tell("loads")
        response, load_sec = worker.load(load_message(order.load), order.timeout_sec)
        outcome = outcome._replace(load_sec=load_sec)
        if not response.is_ok:
            outcome = outcome._replace(
                why=f"LOAD is answered with {response.code} {response.message}."
            )
        elif order.data is not None:
            order.tell("answers a request")
            outcome = _request(worker, launch, order, outcome)
    except WorkerDiedError:
        outcome = outcome._replace(why=_dead(outcome), died=True)
    except NoAnswerError:
        orderly = False
        hung = outcome.start_sec is not None and outcome.load_sec is None
        why = _late(outcome, launch, order.timeout_sec)
        if worker.child.has_ended:
            why += " Its process has ended; another one that it started keeps its connection open."
        outcome = outcome._replace(why=why, is_late=True, died=hung)
    except ValueError as error:
        outcome = outcome._replace(why=f"What the worker answered is not understood: {error}.")
    finally:
        # One that serves asynchronously does not end when its connection does (docs/torchserve-defects.md).
        stays = launch.limits.asynchronous and not outcome.why
        status = worker.close(orderly=orderly and not stays)
    if outcome.died and not outcome.is_late:
        outcome = outcome._replace(why=f"{outcome.why} {_status(status)}")
    children.proceed()
    return outcome._replace(output=worker.child.output(), peak_memory=worker.child.peak_memory)


def _why_not(error: OSError) -> str:
    if isinstance(error, FileNotFoundError) and error.filename == TORCHRUN:
        return (
            f"parallelLevel needs {TORCHRUN}, which is not on the PATH. It comes with torch: put the "
            "bin folder of TorchServe's environment on the PATH, the server's as well"
        )
    return str(error)


def _request(worker: Worker, launch: Launch, order: Order, outcome: LoadOutcome) -> LoadOutcome:
    message = predict_request(uuid.uuid4().hex, order.data or b"", order.content_type)
    response, seconds = worker.predict(
        message,
        launch.limits.response_timeout_sec,
        broadcast=launch.limits.parallel_type in _BROADCAST,
    )
    answer = _answered(response, seconds)
    why = "" if response.is_ok else f"The request is answered with {answer.status}: {answer.body}"
    return outcome._replace(answer=answer, why=why[:MAX_BODY])


def _answered(response: Response, seconds: float) -> Answer:
    """Return what a client would get."""
    last = response.predictions[-1] if response.predictions else None
    if last is None or not 200 <= response.code < 300:
        size = len(response.message.encode())
        return Answer(response.code, round(seconds, 3), "", response.message[:MAX_BODY], size)
    body = last.body[: MAX_BODY * 4].decode("utf-8", "replace")[:MAX_BODY]
    return Answer(last.status, round(seconds, 3), last.content_type, body, len(last.body))


def _dead(outcome: LoadOutcome) -> str:
    if outcome.start_sec is None:
        return "The worker ended before it listened."
    if outcome.load_sec is None:
        return "The worker ended in its load."
    return "The worker ended in the request."


def _status(status: int | None) -> str:
    if status is None:
        return ""
    if status >= 0:
        return f"Its exit code is {status}."
    names = {number.value: number.name for number in signal.Signals}
    return f"It was ended by {names.get(-status, f'signal {-status}')}."


def _late(outcome: LoadOutcome, launch: Launch, timeout_sec: float) -> str:
    if outcome.start_sec is None:
        return f"The worker did not start within {START_TIMEOUT_SEC:.0f} s."
    if outcome.load_sec is not None:
        limit = launch.limits.response_timeout_sec
        return f"The request was not answered within {limit} s (responseTimeout)."
    limit = launch.limits.startup_timeout_sec
    if timeout_sec < limit:
        return (
            f"The load did not end within {timeout_sec:g} s (--timeout); TorchServe would let it "
            f"take {limit} s (startupTimeout)."
        )
    told = f", nor within {timeout_sec:g} s (--timeout)" if timeout_sec > limit else ""
    return f"The load did not end within {limit} s (startupTimeout){told}."
