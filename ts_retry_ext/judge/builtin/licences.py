"""Licences of software that a model uses: a server that is away, no seat free, a term that has ended."""

from __future__ import annotations

from ts_retry_ext.judge.builtin.lines import any_of
from ts_retry_ext.judge.builtin.table import curable, fatal
from ts_retry_ext.judge.rule import When
from ts_retry_ext.judge.verdict import Scope

_SINCE = "2026-11-25"

# FlexNet tells a number beside its words, "-4,132": the first says what, the second where in its code.

RECOVERABLE_IN_DISGUISE = (
    curable(
        "licence-server-away-or-full",
        When(
            message=any_of(r"""
                # FlexNet
                licensing error: ?-(?:4|15|16|96|97),|\(-(?:4|15|16|96|97),\d|licensed number of users already reached
                # Gurobi
                tokens (?:are )?currently in use|(?:failed|unable) to connect to (?:the )?(?:token|licen[cs]e) server
                # Several
                cannot connect to (?:the )?licen[cs]e server
                licen[cs]e server .{0,60}(?:unreachable|not (?:be )?reach|did not (?:respond|answer)|is down|unavailable)
            """)
        ),
        "The licence server can't be reached, or has no seat free at this moment.",
        "Nothing to repair in the model; look at the licence server, and at who holds the seats, if it goes on.",
        since=_SINCE,
    ),
)

RULES = (
    fatal(
        "licence-does-not-allow",
        When(
            message=any_of(r"""
                licensing error: ?-(?:5|8|9|10),|\blicen[cs]e (?:key |file )?(?:has |is |was )?(?:already )?expired
                \bfeature has expired\.[ ]|no such feature exists\.[ ]|no gurobi license found
            """),
            unless=r"lease|renew|refresh|retr(?:y|ies)|server|connect|timed? ?out|tempor",
        ),
        "The licence has ended, or doesn't hold for this feature or host.",
        "Get a licence that does, and put it where the library looks for it.",
        since=_SINCE,
        scope=Scope.HOST,
    ),
)
