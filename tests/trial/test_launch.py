from __future__ import annotations

from pathlib import Path
from typing import Any, Mapping

import pytest

from tests.archive.packing import write_folder
from tests.check.models import entries
from ts_retry_ext.archive.model_archive import read_archive
from ts_retry_ext.trial.launch import Launch, gpus_of_server, launch_of


def launched(
    path: Path,
    config: str | None = None,
    gpus: int = 0,
    properties: Mapping[str, str] | None = None,
) -> Launch:
    folder = write_folder(path / "m", entries("", config=config))
    return launch_of(read_archive(str(folder)), properties or {}, gpus)


@pytest.mark.parametrize(
    ("config", "properties", "expected"),
    [
        (None, {}, {"startup_timeout_sec": 120, "batch_size": 1, "ranks": 0, "envelope": None}),
        (None, {"default_startup_timeout": "40"}, {"startup_timeout_sec": 40}),
        ("a: 1", {"default_startup_timeout": "40"}, {"startup_timeout_sec": 120}),
        ("startupTimeout: 7", {}, {"startup_timeout_sec": 7}),
        ("startupTimeout: 0", {}, {"startup_timeout_sec": 120}),
        ("startupTimeout: '7'", {}, {"startup_timeout_sec": 120}),
        ("startupTimeout: true", {}, {"startup_timeout_sec": 120}),
        ("responseTimeout: 9\nbatchSize: 4", {}, {"response_timeout_sec": 9, "batch_size": 4}),
        ("{{", {"default_startup_timeout": "40"}, {"startup_timeout_sec": 40}),
        ("asyncCommunication: true\nuseVenv: true", {}, {"asynchronous": True, "use_venv": True}),
        ("asyncCommunication: yes please", {}, {"asynchronous": False}),
        ("parallelLevel: 2", {}, {"ranks": 0}),
        ("parallelLevel: 2\nparallelType: tp", {}, {"ranks": 2, "has_torchrun": True}),
        ("parallelLevel: 1\nparallelType: custom", {}, {"ranks": 1, "has_torchrun": False}),
        (
            "parallelType: PP\ntorchrun:\n  nproc-per-node: 3\n  OMP_NUMBER_THREADS: 5",
            {},
            {"ranks": 3, "variables": {"LOGLEVEL": "INFO", "OMP_NUM_THREADS": "5"}},
        ),
        (None, {"service_envelope": "json"}, {"envelope": "json"}),
        (None, {"default_service_handler": "x.py"}, {"handler": "h.py"}),
    ],
)
def test_what_the_frontend_makes_of_a_model(
    tmp_path: Path, config: str | None, properties: dict[str, str], expected: dict[str, Any]
) -> None:
    found = launched(tmp_path, config, properties=properties)
    limits = found.limits._asdict()
    assert {k: limits[k] if k in limits else getattr(found, k) for k in expected} == expected


@pytest.mark.parametrize(
    ("config", "gpus", "gpu", "devices"),
    [
        (None, 0, None, None),
        (None, 2, 0, None),
        ("deviceType: cpu", 2, None, None),
        ("deviceIds: [1]", 2, 1, None),
        ("deviceIds: [5]", 2, 0, None),
        ("deviceIds: [3, 1]\nparallelLevel: 2\nparallelType: tp", 4, 0, "3,1"),
        ("parallelLevel: 2\nparallelType: tp", 4, 0, "0,1"),
    ],
)
def test_the_device_of_the_first_worker(
    tmp_path: Path, config: str | None, gpus: int, gpu: int | None, devices: str | None
) -> None:
    found = launched(tmp_path, config, gpus)
    assert (found.gpu, found.devices) == (gpu, devices)


def test_numbers_that_count_for_nothing_are_named(tmp_path: Path) -> None:
    problems = launched(
        tmp_path, "startupTimeout: 1.5\nbatchSize: '4'\nminWorkers: 1\nmaxWorkers: 1"
    ).problems
    assert [code for code, _ in problems] == ["not-an-integer", "not-an-integer"]
    assert "model-config.yaml: startupTimeout is 1.5" in problems[0][1]


def test_gpus_are_those_that_nvidia_smi_lists(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert gpus_of_server({}, {}) == 0
    tool = tmp_path / "nvidia-smi"
    tool.write_text("#!/bin/sh\necho 'GPU 0: A100 (UUID: x)'\necho 'GPU 1: A100 (UUID: y)'\n")
    tool.chmod(0o755)
    assert gpus_of_server({}, {}) == 2
    assert gpus_of_server({"number_of_gpu": "1"}, {}) == 1
    assert gpus_of_server({}, {"CUDA_VISIBLE_DEVICES": " 1"}) == 1
    assert gpus_of_server({}, {"CUDA_VISIBLE_DEVICES": "0,1,1"}) == 2
    assert gpus_of_server({}, {"CUDA_VISIBLE_DEVICES": ""}) == 2
    tool.write_text("#!/bin/sh\nexit 9\n")
    assert gpus_of_server({}, {}) == 0
