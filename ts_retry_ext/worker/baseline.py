"""How everything was when the marker was written: what a holder compares with."""

from __future__ import annotations

from typing import NamedTuple

from ts_retry_ext.worker.news import History
from ts_retry_ext.worker.survey import Survey
from ts_retry_ext.worker.watched_directory import WatchedDirectory
from ts_retry_ext.worker.watched_files import WatchedFiles
from ts_retry_ext.worker.watched_names import NamedPath
from ts_retry_ext.worker.watched_packages import Installed

#: Seconds that are spent on a look at everything; what is left then is looked at by holders, in slices.
SURVEY_SEC = 2.0


class Baseline(NamedTuple):
    """What is known of everything that is watched; holders move it on.

    Attributes:
        model_dir: real path of the model's directory.
        first_load_ns: when the first load of the registration began, in nanoseconds since the epoch.
        skipped: paths that are no part of the model's files: ours, logs, and what `names` has.
        directories: the model's files.
        pending: directories that nobody has walked through yet, and how deep they lie.
        names: paths that the failure, or the manifest, names.
        packages: what is installed, by directory; empty if packages cannot be the cause.
        histories: of things that have changed before, by path.
    """

    model_dir: str
    first_load_ns: int
    skipped: list[str]
    directories: list[WatchedDirectory]
    pending: list[tuple[str, int]]
    names: dict[str, NamedPath]
    packages: dict[str, Installed]
    histories: dict[str, History]

    def files_watch(self) -> WatchedFiles:
        """Return a watch of the model's files that moves this baseline on."""
        survey = Survey(self.pending, self.first_load_ns, self.skipped, self.histories)
        return WatchedFiles(self.directories, survey)
