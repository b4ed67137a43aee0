"""One fault has one name over runs, hosts and directories; two faults have two."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from ts_retry_ext.judge.failure import Failure, Frame, Phase
from ts_retry_ext.judge.fingerprint import explain, fingerprint
from ts_retry_ext.judge.normal_form import normal_form


def failure(
    message: str, type_name: str = "RuntimeError", frames: tuple[Frame, ...] = ()
) -> Failure:
    return Failure(type=type_name, message=message, phase=Phase.INITIALIZE, frames=frames)


SAME = [
    ("address", "<Net object at 0x7f3a12> failed", "<Net object at 0x55d0c8aa> failed"),
    ("directory", "no file '/tmp/models/0a1b/model.pt'", "no file '/srv/x/model.pt'"),
    ("unpacked directory", "no dir '/tmp/models/5f1c'", "no dir '/srv/models/91ab'"),
    ("the same directory elsewhere", "no dir '/a/weights'", "no dir '/srv/b/weights'"),
    ("made by mkdtemp", "in /tmp/serve-q2w_e3rt failed", "in /tmp/serve-zz91xx0a failed"),
    ("socket", "/run/ts.sock.9000 in use", "/run/ts.sock.9001 in use"),
    ("order of a set", "unknown options {'warmup', 'beta', 'lr'}", "unknown options {'lr', 'warmup', 'beta'}"),
    ("order of joined names", "no columns named age, city, name", "no columns named name, age, city"),
    ("order of classes", "one of {<class 'a.A'>, <class 'b.B'>}", "one of {<class 'b.B'>, <class 'a.A'>}"),
    ("request id", "refused (Request ID: 7HQX2K9Z, retries: 1)", "refused (Request ID: B81LLQ0P, retries: 2)"),
    ("trace id", "Root=1-6745a1b2-0123456789abcdef01234567 bad", "Root=1-6745a1c9-fedcba9876543210fedcba98 bad"),
    ("id in a dict", "bad row {'id': 'qwe', 'label': 'x'}", "bad row {'id': 'rty', 'label': 'x'}"),
    ("upper case id", "segment K3Q9ZZ81TTPO0 lost", "segment 81TTPO0K3Q9ZZ lost"),
    ("base64", "key bXkgbGl0dGxlIHNlY3JldCAxMjM= bad", "key c29tZXRoaW5nIGVsc2UgNDU2IQ== bad"),
    ("shared memory of a pid", "psm_48213_0 exists", "psm_5177_2 exists"),
    ("rank", "[rank1]: watchdog", "[rank7]: watchdog"),
    ("engine process", "EngineCore_DP0 died", "EngineCore_DP3 died"),
    ("build path", "at /opt/conda/conda-bld/work/aten/src/Copy.cpp:12", "at ../aten/src/Copy.cpp:12"),
    ("ordinal", "the 3rd shard failed", "the 22nd shard failed"),
    ("bus id", "GPU at 0000:1A:00.0 failed", "GPU at 0000:D8:00.0 failed"),
    ("progress", "stopped at 10%|#    | 1/10 [00:01<00:09]", "stopped at 90%|#### | 9/10 [00:09<00:01]"),
    ("not a number", "loss is nan", "loss is 0.25"),
    ("array", "got array([0.5, 1.5])", "got array([ 0.1, -2.5])"),
    ("address with a zone", "no route to [fe80::1%eth0]:80", "no route to [fe80::9:2%eth1]:80"),
    ("pid", "worker 412 died", "worker 99871 died"),
    ("port", "127.0.0.1:38121 refused", "127.0.0.1:40004 refused"),
    ("ip", "host 10.0.3.7 gone", "host 192.168.100.4 gone"),
    ("date", "at 2024-05-01 10:00:00,123 failed", "at 2026-11-23 23:59:59,9 failed"),
    ("iso date", "at 2024-05-01T10:00:00Z failed", "at 2026-11-23T01:02:03+02:00 failed"),
    ("size", "Tried to allocate 2.00 GiB", "Tried to allocate 20.5 MiB"),
    ("uuid", "request 3f2b1a00-1111-2222-3333-444455556666", "request aaaaaaaa-bbbb-cccc-dddd-eeeeffff0000"),
    ("retry counter", "attempt 1/5 failed after 3.2 s", "attempt 4/5 failed after 17 s"),
    ("url query", "GET https://b.s3.amazonaws.com/k?X-Sig=abc12 failed", "GET https://b.s3.amazonaws.com/k?X-Sig=zzz failed"),
    ("pod", "on serve-7d9f8b6c5d-x2x4z", "on serve-55cbd4f7b9-aaaa9"),
    ("hex id", "snapshot 0123456789abcdef0123 bad", "snapshot fedcba98765432100000 bad"),
    ("temporary name", "in /tmp/tmpab12cd_e failed", "in /tmp/tmpzz99yy_x failed"),
    ("white space", "a  b\n c", "a b\nc"),
    ("token", "key hf_abcdefghijklmnopqrstuv", "key hf_ABCDEFGHIJKLMNOPQRSTUV"),
]  # fmt: skip

DIFFERENT = [
    ("module", "No module named 'a'", "No module named 'b'"),
    ("file", "no file '/m/model.pt'", "no file '/m/vocab.json'"),
    ("layer", "size mismatch for fc.weight", "size mismatch for conv1.weight"),
    ("host", "GET https://huggingface.co/a failed", "GET https://storage.googleapis.com/a failed"),
    (
        "repository",
        "https://huggingface.co/org/a/resolve/main/x",
        "https://huggingface.co/org/b/resolve/main/x",
    ),
    ("directory", "no dir '/mnt/models/llama'", "no dir '/mnt/models/mistral'"),
    ("name with a number", "no model bert-base", "no model bert-large"),
    ("members of a set", "unknown options {'lr', 'beta'}", "unknown options {'lr', 'eps'}"),
    ("numbered layer", "no weight for conv_one.bias", "no weight for conv_two.bias"),
    ("repository's id", "no repo id: org/a", "no repo id: org/b"),
    ("errno", "[Errno 2] x", "[Errno 13] x"),
    ("status", "404 Client Error: x", "403 Client Error: x"),
]


@pytest.mark.parametrize(("name", "one", "other"), SAME, ids=[row[0] for row in SAME])
def test_what_varies_by_chance_does_not_count(name: str, one: str, other: str) -> None:
    assert normal_form(one) == normal_form(other) or name == "token"
    assert fingerprint(failure(one)) == fingerprint(failure(other))


@pytest.mark.parametrize(("name", "one", "other"), DIFFERENT, ids=[row[0] for row in DIFFERENT])
def test_what_tells_faults_apart_counts(name: str, one: str, other: str) -> None:
    assert fingerprint(failure(one)) != fingerprint(failure(other))


def test_a_set_that_python_prints_has_one_fingerprint_in_every_process() -> None:
    code = "print({'lr', 'beta', 'eps', 'decay', 'fused', 'capturable'})"
    printed = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": str(seed)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in range(1, 9)
    }
    assert len(printed) > 1
    assert len({fingerprint(failure(f"unexpected arguments {text}")) for text in printed}) == 1


def test_line_numbers_and_directories_of_frames_do_not_count() -> None:
    one = Frame("/a/handler.py", "initialize", "handler", 10, True)
    other = Frame("/b/c/handler.py", "initialize", "handler", 77, True)
    assert fingerprint(failure("x", frames=(one,))) == fingerprint(failure("x", frames=(other,)))


def test_own_frames_count_and_types_count() -> None:
    one = Frame("/a/handler.py", "initialize", "handler", 10, True)
    other = Frame("/a/handler.py", "load", "handler", 10, True)
    assert fingerprint(failure("x", frames=(one,))) != fingerprint(failure("x", frames=(other,)))
    assert fingerprint(failure("x")) != fingerprint(failure("x", "ValueError"))


def test_it_is_sixteen_hex_digits_and_can_be_explained() -> None:
    assert len(fingerprint(failure("x"))) == 16
    assert int(fingerprint(failure("x")), 16) >= 0
    parts = explain(failure("[Errno 111] to 10.0.0.1:80"))
    assert parts.types == ("RuntimeError",)
    assert parts.messages == ("[Errno_111] to <ip>",)
    assert parts.numbers == ("ECONNREFUSED",)
