"""What an answer of a frontend's APIs comes to that is no success, or none of TorchServe's.

TorchServe refuses with JSON that names code, type and message (0.12.0 ErrorResponse). An answer of another
form is somebody else's: a proxy's, or that of another server which has the port. It says nothing of
models, and nothing of whether something was done.

Token authorization refuses with status 400 (0.12.0 InvalidKeyException), proxies in front of it with
401 or 403. TorchServe itself answers 403 to whoever unregisters a default version, and 405 to whoever
registers or unregisters while ``enable_model_api`` is off, its default.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urljoin

from ts_retry_ext.frontend.condition import Condition, ManagementError
from ts_retry_ext.frontend.exchange import (
    HttpAnswer,
    Question,
    UnreachableError,
    place_of,
    without_password,
)

TOKEN_REFUSED, UNAUTHORIZED, FORBIDDEN, NOT_FOUND, NOT_ALLOWED = 400, 401, 403, 404, 405
BAD_REQUEST, CONFLICT, TOO_MANY = 400, 409, 429
#: The type of a 404 for a path that an API does not have (0.12.0 ResourceNotFoundException).
NO_SUCH_PATH = "ResourceNotFoundException"
OTHER_API = (
    "; this is what another API of TorchServe's answers: look at the address in the server's configuration, "
    "and at what listens there"
)
#: What a proxy answers that does not reach the server, or not in time.
GATEWAY_TIMEOUT = 504
BAD_GATEWAY = (502, 503, GATEWAY_TIMEOUT)
#: Statuses that ask who is there; TorchServe says with them what it refuses, in JSON.
WHO_ASKS = (UNAUTHORIZED, FORBIDDEN, 407)
LOGIN = (
    "; something in TorchServe's place, such as a proxy, asks who is there, and is sent TorchServe's key and no "
    "other login: see that it takes requests from this machine"
)
#: What the refusal of a key says (0.12.0 InvalidKeyException); its status has other uses.
TOKEN_WORDS = "Token Authorization failed"
#: Of a refusal so many characters are shown.
MAX_WORDS = 300
MAX_PLACE = 100
MODEL_API_OFF = (
    "; the model API is off, set enable_model_api=true and restart the server to register or"
    " unregister models"
)
FOREIGN = (
    "; this is no answer of TorchServe's: look at what listens there, a proxy or another server, and at "
    "the address in the server's configuration"
)
NO_ANSWER = "; see that the server runs, and that its configuration names this address"
UNTRUSTED = "; its certificate is not trusted: name the one that signed it in SSL_CERT_FILE"
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
        key_file: where the server's key file should be, or None where it asks for no key.
    """
    words = _words(answer)
    if words is None:
        words = f"status {answer.status} and {_kind(answer)}"
    words = _without_key(words, sent)[:MAX_WORDS] + _advice(sent, answer, key_file)
    condition = Condition.REFUSED if is_key_refused(answer) else Condition.GARBAGE
    msg = f"{whom} at {place_of(sent.url)} refuses {asked_in_words(sent)}: {words}"
    return ManagementError(msg, condition, answer.status, is_own=is_own_refusal(answer))


def _advice(sent: Question, answer: HttpAnswer, key_file: str | None) -> str:
    refused, is_own, advice = is_key_refused(answer), is_own_refusal(answer), ""
    if answer.status in WHO_ASKS and _words(answer) is None:
        return LOGIN
    if refused and not sent.headers:
        advice = _why_no_key(key_file)
    elif is_own and answer.status == NOT_ALLOWED:
        advice = MODEL_API_OFF
    elif _is_other_api(answer):
        advice = OTHER_API
    if refused and sent.headers:
        return f"{advice}; see that {key_file} is the key file of this server"
    return advice if is_own else advice + _remedy(sent, answer)


def is_key_refused(answer: HttpAnswer) -> bool:
    """Tell whether an answer refuses the key, or asks for one."""
    words = _words(answer)
    if answer.status == UNAUTHORIZED or (answer.status == FORBIDDEN and words is None):
        return True
    return answer.status in (TOKEN_REFUSED, FORBIDDEN) and TOKEN_WORDS in (words or "")


def is_own_refusal(answer: HttpAnswer) -> bool:
    """Tell whether TorchServe itself refuses: by its form, whose code is the status."""
    content = _content(answer)
    if not isinstance(content, dict) or content.get("code") != answer.status:
        return False
    return isinstance(content.get("type"), str)


def is_model_missing(answer: HttpAnswer, name: str) -> bool:
    """Tell whether TorchServe says that it has no model `name`, or that none can have such a name.

    For a name with a slash it has no path; for another one, that is said by another API than the management API.
    """
    is_own = answer.status == NOT_FOUND and is_own_refusal(answer)
    return is_own and ("/" in name or not _is_other_api(answer))


def _is_other_api(answer: HttpAnswer) -> bool:
    """Tell whether an API of TorchServe's answers that it does not have what was asked for."""
    return is_own_refusal(answer) and _content(answer)["type"] == NO_SUCH_PATH


def parsed(sent: Question, answer: HttpAnswer, whom: str) -> Any:
    """Return the JSON of an answer. Raises ManagementError."""
    try:
        return json.loads(answer.body.decode("utf-8"), object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        msg = f"{_answers(sent, whom)} status {answer.status} and {_kind(answer)}{FOREIGN}"
        raise ManagementError(msg, Condition.GARBAGE, answer.status) from error


def other_form(sent: Question, whom: str, what: str) -> ManagementError:
    """Return the error of an answer to `sent` that was read as `what` and is something else."""
    return ManagementError(f"{_answers(sent, whom)} JSON that is not {what}{FOREIGN}")


def unheard(sent: Question, whom: str, error: UnreachableError) -> ManagementError:
    """Return what it comes to that nobody answered, or not in HTTP."""
    condition = Condition.GARBAGE if error.is_garbage else Condition.AWAY
    remedy = FOREIGN if error.is_garbage else NO_ANSWER
    if "certificate verify failed" in str(error) and "mismatch" not in str(error):
        remedy = UNTRUSTED
    words = _without_key(str(error), sent)
    return ManagementError(f"{whom} at {words} ({asked_in_words(sent)}){remedy}", condition)


def asked_in_words(sent: Question) -> str:
    """Return method and path of a question, without what may be secret in a query."""
    return f"{sent.method} {sent.url[len(place_of(sent.url)) :].partition('?')[0]}"


def _answers(sent: Question, whom: str) -> str:
    return f"{whom} at {place_of(sent.url)} answers {asked_in_words(sent)} with"


def _content(answer: HttpAnswer) -> Any:
    """Return the JSON of an answer, None where it is none."""
    try:
        return json.loads(answer.body.decode("utf-8"))
    except (ValueError, RecursionError):
        return None


def _words(answer: HttpAnswer) -> str | None:
    """Return the message of a refusal in JSON, as TorchServe's is, None where it has another form."""
    content = _content(answer)
    message = content.get("message") if isinstance(content, dict) else None
    return message if isinstance(message, str) else None


def _kind(answer: HttpAnswer) -> str:
    """Return in words what the body of an answer is."""
    if not answer.body.strip():
        return "an empty body"
    if answer.body.lstrip()[:1] == b"<":
        return "an HTML page"
    return "something that is no JSON" if _content(answer) is None else "JSON of another form"


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return a JSON object. Raises ValueError: it names a key twice, so that nobody knows what it says."""
    found = dict(pairs)
    if len(found) < len(pairs):
        msg = "a key is named twice"
        raise ValueError(msg)
    return found


def _remedy(sent: Question, answer: HttpAnswer) -> str:
    if 300 <= answer.status < 400:
        return (
            "; a redirect is not followed, so that no key goes elsewhere: the address in the server's "
            f"configuration is asked, and it has to be TorchServe that answers there{_leads_to(sent, answer)}"
        )
    if answer.status == TOO_MANY:
        return "; a proxy limits how often it may be asked: try again later"
    if answer.status in BAD_GATEWAY:
        return "; a proxy answers in its place: see that it reaches TorchServe, and try again"
    return FOREIGN


def _leads_to(sent: Question, answer: HttpAnswer) -> str:
    """Return in words where a redirect leads, without what may be secret."""
    try:
        to = urljoin(sent.url, without_password(answer.location or ""))
        place = place_of(to)
    except ValueError:
        return ""
    if place != place_of(sent.url):
        return f". It leads to {place[:MAX_PLACE]}: write that if it is TorchServe's"
    path = to[len(place) :].partition("?")[0]
    return f". It leads to the path {path[:MAX_PLACE]}: a proxy has to pass TorchServe's paths on as they are"


def _without_key(words: str, sent: Question) -> str:
    """Return what was answered without the key that was sent, which an answer may repeat."""
    for header in sent.headers.values():
        words = words.replace(header.rpartition(" ")[2], "[key]")
    return words


def _why_no_key(key_file: str | None) -> str:
    """Return what to add to the refusal of a request that was sent without a key."""
    if key_file is None:
        return " (the server asks for a token although its configuration says it does not)"
    return f" (its key file is not there: {key_file})"
