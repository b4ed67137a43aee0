"""What an answer of a frontend's APIs comes to that is no success, or none of TorchServe's.

Token authorization refuses with status 400 (0.12.0 InvalidKeyException), proxies in front of it with
401 or 403. TorchServe itself answers 403 to whoever unregisters a default version, and 405 to whoever
registers or unregisters while ``enable_model_api`` is off, its default.
"""

from __future__ import annotations

import json
from typing import Any

from ts_retry_ext.frontend.condition import Condition, ManagementError
from ts_retry_ext.frontend.exchange import HttpAnswer, Question, place_of

TOKEN_REFUSED, UNAUTHORIZED, FORBIDDEN, NOT_FOUND, NOT_ALLOWED = 400, 401, 403, 404, 405
#: What the refusal of a key says (0.12.0 InvalidKeyException); its status has other uses.
TOKEN_WORDS = "Token Authorization failed"
#: Of a refusal so many characters are shown.
MAX_WORDS = 300
MODEL_API_OFF = (
    "; the model API is off, set enable_model_api=true and restart the server to register or"
    " unregister models"
)
#: What comes of reading an answer of another form.
OTHER_FORM = (
    KeyError,
    IndexError,
    TypeError,
    ValueError,
    OverflowError,
    AttributeError,
    RecursionError,
)


def refusal(sent: Question, answer: HttpAnswer, whom: str, key_file: str | None) -> ManagementError:
    """Return what an answer that is no success comes to, with the frontend's own words.

    Args:
        sent: what was asked, with the key that was sent.
        answer: the answer.
        whom: who was asked, for people.
        key_file: where the server's key file should be, or None where it asks for no key.
    """
    refused = is_key_refused(answer)
    words = (_words(answer) or f"status {answer.status}")[:MAX_WORDS]
    if refused and not sent.headers:
        words += _why_no_key(key_file)
    elif answer.status == NOT_ALLOWED:
        words += MODEL_API_OFF
    place = place_of(sent.url)
    path = sent.url[len(place) :].partition("?")[0]
    condition = Condition.REFUSED if refused else Condition.GARBAGE
    msg = f"{whom} at {place} refuses {sent.method} {path}: {words}"
    return ManagementError(msg, condition, answer.status)


def is_key_refused(answer: HttpAnswer) -> bool:
    """Tell whether an answer refuses the key, or asks for one."""
    words = _words(answer)
    if answer.status == UNAUTHORIZED or (answer.status == FORBIDDEN and words is None):
        return True
    return answer.status in (TOKEN_REFUSED, FORBIDDEN) and TOKEN_WORDS in (words or "")


def parsed(answer: HttpAnswer) -> Any:
    """Return the JSON of an answer. Raises ManagementError."""
    try:
        return json.loads(answer.body.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        msg = f"the frontend answered {answer.status} with something that is no JSON"
        raise ManagementError(msg, Condition.GARBAGE, answer.status) from error


def other_form(what: str) -> ManagementError:
    """Return the error of an answer that was read as `what` and is something else."""
    return ManagementError(f"the management API answers with something that is not {what}")


def _words(answer: HttpAnswer) -> str | None:
    """Return the message of a refusal in TorchServe's form, None where it has another."""
    try:
        return str(json.loads(answer.body.decode("utf-8"))["message"])
    except OTHER_FORM:
        return None


def _why_no_key(key_file: str | None) -> str:
    """Return what to add to the refusal of a request that was sent without a key."""
    if key_file is None:
        return " (the server asks for a token although its configuration says it does not)"
    return f" (its key file is not there: {key_file})"
