"""What is known of exception types by name alone: names compared, base classes inferred.

A traceback text and the inner causes of a JSON record name a type without its bases. Python's own
types are looked up; well-known third-party ones are in a table, each with its nearest bases.
"""

from __future__ import annotations

import builtins
from collections.abc import Iterable

#: Python's own types of them: an XML parser's ParseError extends SyntaxError, too.
SYNTAX_ERRORS = ("SyntaxError", "IndentationError", "TabError")

_REQUESTS = ("requests.exceptions.RequestException", "OSError")
_HF = ("huggingface_hub.errors.HfHubHTTPError", "requests.exceptions.HTTPError", *_REQUESTS)
_URLLIB3 = ("urllib3.exceptions.HTTPError",)
_BOTO = ("botocore.exceptions.BotoCoreError",)
_GOOGLE = ("google.api_core.exceptions.GoogleAPICallError",)
_AZURE = ("azure.core.exceptions.AzureError",)
_HTTPX = ("httpx.TransportError", "httpx.HTTPError")

#: Third-party types by plain name -> their bases, nearest first (their builtin bases included).
KNOWN_BASES: dict[str, tuple[str, ...]] = {
    "HfHubHTTPError": _HF[1:],
    "RepositoryNotFoundError": _HF,
    "GatedRepoError": ("huggingface_hub.errors.RepositoryNotFoundError", *_HF),
    "DisabledRepoError": _HF,
    "RevisionNotFoundError": _HF,
    "EntryNotFoundError": _HF,
    "RemoteEntryNotFoundError": ("huggingface_hub.errors.EntryNotFoundError", *_HF),
    "LocalEntryNotFoundError": (
        "huggingface_hub.errors.EntryNotFoundError",
        "FileNotFoundError",
        "ValueError",
        "OSError",
    ),
    "OfflineModeIsEnabled": ("ConnectionError", "OSError"),
    "HFValidationError": ("ValueError",),
    "SafetensorError": (),
    "SSLCertVerificationError": ("ssl.SSLError", "ValueError", "OSError"),
    "SSLError": ("OSError",),
    "SSLEOFError": ("ssl.SSLError", "OSError"),
    "gaierror": ("OSError",),
    "herror": ("OSError",),
    "ProxyError": ("requests.exceptions.ConnectionError", *_REQUESTS),
    "ConnectTimeout": ("requests.exceptions.ConnectionError", "requests.exceptions.Timeout"),
    "ReadTimeout": ("requests.exceptions.Timeout",),
    "ChunkedEncodingError": _REQUESTS,
    "MaxRetryError": _URLLIB3,
    "NewConnectionError": _URLLIB3,
    "ProtocolError": _URLLIB3,
    "ReadTimeoutError": ("urllib3.exceptions.TimeoutError", *_URLLIB3),
    "ConnectTimeoutError": ("urllib3.exceptions.TimeoutError", *_URLLIB3),
    "NameResolutionError": ("urllib3.exceptions.NewConnectionError", *_URLLIB3),
    "IncompleteRead": ("http.client.HTTPException",),
    "RemoteDisconnected": ("ConnectionResetError", "ConnectionError", "OSError"),
    "URLError": ("OSError",),
    "EndpointConnectionError": ("botocore.exceptions.ConnectionError", *_BOTO),
    "NoCredentialsError": _BOTO,
    "TransportError": (),
    "ConnectError": ("httpx.NetworkError", *_HTTPX),
    "RemoteProtocolError": ("httpx.ProtocolError", *_HTTPX),
    "ServiceUnavailable": _GOOGLE,
    "TooManyRequests": _GOOGLE,
    "ServiceRequestError": _AZURE,
    "HttpResponseError": _AZURE,
    "OutOfMemoryError": ("RuntimeError",),
    "OperationalError": (),
    "JSONDecodeError": ("ValueError",),
    "UnpicklingError": ("pickle.PickleError",),
    "ValidationError": ("ValueError",),
    "BadZipFile": (),
    "DistributionNotFound": (),
    "VersionConflict": (),
    "PackageNotFoundError": ("ModuleNotFoundError", "ImportError"),
}


def plain(name: str) -> str:
    """Return the last component of a dotted type name."""
    return name.rpartition(".")[2]


def same_type(wanted: str, seen: str) -> bool:
    """Tell whether a rule's type name means the type seen.

    A plain name means any type of that name. A dotted one means the same name in the same
    top-level package, or the same name where the package is not known: libraries move their
    exception classes between modules from one version to the next. A built-in type is no library's
    type of the same name: a plain ConnectionError is not Redis's.
    """
    if plain(wanted) != plain(seen):
        return False
    if "." not in wanted:
        return True
    if "." not in seen:
        return wanted.startswith("builtins.") or not hasattr(builtins, seen)
    return wanted.partition(".")[0] == seen.partition(".")[0]


def inferred_mro(name: str) -> tuple[str, ...]:
    """Return `name` and the bases known for it; only the name and Exception when nothing is."""
    short = plain(name)
    bases = KNOWN_BASES.get(short)
    if bases is not None and not ("." not in name and hasattr(builtins, short)):
        known = [name]
        for base in (*bases, *_builtin_mro(_last_builtin(bases))):
            if base not in known:
                known.append(base)
        return tuple(known)
    builtin = _builtin_mro(short) if "." not in name or name.startswith("builtins.") else ()
    return builtin or (name, "Exception", "BaseException")


def _last_builtin(names: Iterable[str]) -> str:
    found = [name for name in names if isinstance(getattr(builtins, name, None), type)]
    return found[-1] if found else "Exception"


def _builtin_mro(name: str) -> tuple[str, ...]:
    kind = getattr(builtins, name, None)
    if not (isinstance(kind, type) and issubclass(kind, BaseException)):
        return ()
    return tuple(base.__name__ for base in kind.__mro__ if base is not object)
