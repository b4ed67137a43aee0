"""Ask the APIs of a frontend one question at a time, waiting for each answer."""

from __future__ import annotations

import socket
from typing import Iterable, TypeVar

from ts_retry_ext.frontend.asking import Asking, Conversation, follow_up
from ts_retry_ext.frontend.conversation import Conversations
from ts_retry_ext.frontend.endpoint import Endpoint, endpoint_of
from ts_retry_ext.frontend.exchange import HttpAnswer, Question, UnreachableError
from ts_retry_ext.frontend.http import request
from ts_retry_ext.frontend.keys import KeyFile
from ts_retry_ext.frontend.running_model import RunningModel
from ts_retry_ext.frontend.server_configuration import ServerConfiguration

T = TypeVar("T")
TIMEOUT_SEC = 10.0
#: A question that changes nothing is asked again after that: while a registration keeps one of the frontend's
#: threads, what is asked of another one is answered (docs/torchserve-defects.md).
FIRST_SEC = 2.0
_CHANGES_NOTHING = ("GET", "OPTIONS")


class ManagementApi:
    """The APIs of one frontend. Every method raises ManagementError where that does not answer so.

    Args:
        endpoint: how they are reached.
        timeout_sec: how long to wait for an answer.
    """

    def __init__(self, endpoint: Endpoint, timeout_sec: float = TIMEOUT_SEC) -> None:
        self.endpoint = endpoint
        self._timeout_sec = timeout_sec
        self._say = Conversations(Asking(endpoint, KeyFile(endpoint.key_file).key))

    def list_models(self) -> list[str]:
        """Return the names of all registered models, sorted."""
        return self._hold(self._say.list_models())

    def describe(self, name: str) -> list[RunningModel]:
        """Return every version of the model `name`, the default one first; none where it is gone."""
        return self._hold(self._say.describe(name))

    def describe_all(self, unlisted: Iterable[str] = ()) -> list[RunningModel]:
        """Return every version of every model.

        Args:
            unlisted: names to ask for besides: the list has no functions of a workflow (0.12.0
                ModelManager.getDefaultModels), which are models otherwise.
        """
        names = dict.fromkeys([*self.list_models(), *unlisted])
        return [model for name in names for model in self.describe(name)]

    def scale(
        self,
        name: str,
        version: str,
        min_workers: int,
        max_workers: int,
        *,
        synchronous: bool,
        timeout_sec: float | None = None,
    ) -> str:
        """Change the number of workers of a model, see `Conversations.scale`."""
        say = self._say.scale(
            name,
            version,
            min_workers,
            max_workers,
            synchronous=synchronous,
            timeout_sec=timeout_sec,
        )
        return self._hold(say)

    def register(
        self, archive: str, *, initial_workers: int, timeout_sec: float | None = None
    ) -> str:
        """Register an archive of the model store, see `Conversations.register`."""
        say = self._say.register(archive, initial_workers=initial_workers, timeout_sec=timeout_sec)
        return self._hold(say)

    def takes_registrations(self) -> bool:
        """Tell whether the model API is on, see `Conversations.takes_registrations`."""
        return self._hold(self._say.takes_registrations())

    def unregister(self, name: str, version: str, *, timeout_sec: float | None = None) -> str:
        """Unregister a version of a model, see `Conversations.unregister`."""
        return self._hold(self._say.unregister(name, version, timeout_sec=timeout_sec))

    def set_default(self, name: str, version: str) -> str:
        """Make a version the default one, see `Conversations.set_default`."""
        return self._hold(self._say.set_default(name, version))

    def torchserve_version(self) -> str | None:
        """Return TorchServe's version; None where its API description does not tell."""
        return self._hold(self._say.torchserve_version())

    def ping(self) -> str | None:
        """Return what ``/ping`` says: ``Healthy`` or ``Unhealthy``; None where it is not asked."""
        return self._hold(self._say.ping())

    def _hold(self, conversation: Conversation[T]) -> T:
        """Carry a conversation from its first question to what it returns."""
        try:
            question = next(conversation)
            while True:
                question = follow_up(conversation, self._told(question))
        except StopIteration as end:
            value: T = end.value
            return value

    def _told(self, question: Question) -> HttpAnswer | UnreachableError:
        try:
            return self._send(question)
        except UnreachableError as error:
            return error

    def _send(self, question: Question) -> HttpAnswer:
        limit_sec = question.timeout_sec or self._timeout_sec
        changes = question.is_shared or question.method not in _CHANGES_NOTHING
        if changes or limit_sec <= FIRST_SEC:
            return self._request(question, limit_sec)
        try:
            return self._request(question, FIRST_SEC)
        except UnreachableError as error:
            if not isinstance(error.__cause__, socket.timeout):
                raise
        return self._request(question, limit_sec)

    def _request(self, question: Question, limit_sec: float) -> HttpAnswer:
        return request(
            question.method,
            question.url,
            headers=question.headers,
            certificate_file=self.endpoint.certificate_file,
            timeout_sec=limit_sec,
        )


def management_api_of(
    configuration: ServerConfiguration, timeout_sec: float = TIMEOUT_SEC
) -> ManagementApi:
    """Return the management API of a server.

    Raises:
        ManagementError: its address is one that is not supported.
    """
    return ManagementApi(endpoint_of(configuration), timeout_sec)
