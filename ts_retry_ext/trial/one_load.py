"""Drive one worker through start, load and, where asked for, one request."""

from __future__ import annotations

import signal
import uuid
from typing import TYPE_CHECKING, NamedTuple

from ts_retry_ext.check.report import Request
from ts_retry_ext.trial.driven_worker import START_TIMEOUT_SEC, Place, Worker
from ts_retry_ext.trial.frontend_side import (
    NoAnswerError,
    Response,
    WorkerDiedError,
    load_request,
    predict_request,
)
from ts_retry_ext.trial.launch import Launch

if TYPE_CHECKING:
    from ts_retry_ext.check.loading import Options

MAX_BODY = 2000
"""Characters of an answer that are kept."""
_BROADCAST = ("tp", "pptp")


class Trial(NamedTuple):
    """What was seen of a worker from outside.

    Attributes:
        why: why it does not serve, one sentence as it looks from outside; empty where it does.
        is_late: whether it does not serve because it took too long.
        died: whether there is a death to be judged: it ended by itself, or its load hung.
        start_sec: seconds until it listened, None where it never did.
        load_sec: seconds from LOAD to its answer, None where there was none.
        request: what became of the request, None where none was sent.
        peak_memory: largest resident size that was seen, in bytes.
        output: the end of what it wrote.
    """

    why: str = ""
    is_late: bool = False
    died: bool = False
    start_sec: float | None = None
    load_sec: float | None = None
    request: Request | None = None
    peak_memory: int = 0
    output: str = ""


def try_model(
    place: Place, launch: Launch, options: Options, archive: str, timeout_sec: float
) -> Trial:
    """Start a worker, load the model, send the request, and end the worker.

    Args:
        place: where.
        launch: how.
        options: those of the run.
        archive: what the run calls the model.
        timeout_sec: how long the load may take.

    Raises:
        AbortedError: the check was told to stop.
    """
    options.tell(archive, "starts")
    try:
        worker = Worker(place, launch, options.children)
    except OSError as error:
        return Trial(f"The worker cannot be started: {error}.")
    trial = Trial()
    orderly = True
    try:
        trial = trial._replace(start_sec=worker.connect())
        options.tell(archive, "loads")
        answer, load_sec = worker.load(_load_message(place, launch, options), timeout_sec)
        trial = trial._replace(load_sec=load_sec)
        if not answer.is_ok:
            trial = trial._replace(why=f"LOAD is answered with {answer.code} {answer.message}.")
        elif options.data is not None:
            options.tell(archive, "answers a request")
            trial = _request(worker, launch, options, trial)
    except WorkerDiedError:
        trial = trial._replace(why=_dead(trial), died=True)
    except NoAnswerError:
        orderly = False
        hung = trial.start_sec is not None and trial.load_sec is None
        why = _late(trial, launch, timeout_sec)
        if worker.child.has_ended:
            why += " Its process has ended; another one that it started keeps its connection open."
        trial = trial._replace(why=why, is_late=True, died=hung)
    except ValueError as error:
        trial = trial._replace(why=f"What the worker answered is not understood: {error}.")
    finally:
        status = worker.close(orderly=orderly)
    if trial.died and not trial.is_late:
        trial = trial._replace(why=f"{trial.why} {_status(status)}")
    options.children.proceed()
    return trial._replace(output=worker.child.output(), peak_memory=worker.child.peak_memory)


def _load_message(place: Place, launch: Launch, options: Options) -> bytes:
    limited = options.server.properties.get("limit_max_image_pixels", "true")
    return load_request(
        launch.model,
        place.model_dir,
        handler=launch.handler,
        batch_size=launch.batch_size,
        gpu=launch.gpu,
        envelope=launch.envelope,
        limit_max_image_pixels=limited.strip().lower() == "true",
    )


def _request(worker: Worker, launch: Launch, options: Options, trial: Trial) -> Trial:
    message = predict_request(uuid.uuid4().hex, options.data or b"", options.content_type)
    answer, seconds = worker.predict(
        message, launch.response_timeout_sec, broadcast=launch.parallel_type in _BROADCAST
    )
    request = _answered(answer, seconds)
    why = "" if answer.is_ok else f"The request is answered with {request.status}: {request.body}"
    return trial._replace(request=request, why=why[:MAX_BODY])


def _answered(answer: Response, seconds: float) -> Request:
    """Return what a client would get."""
    last = answer.predictions[-1] if answer.predictions else None
    if last is None or not 200 <= answer.code < 300:
        size = len(answer.message.encode())
        return Request(answer.code, round(seconds, 3), "", answer.message[:MAX_BODY], size)
    body = last.body[: MAX_BODY * 4].decode("utf-8", "replace")[:MAX_BODY]
    return Request(last.status, round(seconds, 3), last.content_type, body, len(last.body))


def _dead(trial: Trial) -> str:
    if trial.start_sec is None:
        return "The worker ended before it listened."
    if trial.load_sec is None:
        return "The worker ended in its load."
    return "The worker ended in the request."


def _status(status: int | None) -> str:
    if status is None:
        return ""
    if status >= 0:
        return f"Its exit status is {status}."
    names = {number.value: number.name for number in signal.Signals}
    return f"It was ended by {names.get(-status, f'signal {-status}')}."


def _late(trial: Trial, launch: Launch, timeout_sec: float) -> str:
    if trial.start_sec is None:
        return f"The worker did not start within {START_TIMEOUT_SEC:.0f} s."
    if trial.load_sec is not None:
        limit = launch.response_timeout_sec
        return f"The request was not answered within {limit} s (responseTimeout)."
    limit = launch.startup_timeout_sec
    if timeout_sec < limit:
        return (
            f"The load did not end within {timeout_sec:g} s (--timeout); TorchServe would let it "
            f"take {limit} s (startupTimeout)."
        )
    told = f", nor within {timeout_sec:g} s (--timeout)" if timeout_sec > limit else ""
    return f"The load did not end within {limit} s (startupTimeout){told}."
