"""In which way a connection failed, in words: refused, broken off, no answer, no name, no route.

Clients of services raise one type for all of these, and each is looked for in another place.
"""

from __future__ import annotations

import re

from ts_retry_ext.judge.evidence import Evidence, LinkEvidence
from ts_retry_ext.judge.lineage import plain

_REFUSED, _BROKEN, _LATE, _NO_NAME, _NO_ROUTE = "refused", "broken", "late", "no name", "no route"

_BY_ERRNO = {
    "ECONNREFUSED": _REFUSED,
    **dict.fromkeys(("ECONNRESET", "ECONNABORTED", "EPIPE", "ENETRESET", "ESHUTDOWN"), _BROKEN),
    "ETIMEDOUT": _LATE,
    **dict.fromkeys(("EHOSTUNREACH", "ENETUNREACH", "ENETDOWN", "EHOSTDOWN"), _NO_ROUTE),
}
#: One text may speak of several: that of a time limit is the least telling.
_BY_WORDS = (
    (
        _NO_NAME,
        re.compile(
            r"name or service not known|failure in name resolution|no address associated with|nodename nor servname"
            r"|getaddrinfo failed|(?:could not|couldn't|cannot|failed to) resolve|could not translate host name|no such host"
            r"|nxdomain|name resolution|dns (?:resolution|lookup|error)|unknown host"
        ),
    ),
    (
        _REFUSED,
        re.compile(
            r"connection refused|connectionrefusederror|actively refused|connect call failed"
        ),
    ),
    (
        _NO_ROUTE,
        re.compile(r"no route to host|network is unreachable|host is (?:unreachable|down)"),
    ),
    (
        _BROKEN,
        re.compile(
            r"reset by peer|connection (?:was |is |has been )?(?:reset|aborted|broken|lost|dropped|closed)|broken pipe|server disconnected"
            r"|remote end closed|peer closed|socket (?:hang up|closed)|closed the connection|lost connection to|gone away"
            r"|connectionreseterror|eof detected|eof occurred in violation|unexpected_eof|incomplete ?read|ended prematurely|connection already closed"
        ),
    ),
    (_LATE, re.compile(r"tim(?:ed?|e)[ _-]?out|deadline ?exceeded|too long to respond")),
)
_BY_TYPE = {
    "gaierror": _NO_NAME,
    "RemoteDisconnected": _BROKEN,
    "IncompleteRead": _BROKEN,
    "ServerDisconnectedError": _BROKEN,
    **dict.fromkeys(
        ("ConnectTimeout", "ReadTimeout", "ConnectTimeoutError", "ReadTimeoutError"), _LATE
    ),
}


def how_it_failed(evidence: Evidence, address: str) -> str:
    """Return a sentence, without its full stop, that says in which way a connection failed; empty if the failure does not say it.

    Args:
        evidence: the failure.
        address: `host:port` that it names, or empty.
    """
    kind = _kind(evidence)
    other = address or "The service"
    return {
        _REFUSED: f"{other} refuses the connection: nothing listens there at this moment",
        _BROKEN: f"{address or 'The other end'} broke the connection off",
        _LATE: f"{other} did not answer in time",
        _NO_NAME: f"This host could not resolve the name {_host(address) or 'of the service'}",
        _NO_ROUTE: f"This host has no way to {address or 'the service'}: its network, or the other host, is down",
    }.get(kind, "")


def where_to_look(evidence: Evidence, address: str) -> str:
    """Return what to do about it if it goes on, as a part of a sentence; empty if the failure does not say it."""
    other = address or "the service"
    return {
        _REFUSED: f"start {other}, or correct host and port,",
        _BROKEN: f"look at the log of {other}, and at what lies between (a proxy, a load balancer, a firewall),",
        _LATE: f"look whether {other} is up and can be reached from this host (firewall, network policy), and at its load,",
        _NO_NAME: "look whether the name is right and its service is registered, and at the resolver of this host or pod (/etc/resolv.conf),",
        _NO_ROUTE: "look at the network of this host or pod (routes, network policy, VPN)",
    }.get(_kind(evidence), "")


def _kind(evidence: Evidence) -> str:
    """Return the kind of the innermost exception that has one: what is raised over it says it in other words."""
    return next(filter(None, map(_kind_of, reversed(evidence.links))), "")


def _kind_of(link: LinkEvidence) -> str:
    by_words = (kind for kind, words in _BY_WORDS if words.search(link.lowered))
    by_errno = (_BY_ERRNO[name] for name in sorted(link.errnos) if name in _BY_ERRNO)
    found = next(by_words, "") or next(by_errno, "")
    types = (plain(name) for name in link.cause.mro or (link.cause.type,))
    return found or next((_BY_TYPE[name] for name in types if name in _BY_TYPE), "")


def _host(address: str) -> str:
    return address.rpartition(":")[0] or address
