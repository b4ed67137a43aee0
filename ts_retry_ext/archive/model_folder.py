"""Read an unpacked model: manifest and configuration, as the frontend that unpacked it did, and file names.

A worker asks here, and imports PyYAML only where what it asks for can be in the file.
"""

from __future__ import annotations

import os
import stat
from typing import Any, Iterator, Sequence

from ts_retry_ext.archive.manifest import Manifest, ManifestError, parse_manifest

MANIFEST = "MAR-INF/MANIFEST.json"
MAX_MANIFEST_BYTES = 1024 * 1024
#: Four bytes for each of the 3 Mi characters that SnakeYAML 2.1 reads at most.
MAX_CONFIG_BYTES = 12 * 1024 * 1024
#: Files of a directory that are listed; one with more than that is not looked through.
FILES_LIMIT = 10_000
#: Bytes of a model's own code that are looked through.
SOURCES_LIMIT = 1024 * 1024


def read_file(folder: str, name: str, limit: int) -> bytes | None:
    """Return the file `name` of a model's folder; None where it is missing or is no file.

    As the frontend, this takes an absolute `name` as one inside the folder. One byte more than
    `limit` tells that the file is larger. Raises OSError.
    """
    path = os.path.join(folder, name.lstrip("/"))
    if not os.path.isfile(path):
        return None
    with open(path, "rb") as stream:
        return stream.read(limit + 1)


class ModelFolder:
    """What the files of an unpacked model say. Each is read once, when it is first asked for.

    Attributes:
        manifest: what its manifest says. A manifest that is missing, or that was broken after the
            registration, says nothing.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.manifest = _manifest_of(path)
        self._config: bytes | None = None
        self._is_read = False
        self._content: dict[str, Any] | None = None

    @property
    def config_path(self) -> str | None:
        """Return the path of the configuration that the manifest names, or None."""
        named = self.manifest.config_file
        return os.path.join(self.path, named.lstrip("/")) if named else None

    def configuration(self, *keys: str) -> dict[str, Any] | None:
        """Return the model's configuration, or None where the frontend has none.

        Args:
            keys: what the caller looks for. Where none of them can be in the file, the answer is
                empty and the file is not parsed, so that broken YAML in it is not noticed. Without
                any, it is always parsed.

        Raises:
            ModelConfigError: the frontend makes nothing of the file, or PyYAML is not installed.
        """
        if self._content is not None:
            return self._content
        config = self._read_config()
        if config is None:
            return None
        if not self._may_hold_any(keys):
            return {}
        from ts_retry_ext.archive.model_config import read_model_config

        self._content = read_model_config(config)
        return self._content

    def usable_configuration(self, *keys: str) -> dict[str, Any] | None:
        """Return `configuration`, or None where the frontend makes nothing of the file."""
        if not self._may_hold_any(keys):
            return self.configuration(*keys)
        from ts_retry_ext.archive.model_config import ModelConfigError

        try:
            return self.configuration(*keys)
        except ModelConfigError:
            return None

    def section(self, key: str) -> tuple[object, str | None]:
        """Return what stands under `key` in the configuration, and a problem or None."""
        if not self._may_hold_any((key,)):
            return None, None
        from ts_retry_ext.archive.model_config import ModelConfigError, UnreadableConfigError

        try:
            return (self.configuration(key) or {}).get(key), None
        except ModelConfigError as error:
            problem = f"cannot read {key}: in {self.config_path}: {error}"
            if isinstance(error, UnreadableConfigError):
                problem += "; TorchServe ignores all of the file until that is corrected"
            return None, problem

    def _may_hold_any(self, keys: Sequence[str]) -> bool:
        """Tell whether the file has to be parsed for `keys`, or for all there is; not if there is no file."""
        config = self._read_config()
        return config is not None and (not keys or any(may_hold(config, key) for key in keys))

    def _read_config(self) -> bytes | None:
        if not self._is_read:
            self._is_read = True
            if self.manifest.config_file:
                try:
                    self._config = read_file(self.path, self.manifest.config_file, MAX_CONFIG_BYTES)
                except (OSError, ValueError):
                    self._config = None  # The frontend has logged an error, and has none either.
        return self._config


def may_hold(config: bytes, key: str) -> bool:
    r"""Tell whether a YAML file can hold the ASCII text `key` as a key.

    It stands in the file as it is, whatever the style, unless a double-quoted text spells it with
    escapes (``"\x72etry"``).
    """
    return key.encode("ascii") in config or b"\\" in config


def _manifest_of(folder: str) -> Manifest:
    try:
        data = read_file(folder, MANIFEST, MAX_MANIFEST_BYTES)
        return Manifest() if data is None else parse_manifest(data)
    except (OSError, ManifestError):
        return Manifest()


def names_of_files(folder: str) -> tuple[str, ...]:
    """Return the files below a folder, relative to it, without links that lead out of it.

    Raises:
        LookupError: it has more than `FILES_LIMIT` files, or cannot be read.
    """
    return tuple(name for name, _ in _files_in(folder))


def names_by_time(folder: str, since_ns: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the names of `names_of_files`: of those that are older than a moment, and of those written since.

    Args:
        folder: the model's.
        since_ns: in nanoseconds since the epoch. A file counts as written when the kernel noted the last change of it
            (ctime), which no copy sets back.

    Raises:
        LookupError: as `names_of_files`.
    """
    files = list(_files_in(folder))
    older = tuple(name for name, changed_ns in files if changed_ns < since_ns)
    return older, tuple(name for name, changed_ns in files if changed_ns >= since_ns)


def own_sources(folder: str) -> Iterator[str]:
    """Yield the texts of a model's Python files, `SOURCES_LIMIT` bytes of them at most. What cannot be read is left out.

    Raises:
        LookupError: as `names_of_files`.
    """
    left = SOURCES_LIMIT
    for name in sorted(name for name, _ in _files_in(folder) if name.endswith(".py")):
        if left <= 0:
            return
        try:
            with open(os.path.join(folder, name), "rb") as stream:
                text = stream.read(left)
        except OSError:
            continue
        left -= len(text)
        yield text.decode("utf-8", "replace")


def _files_in(folder: str) -> Iterator[tuple[str, int]]:
    root = os.path.realpath(folder)
    count = 0
    for place, _, names in os.walk(root, onerror=_unreadable):
        for name in names:
            path = os.path.join(place, name)
            if os.path.islink(path) and not os.path.realpath(path).startswith(root + os.sep):
                continue
            count += 1
            if count > FILES_LIMIT:
                raise LookupError(folder)
            try:
                status = os.stat(path)
            except OSError:
                continue  # It has gone.
            if stat.S_ISREG(status.st_mode):
                yield os.path.relpath(path, root), status.st_ctime_ns


def _unreadable(error: OSError) -> None:
    raise LookupError(error.filename) from error
