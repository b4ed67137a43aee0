"""Write down how everything that could end a halt is now. The process that failed does it."""

from __future__ import annotations

import os
import sys
import time
from typing import NamedTuple, Sequence

from ts_retry_ext.archive.model_folder import MANIFEST, ModelFolder
from ts_retry_ext.store.trial_schedule import MODULE, PACKAGES, PATH, named
from ts_retry_ext.worker.baseline import SURVEY_SEC, Baseline
from ts_retry_ext.worker.ignored_files import is_within
from ts_retry_ext.worker.isolation import foreign_paths
from ts_retry_ext.worker.load_times import TICK_NS
from ts_retry_ext.worker.news import History
from ts_retry_ext.worker.path_facts import FILE, look_at
from ts_retry_ext.worker.survey import Survey
from ts_retry_ext.worker.watched_files import WatchedFiles
from ts_retry_ext.worker.watched_names import (
    MAX_NAMES,
    NamedPath,
    WatchedNames,
    known_as,
    module_paths,
    paths_to_watch,
)
from ts_retry_ext.worker.watched_packages import (
    Installed,
    WatchedPackages,
    installed_in,
    package_directories,
)


class Failed(NamedTuple):
    """What is known of the failure whose cause is watched.

    Attributes:
        model_dir: real path of the model's directory.
        registration: the path that the frontend made for the registration, a link of its own or not.
        first_load_ns: when the first load of the registration began, in nanoseconds since the epoch.
        began_ns: when the load that failed began, likewise.
        waits_for: what the model waits for, as the marker lists it.
        own_directories: where we, and the server's logs, write.
    """

    model_dir: str
    registration: str
    first_load_ns: int
    began_ns: int
    waits_for: tuple[str, ...] = ()
    own_directories: tuple[str, ...] = ()


def take_baseline(failed: Failed, previous: Baseline | None) -> Baseline:
    """Return how everything is now, in at most some `SURVEY_SEC` seconds.

    What changed since the load that failed began is news already: that load may not have seen it.

    Args:
        failed: the failure.
        previous: the baseline of the registration's last failure, if it had one. What it watches is
            watched on, and what changed since is news unless the load that failed has seen it.
    """
    if previous is not None and previous.model_dir != failed.model_dir:
        previous = None
    # Logs may be written to a directory that holds the model, too; that makes the model no log.
    own = [os.path.realpath(path) for path in failed.own_directories]
    own = [path for path in own if not is_within(failed.model_dir, [path])]
    essential = _essential_files(failed)
    histories = {} if previous is None else dict(previous.histories)
    names = _names(failed, essential, previous, histories)
    packages = _packages(failed, previous)
    if previous is not None:
        files = previous.files_watch()
        _accept(files, failed.began_ns)
        return previous._replace(
            pending=files.survey.pending, names=names, packages=packages, histories=histories
        )
    skipped = [*own, *essential]
    survey = Survey([(failed.model_dir, 0)], failed.first_load_ns, skipped, histories)
    directories = list(survey.until(time.monotonic() + SURVEY_SEC))
    return Baseline(
        failed.model_dir,
        failed.first_load_ns,
        skipped,
        directories,
        survey.pending,
        names,
        packages,
        histories,
    )


def with_names(baseline: Baseline, waits_for: tuple[str, ...]) -> Baseline:
    """Return the baseline with what another failure names, as it is now; itself if that adds nothing."""
    wanted = {
        **dict.fromkeys(_expected(baseline.model_dir, waits_for), True),
        **dict.fromkeys(_places(baseline.model_dir, waits_for), False),
    }
    added = {}
    for path in list(wanted)[:MAX_NAMES]:
        now = None if path in baseline.names else known_as(path, alone=wanted[path])
        if now is not None:
            added[path] = now
    packages = baseline.packages
    if not packages and PACKAGES in waits_for:
        found = {
            each: installed_in(each)
            for each in package_directories(_python_path(), baseline.model_dir)
        }
        packages = {each: known for each, known in found.items() if known is not None}
    if not added and packages is baseline.packages:
        return baseline
    names = dict(list({**added, **baseline.names}.items())[:MAX_NAMES])
    return baseline._replace(names=names, packages=packages)


def _places(model_dir: str, waits_for: tuple[str, ...]) -> list[str]:
    """Return the paths that a failure names, and where a command could be that it names."""
    paths = named(waits_for, PATH)
    folders = os.environ.get("PATH", os.defpath).split(os.pathsep)
    commands = [name for name in paths if os.sep not in name]
    places = [os.path.join(folder, name) for name in commands for folder in folders if folder]
    return paths_to_watch(model_dir, [*(path for path in paths if os.sep in path), *places])


def _expected(model_dir: str, waits_for: tuple[str, ...]) -> list[str]:
    """Return where missing modules would be found."""
    modules = named(waits_for, MODULE)
    python_path = list(dict.fromkeys([model_dir, *filter(os.path.isabs, _python_path())]))
    # One without an ending is a directory to be, and watched by what is installed in it.
    zips = [p for p in python_path if modules and os.path.splitext(p)[1] and not os.path.isdir(p)]
    return [*zips, *module_paths(modules, python_path)]


def _essential_files(failed: Failed) -> list[str]:
    """Return the files that make the model one, whether they are there or not."""
    manifest = ModelFolder(failed.model_dir).manifest
    handler = (manifest.handler or "").partition(":")[0]
    files = [MANIFEST, handler.lstrip("/"), (manifest.config_file or "").lstrip("/")]
    if handler and not handler.endswith(".py"):
        files.append(handler + ".py")
    return paths_to_watch(failed.model_dir, files)


def _names(
    failed: Failed,
    essential: Sequence[str],
    previous: Baseline | None,
    histories: dict[str, History],
) -> dict[str, NamedPath]:
    link = failed.registration.partition("#")[0]
    expected = _expected(failed.model_dir, failed.waits_for)
    loose = dict.fromkeys(_places(failed.model_dir, failed.waits_for), False)
    alone = dict.fromkeys([*essential, *([link] if os.path.islink(link) else []), *expected], True)
    known: dict[str, NamedPath] = {}
    for path, is_alone in list({**alone, **loose}.items())[:MAX_NAMES]:
        before = previous.names.get(path) if previous else None
        if before is not None and before.alone == is_alone:
            known[path] = before
            continue
        now = known_as(path, alone=is_alone)
        if now is None:
            continue
        known[path] = _not_yet_loaded(path, now, failed) if is_alone else now
        if not is_alone and _changed_since(path, failed.first_load_ns):
            histories.setdefault(path, History(by_loads=1))  # A download, a lock: maybe the load's.
    if previous is not None:
        # What an earlier failure missed may be there now, and be the cause of this one.
        others = {path: name for path, name in previous.names.items() if path not in known}
        known = dict(list({**known, **others}.items())[:MAX_NAMES])
        _accept(WatchedNames(known), failed.began_ns)
    return known


def _python_path() -> list[str]:
    """Return where the worker's imports are looked for; while they are isolated, some are left out."""
    try:
        return [*foreign_paths(), *map(os.path.abspath, sys.path)]
    except (OSError, TypeError):  # The current directory is gone, or an entry is none.
        return [*foreign_paths(), *(path for path in sys.path if path)]


def _not_yet_loaded(path: str, known: NamedPath, failed: Failed) -> NamedPath:
    """Make a file that was written since the load began differ from what is known: it may be the repair."""
    if known.facts.kind != FILE or not _changed_since(path, failed.began_ns):
        return known
    return known._replace(facts=known.facts._replace(content=known.facts.content ^ 1))


def _changed_since(path: str, since_ns: int) -> bool:
    seen = look_at(path)
    return seen is not None and seen.facts.kind == FILE and seen.changed_ns > since_ns


def _packages(failed: Failed, previous: Baseline | None) -> dict[str, Installed]:
    if PACKAGES not in failed.waits_for and not (previous is not None and previous.packages):
        return {}
    known = {}
    for directory in package_directories(_python_path(), failed.model_dir):
        if previous is not None and directory in previous.packages:
            known[directory] = previous.packages[directory]
            continue
        now = installed_in(directory)
        if now is not None:
            since = failed.began_ns - TICK_NS
            known[directory] = {name: at for name, at in now.items() if at < since}
    if previous is not None:
        _accept(WatchedPackages(known), failed.began_ns)
    return known


def _accept(watch: WatchedFiles | WatchedNames | WatchedPackages, began_ns: int) -> None:
    """Take as known what had changed before a load began: that load has seen it."""
    found = watch.every(time.monotonic() + SURVEY_SEC)
    for each in [each for each in found if each.changed_ns + TICK_NS < began_ns]:
        watch.absorb(each)
