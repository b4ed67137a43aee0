from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.archive.packing import write_mar
from tests.frontend.api import described
from ts_retry_ext.frontend.running_model import RunningModel, running_model
from ts_retry_ext.frontend.server_configuration import ServerConfiguration, configuration_of_file
from ts_retry_ext.snapshot.join import confirmed_models
from ts_retry_ext.snapshot.model import ModelStatus, NotRegistered
from ts_retry_ext.snapshot.not_registered import find_not_registered
from ts_retry_ext.snapshot.registration import Registrations
from ts_retry_ext.snapshot.state import State

MANIFEST = '{"model": {"modelName": "%s", "handler": "h.py"}}'
HEAD = "2026-11-26T10:47:44,014 [WARN ] main org.pytorch.serve.ModelServer - "
BANNER = f"{HEAD}\nTorchserve version: 0.12.0\n"
PIP = (
    "2026-11-26T10:47:44,014 [ERROR] main org.pytorch.serve.wlm.ModelManager - Custom pip package "
    "installation failed for model needs:\nLooking in indexes: https://pypi.org/simple\n"
    "ERROR: Could not find a version\nERROR: No matching distribution found for nothing==1\n\n"
)
REFUSED = (
    f"{HEAD}Failed to load model: cut.mar\njava.io.EOFException: Unexpected end of ZLIB input stream\n"
    f"{HEAD}Failed to load model: other.mar\n"
    "org.pytorch.serve.archive.model.InvalidModelException: Model name is not defined.\n"
    "\tat org.pytorch.serve.archive.model.ModelArchive.validate(ModelArchive.java:1)\n"
)


@pytest.fixture
def configuration(tmp_path: Path) -> ServerConfiguration:
    store = tmp_path / "store"
    store.mkdir()
    (tmp_path / "logs").mkdir()
    for name in ("good", "needs", "other"):
        write_mar(store / f"{name}.mar", {"MAR-INF/MANIFEST.json": (MANIFEST % name).encode()})
    (store / "cut.mar").write_bytes((store / "good.mar").read_bytes()[:60])
    file = tmp_path / "config.properties"
    models = ",".join(f"{name}.mar" for name in ("good", "cut", "needs", "other"))
    file.write_text(f"model_store={store}\nload_models={models}\n")
    return configuration_of_file(str(tmp_path), str(file), {})


def running(name: str, **changes: Any) -> RunningModel:
    return running_model(described(name, **changes), "1.0")


def found(
    configuration: ServerConfiguration,
    *have: RunningModel,
    log: str = "",
    known: tuple[str, ...] = (),
) -> dict[str, NotRegistered]:
    Path(configuration.log_dir, "ts_log.log").write_text(log)
    missing = find_not_registered(configuration, 2e10, have, known)
    return {one.model: one for one in missing}


GOOD = running("good")
EMPTY = running("needs", workers=[], minWorkers=0, maxWorkers=0)


def test_what_the_server_could_not_register_is_found_with_its_cause(
    configuration: ServerConfiguration,
) -> None:
    missing = found(configuration, GOOD, EMPTY, log=BANNER + PIP + REFUSED)
    assert set(missing) == {"cut", "needs", "other"}
    assert missing["cut"].cause == "cannot be read: File is not a zip file"
    assert missing["needs"].cause.endswith("No matching distribution found for nothing==1")
    assert missing["other"].cause == "Failed to load model: other.mar: Model name is not defined."
    assert "POST /models?url=cut.mar" in missing["cut"].remedy
    assert "DELETE /models/needs/1.0" in missing["needs"].remedy


def test_a_model_without_a_word_in_the_log_is_missed_all_the_same(
    configuration: ServerConfiguration,
) -> None:
    missing = found(configuration, GOOD, running("needs"), running("cut"))
    assert missing["other"].cause.endswith("its log does not say why")


def test_a_model_that_somebody_unregistered_or_scaled_to_nothing_is_not_missed(
    configuration: ServerConfiguration,
) -> None:
    added = f"{HEAD.replace('WARN ', 'DEBUG')}Adding new version 1.0 for model other\n"
    missing = found(configuration, GOOD, EMPTY, running("cut"), log=added)
    assert missing == {}
    missing = found(configuration, GOOD, EMPTY, running("cut"), known=("other",))
    assert missing == {}


def test_without_the_log_a_broken_archive_is_the_only_evidence(
    configuration: ServerConfiguration,
) -> None:
    """The sidecar in a container of its own: an archive that is sound may have been unregistered by hand."""
    missing = find_not_registered(configuration, 2e10, [GOOD], sees_log=False)
    assert [(one.model, one.cause) for one in missing] == [
        ("cut", "cannot be read: File is not a zip file")
    ]
    assert find_not_registered(configuration, 2e10, [GOOD], ("cut",), sees_log=False) == []


def test_only_the_last_run_in_the_log_counts(configuration: ServerConfiguration) -> None:
    log = BANNER + PIP + BANNER
    assert "needs" not in found(configuration, GOOD, EMPTY, log=log)


RESTORE = HEAD.replace("ModelServer", "snapshot.SnapshotManager") + "Error while "
NEEDS_ADDED = f"{HEAD.replace('WARN ', 'DEBUG')}Adding new version 1.0 for model needs\n"
NEEDS = "Custom pip package installation failed for model needs"


@pytest.mark.parametrize(
    ("log", "at_fault", "after"),
    [
        (f"{RESTORE}retrieving snapshot details. Details: Unexpected end\n", "cut", ("needs", "other")),
        (f"{NEEDS_ADDED}{PIP}{RESTORE}registering model. Details: {NEEDS}\n", "needs", ("cut", "other")),
    ],
)  # fmt: skip
def test_the_restore_of_a_snapshot_ends_at_one_model_and_comes_to_no_other(
    configuration: ServerConfiguration, log: str, at_fault: str, after: tuple[str, ...]
) -> None:
    order = ("good", at_fault, *after)
    models = {name: {"1.0": {"marName": f"{name}.mar"}} for name in order}
    snapshot = json.dumps({"models": models})
    configuration = configuration._replace(
        properties={**configuration.properties, "model_snapshot": snapshot}
    )
    have = (GOOD, EMPTY) if at_fault == "needs" else (GOOD,)
    missing = found(configuration, *have, log=BANNER + log)
    assert set(missing) == {at_fault, *after}
    assert "at which the restore ended" not in missing[at_fault].remedy
    for name in after:
        assert missing[name].remedy.startswith(f"Correct {at_fault}, at which the restore ended.")


def test_an_archive_that_could_not_be_downloaded_has_the_log_s_cause_and_shows_no_key(
    configuration: ServerConfiguration,
) -> None:
    url = "https://user:hunter2hunter2@store.example/models/away.mar?sig=c2VjcmV0c2VjcmV0"
    log = (
        f"{BANNER}{HEAD}Failed to load model: {url}\n"
        "org.pytorch.serve.archive.DownloadArchiveException: Failed to download archive from: "
        f"{url}\n\tat org.pytorch.serve.archive.utils.ArchiveUtils.downloadArchive(ArchiveUtils.java:1)\n"
    )
    missing = found(configuration._replace(load_models=f"away={url}"), log=log)["away"]
    assert "Failed to download archive from" in missing.cause
    assert missing.remedy.startswith("Look whether the archive is whole at its address")
    for text in (missing.cause, missing.remedy):
        assert "hunter2" not in text
        assert "c2VjcmV0" not in text


def test_a_restart_has_to_name_the_snapshot_that_the_server_started_from(
    configuration: ServerConfiguration,
) -> None:
    """TorchServe writes one without the missing models as soon as it has started."""
    file = str(Path(configuration.log_dir, "config", "20260101000000000-shutdown.cfg"))
    missing = found(configuration._replace(config_file=file), GOOD, EMPTY, log=BANNER + REFUSED)
    assert f"Then restart the server with --ts-config {file}" in missing["cut"].remedy
    missing = found(configuration, GOOD, EMPTY, log=BANNER + REFUSED)
    assert "Then restart the server, or POST" in missing["cut"].remedy


def test_it_is_down_in_its_own_state_and_there_is_nothing_to_resume(
    configuration: ServerConfiguration,
) -> None:
    missing = found(configuration, GOOD, EMPTY, log=BANNER + PIP + REFUSED)
    statuses: dict[str, ModelStatus] = {
        status.model: status
        for status in confirmed_models(
            [GOOD, EMPTY], Registrations([]), {}, now=0.0, died_by=None, missing=[*missing.values()]
        )
    }
    assert set(statuses) == {"good", "cut", "needs", "other"}
    needs = statuses["needs"]
    assert (needs.state, needs.is_down, needs.can_be_resumed) == (State.NOT_REGISTERED, True, False)
    assert needs.short_cause == needs.cause == missing["needs"].cause
    assert needs.to_json()["reason"].startswith("TorchServe could not register it: Custom pip")
    assert statuses["good"].state is not State.NOT_REGISTERED


def test_nothing_is_missed_where_the_log_of_the_start_refuses_nothing(
    configuration: ServerConfiguration,
) -> None:
    """Somebody has replaced an archive, removed another one, and unregistered a third since."""
    Path(str(configuration.model_store), "other.mar").unlink()
    assert found(configuration, GOOD, log=BANNER) == {}
    renamed = running("digits", modelUrl="cut.mar")
    assert set(found(configuration, GOOD, EMPTY, renamed)) == set()


def test_a_url_with_a_signature_and_no_name_shows_neither_user_nor_signature(
    configuration: ServerConfiguration,
) -> None:
    """TorchServe splits each entry at its first equals sign, and names what follows in its log."""
    url = "https://user:hunter2hunter2@store.example/models/away.mar?sig=c2VjcmV0c2VjcmV0"
    log = (
        f"{BANNER}{HEAD}Failed to load model: c2VjcmV0c2VjcmV0\n"
        "org.pytorch.serve.archive.model.ModelNotFoundException: Model not found at: c2VjcmV0c2VjcmV0\n"
    )
    (missing,) = found(configuration._replace(load_models=url), log=log).values()
    assert "store.example" in missing.model
    assert "NAME=URL" in missing.remedy
    for text in missing[:2] + missing[3:5]:
        assert "hunter2" not in str(text)
        assert "c2VjcmV0" not in str(text)


def test_a_blank_in_load_models_is_a_part_of_the_name(configuration: ServerConfiguration) -> None:
    log = f"{BANNER}{HEAD}Failed to load model:  other.mar\norg.x.ModelNotFoundException: Model not found at:  other.mar\n"
    spaced = configuration._replace(load_models="good.mar, other.mar")
    (missing,) = found(spaced, GOOD, log=log).values()
    assert missing.model == "other"
    assert "without blanks" in missing.remedy


def test_an_archive_that_was_replaced_since_is_still_not_registered(
    configuration: ServerConfiguration,
) -> None:
    """With ``all`` an archive that came later is not missed, and one that was refused is, repaired or not."""
    every = configuration._replace(load_models="all")
    Path(every.log_dir, "ts_log.log").write_text(BANNER + REFUSED)
    have = [GOOD, running("needs"), running("cut")]
    names = [one.model for one in find_not_registered(every, 0.0, have)]
    assert names == ["other"]
    names = [one.model for one in find_not_registered(every, 0.0, [GOOD])]
    assert names == ["cut", "other"]


def test_a_model_that_was_registered_again_without_workers_is_wanted_so(
    configuration: ServerConfiguration,
) -> None:
    opened = f"{HEAD.replace('WARN ', 'INFO ')}Management API bind to: http://127.0.0.1:8081\n"
    log = BANNER + NEEDS_ADDED + PIP + opened
    assert "needs" in found(configuration, GOOD, EMPTY, log=log)
    assert "needs" not in found(configuration, GOOD, EMPTY, log=log + NEEDS_ADDED)


def snapshot_of(configuration: ServerConfiguration, models: Any) -> ServerConfiguration:
    properties = {**configuration.properties, "model_snapshot": json.dumps({"models": models})}
    return configuration._replace(properties=properties)


def entry(archive: str, **changes: Any) -> dict[str, Any]:
    return {"marName": archive, "defaultVersion": True, "minWorkers": 1, "maxWorkers": 1, **changes}


STOPPED_AT_CUT = f"{BANNER}{RESTORE}retrieving snapshot details. Details: Unexpected end\n"


def test_a_torn_version_of_a_model_that_serves_in_another_is_missed(
    configuration: ServerConfiguration,
) -> None:
    for is_default in (True, False):
        versions = {"1.0": entry("good.mar"), "2.0": entry("cut.mar", defaultVersion=is_default)}
        made = snapshot_of(configuration, {"good": versions})
        Path(made.log_dir, "ts_log.log").write_text(STOPPED_AT_CUT)
        (missing,) = find_not_registered(made, 2e10, [GOOD], ("good",))
        assert (missing.model, missing.version, missing.is_default) == ("good", "2.0", is_default)
        models = confirmed_models(
            [GOOD], Registrations([]), {}, now=0.0, died_by=None, missing=[missing]
        )
        assert [model.key for model in models] == [("good", "1.0"), ("good", "2.0")]


def test_a_model_that_a_snapshot_gives_no_workers_is_not_missed(
    configuration: ServerConfiguration,
) -> None:
    models = {"good": {"1.0": entry("good.mar")}, "cut": {"1.0": entry("cut.mar", maxWorkers=0)}}
    assert found(snapshot_of(configuration, models), GOOD, log=STOPPED_AT_CUT) == {}


def test_a_model_of_a_snapshot_whose_requirements_failed_keeps_its_number_of_workers(
    configuration: ServerConfiguration,
) -> None:
    models = {"good": {"1.0": entry("good.mar")}, "needs": {"1.0": entry("needs.mar")}}
    log = f"{BANNER}{NEEDS_ADDED}{PIP}{RESTORE}registering model. Details: {NEEDS}\n"
    empty = running("needs", workers=[], minWorkers=1, maxWorkers=1)
    missing = found(snapshot_of(configuration, models), GOOD, empty, log=log)
    assert "No matching distribution" in missing["needs"].cause


def test_of_a_snapshot_the_model_that_ended_the_restore_is_named_when_it_is_registered_since(
    configuration: ServerConfiguration,
) -> None:
    models = {name: {"1.0": entry(f"{name}.mar")} for name in ("good", "cut", "needs", "other")}
    opened = f"{HEAD.replace('WARN ', 'INFO ')}Management API bind to: http://127.0.0.1:8081\n"
    added = NEEDS_ADDED.replace("needs", "%s")
    log = f"{BANNER}{added % 'good'}{STOPPED_AT_CUT[len(BANNER) :]}{opened}{added % 'cut'}"
    missing = found(snapshot_of(configuration, models), GOOD, running("cut"), log=log)
    assert set(missing) == {"needs", "other"}
    for one in missing.values():
        assert "cut (it is registered since), at which the restore ended" in one.remedy


ADDED = HEAD.replace("WARN ", "DEBUG") + "Adding new version %s for model m\n"
TORN_SECOND = f"{HEAD}Failed to load model: m2.mar\njava.io.EOFException: Unexpected end\n"


@pytest.mark.parametrize(
    ("have", "log", "missing"),
    [
        ({"m1.mar": "1.0"}, TORN_SECOND, ["m2.mar"]),
        # The level of the log may leave out what was added.
        ({"m1.mar": "1.0"}, ADDED % "1.0" + TORN_SECOND, ["m2.mar"]),
        ({"m1.mar": "1.0", "m2.mar": "2.0"}, TORN_SECOND, []),
        # Put in its place from another archive, by ts-retry deploy or by hand.
        ({"m1.mar": "1.0", "m-2.0.mar": "2.0"}, TORN_SECOND, []),
        # Registered since, and unregistered.
        ({"m1.mar": "1.0"}, TORN_SECOND + ADDED % "2.0", []),
        # Registered at the start, and unregistered.
        ({"m1.mar": "1.0"}, "", []),
        ({}, TORN_SECOND.replace("m2", "m1") + TORN_SECOND, ["1.0", "m2.mar"]),
    ],
)
def test_archive_that_was_to_be_a_second_version_is_missed_though_the_first_serves(
    configuration: ServerConfiguration, have: dict[str, str], log: str, missing: list[str]
) -> None:
    for name in ("m1", "m2"):
        (Path(configuration.model_store or "") / f"{name}.mar").write_bytes(b"torn")
    configuration = configuration._replace(load_models="m=m1.mar,m=m2.mar")
    Path(configuration.log_dir, "ts_log.log").write_text(BANNER + log)
    running = [
        running_model(described("m", version, modelUrl=url), "1.0") for url, version in have.items()
    ]
    found = find_not_registered(configuration, 2e10, running, ("m",) if have else ())
    assert [(one.model, one.version) for one in found] == [("m", version) for version in missing]
    assert [one.version for one in found if one.is_default] == missing[:-1]
