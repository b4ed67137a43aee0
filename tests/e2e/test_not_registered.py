"""What a server was started with and could not register goes missing nowhere (pytorch/serve 2099)."""

from __future__ import annotations

import json
from pathlib import Path
from textwrap import dedent

import pytest

from tests.archive.packing import write_mar
from tests.e2e.archives import SOUND, pack
from tests.e2e.torchserve import TorchServe
from ts_retry_ext.plugin import FOLDER

MANIFEST = {
    "runtime": "python",
    "model": {"modelName": "needs", "handler": "h.py", "requirementsFile": "requirements.txt"},
}

#: A model as TorchServe writes it into its snapshots.
IN_SNAPSHOT = {
    "defaultVersion": True, "minWorkers": 1, "maxWorkers": 1, "batchSize": 1, "maxBatchDelay": 100,
    "responseTimeout": 120, "startupTimeout": 120,
}  # fmt: skip
#: pip says at once that nobody has a requirement, and asks no package index.
NO_INDEX = {"PIP_NO_INDEX": "1"}


def archives(store: Path, *sound: str) -> list[str]:
    """Pack sound models, one that is torn, and one with a requirement that nobody has."""
    names = [pack(store, name, SOUND) for name in (*sound, "cut")]
    cut = store / "cut.mar"
    cut.write_bytes(cut.read_bytes()[:100])  # Within the first file.
    needs = {
        "h.py": dedent(SOUND).encode(),
        "requirements.txt": b"no-such-distribution-anywhere==1\n",
        "MAR-INF/MANIFEST.json": json.dumps(MANIFEST).encode(),
    }
    return [*names, write_mar(store / "needs.mar", needs).name]


def test_a_torn_archive_and_a_requirement_that_nobody_has_are_named(tmp_path: Path) -> None:
    models = archives(tmp_path / "store", "good")
    config = {"install_py_dep_per_model": "true", "load_models": ",".join(models)}
    with TorchServe(tmp_path, config=config, environ=NO_INDEX) as server:
        server.wait_for(lambda: server.is_ready("good"), "good serves")
        assert server.ping() == (200, "Healthy")
        done = server.command("status", "--json", "--pid", str(server.frontend().pid))
        assert done.returncode == 3, done.stderr
        told = {model["model"]: model for model in json.loads(done.stdout)["models"]}
        assert {name: model["state"] for name, model in told.items()} == {
            "good": "serving",
            "cut": "not-registered",
            "needs": "not-registered",
        }
        assert "File is not a zip file" in told["cut"]["reason"]
        assert "No matching distribution found for no-such-dist" in told["needs"]["reason"]


@pytest.mark.parametrize("is_all", [True, False], ids=["all", "named"])
def test_the_plug_in_reports_both_and_misses_none_that_somebody_unregistered(
    tmp_path: Path, is_all: bool
) -> None:
    models = archives(tmp_path / "store", "good", "gone")
    config = {
        "install_py_dep_per_model": "true",
        "load_models": "all" if is_all else ",".join(models),
        "plugins_path": FOLDER,
    }
    with TorchServe(tmp_path, config=config, environ=NO_INDEX) as server:
        server.wait_for(lambda: server.is_ready("good") and server.is_ready("gone"), "two serve")
        server.call("/models/gone", "DELETE")
        server.wait_for(lambda: server.ping()[0] == 500, "/ping fails")
        answer = server.call("/ping", base=server.inference)[1]
        assert {model["model"]: model["cause"] for model in answer["not-registered"]} == {
            "cut": "EOFException: Unexpected end of ZLIB input stream",
            "needs": "ModelException: Custom pip package installation failed for model needs",
        }

        pack(tmp_path / "again" / "store", "cut", SOUND)
        (tmp_path / "again" / "store" / "cut.mar").replace(server.store / "cut.mar")
        assert (
            server.call("/models?url=cut.mar&initial_workers=1&synchronous=true", "POST")[0] == 200
        )
        server.call("/models/needs", "DELETE")
        assert server.ping() == (200, "Healthy")


def test_what_a_snapshot_names_after_a_torn_archive_is_reported_too(tmp_path: Path) -> None:
    """TorchServe restores in order, and nothing after the first one that it cannot register."""
    names = ("good", "cut", "after")
    archives(tmp_path / "store", "good", "after")
    models = {name: {"1.0": {**IN_SNAPSHOT, "marName": f"{name}.mar"}} for name in names}
    snapshot = {"name": "startup.cfg", "modelCount": len(models), "models": models}
    config = {"model_snapshot": json.dumps(snapshot), "plugins_path": FOLDER}
    with TorchServe(tmp_path, config=config) as server:
        server.wait_for(lambda: server.is_ready("good"), "good serves")
        server.wait_for(lambda: server.ping()[0] == 500, "/ping fails")
        answer = server.call("/ping", base=server.inference)[1]
        cause = "TorchServe stopped restoring its snapshot: Unexpected end of ZLIB input stream"
        told = {model["model"]: model["cause"] for model in answer["not-registered"]}
        assert told == {"cut": cause, "after": cause}

        done = server.command("status", "--json", "--pid", str(server.frontend().pid))
        assert done.returncode == 3, done.stderr
        missing = {m["model"]: m for m in json.loads(done.stdout)["models"] if m["model"] != "good"}
        assert {model["state"] for model in missing.values()} == {"not-registered"}
        assert "File is not a zip file" in missing["cut"]["reason"]
        assert cause in missing["after"]["reason"]
        assert missing["after"]["remedy"].startswith("Correct cut, at which the restore ended.")


def states(server: TorchServe) -> dict[tuple[str, str], str]:
    """Return the states of all versions, as ``ts-retry status`` has them."""
    done = server.command("status", "--json", "--pid", str(server.frontend().pid))
    models = json.loads(done.stdout)["models"]
    return {(model["model"], model["version"]): model["state"] for model in models}


def missing_by_plug_in(server: TorchServe) -> dict[str, str]:
    """Return the causes of what the plug-in says is not registered."""
    answer = server.call("/ping", base=server.inference)[1]
    return {model["model"]: model["cause"] for model in answer.get("not-registered", [])}


def test_blanks_names_that_begin_alike_and_a_signed_url_without_a_name(tmp_path: Path) -> None:
    root = tmp_path / "with a blank"
    store = root / "store"
    named = archives(store, "net-50", "late")
    for archive in named[-2:]:
        (store / archive).replace(
            store / archive.replace("cut", "net").replace("needs", "odd needs")
        )
    models = [
        "net.mar",
        "net-50.mar",
        " late.mar",
        "odd needs.mar",
        "https://[::1]:1/a.mar?sig=c2VjcmV0",
    ]
    config = {
        "install_py_dep_per_model": "true",
        "load_models": ",".join(models),
        "plugins_path": FOLDER,
    }
    with TorchServe(root, config=config, environ=NO_INDEX) as server:
        server.wait_for(lambda: server.is_ready("net-50"), "net-50 serves")
        by_plug_in = missing_by_plug_in(server)
        assert set(by_plug_in) == {"net", "late", "needs", "https://[::1]:1/…"}
        shown = states(server)
        assert shown.pop(("net-50", "1.0")) == "serving"
        assert set(shown.values()) == {"not-registered"}
        assert {name for name, _ in shown} == {"net", "late", "needs", "https://[::1]:1/a.mar?sig"}
        for path, base in (("/ping", server.inference), ("/retry", server.management)):
            assert "c2VjcmV0" not in json.dumps(server.call(path, base=base)[1])


def test_a_model_that_was_registered_again_or_unregistered_before_the_first_probe_is_not_missed(
    tmp_path: Path,
) -> None:
    models = archives(tmp_path / "store", "good", "gone")
    config = {
        "install_py_dep_per_model": "true",
        "load_models": f"good.mar,x=gone.mar,{models[-1]},again={models[-1]}",
        "plugins_path": FOLDER,
    }
    server = TorchServe(tmp_path, config=config, environ=NO_INDEX)
    server.probed = server.management, "/models"
    with server:
        server.wait_for(lambda: server.is_ready("good"), "good serves")
        for name in ("x", "needs", "again"):
            assert server.call(f"/models/{name}", "DELETE")[0] == 200
        needs = {
            "h.py": dedent(SOUND).encode(),
            "MAR-INF/MANIFEST.json": json.dumps(MANIFEST).encode(),
        }
        write_mar(server.store / models[-1], {**needs, "requirements.txt": b""})
        assert server.call(f"/models?url={models[-1]}&initial_workers=0", "POST")[0] == 200
        assert server.ping() == (200, "Healthy")
        assert set(states(server).values()) == {"serving", "unknown"}


def test_of_a_snapshot_a_torn_version_and_what_its_requirements_took_along_are_reported(
    tmp_path: Path,
) -> None:
    archives(tmp_path / "store", "good")
    for version in ("1.0", "2.0"):
        pack(tmp_path / version / "store", "two", SOUND, version=version)
        (tmp_path / version / "store" / "two.mar").replace(tmp_path / "store" / f"two{version}.mar")
    torn = tmp_path / "store" / "two2.0.mar"
    torn.write_bytes(torn.read_bytes()[:100])
    two = {
        v: {**IN_SNAPSHOT, "marName": f"two{v}.mar", "defaultVersion": v == "2.0"}
        for v in ("1.0", "2.0")
    }
    scaled = {**IN_SNAPSHOT, "marName": "good.mar", "minWorkers": 0, "maxWorkers": 0}
    needs = {"needs": {"1.0": {**IN_SNAPSHOT, "marName": "needs.mar"}}}
    for last, missing in (({"two": two}, ("two", "2.0")), (needs, ("needs", "1.0"))):
        first = {} if last is needs else {"good": {"1.0": {**IN_SNAPSHOT, "marName": "good.mar"}}}
        models = {**first, **last, "scaled": {"1.0": scaled}}
        snapshot = {"name": "startup.cfg", "modelCount": len(models), "models": models}
        config = {"model_snapshot": json.dumps(snapshot), "plugins_path": FOLDER}
        config["install_py_dep_per_model"] = "true"
        with TorchServe(tmp_path, config=config, environ=NO_INDEX) as server:
            server.wait_for(lambda: missing_by_plug_in(server), "/ping names it")
            assert set(missing_by_plug_in(server)) == {missing[0]}
            shown = states(server)
            assert [key for key, state in shown.items() if state == "not-registered"] == [missing]


@pytest.mark.nightly
def test_a_server_that_starts_from_its_own_snapshot_forgets_none(tmp_path: Path) -> None:
    """It writes a snapshot at its end, and takes the newest one where it is started without a configuration."""
    server = TorchServe(tmp_path)
    server.options.remove("--ncs")
    names = ("a", "b", "c")
    server.models = {name: pack(server.store, name, SOUND) for name in names}
    with server:
        server.wait_for(lambda: all(map(server.is_ready, names)), "three serve")
        server.frontend().terminate()
        server.frontend().wait(60)
    torn = server.store / "b.mar"
    torn.write_bytes(torn.read_bytes()[:100])
    server.options, server.models = [], {}
    with server:
        server.wait_for(lambda: server.is_ready("a"), "a serves")
        done = server.command("status", "--json", "--pid", str(server.frontend().pid))
        told = {model["model"]: model for model in json.loads(done.stdout)["models"]}
        assert {name: told[name]["state"] for name in names} == {
            "a": "serving", "b": "not-registered", "c": "not-registered",
        }  # fmt: skip
        (at_end,) = (server.cwd / "logs" / "config").glob("*-shutdown.cfg")
        assert f"--ts-config {at_end}" in told["b"]["remedy"]


def test_a_torn_archive_that_is_given_a_name_is_registered_and_its_failure_says_what_is_wrong(
    tmp_path: Path,
) -> None:
    """TorchServe asks for no manifest then, and takes the name of the folder for a handler."""
    pack(tmp_path / "store", "cut", SOUND)
    cut = tmp_path / "store" / "cut.mar"
    cut.write_bytes(cut.read_bytes()[:20])
    with TorchServe(tmp_path, {"cut": "cut.mar"}) as server:
        server.wait_for(lambda: server.is_held("cut"), "it is held")
        marker = server.marker_of("cut")
        assert marker is not None
        assert marker.rule == "handler-not-named"


def test_second_archive_of_a_name_that_is_torn_is_missed_beside_the_first(tmp_path: Path) -> None:
    """TorchServe registers what it can: the model serves, and lacks a version that it was started with."""
    store = tmp_path / "store"
    store.mkdir()
    torn = ("m2.mar", "n1.mar")
    for name, version in (("m", "1.0"), ("m", "2.0"), ("n", "1.0"), ("n", "2.0")):
        packed = tmp_path / f"{name}{version}" / "packed"
        data = (packed / pack(packed, name, SOUND, version=version)).read_bytes()
        file = f"{name}{version[0]}.mar"
        (store / file).write_bytes(data[:100] if file in torn else data)
    models = "m=m1.mar,m=m2.mar,n=n1.mar,n=n2.mar"
    with TorchServe(tmp_path, config={"load_models": models, "plugins_path": FOLDER}) as server:
        server.wait_for(lambda: server.is_ready("m") and server.is_ready("n"), "both serve")
        serving = {("m", "1.0"): "serving", ("n", "2.0"): "serving"}
        missing = {("m", "m2.mar"): "not-registered", ("n", "n1.mar"): "not-registered"}
        assert states(server) == {**serving, **missing}
        told = server.command("status", "--pid", str(server.frontend().pid))
        assert told.returncode == 3
        assert "POST /models?url=m2.mar&model_name=m" in told.stdout
        code, answer = server.call("/ping", base=server.inference)
        assert (code, answer["status"]) == (200, "Healthy")  # The default versions serve.
        others = {(one["model"], one["version"]): one["state"] for one in answer["other_versions"]}
        assert others == missing

        mended = (tmp_path / "m2.0" / "packed" / "m.mar").read_bytes()
        (store / "m2.mar").write_bytes(mended)
        post = "/models?url=m2.mar&model_name=m&initial_workers=1&synchronous=true"
        assert server.call(post, "POST")[0] == 200
        server.call("/models/n/2.0", "DELETE")
        assert states(server) == {("m", "1.0"): "serving", ("m", "2.0"): "serving"}
        assert server.call("/ping", base=server.inference)[1] == {"status": "Healthy"}
