"""Facts that exceptions carry in their text: error numbers, HTTP status codes, missing modules."""

from __future__ import annotations

import errno as errno_numbers
import re

#: Linux numbers (asm-generic/errno.h), for a log read on another system than it was written on.
LINUX_ERRNO: dict[int, str] = {
    1: "EPERM", 2: "ENOENT", 3: "ESRCH", 4: "EINTR", 5: "EIO", 6: "ENXIO", 7: "E2BIG",
    8: "ENOEXEC", 9: "EBADF", 10: "ECHILD", 11: "EAGAIN", 12: "ENOMEM", 13: "EACCES",
    14: "EFAULT", 16: "EBUSY", 17: "EEXIST", 18: "EXDEV", 19: "ENODEV", 20: "ENOTDIR",
    21: "EISDIR", 22: "EINVAL", 23: "ENFILE", 24: "EMFILE", 25: "ENOTTY", 26: "ETXTBSY",
    27: "EFBIG", 28: "ENOSPC", 29: "ESPIPE", 30: "EROFS", 31: "EMLINK", 32: "EPIPE",
    33: "EDOM", 34: "ERANGE", 35: "EDEADLK", 36: "ENAMETOOLONG", 37: "ENOLCK", 38: "ENOSYS",
    39: "ENOTEMPTY", 40: "ELOOP", 67: "ENOLINK", 70: "ECOMM", 71: "EPROTO", 95: "EOPNOTSUPP", 97: "EAFNOSUPPORT",
    98: "EADDRINUSE", 99: "EADDRNOTAVAIL", 100: "ENETDOWN", 101: "ENETUNREACH",
    102: "ENETRESET", 103: "ECONNABORTED", 104: "ECONNRESET", 105: "ENOBUFS", 106: "EISCONN",
    107: "ENOTCONN", 108: "ESHUTDOWN", 110: "ETIMEDOUT", 111: "ECONNREFUSED",
    112: "EHOSTDOWN", 113: "EHOSTUNREACH", 114: "EALREADY", 115: "EINPROGRESS",
    116: "ESTALE", 121: "EREMOTEIO", 122: "EDQUOT",
}  # fmt: skip

#: What strerror says, for texts that carry the words but no number.
_WORDS: tuple[tuple[str, str], ...] = (
    ("connection refused", "ECONNREFUSED"),
    ("connection reset by peer", "ECONNRESET"),
    ("connection timed out", "ETIMEDOUT"),
    ("network is unreachable", "ENETUNREACH"),
    ("no route to host", "EHOSTUNREACH"),
    ("broken pipe", "EPIPE"),
    ("address already in use", "EADDRINUSE"),
    ("cannot assign requested address", "EADDRNOTAVAIL"),
    ("can't assign requested address", "EADDRNOTAVAIL"),
    ("no space left on device", "ENOSPC"),
    ("disk quota exceeded", "EDQUOT"),
    ("read-only file system", "EROFS"),
    ("too many open files in system", "ENFILE"),
    ("too many open files", "EMFILE"),
    ("stale file handle", "ESTALE"),
    ("stale nfs file handle", "ESTALE"),
    ("device or resource busy", "EBUSY"),
    ("text file busy", "ETXTBSY"),
    ("cannot allocate memory", "ENOMEM"),
    ("the paging file is too small", "ENOMEM"),
    ("insufficient system resources exist", "ENOMEM"),
    ("not enough memory resources", "ENOMEM"),
    ("not enough space on the disk", "ENOSPC"),
    ("forcibly closed by the remote host", "ECONNRESET"),
    ("connected party did not properly respond", "ETIMEDOUT"),
    ("operation was attempted to an unreachable network", "ENETUNREACH"),
    ("resource temporarily unavailable", "EAGAIN"),
    ("no locks available", "ENOLCK"),
    ("input/output error", "EIO"),
    ("no such file or directory", "ENOENT"),
    ("the system cannot find the path specified", "ENOENT"),
    ("the system cannot find the file specified", "ENOENT"),
    ("actively refused it", "ECONNREFUSED"),
    ("transport endpoint is not connected", "ENOTCONN"),
)

_ERRNO = re.compile(r"\[?\b(?:Errno|os error|errno)[ =:]{1,3}(\d{1,3})\b", re.IGNORECASE)
_STATUS = re.compile(
    r"\b([1-5]\d\d) (?:Client|Server) Error\b"
    r"|\bHTTP(?: Error|/\d(?:\.\d)?| status(?: code)?| code| response code)?[ :=]{1,2}\(?([1-5]\d\d)\b"
    r"|\bstatus(?:[ _-]?code)?['\"]?(?: of| is| was)?[ :=(]{1,3}'?([1-5]\d\d)\b"
    r"|^([1-5]\d\d), message="
    r"|\berror occurred \(([1-5]\d\d)\)"
    r"|\berror code:? ([1-5]\d\d)\b"
    r"|\b(?:server|upstream|endpoint|registry|hub) (?:returned|responded with|answered|replied)"
    r"(?: with)?(?: an?)?(?: HTTP| error| status| code){0,3}:? ([1-5]\d\d)\b"
    r"|\b([45]\d\d) (?:Too Many Requests|Service (?:Temporarily )?Unavailable|Bad Gateway"
    r"|Gateway Time-?out|Internal Server Error|Unauthorized|Forbidden|Not Found"
    r"|Proxy Authentication Required|Request Time-?out|Gone)\b"
    r"|\bResponseStatusCode[:= ]{1,2}([1-5]\d\d)\b"
    r"|\b(?:GET|PUT|POST|HEAD) https?://[^\s]{1,300}[: ]{1,2}([1-5]\d\d)\b"
    r"|\btoo many ([45]\d\d) error responses"
    # qdrant, kubernetes, elasticsearch
    r"|\bUnexpected Response: ([45]\d\d)\b|^\(([45]\d\d)\)\s{0,2}Reason:|\b(?:Transport|Api)Error\(([45]\d\d)\b",
    re.IGNORECASE,
)
_THREE_DIGITS = re.compile(r"[1-5]\d\d")
_MISSING = re.compile(r"No module named ['\"]?([\w.\-]{1,200})")


def errno_in_text(text: str) -> int | None:
    """Return the error number that a text spells out: `[Errno 111]`, `(os error 2)`."""
    found = _ERRNO.search(text)
    return int(found.group(1)) if found else None


def errno_name(number: int) -> str | None:
    """Return the symbolic name of an error number; this system's meaning first."""
    return errno_numbers.errorcode.get(number) or LINUX_ERRNO.get(number)


def errno_names(number: int | None, text: str) -> frozenset[str]:
    """Return the symbolic names a number and a text stand for (`ECONNREFUSED`)."""
    names = set()
    for value in (number, errno_in_text(text)):
        name = errno_name(value) if value is not None else None
        if name:
            names.add("EAGAIN" if name == "EWOULDBLOCK" else name)
    lowered = text.lower()
    names.update(name for words, name in _WORDS if words in lowered)
    return frozenset(names)


def http_statuses(number: int | None, text: str) -> frozenset[int]:
    """Return the HTTP status codes an exception carries and those its text names."""
    found: set[int] = set()
    if _THREE_DIGITS.search(text):
        found = {int(next(filter(None, match))) for match in _STATUS.findall(text)}
    if number is not None:
        found.add(number)
    return frozenset(found)


def missing_module_in_text(text: str) -> str | None:
    """Return the module that an ImportError's text says was not found."""
    found = _MISSING.search(text)
    return found.group(1).rstrip(".") if found else None
