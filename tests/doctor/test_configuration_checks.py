"""What doctor says of a configuration before the start; each text is what TorchServe 0.12.0 was seen to do."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from tests.archive.packing import write_mar
from tests.doctor.key_stores import PASSWORD, STORES
from ts_retry_ext.doctor.configuration_checks import check_configuration
from ts_retry_ext.doctor.diagnosis import FINE, WARNING, WRONG, Diagnosis
from ts_retry_ext.doctor.server_keys import SERVER_KEYS
from ts_retry_ext.frontend.server_configuration import configuration_of_file


def checked(folder: Path, text: str, *, is_running: bool = True, **environ: str) -> list[Diagnosis]:
    """Return what is said of a configuration; as that of a running server, whose ports are its own."""
    path = folder / "config.properties"
    path.write_text(text)
    made = configuration_of_file(str(folder), str(path), environ)
    return list(check_configuration(made, is_running=is_running))


ONE_MODEL = '{"a": {"1.0": {"minWorkers": 1}}}'


@pytest.mark.parametrize(
    ("line", "outcome", "why", "write"),
    [
        ("job_queue_size=many", WRONG, "this is no number", "a whole number"),
        ("job_queue_size=100 ", WRONG, "this is no number", "job_queue_size=100,"),
        ("max_request_size=6553500000", WRONG, "the largest number is 2147483647", ""),
        ("grpc_inference_port=70700", WRONG, "this is no port", "from 1 to 65535"),
        ("enable_model_api=yes", WARNING, "anything but true for false", "enable_model_api=true"),
        ("enable_model_api=true ", WARNING, "anything but true", "enable_model_api=true, with"),
        ("inference_address=127.0.0.1:8080", WRONG, "this is no address", "http://HOST:PORT"),
        ("inference_address=http://0.0.0.0:80800", WRONG, "there is no port 80800", ""),
        ("metrics_mode=promethus", WARNING, "takes log for it", "prometheus"),
        ("model_store=absent", WRONG, "absent does not exist", "make it"),
        ("model_store=config.properties", WRONG, "is no folder", ""),
        ('model_store="models"', WRONG, "quotes and blanks count", "model_store=models,"),
        ("model_store=models ", WRONG, "quotes and blanks count", "model_store=models,"),
        ("metrics_config=no.yaml", WARNING, "goes on without it", "a YAML file"),
        (
            "load_models=a.mar\nmodel_store=models",
            WARNING,
            "models holds no a.mar, and TorchServe starts without that model",
            "copy it there",
        ),
        ("keystore=no.p12", WARNING, "TorchServe does not read it", ""),
        ("load_modles=all", WARNING, "'all': TorchServe knows no such key", "write load_models"),
        ("zzzz=1", WARNING, "knows no such key", "remove it"),
        ("model_store=$$STORE$$", WRONG, "the variable STORE is not set", "set STORE"),
        ("models={", WRONG, "this is no JSON", ""),
        ('models={"a": 1}', WRONG, "a: does not hold versions", ""),
        ("models=[]", WRONG, "this is no JSON object", ""),
        ('models={"a": {}, "a": {}}', WRONG, "'a' occurs twice", ""),
        ('models={"a": {"1.0": {}, "1.0": {}}}', WRONG, "'1.0' occurs twice", ""),
        (
            'models={"a": {\\\n  "1.0": {} // one\\\n}}',
            WRONG,
            "everything after // is a comment",
            "",
        ),
        ('models={"a": {"1.0": {"minWorker": 1}}}', WARNING, "a 1.0: minWorker", "minWorkers"),
        ('models={"a": {"1.0": {"batchSize": "two"}}}', WRONG, "batchSize is 'two'", "NUMBER"),
    ],
)
def test_value_that_torchserve_refuses_or_ignores_is_named_with_what_to_write(
    line: str, outcome: str, why: str, write: str, tmp_path: Path
) -> None:
    (tmp_path / "models").mkdir()

    (found,) = checked(tmp_path, line + "\n")

    assert found.outcome == outcome
    assert found.found.startswith(f"{tmp_path}/config.properties: {line.partition('=')[0]} is ")
    assert why in found.found
    assert write in (found.remedy or "")


@pytest.mark.parametrize(
    "line",
    [
        "inference_address=https://0.0.0.0",
        "inference_address=unix:/tmp/s",
        "management_address=HTTP://localhost:8081",
        "number_of_gpu=0",
        "enable_model_api=TRUE",
        "retry_on_fatal=hold",
        f"models={ONE_MODEL}",
        'models={"a": {"1.0": {"defaultVersion": true, "marName": "a.mar", "runtimeType": "LSP"}}}',
        "models=null",
        "metrics_mode=Prometheus",
        "load_models=https://h/a.mar\nmodel_store=.",
        "load_models=all\nmodel_store=.",
        "load_models=a.mar",
        "vmargs=-Xmx1g",
        "grpc_inference_max_connection_age_ms=9223372036854775807",
    ],
)
def test_value_that_torchserve_takes_is_fine(line: str, tmp_path: Path) -> None:
    assert [one.outcome for one in checked(tmp_path, line + "\n")] == [FINE]


@pytest.mark.parametrize(
    ("load_models", "is_told"),
    [("all", True), ("a.mar,b.mar", True), ("a.mar,other=b.mar", False), ("a.mar", False)],
)
def test_archives_of_one_model_and_version_keep_torchserve_from_starting(
    tmp_path: Path, load_models: str, is_told: bool
) -> None:
    manifest = b'{"model": {"modelName": "digits", "modelVersion": "1.0", "handler": "h.py"}}'
    for name in ("a.mar", "b.mar"):
        write_mar(tmp_path / name, {"MAR-INF/MANIFEST.json": manifest})
    (tmp_path / "torn.mar").write_text("no archive")
    told = checked(tmp_path, f"model_store={tmp_path}\nload_models={load_models}\n")
    twice = [one for one in told if "both digits 1.0" in one.found]
    assert bool(twice) is is_told
    assert all(one.outcome == WRONG and "a.mar and b.mar" in one.found for one in twice)


def test_a_signature_that_torchserve_takes_for_an_archive_is_not_shown(tmp_path: Path) -> None:
    line = f"model_store={tmp_path}\nload_models=https://h/a.mar?sig=c2VjcmV0\n"
    (found,) = checked(tmp_path, line)
    assert (found.outcome, "NAME=URL" in str(found)) == (WARNING, True)
    assert "c2VjcmV0" not in str(found)


def test_key_file_that_is_missing_matters_where_an_address_is_https(tmp_path: Path) -> None:
    text = "management_address=https://127.0.0.1:8443\nprivate_key_file=no.pem\n"

    (found,) = checked(tmp_path, text)

    assert found.outcome == WRONG
    assert f"{tmp_path}/no.pem: No such file or directory" in found.found


@pytest.mark.parametrize(
    ("lines", "outcome"),
    [
        ("inference_address=https://127.0.0.1:8443\nkeystore_pass=other", WRONG),
        ("keystore_pass=other", WARNING),
        (
            "management_address=https://127.0.0.1:8443\nkeystore_pass=other\nkeystore_type=X",
            WARNING,
        ),
        (f"inference_address=https://127.0.0.1:8443\nkeystore_pass={PASSWORD}", FINE),
    ],
)
def test_key_store_that_does_not_open_matters_where_an_address_is_https(
    tmp_path: Path, lines: str, outcome: str
) -> None:
    (tmp_path / "store.p12").write_bytes(STORES["PKCS12 keytool"])
    (found,) = checked(tmp_path, f"{lines}\nkeystore=store.p12\n")
    assert found.outcome == outcome
    if outcome != FINE:
        assert found.found.startswith(
            f"{tmp_path}/config.properties: keystore is 'store.p12': keystore_"
        )
    assert "other" not in found.found


@pytest.mark.parametrize(
    ("lines", "key_store", "pem"),
    [
        ("inference_address=https://h", WRONG, WARNING),
        ("metrics_address=https://h\nenable_grpc_ssl=true", WRONG, WRONG),
        ("enable_grpc_ssl=true", WARNING, WRONG),
        ("enable_grpc_ssl=false", WARNING, WARNING),
    ],
)
def test_a_key_store_goes_before_other_files_for_https_and_counts_for_nothing_with_grpc(
    tmp_path: Path, lines: str, key_store: str, pem: str
) -> None:
    files = "keystore=no.p12\ncertificate_file=no.pem\nprivate_key_file=no.key\n"
    told = checked(tmp_path, f"{lines}\n{files}")
    assert [one.outcome for one in told] == [key_store, pem, pem]


@pytest.mark.parametrize(
    ("files", "lacking"),
    [
        ("keystore_type=JKS", "certificate_file and private_key_file are not set"),
        ("certificate_file=config.properties", "and private_key_file is not set"),
        ("certificate_file=config.properties\nprivate_key_file=config.properties", None),
    ],
)
def test_grpc_with_tls_needs_a_certificate_and_a_key(
    tmp_path: Path, files: str, lacking: str | None
) -> None:
    (found,) = checked(tmp_path, f"enable_grpc_ssl=true\n{files}\n")
    assert found.outcome == (WRONG if lacking else FINE)
    assert (lacking or "") in found.found


def test_key_store_whose_password_is_a_variable_that_is_not_set_is_named_once(
    tmp_path: Path,
) -> None:
    (tmp_path / "store.p12").write_bytes(STORES["PKCS12 keytool"])
    text = "inference_address=https://h\nkeystore=store.p12\nkeystore_pass=$$STORE_PASS$$\n"
    (found,) = checked(tmp_path, text)
    assert "the variable STORE_PASS is not set" in found.found
    (found,) = checked(tmp_path, text, STORE_PASS=PASSWORD)
    assert found.outcome == FINE


def test_value_of_a_variable_is_named_with_it(tmp_path: Path) -> None:
    text = "enable_envvars_config=true\n"

    (found,) = checked(tmp_path, text, TS_JOB_QUEUE_SIZE="x", TS_CONFIG_FILE="config.properties")

    assert found.found.startswith("environment: TS_JOB_QUEUE_SIZE is 'x'")


def test_password_is_not_shown(tmp_path: Path) -> None:
    (found,) = checked(tmp_path, "keystore_pass=$$SECRET$$hunter2\n")

    assert "hunter2" not in found.found


def test_port_in_use_is_named_with_its_process(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        text = f"inference_address=http://127.0.0.1:{port}\n"
        found = [
            one.found
            for one in checked(tmp_path, text, is_running=False)
            if "inference_address is" in one.found
        ]
        own = checked(tmp_path, text)

    assert len(found) == 1
    assert f"port {port} of 127.0.0.1 is in use by process {os.getpid()} (" in found[0]
    assert [one.outcome for one in own] == [FINE]


def test_file_that_may_not_be_read_is_left_to_the_check_of_the_server(tmp_path: Path) -> None:
    made = configuration_of_file(str(tmp_path), str(tmp_path / "absent"), {})

    assert list(check_configuration(made, is_running=True)) == []


def test_keys_are_those_of_the_table_once_each() -> None:
    assert len(SERVER_KEYS) == 75  # 73 of ConfigManager, two of the launcher.
