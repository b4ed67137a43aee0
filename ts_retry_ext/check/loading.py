"""Check one archive or folder: unpack it, load it in a worker of its own, send a request, report."""

from __future__ import annotations

import os
import uuid
from dataclasses import dataclass, field, replace
from typing import Callable, Mapping

from ts_retry_ext.archive.manifest import CPP_RUNTIME
from ts_retry_ext.archive.model_archive import Archive, ArchiveError, model_root, read_archive
from ts_retry_ext.archive.model_folder import ModelFolder
from ts_retry_ext.check.check_report import CheckReport, CheckResult, is_death, timed
from ts_retry_ext.check.dependencies import (
    RegistrationError,
    install_requirements,
    requirement_problems,
)
from ts_retry_ext.check.environment import metrics_file, worker_environment
from ts_retry_ext.check.unpack import NoRoomError, check_links, unpack
from ts_retry_ext.frontend.installed_version import torchserve_version_in
from ts_retry_ext.frontend.server_configuration import ServerConfiguration
from ts_retry_ext.frontend.version_entry import properties_for
from ts_retry_ext.judge import Phase, redact
from ts_retry_ext.judge.redact import secret_values
from ts_retry_ext.judge.verdict import Outcome
from ts_retry_ext.settings import MODEL_SECTION
from ts_retry_ext.snapshot.effective import effective_of_read
from ts_retry_ext.store.record import Record
from ts_retry_ext.trial.child_processes import Children
from ts_retry_ext.trial.driven_worker import Place, write_job
from ts_retry_ext.trial.findings import Findings, observe
from ts_retry_ext.trial.folder import private_folder, removed_if_killed
from ts_retry_ext.trial.launch import Launch, launch_of, load_request
from ts_retry_ext.trial.one_load import LoadOutcome, Order

STOPS_REGISTRATION = "stops-registration"
#: The first status of HTTP that tells of an error.
HTTP_ERRORS = 400


@dataclass(frozen=True)
class Options:
    """What is the same for every model of a run.

    Attributes:
        configuration: the configuration of the server that the models are meant for.
        home: the folder that holds TorchServe.
        gpus: GPUs that the server would use.
        children: the processes of this run.
        timeout_sec: how long a load may take, or None for ``startupTimeout``.
        max_unpacked: bytes that an archive may unpack to, or None for the usual.
        follow_links: whether a folder may hold links that lead out of it.
        tell: told the archive and what is done with it now.
    """

    configuration: ServerConfiguration
    home: str
    gpus: int
    children: Children
    data: bytes | None = None
    content_type: str | None = None
    timeout_sec: float | None = None
    max_unpacked: int | None = None
    follow_links: bool = False
    tell: Callable[[str, str], None] = field(default=lambda _archive, _stage: None)


def check(path: str, options: Options) -> CheckReport:
    """Check the archive or model folder at `path`, and leave nothing behind.

    Raises:
        AbortedError: the check was told to stop.
        MissingYamlError: it has a configuration, and PyYAML is not installed.
    """
    options.children.proceed()
    try:
        with private_folder("ts-retry-check-") as folder, removed_if_killed(folder):
            options.tell(path, "unpacks")
            archive, model_dir, notes = _lay_out(path, folder, options)
            effective = effective_of_read(archive)
            begun = CheckReport(path, CheckResult.LOADS, effective, problems=effective.problems)
            torchserve = torchserve_version_in(os.path.join(options.home, "ts"))
            properties = properties_for(
                archive.model, archive.version, options.configuration.properties
            )
            launch = launch_of(archive, properties, options.gpus, torchserve)
            noted = [("link-unpacked", note) for note in notes]
            settings = settings_problems(model_dir, options.configuration)
            problems = tuple(dict.fromkeys((*begun.problems, *launch.problems, *settings, *noted)))
            begun = replace(
                begun, problems=problems, startup_timeout_sec=launch.limits.startup_timeout_sec
            )
            report = _load(begun, launch, folder, model_dir, options)
            return _without_secrets(report, options.configuration.environ)
    except ArchiveError as error:
        ends = " A server that loads it at its start ends." if error.stops_server else ""
        return CheckReport(path, CheckResult.REFUSED, reason=f"{error}.{ends}")
    except (NoRoomError, OSError) as error:
        return CheckReport(path, CheckResult.ERROR, reason=f"{error}.")


def _load(
    begun: CheckReport, launch: Launch, folder: str, model_dir: str, options: Options
) -> CheckReport:
    if launch.runtime == CPP_RUNTIME:
        return replace(
            begun, result=CheckResult.ERROR, reason="C++ workers (LSP) cannot be checked."
        )
    refused = [text for code, text in begun.problems if code == STOPS_REGISTRATION]
    if refused:
        others = tuple(p for p in begun.problems if p[0] != STOPS_REGISTRATION)
        return replace(begun, result=CheckResult.FAILS, reason=f"{refused[0]}.", problems=others)
    properties = options.configuration.properties
    environ = worker_environment(
        options.configuration.environ,
        properties,
        home=options.home,
        model_dir=model_dir,
        handler=launch.handler,
    )
    environ.update(launch.variables)
    if os.path.islink(model_dir):
        # What the user keeps is left as it is; the frontend's workers write __pycache__ there.
        environ["PYTHONDONTWRITEBYTECODE"] = "1"
    try:
        options.tell(begun.archive, "installs" if launch.requirements_file else "starts")
        python = install_requirements(
            launch, model_dir, options.home, properties, environ, options.children
        )
    except RegistrationError as error:
        why = f"The registration fails: {error}."
        return replace(begun, result=CheckResult.FAILS, reason=why, output=error.output)
    place = Place(
        folder=folder,
        model_dir=model_dir,
        environ=environ,
        python=python,
        metrics=metrics_file(properties, options.home),
        script=os.path.join(options.home, "ts", "model_service_worker.py"),
    )
    timeout_sec = options.timeout_sec or float(launch.limits.startup_timeout_sec)
    write_job(
        place,
        registered=model_dir,
        properties=properties,
        config_file=options.configuration.config_file,
        cwd=options.configuration.cwd,
        log_dir=options.configuration.log_dir,
        load_timeout_sec=timeout_sec,
    )
    order = Order(
        load=load_request(launch, model_dir, properties),
        timeout_sec=timeout_sec,
        data=options.data,
        content_type=options.content_type,
        tell=lambda stage: options.tell(begun.archive, stage),
    )
    trial, found = observe(place, launch, order, options.children, hide=model_dir)
    missing = requirement_problems(launch, model_dir, properties, found)
    return _report(replace(begun, problems=(*begun.problems, *missing)), trial, found)


def _report(begun: CheckReport, trial: LoadOutcome, found: Findings) -> CheckReport:
    """Put together what the worker answered and what it wrote down."""
    failure = found.failure
    failed = bool(trial.why or failure)
    outcome = CheckResult.FAILS if failed else CheckResult.LOADS
    reason, remedy = (failure.reason or "", failure.remedy or "") if failure else ("", "")
    if trial.is_late or _is_unknown_to_rules(failure):
        reason, remedy = trial.why, ""
    elif is_death(failure):
        reason = f"{reason} {trial.why}"
    report = replace(
        begun,
        # A worker that does not start says nothing of the model.
        result=outcome if trial.is_started else CheckResult.ERROR,
        failure=failure,
        reason=reason.strip() or trial.why,
        remedy=remedy,
        start_sec=trial.start_sec,
        load_sec=trial.load_sec,
        request=trial.answer,
        peak_memory_bytes=found.peak_memory_bytes or trial.peak_memory or None,
        peak_gpu_memory_bytes=found.peak_gpu_memory_bytes,
        missing_requirements=found.undeclared,
        output=trial.output,
    )
    return report if failed else timed(report)


def _without_secrets(report: CheckReport, environ: Mapping[str, str]) -> CheckReport:
    """Take secrets out of what the worker wrote and answered; the guard did so with the failure.

    An answer that is none of an error is the model's own word, which a client gets as it is.
    """
    secrets = secret_values(environ)
    request = report.request
    if request is not None and request.status >= HTTP_ERRORS:
        request = request._replace(body=redact(request.body, secrets))
    return replace(
        report,
        reason=redact(report.reason, secrets),
        output=redact(report.output, secrets),
        request=request,
    )


def _is_unknown_to_rules(failure: Record | None) -> bool:
    """Tell whether a request failed for a reason that no rule knows; nothing is retried then."""
    if failure is None:
        return False
    judged = (failure.verdict, failure.phase)
    return judged == (Outcome.UNKNOWN.value, Phase.INFERENCE.value)


def settings_problems(model_dir: str, configuration: ServerConfiguration) -> list[tuple[str, str]]:
    """Return what is wrong with this package's settings for the model."""
    folder = ModelFolder(model_dir)
    section, unreadable = folder.section(MODEL_SECTION)
    named = folder.manifest.config_file or "model-config.yaml"
    _, problems = configuration.settings(section, named)
    found = [*([unreadable] if unreadable else ()), *problems]
    return [("retry-settings", problem) for problem in found]


def _lay_out(path: str, folder: str, options: Options) -> tuple[Archive, str, tuple[str, ...]]:
    """Put the model where the frontend would; return what it is, that place, and what was noted.

    An archive into ``models/<id>``, a folder as the link ``models/<id>/<name>`` (0.12.0 ZipUtils).
    """
    place = os.path.join(folder, "models", uuid.uuid4().hex)
    os.makedirs(place)
    if os.path.isdir(path):
        archive = read_archive(path)
        root = os.path.abspath(model_root(path))
        if not options.follow_links:
            check_links(root)
        link = os.path.join(place, os.path.basename(root))
        os.symlink(root, link)
        return archive, link, ()
    # A tar is read to its end to find what is in it, so that its size has to be looked at first.
    read = read_archive(path) if path.endswith(".mar") else None
    proceed = options.children.proceed
    notes = unpack(path, place, max_unpacked=options.max_unpacked, proceed=proceed)
    return read or _read_unpacked(path, place), place, notes


def _read_unpacked(path: str, place: str) -> Archive:
    try:
        return replace(read_archive(place), path=path)
    except ArchiveError as error:
        raise ArchiveError(path, error.why, stops_server=error.stops_server) from error
