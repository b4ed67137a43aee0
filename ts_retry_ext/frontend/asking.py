"""How a question is put to a frontend: with the key that its API asks for, renewed where that has expired.

Nothing here sends anything. A conversation is a generator: it yields a `Question` and is sent the
`HttpAnswer`, or has an `UnreachableError` thrown into it, until it returns what was asked for or raises
a `ManagementError`. So every client says the same, whether it waits or not.

The management key expires (60 minutes by default); the API key of the same file renews
it with ``GET /token?type=management``, which writes the file anew before it answers. Each renewal
spoils the key before it, so that a client with several conversations renews once for all of them.
"""

from __future__ import annotations

from typing import Any, Callable, Generator, NamedTuple, TypeVar
from urllib.parse import urlencode

from ts_retry_ext.frontend.condition import Condition, ManagementError
from ts_retry_ext.frontend.endpoint import Endpoint
from ts_retry_ext.frontend.exchange import HttpAnswer, Question, UnreachableError
from ts_retry_ext.frontend.keys import Key, KeyFileError
from ts_retry_ext.frontend.refusal import (
    OTHER_FORM,
    is_key_refused,
    other_form,
    parsed,
    refusal,
    unheard,
)
from ts_retry_ext.frontend.running_model import text_of

T = TypeVar("T")
Conversation = Generator[Question, HttpAnswer, T]

MANAGEMENT, INFERENCE = "the management API", "the inference API"
#: Keys tried for one question: others may renew the key at the same time, and the newest counts.
KEYS_TRIED = 3


def follow_up(conversation: Conversation[T], told: HttpAnswer | UnreachableError) -> Question:
    """Return what to ask next after what the last question came to.

    Raises:
        StopIteration: the conversation is over; its value is what was asked for.
    """
    if isinstance(told, UnreachableError):
        return conversation.throw(told)
    return conversation.send(told)


class Asking(NamedTuple):
    """Puts questions to one frontend.

    Attributes:
        endpoint: how its APIs are reached.
        key: returns its key of a kind, ``management``, ``inference`` or ``API``; None where there is
            no key file. Raises KeyFileError.
    """

    endpoint: Endpoint
    key: Callable[[str], Key | None]

    def told(
        self, method: str, path: str, timeout_sec: float | None = None, **query: object
    ) -> Conversation[str]:
        """Let the management API do something, and return its words."""
        sent, content = yield from self.managed(method, path, timeout_sec, **query)
        try:
            return text_of(content["status"])
        except OTHER_FORM as error:
            raise other_form(sent, MANAGEMENT, "an answer in words") from error

    def managed(
        self, method: str, path: str, timeout_sec: float | None = None, **query: object
    ) -> Conversation[tuple[Question, Any]]:
        """Ask the management API, and return what was sent and the content of its answer."""
        sent, answer = yield from self.answered(method, path, timeout_sec, **query)
        return sent, self.content(sent, answer)

    def answered(
        self, method: str, path: str, timeout_sec: float | None = None, **query: object
    ) -> Conversation[tuple[Question, HttpAnswer]]:
        """Ask the management API, and return what was sent and its answer, whatever its status."""
        url = self.endpoint.management + path + ("?" + urlencode(query) if query else "")
        question = Question(method, url, {}, timeout_sec)
        return (yield from self.with_key(question, "management", MANAGEMENT))

    def content(self, sent: Question, answer: HttpAnswer) -> Any:
        """Return the content of an answer of the management API. Raises ManagementError."""
        if not 200 <= answer.status < 300:
            raise refusal(sent, answer, MANAGEMENT, self.endpoint.key_file)
        return parsed(sent, answer, MANAGEMENT)

    def with_key(
        self, question: Question, kind: str, whom: str
    ) -> Conversation[tuple[Question, HttpAnswer]]:
        """Ask with the key of a kind, with a renewed one where the frontend refuses that."""
        key = yield from self._valid_key(kind)
        for _ in range(KEYS_TRIED - 1):
            sent = question._replace(headers=key.headers if key else {})
            answer = yield from self.exchange(sent, whom)
            if key is None or not is_key_refused(answer):
                return sent, answer
            refused, key = key, (yield from self._valid_key(kind, refused=key))
            if key == refused:
                return sent, answer
        sent = question._replace(headers=key.headers if key else {})
        return sent, (yield from self.exchange(sent, whom))

    def _valid_key(self, kind: str, refused: Key | None = None) -> Conversation[Key | None]:
        """Return the key of a kind, renewed where it has expired or is the one that was refused.

        None where the server has no key file: its answer shows whether it asks for a key.
        """
        key = self._kept_key(kind, Condition.REFUSED)
        if key is None or not (key.is_expired() or key == refused):
            return key
        if not self.endpoint.renews_keys:
            place = self.endpoint.key_file
            why = "has expired" if key.is_expired() else "is refused"
            how = f"ask for {self.endpoint.management}/token?type={kind} with its API key"
            msg = f"the {kind} key in {place} {why}, and retry_renew_keys is false: {how}"
            raise ManagementError(msg, Condition.EXPIRED_KEY)
        api_key = self._kept_key("API", Condition.EXPIRED_KEY)
        url = f"{self.endpoint.management}/token?type={kind}"
        renewal = Question("GET", url, api_key.headers if api_key else {}, is_shared=True)
        yield from self.exchange(renewal, MANAGEMENT)
        key = self._kept_key(kind, Condition.REFUSED)
        if key is not None and key.is_expired():
            place = self.endpoint.key_file
            msg = f"the {kind} key in {place} has expired, and the server did not renew it"
            raise ManagementError(msg, Condition.EXPIRED_KEY)
        return key

    def _kept_key(self, kind: str, condition: Condition) -> Key | None:
        try:
            return self.key(kind)
        except KeyFileError as error:
            msg = f"the server asks for a token: {error}"
            raise ManagementError(msg, condition) from error

    def exchange(self, question: Question, whom: str) -> Conversation[HttpAnswer]:
        try:
            return (yield question)
        except UnreachableError as error:
            raise unheard(question, whom, error) from error
