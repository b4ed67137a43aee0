"""A damaged file is final in the model's directory, and unknown where somebody may still write it."""

from __future__ import annotations

import json
import linecache
import os
from pathlib import Path
from typing import Any

import pytest

from ts_retry_ext.archive.model_folder import names_of_files
from ts_retry_ext.archive.sound_files import is_sound
from ts_retry_ext.judge import (
    Host,
    Outcome,
    Phase,
    Verdict,
    failure_from_exception,
    failure_from_record,
    failure_from_text,
    judge,
)
from ts_retry_ext.judge.builtin import BUILTIN_RULES
from ts_retry_ext.judge.builtin.examples import example_of

UNPACKED = "/tmp/models/0123456789abcdef0123456789abcdef"
SAFETENSORS = (
    "safetensors_rust.SafetensorError",
    "Error while deserializing header: incomplete metadata, file not fully covered",
)
TORCH = ("RuntimeError", "PytorchStreamReader failed finding central directory")
HDF5 = (
    "OSError",
    "Unable to synchronously open file (truncated file: eof = 96, sblock->base_addr = 0, stored_eof = 2048)",
)
ONNX = (
    "[ONNXRuntimeError] : 7 : INVALID_PROTOBUF : Load model from {} failed:Protobuf parsing failed."
)
DAMAGED = [rule.id for rule in BUILTIN_RULES if rule.damaged_file]


def directory(folder: Path, *files: str) -> str:
    """Make a model's directory with `files` and what TorchServe itself puts there."""
    for name in ("MAR-INF/MANIFEST.json", "handler.py", *files):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
    return str(folder)


def judged(
    kind: str, message: str, model_dir: str, *, serialized: str = "", **more: Any
) -> Verdict:
    record = {"phase": "initialize", "exc_type": kind, "message": message, **more}
    host = Host(
        model_dir=model_dir,
        exists=os.path.exists,
        files=lambda: names_of_files(model_dir),
        serialized_file=serialized,
    )
    return judge(failure_from_record(record, model_dir=model_dir), host=host)


@pytest.mark.parametrize(("kind", "message"), [SAFETENSORS, TORCH, HDF5])
def test_without_a_file_of_weights_in_the_archive_it_is_unknown(
    kind: str, message: str, tmp_path: Path
) -> None:
    verdict = judged(kind, message, directory(tmp_path))
    assert verdict.verdict is Outcome.UNKNOWN
    assert "Probably final: " in verdict.reason
    assert "unless somebody still writes it." in verdict.reason
    assert "copies or writes" in verdict.remedy


@pytest.mark.parametrize(("kind", "message"), [SAFETENSORS, TORCH, HDF5])
@pytest.mark.parametrize("file", ["model.pt", "weights/MODEL.SAFETENSORS"])
def test_with_a_file_of_weights_in_the_archive_it_is_final(
    kind: str, message: str, file: str, tmp_path: Path
) -> None:
    verdict = judged(kind, message, directory(tmp_path, file))
    assert verdict.verdict is Outcome.NON_RECOVERABLE
    assert "Probably" not in verdict.reason


def test_the_file_that_the_manifest_names_is_one_of_weights(tmp_path: Path) -> None:
    model_dir = directory(tmp_path, "parameters")
    assert judged(*TORCH, model_dir).verdict is Outcome.UNKNOWN
    assert judged(*TORCH, model_dir, serialized="parameters").verdict is Outcome.NON_RECOVERABLE
    assert judged(*TORCH, model_dir, serialized="gone").verdict is Outcome.UNKNOWN


def test_a_path_outside_is_somebody_elses_whatever_the_archive_holds(tmp_path: Path) -> None:
    model_dir = directory(tmp_path, "model.onnx")
    verdict = judged("onnxruntime.InvalidProtobuf", ONNX.format("/opt/models/m.onnx"), model_dir)
    assert verdict.verdict is Outcome.UNKNOWN
    assert verdict.rule == "onnx-file-damaged"
    assert "/opt/models/m.onnx" in verdict.remedy


@pytest.mark.parametrize(
    "name", ["{dir}/parts/m.csv", "{dir}/parts", "parts/m.csv", "./parts/m.csv"]
)
def test_a_path_inside_is_final_whatever_its_name_ends_in(name: str, tmp_path: Path) -> None:
    model_dir = directory(tmp_path, "parts/m.csv")
    path = name.format(dir=model_dir)
    verdict = judged("zipfile.BadZipFile", f"'{path}': File is not a zip file", model_dir)
    assert verdict.verdict is Outcome.NON_RECOVERABLE


def test_a_model_that_is_a_directory_is_named_by_its_link(tmp_path: Path) -> None:
    model_dir = directory(tmp_path, "m.onnx")
    message = ONNX.format(f"{UNPACKED}/name/m.onnx")
    assert judged("onnxruntime.InvalidProtobuf", message, model_dir).verdict is (
        Outcome.NON_RECOVERABLE
    )


def test_a_link_that_leads_out_of_the_directory_is_no_file_of_it(tmp_path: Path) -> None:
    mount = tmp_path / "volume"
    mount.mkdir()
    (mount / "m.pt").write_text("x")
    model_dir = directory(tmp_path / "model")
    (tmp_path / "model" / "m.pt").symlink_to(mount / "m.pt")
    assert judged(*TORCH, model_dir).verdict is Outcome.UNKNOWN


def test_a_librarys_own_source_in_the_message_is_no_file_of_weights(tmp_path: Path) -> None:
    model_dir = directory(tmp_path, "m.pt")
    message = TORCH[1] + " (/usr/lib/python3.10/site-packages/torch/lib/libtorch.so)"
    assert judged(TORCH[0], message, model_dir).verdict is Outcome.NON_RECOVERABLE


def test_json_in_the_archive_is_final_and_the_manifest_is_none_of_the_models(
    tmp_path: Path,
) -> None:
    frames = [
        [f"{tmp_path}/handler.py", "initialize"],
        ["/usr/lib/python3.10/json/__init__.py", "load"],
    ]
    damaged = (
        "json.decoder.JSONDecodeError",
        "Unterminated string starting at: line 1 column 2 (char 1)",
    )
    model_dir = directory(tmp_path)
    assert judged(*damaged, model_dir, frames=frames).verdict is Outcome.UNKNOWN
    directory(tmp_path, "labels.json")
    assert judged(*damaged, model_dir, frames=frames).verdict is Outcome.NON_RECOVERABLE


def traceback_of(handler: str, source: str, kind: str, message: str) -> str:
    return (
        "Traceback (most recent call last):\n"
        f'  File "{handler}", line 12, in initialize\n    {source}\n'
        '  File "/usr/lib/python3.10/site-packages/safetensors/torch.py", line 313, in load_file\n'
        "    with safe_open(filename) as f:\n"
        f"{kind}: {message}"
    )


@pytest.mark.parametrize(
    ("source", "verdict"),
    [
        ('w = load_file("/mnt/weights/step-9/w.safetensors")', Outcome.UNKNOWN),
        ("w = load_file(f'/srv/weights/{name}.safetensors', device='cpu')", Outcome.UNKNOWN),
        ('w = load_file(os.path.join("/srv/weights", name))', Outcome.UNKNOWN),
        ('w = load_file(Path("/srv/weights") / name)', Outcome.UNKNOWN),
        (f'w = load_file("{UNPACKED}/w.safetensors")', Outcome.NON_RECOVERABLE),
        ('w = load_file("w.safetensors")', Outcome.NON_RECOVERABLE),
        ('w = load_file(model_dir + "/w.safetensors")', Outcome.NON_RECOVERABLE),
        ('w = load_file(f"{model_dir}/w.safetensors")', Outcome.NON_RECOVERABLE),
        ('w = load_file(root.split("/")[0] + name)', Outcome.NON_RECOVERABLE),
    ],
)
def test_a_path_in_the_line_that_reads_the_file_tells_where_it_lies(
    source: str, verdict: Outcome
) -> None:
    text = traceback_of(f"{UNPACKED}/handler.py", source, *SAFETENSORS)
    assert judge(failure_from_text(text)).verdict is verdict


def test_the_line_counts_though_the_archive_has_weights_and_the_remedy_names_its_path(
    tmp_path: Path,
) -> None:
    model_dir = directory(tmp_path, "w.safetensors")
    source = 'w = load_file("/srv/weights/other.safetensors")'
    text = traceback_of(f"{model_dir}/handler.py", source, *SAFETENSORS)
    host = Host(model_dir=model_dir, exists=os.path.exists, files=lambda: names_of_files(model_dir))
    verdict = judge(failure_from_text(text, model_dir=model_dir), host=host)
    assert verdict.verdict is Outcome.UNKNOWN
    assert "/srv/weights/other.safetensors" in verdict.remedy


def test_an_exception_that_is_raised_shows_its_line_too(tmp_path: Path) -> None:
    outside = tmp_path / "elsewhere" / "labels.json"
    outside.parent.mkdir()
    outside.write_text("{")
    model_dir = directory(tmp_path / "model", "labels.json")
    code = tmp_path / "model" / "handler.py"
    for path, verdict in (
        (str(outside), Outcome.UNKNOWN),
        (f"{model_dir}/labels.json", Outcome.NON_RECOVERABLE),
    ):
        code.write_text(f"import json\nwith open('{path}') as f: json.load(f)\n")
        linecache.clearcache()
        host = Host(
            model_dir=model_dir, exists=os.path.exists, files=lambda: names_of_files(model_dir)
        )
        with pytest.raises(json.JSONDecodeError) as raised:
            exec(compile(code.read_text(), str(code), "exec"), {})
        failure = failure_from_exception(raised.value, Phase.INITIALIZE, model_dir=model_dir)
        answer = judge(failure, host=host)
        assert (answer.rule, answer.verdict) == ("json-damaged", verdict)


def test_a_pasted_text_that_names_a_file_elsewhere_is_judged_as_in_the_worker() -> None:
    source = "session = onnxruntime.InferenceSession(self.path)"
    for path, verdict in (
        ("/opt/models/m.onnx", Outcome.UNKNOWN),
        (f"{UNPACKED}/m.onnx", Outcome.NON_RECOVERABLE),
    ):
        text = traceback_of(
            f"{UNPACKED}/handler.py", source, "onnxruntime.InvalidProtobuf", ONNX.format(path)
        )
        assert judge(failure_from_text(text)).verdict is verdict


def test_a_path_that_the_failure_names_counts_before_the_line() -> None:
    source = 'w = load_file("/mnt/weights/w.safetensors")'
    kind, message = "zipfile.BadZipFile", f"'{UNPACKED}/w.npz': File is not a zip file"
    text = traceback_of(f"{UNPACKED}/handler.py", source, kind, message)
    assert judge(failure_from_text(text)).verdict is Outcome.NON_RECOVERABLE


@pytest.mark.parametrize("rule", DAMAGED)
def test_each_rule_on_a_damaged_file_is_unknown_beside_an_archive_without_one(
    rule: str, tmp_path: Path
) -> None:
    model_dir = directory(tmp_path)
    example = example_of(rule)
    host = Host(
        model_dir=model_dir, exists=example.host.exists, files=lambda: names_of_files(model_dir)
    )
    verdict = judge(example.failure, host=host)
    assert (verdict.rule, verdict.verdict) == (rule, Outcome.UNKNOWN)


@pytest.mark.parametrize(
    ("packed", "message"),
    [
        ((), TORCH[1]),
        # Which of the two it is about, nothing says.
        (("packed.pt",), TORCH[1]),
        (("packed.pt",), f"PytorchStreamReader failed finding central directory: {UNPACKED}/w.dat"),
    ],
)
def test_a_file_that_a_load_wrote_may_be_sound_the_next_time(
    packed: tuple[str, ...], message: str
) -> None:
    written = ("w.dat",) if "w.dat" in message else ("w.pt",)
    failure = failure_from_record({"exc_type": TORCH[0], "message": message}, model_dir=UNPACKED)
    host = Host(model_dir=UNPACKED, files=lambda: packed, written=lambda: written)
    assert judge(failure, host=host).verdict is Outcome.UNKNOWN


def test_if_every_file_that_can_be_meant_is_sound_it_is_another_one(tmp_path: Path) -> None:
    model_dir = directory(tmp_path / "model", "labels.json")
    (tmp_path / "model" / "labels.json").write_text('{"0": "tench"}')
    (tmp_path / "answer").write_text("<html>")
    code = "import json\nwith open(place) as stream: json.load(stream)\n"
    with pytest.raises(json.JSONDecodeError) as raised:
        exec(compile(code, f"{model_dir}/handler.py", "exec"), {"place": tmp_path / "answer"})
    failure = failure_from_exception(raised.value, Phase.INITIALIZE, model_dir=model_dir)
    host = Host(
        model_dir=model_dir,
        files=lambda: names_of_files(model_dir),
        is_sound=lambda name: is_sound(os.path.join(model_dir, name)),
    )
    assert judge(failure, host=host).verdict is Outcome.UNKNOWN
    (tmp_path / "model" / "labels.json").write_text('{"0": "ten')
    assert judge(failure, host=host).verdict is Outcome.NON_RECOVERABLE


def test_what_the_models_own_code_fetches_may_be_the_damaged_file() -> None:
    failure = failure_from_record({"exc_type": TORCH[0], "message": TORCH[1]})
    for source, verdict in (
        ("answer = urllib.request.urlopen(address).read()", Outcome.UNKNOWN),
        ("self.model = torch.load(path)", Outcome.NON_RECOVERABLE),
    ):
        host = Host(model_dir=UNPACKED, files=lambda: ("w.pkl",), sources=lambda: [source])  # noqa: B023
        assert judge(failure, host=host).verdict is verdict


def test_what_else_a_load_writes_speaks_for_nothing() -> None:
    failure = failure_from_record({"exc_type": TORCH[0], "message": TORCH[1]})
    host = Host(model_dir=UNPACKED, files=lambda: ("w.pt",), written=lambda: ("run.log", "x.lock"))
    assert judge(failure, host=host).verdict is Outcome.NON_RECOVERABLE


def test_the_files_are_asked_for_only_if_such_a_rule_decides(tmp_path: Path) -> None:
    asked = []

    def files() -> tuple[str, ...]:
        asked.append(True)
        return ()

    host = Host(model_dir=str(tmp_path), files=files)
    judge(
        failure_from_record({"exc_type": "NameError", "message": "name 'x' is not defined"}),
        host=host,
    )
    assert not asked
    judge(failure_from_record({"exc_type": TORCH[0], "message": TORCH[1]}), host=host)
    assert asked


def test_what_the_host_does_not_know_changes_nothing() -> None:
    failure = failure_from_record({"exc_type": TORCH[0], "message": TORCH[1]})
    assert judge(failure).verdict is Outcome.NON_RECOVERABLE
    assert judge(failure, host=Host(model_dir="/m")).verdict is Outcome.NON_RECOVERABLE
