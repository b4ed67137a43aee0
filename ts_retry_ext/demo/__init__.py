"""``ts-retry demo``: a real TorchServe with sound, flaky and broken models, watched by a person."""

from __future__ import annotations


class DemoError(Exception):
    """The demo cannot go on. The message is one line fit for people.

    Attributes:
        log: the end of the log that tells more, or an empty text.
    """

    def __init__(self, message: str, log: str = "") -> None:
        super().__init__(message)
        self.log = log
