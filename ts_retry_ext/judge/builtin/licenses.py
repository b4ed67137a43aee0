"""Licenses of software that a model uses: a server that is away, no seat free, a term that has ended."""

from __future__ import annotations

from ts_retry_ext.judge.builtin.lines import any_of
from ts_retry_ext.judge.builtin.table import curable, fatal
from ts_retry_ext.judge.rule import When
from ts_retry_ext.judge.verdict import Scope

CAUSE_LIES_OUTSIDE = True
_SINCE = "2026-11-25"

# FlexNet tells a number beside its words, "-4,132": the first says what, the second where in its code.

#: What FlexNet's error numbers stand behind: HALCON and others write it themselves, MATLAB's runtime its license manager.
_NUMBER = r"licen(?:sing|[cs]e manager) error:? ?-"
#: A seat is asked for from somebody who may give none to this user or host, and says so by name.
_NOT_FOR_THIS_ONE = any_of(r"""
    # Gurobi, by its token server and by the file of a named user
    request denied: (?:user|host|client|group)s? \W?[\w.\-]{1,64}\W? (?:is )?not (?:in|on) (?:the )?authori[sz]ed|user-?name mismatch
    # FlexNet, RLM: the options file
    user/host (?:is )?(?:on (?:the )?exclude|not on (?:the )?include) list|not authori[sz]ed to use this licen[cs]e
    # MATLAB
    username does not match the username in the licen[cs]e
""")

RECOVERABLE_IN_DISGUISE = (
    curable(
        "licence-seats-taken",
        When(
            message=any_of(r"""
                # Gurobi
                single-use licen[cs]e\. another|request denied: (?:\w+ ){0,3}limit|\buse limit \(\d+\)|too many (?:concurrent )?sessions
                tokens (?:are )?currently in use
                # RLM, Sentinel
                all licen[cs]es in use|no (?:free )?licen[cs]es? (?:is |are )?(?:currently )?available
                too many users (?:are )?(?:connected|logged)|hasp_too_many_users
                # FlexNet, MATLAB's runtime
                licensing error: ?-4,|\(-4,\d|licensed number of users already reached|checkout exceeds max|\busers are queued for this feature
                licen[cs]e manager error:? ?-4\b|maximum number of (?:users|licen[cs]es|seats) .{0,60}(?:reached|in use)
            """)
        ),
        "All seats of the license are taken at this moment.",
        "Nothing to repair in the model; look at who holds the seats (a worker that was killed keeps its own for a while), or "
        "let fewer workers take one, if it goes on.",
        since="2026-11-27",
    ),
    curable(
        "licence-server-away-or-full",
        When(
            message=any_of(r"""
                # Gurobi: token server, compute server, web licence service
                no response from (?:the )?(?:gurobi|token|licen[cs]e)|single-use licen[cs]e\. another|job was rejected because
                web licen[cs]e service .{0,120}(?:not respond|unreachable|unable|timed? out|failed to connect)
                # Gurobi: token server and web licence service, all seats taken
                request denied: (?:\w+ ){0,3}limit|\buse limit \(\d+\)|too many (?:concurrent )?sessions
                # MOSEK, CPLEX, Xpress
                msk_res_err_licen[cs]e_(?:server|max|cannot_connect|moseklm_connection)|err_licen[cs]e_(?:max|server)|ilm error (?:9|16)\b
                # RLM, Sentinel
                all licen[cs]es in use|communications error with licen[cs]e server|no (?:free )?licen[cs]es? (?:is |are )?(?:currently )?available
                # any: a seat is asked for
                could not (?:check ?out|obtain|acquire) a? ?licen[cs]e.{0,80}(?:unreachable|unavailable|time|busy|in use|connect)
                licen[cs]e server (?:is )?busy
                # FlexNet
                licensing error: ?-(?:4|15|16|96|97),|\(-(?:4|15|16|96|97),\d|licensed number of users already reached
                checkout exceeds max|\busers are queued for this feature
                # MATLAB's runtime
                licen[cs]e manager error:? ?-(?:4|7|15|16|96|97)\b|maximum number of (?:users|licen[cs]es|seats) .{0,60}(?:reached|in use)
                # Sentinel
                too many users (?:are )?(?:connected|logged)|hasp_too_many_users
                # Gurobi
                tokens (?:are )?currently in use|(?:failed|unable) to connect to (?:the )?(?:token|licen[cs]e) server
                # Several
                cannot connect to (?:the )?licen[cs]e server
                licen[cs]e server .{0,60}(?:unreachable|not (?:be )?reach|did not (?:respond|answer)|is down|unavailable)
            """)
        ),
        "The license server cannot be reached, or has no seat free at this moment.",
        "Nothing to repair in the model; look at the license server, and at who holds the seats, if it goes on.",
        since=_SINCE,
    ),
)

RULES = (
    fatal(
        "licence-not-for-this-user",
        When(
            message=f"{_NOT_FOR_THIS_ONE}|{_NUMBER}(?:38|39)\\b",
            unless=r"lease|renew|refresh|retr(?:y|ies)|connect|timed? ?out|tempor",
        ),
        "The license server knows this user or host, and does not give it a seat.",
        "Have the user or the host added to the license server's list, or run TorchServe as a user, or on a host, that is on it.",
        since="2026-11-26",
        scope=Scope.HOST,
    ),
    fatal(
        "licence-for-another-host",
        # Gurobi, RLM, FlexNet
        When(message=r"hostid mismatch|licen[cs]e_invalid_hostid|invalid host(?:\(|\.| id)"),
        "The license is bound to another host than this one; each container counts as a host of its own.",
        "Get a license for this host, or one that is meant for containers (Gurobi: a Web License Service), and put it where the library looks for it.",
        since="2026-11-27",
        scope=Scope.HOST,
    ),
    fatal(
        "licence-does-not-fit",
        When(
            message=any_of(r"""
                # Gurobi
                model too large for size-limited licen[cs]e|hostid mismatch|licen[cs]e .{0,40}(?:is not valid|not licensed) for
                # MOSEK, CPLEX, Xpress
                msk_res_err_(?:missing_licen[cs]e_file|licen[cs]e_(?:expired|feature|version|invalid_hostid))|promotional version
                community edition\. problem size
                # RLM, Sentinel
                no authorization for product|hasp (?:key|hl) not found|licen[cs]e file (?:was )?not found
            """),
            unless=r"lease|renew|refresh|retr(?:y|ies)|server|connect|timed? ?out|tempor",
        ),
        "The license does not allow what the model does, or is not on this host.",
        "Get a license for this size, feature or host, and put it where the library looks for it.",
        since="2026-11-26",
        scope=Scope.HOST,
    ),
    fatal(
        "licence-does-not-allow",
        When(
            message=any_of(r"""
                licensing error: ?-(?:5|8|9|10),|licen[cs]e manager error:? ?-(?:5|8|9|10)\b|\blicen[cs]e (?:key |file )?(?:has |is |was )?(?:already )?expired
                \bfeature has expired\.[ ]|no such feature exists\.[ ]|no gurobi license found
            """),
            unless=r"lease|renew|refresh|retr(?:y|ies)|server|connect|timed? ?out|tempor",
        ),
        "The license has ended, or does not hold for this feature or host.",
        "Renew the license or get one that allows it, and put it where the library looks for it.",
        since=_SINCE,
        scope=Scope.HOST,
    ),
)
