"""What a failure names as its cause: paths, modules and addresses that somebody can watch or ask.

A model that is halted waits for something. If the failure names it, a change of exactly that thing
starts the next trial load, and models that name the same thing wait for it together.
"""

from __future__ import annotations

import errno
import re
from collections.abc import Iterable
from typing import NamedTuple

from ts_retry_ext.judge.facts import errno_names, http_statuses, missing_module_in_text
from ts_retry_ext.judge.failure import Cause, Failure
from ts_retry_ext.judge.frames import is_in_app
from ts_retry_ext.judge.lineage import SYNTAX_ERRORS, plain
from ts_retry_ext.judge.paths import NO_HOST, Host, inside_model_dir, located, paths_in
from ts_retry_ext.judge.redact import MASK, redact

#: Names kept of each kind: a message that lists a thousand files names no cause.
NAMES_LIMIT = 8
#: Characters of one message that are looked at.
_TEXT_LIMIT = 4_000

#: Error numbers that say something of a file, and not of a connection.
_OF_FILES = frozenset(
    (
        *("ENOENT", "EACCES", "EPERM", "ENOTDIR", "EISDIR", "EIO", "ESTALE", "ENOTCONN", "EROFS"),
        *("ENODEV", "ENXIO", "EREMOTEIO", "EHOSTDOWN", "ELOOP", "ETXTBSY"),
    )
)
#: Error numbers that say something of the other end of a connection.
_OF_CONNECTIONS = frozenset(
    (
        *("ECONNREFUSED", "ECONNRESET", "ECONNABORTED", "ETIMEDOUT", "EHOSTUNREACH"),
        *("ENETUNREACH", "ENETDOWN", "EHOSTDOWN", "ENETRESET", "EPIPE", "ESHUTDOWN"),
    )
)
#: Status codes by which a server says that it is in trouble (RFC 9110).
_TROUBLE_STATUSES = frozenset((408, 429, 500, 502, 503, 504))

_FILE_TROUBLE = re.compile(
    r"""
      no\ such\ file | not\ found | (?:do|did|does|was|is)(?:\ not|n't)\ (?:exist|be\ found|found)
    | missing | cannot\ find | can't\ find | could(?:\ not|n't)\ (?:find|be\ found)
    | permission\ denied | (?:not|un)\ ?readable | cannot\ (?:open|read|access) | can't\ (?:open|read|access)
    | could(?:\ not|n't)\ (?:open|read|load) | failed\ to\ (?:open|read|load)
    | unable\ to\ (?:open|read|load|locate) | error\ (?:opening|reading)
    | corrupt | damaged | truncated | incomplete | cut\ short | not\ fully\ written | checksum
    | not\ a\ (?:directory|file|zip\ file|valid) | isn't\ a | is\ a\ directory | is\ empty
    | not\ appear\ to\ have | no\ file\ named | central\ directory | must\ be\ in\ the\ form
    """,
    re.IGNORECASE | re.VERBOSE,
)
_CONNECTION_TROUBLE = re.compile(
    r"""
      refused | timed?[ -]?out | unreachable | unavailable | max\ retries | no\ route\ to\ host
    | (?:couldn't|could\ not|cannot|can't|unable\ to|failed\ to)\ (?:connect|reach|resolve|translate|establish)
    | connection\ .{0,40}(?:reset|closed|aborted|lost|failed|error|broken|dropped)
    | name\ or\ service\ not\ known | name\ resolution | nodename\ nor\ servname | getaddrinfo | nxdomain
    | (?:error|errno)\ -?\d+\ connecting | connecting\ to .{0,200}(?:failed|error) | not\ ready | overloaded
    """,
    re.IGNORECASE | re.VERBOSE,
)
_CONNECTION_TYPES = ("ConnectionError", "TimeoutError", "Timeout", "gaierror", "TransportError")

#: The address that urllib3, aiohttp, redis, libpq, MySQL, gRPC and resolvers write into a message.
_ADDRESSES = re.compile(
    r"""
      \b(?P<scheme>[a-z][a-z0-9+.\-]{1,20})://(?:[^\s/@'"]{0,300}@)?
        (?P<url>\[[0-9a-f:]{2,60}\]|[\w.\-]{1,253})(?::(?P<url_port>\d{1,5}))?
    | \bhost=['"](?P<pool>[^'"\s]{1,253})['"],\ port=(?P<pool_port>\d{1,5})     # urllib3, requests
    | \bconnect(?:ion)?\ (?:to|call\ failed)\ (?:host\ |server\ at\ )?['"(]{0,2}
        (?P<to>[\w.\-]{1,253})['"]?(?:\ \([^)\s]{1,60}\))?(?:,?\ port\ |:|,\ )(?P<to_port>\d{1,5})
    | \bconnecting\ to\ (?P<ing>[\w.\-]{1,253}):(?P<ing_port>\d{1,5})           # redis
    | \bipv[46]:(?:%5B|\[)?(?P<rpc>[\w.:\-]{2,60}?)(?:%5D|\])?:(?P<rpc_port>\d{1,5})\b   # gRPC
    | \bserver\ on\ ['"](?P<mysql>[\w.\-]{1,253})['"](?::(?P<mysql_port>\d{1,5}))?
    | \b(?:resolve(?:\ host)?|host\ name):?\ ['"]?(?P<name>[\w\-]{1,63}(?:\.[\w\-]{1,63}){0,8})['"]?
    | (?<![\w.:/\-])(?P<bare>(?:\d{1,3}(?:\.\d{1,3}){3}|localhost|[a-z][\w\-]{0,62}(?:\.[\w\-]{1,63}){0,8}))
        :(?P<bare_port>\d{2,5})(?![\w.]|:(?!\ (?:\[errno|timed|connection))|\ bytes)
    """,
    re.IGNORECASE | re.VERBOSE,
)
_ADDRESS_KINDS = ("url", "pool", "to", "ing", "rpc", "mysql", "name", "bare")
#: Port that a scheme implies (IANA), so that an address is named one way.
_SCHEME_PORTS = {
    "http": "80", "https": "443", "redis": "6379", "rediss": "6379", "postgresql": "5432", "postgres": "5432",
    "mysql": "3306", "mongodb": "27017", "amqp": "5672", "amqps": "5671", "bolt": "7687", "neo4j": "7687",
    "ldap": "389", "ldaps": "636", "nats": "4222",
}  # fmt: skip
#: Schemes behind which no host stands: a path, a bucket, a name.
_NO_HOST_SCHEMES = ("file", "s3", "s3a", "s3n", "gs", "gcs", "az", "hf", "models", "runs", "dbfs")
#: Words before a colon and digits that are no host: `line:12`, `handler.py:7`.
_NO_HOST = re.compile(
    r"(?:line|column|col|code|error|errno|status|port|pid|rank|cuda|gpu|device|layer|step|epoch|at|in)$"
    r"|.*\.(?:py|pyx|c|cc|cpp|cu|h|so|java|rs|go|json|ya?ml)$",
    re.IGNORECASE,
)
_URL_PATH = re.compile(
    r"\burl: ?\S{1,2000}|\b[a-z][a-z0-9+.\-]{1,20}://[^\s'\"]{1,2000}", re.IGNORECASE
)
#: `cannot import name 'x' from 'y' (/…/y.py)`: the file is there, it lacks the name.
_SOURCE_FILE = re.compile(r"(?<=['\"]) \(/[^()\n]{1,1000}\)")

_NOT_IMPORTED = re.compile(
    r"""
      \bcannot\ import\ name\ ['"]\w{1,200}['"]\ from\ (?:partially\ initialized\ module\ )?['"](?P<source>[\w.]{1,200})
    | \bmodule\ ['"](?P<lacking>[\w.]{1,200})['"]\ has\ no\ attribute
    | \bfailed\ to\ import\ (?P<lazy>[\w.]{1,200})\ because
    | \bThe\ ['"](?P<distribution>[\w.\-]{1,100})[^'"]{0,100}['"]\ distribution\ was\ not\ found
    | \bNo\ package\ metadata\ was\ found\ for\ (?P<metadata>[\w.\-]{1,100})
    | \brequires\ the\ (?P<library>[\w\-]{1,100})\ (?:library|package)
    """,
    re.IGNORECASE | re.VERBOSE,
)
_COMMAND = re.compile(r"[\w.+\-]{1,60}$")
#: The package that TorchServe imports every handler through; a handler that is not found is called so.
_HANDLER_PACKAGE = "ts.torch_handler."


class NamedCauses(NamedTuple):
    """Hold what a failure names, each at most `NAMES_LIMIT` times and without secrets.

    Attributes:
        paths: absolute paths that are missing, cannot be read or are damaged, and that of the model's own code
            that failed outside of its directory; a command that is missing, by its name alone.
        modules: top-level names of modules that were not found, could not be imported or lack a name.
        addresses: `host:port`, or the host alone if no port is known, that refused the connection,
            did not answer in time, were not found by name or said that they are in trouble.
    """

    paths: tuple[str, ...]
    modules: tuple[str, ...]
    addresses: tuple[str, ...]


def named_causes(failure: Failure, host: Host = NO_HOST) -> NamedCauses:
    """Return the paths, modules and addresses that a failure names as its cause. Never raises."""
    links = failure.links
    try:
        return NamedCauses(
            paths=_first(
                (
                    *_commands(failure),
                    *(path for link in links for path in _paths(link, host.cwd)),
                    *_source_outside(failure, host),
                )
            ),
            modules=_first(module for link in links for module in _modules(link)),
            addresses=_first(address for link in links for address in _addresses(link)),
        )
    except Exception:
        return NamedCauses((), (), ())


def _first(names: Iterable[str]) -> tuple[str, ...]:
    """Return the first names, each once; a name that holds a secret names nothing that is there."""
    found = dict.fromkeys(name for name in names if name and MASK not in redact(name))
    return tuple(found)[:NAMES_LIMIT]


def _paths(link: Cause, cwd: str) -> list[str]:
    text = _SOURCE_FILE.sub("", _URL_PATH.sub("", link.message[:_TEXT_LIMIT]))
    of_files = not errno_names(link.errno, text).isdisjoint(_OF_FILES)
    if not (of_files or _FILE_TROUBLE.search(text)):
        return []
    paths = [located(path, cwd) for path in paths_in(text, link.filename)]
    return [path for path in paths if path.startswith("/") and path != "/"]


def _commands(failure: Failure) -> list[str]:
    """Return the names of programs that were looked for on the PATH, and are not there."""
    if not any(frame.module == "subprocess" for frame in failure.frames):
        return []
    missing = (link.filename or "" for link in failure.links if link.errno == errno.ENOENT)
    return [name for name in missing if _COMMAND.match(name)]


def _source_outside(failure: Failure, host: Host) -> list[str]:
    """Return the source file that failed, where it is the model's own code and lies outside of its directory."""
    if not host.model_dir:
        return []
    own = [frame.file for frame in failure.frames if frame.in_app][-1:]
    not_compiled = (
        link.filename or "" for link in failure.links if plain(link.type) in SYNTAX_ERRORS
    )
    files = [*(file for file in not_compiled if is_in_app(file, host.model_dir)), *own]
    return [file for file in files if file.startswith("/") and not inside_model_dir(file, host)]


def _modules(link: Cause) -> list[str]:
    text = link.message[:_TEXT_LIMIT]
    missing = link.missing_module or missing_module_in_text(text)
    names = [missing] if missing else []
    for found in _NOT_IMPORTED.finditer(text):
        names += [name for name in found.groups() if name]
    return [name.partition(".")[0] for name in names if not name.startswith(_HANDLER_PACKAGE)]


def _addresses(link: Cause) -> list[str]:
    text = link.message[:_TEXT_LIMIT]
    in_trouble = (
        any(plain(base) in _CONNECTION_TYPES for base in link.mro or (link.type,))
        or not errno_names(link.errno, text).isdisjoint(_OF_CONNECTIONS)
        or not http_statuses(link.http_status, text).isdisjoint(_TROUBLE_STATUSES)
        or _CONNECTION_TROUBLE.search(text) is not None
    )
    if not in_trouble:
        return []
    found = [_address(match) for match in _ADDRESSES.finditer(text)]
    known = {address.rpartition(":")[0] for address in found if ":" in address}
    return [address for address in found if ":" in address or address not in known]


def _address(match: re.Match[str]) -> str:
    kind = next(name for name in _ADDRESS_KINDS if match.group(name))
    host = match.group(kind).strip("[]").rstrip(".").lower()
    if _NO_HOST.match(host):
        return ""
    port = match.groupdict().get(f"{kind}_port") or ""
    if kind == "url" and not port:
        scheme = match.group("scheme").lower().partition("+")[0]
        if scheme in _NO_HOST_SCHEMES:
            return ""
        port = _SCHEME_PORTS.get(scheme, "")
    if ":" in host:
        host = f"[{host}]"
    return f"{host}:{port}" if port else host
