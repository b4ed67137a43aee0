"""A remedy names the thing: the module, the file, the option; without a name it reads as well."""

from __future__ import annotations

from typing import Any

import pytest

from ts_retry_ext.judge import Host, crash_failure, failure_from_record, judge
from ts_retry_ext.judge.builtin import BUILTIN_RULES
from ts_retry_ext.judge.gaps import without_names


@pytest.mark.parametrize(
    ("kind", "message", "more", "words"),
    [
        ("ModuleNotFoundError", "No module named 'sentencepiece'", {}, "Install sentencepiece, "),
        (
            "ModuleNotFoundError",
            "No module named 'diffusers.pipelines.new'",
            {},
            "version of diffusers that has diffusers.pipelines.new",
        ),
        ("ImportError", "No module named 'google.protobuf'", {}, "mostly called protobuf, "),
        ("ImportError", "No module named 'azure.storage.blob'", {}, "azure-storage-blob, "),
        (
            "ModuleNotFoundError",
            "No module named 'ts.torch_handler.scorer'",
            {},
            "Pack scorer.py with --handler",
        ),
        (
            "KeyError",
            "'SCORES_BUCKET'",
            {"frames": [["/x/handler.py", "initialize"], ["/usr/lib/python3.10/os.py", "get"]]},
            "Set SCORES_BUCKET for",
        ),
        ("KeyError", "'WORLD_SIZE'", {}, "read WORLD_SIZE with a default"),
        ("KeyError", "'serializedFile'", {}, "with --serialized-file."),
        (
            "ValueError",
            "Expected only one class in custom service code or a function entry point [<class 'h.Busy'>, <class 'h.H'>]",
            {},
            "move Busy, H, exceptions included",
        ),
    ],
)
def test_a_remedy_names_the_thing(
    kind: str, message: str, more: dict[str, Any], words: str
) -> None:
    record = {"phase": "initialize", "exc_type": kind, "message": message, **more}
    assert words in judge(failure_from_record(record)).remedy


def test_every_gap_has_words_of_its_own_and_no_bracket_is_left() -> None:
    for rule in BUILTIN_RULES:
        for words in (without_names(rule.reason), without_names(rule.remedy)):
            assert not {"{", "}"} & set(words), rule.id
            assert "  " not in words, rule.id


def test_a_secret_in_a_name_is_taken_out() -> None:
    secret = "hf_" + "A1b2" * 8
    message = f"No module named '{secret}'"
    verdict = judge(failure_from_record({"exc_type": "ModuleNotFoundError", "message": message}))
    assert secret not in verdict.remedy


def test_a_load_that_took_too_long_is_told_the_limit_in_force_and_its_source() -> None:
    failure = crash_failure("hang: the load did not end within startupTimeout, TorchServe ended it")
    limit = "startupTimeout is 45 s (startupTimeout in model-config.yaml)"
    verdict = judge(failure, host=Host(startup_timeout=limit))
    assert verdict.rule == "load-longer-than-its-limit"
    assert limit in verdict.reason
    assert "120 s if nothing is set" in judge(failure).reason


def test_a_key_is_named_by_the_key_error_below_what_says_it_in_other_words() -> None:
    record = {
        "exc_type": "ValueError",
        "message": "The checkpoint has model type `newt9`, which this version does not know. Update.",
        "chain": [{"exc_type": "KeyError", "message": "'newt9'"}],
        "frames": [["/x/site-packages/transformers/models/auto/configuration_auto.py", "load"]],
    }
    verdict = judge(failure_from_record(record))
    assert verdict.rule == "model-type-unknown-to-library"
    assert verdict.remedy.endswith("to a version that knows newt9.")
