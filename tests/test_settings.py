from __future__ import annotations

import pytest

from ts_retry_ext.settings import SETTINGS, resolve


def test_without_any_source_every_setting_has_its_default() -> None:
    settings, problems = resolve({}, {})
    assert not problems
    assert {row.name: row.default for row in SETTINGS} == {
        name: resolved.value for name, resolved in settings._asdict().items()
    }
    assert {resolved.source for resolved in settings} == {"default"}


def test_model_beats_environment_beats_file_and_the_source_is_kept() -> None:
    properties = {
        "retry_on_fatal": "observe",
        "retry_max_hard_crashes": "5",
        "retry_enabled": "false",
    }
    environ = {"TS_RETRY_ON_FATAL": "reject", "TS_RETRY_MAX_HARD_CRASHES": "4"}
    settings, problems = resolve(
        properties, environ, {"onFatal": "shutdown"}, config_file="/srv/config.properties"
    )
    assert not problems
    assert settings.on_fatal == ("shutdown", "model-config.yaml (retry: onFatal)")
    assert settings.max_hard_crashes == (4, "environment (TS_RETRY_MAX_HARD_CRASHES)")
    assert settings.enabled == (False, "/srv/config.properties (retry_enabled)")


@pytest.mark.parametrize(
    ("properties", "environ", "section", "parts"),
    [
        ({"retry_enabled": "yes"}, {}, None, ("retry_enabled", "'yes'", "true or false")),
        (
            {"retry_on_fatal": "stop"},
            {},
            None,
            ("retry_on_fatal", "'stop'", "hold, reject, retire"),
        ),
        ({"retry_max_hard_crashes": "-1"}, {}, None, ("'-1'", "a whole number, 0 for never")),
        ({"retry_max_hard_crashes": "3.5"}, {}, None, ("'3.5'", "a whole number")),
        ({"retry_first_trial": "10 s"}, {}, None, ("'10 s'", "a number of seconds up to 604800")),
        ({}, {}, {"longestTrialInterval": 604801}, ("604801", "above 0, up to 604800 (7 days)")),
        ({"retry_state_dir": " "}, {}, None, ("retry_state_dir", "a path")),
        ({"retry_sidecar_address": "8083"}, {}, None, ("'8083'", "http://HOST:PORT")),
        ({"retry_sidecar_address": "https://h:1"}, {}, None, ("'https://h:1'", "http://HOST:PORT")),
        ({}, {"TS_RETRY_ENABLED": "1"}, None, ("environment: TS_RETRY_ENABLED", "'1'")),
        ({}, {}, {"maxIdenticalFailures": True}, ("retry: maxIdenticalFailures", "True")),
        ({}, {}, {"rules": 3}, ("retry: rules", "3", "a YAML file")),
        ({}, {}, ["hold"], ("retry: must hold keys", "['hold']")),
        ({}, {}, "hold", ("retry: must hold keys", "'hold'")),
        (
            {"retry_on_fatel": "hold"},
            {},
            None,
            ("'retry_on_fatel'", "did you mean retry_on_fatal?"),
        ),
        ({}, {"TS_RETRY_STATEDIR": "/x"}, None, ("did you mean TS_RETRY_STATE_DIR?",)),
        ({}, {}, {"onfatal": "hold"}, ("'onfatal'", "did you mean onFatal?")),
        ({}, {}, {1: 2}, ("unknown setting 1", "known are enabled, onFatal")),
        ({}, {}, {"stateDir": "/x"}, ("unknown setting 'stateDir'",)),
    ],
)
def test_a_bad_value_or_key_is_named_with_what_is_allowed_and_the_default_stays(
    properties: dict[str, str], environ: dict[str, str], section: object, parts: tuple[str, ...]
) -> None:
    settings, problems = resolve(properties, environ, section)
    (problem,) = problems
    for part in parts:
        assert part in problem
    assert settings == resolve({}, {})[0]


def test_a_bad_value_of_the_model_leaves_the_word_to_the_environment() -> None:
    settings, problems = resolve({}, {"TS_RETRY_ON_FATAL": "reject"}, {"onFatal": "nonsense"})
    assert len(problems) == 1
    assert settings.on_fatal.value == "reject"


@pytest.mark.parametrize("raw", ["TRUE", " true ", True])
def test_true_is_read_in_any_case(raw: object) -> None:
    settings, problems = resolve({}, {}, {"enabled": raw})
    assert settings.enabled.value is True
    assert not problems


def test_rules_may_be_a_list_in_the_model_and_a_path_elsewhere() -> None:
    rules = [{"id": "mine"}]
    assert resolve({}, {}, {"rules": rules})[0].rules.value == rules
    assert resolve({"retry_rules": "rules.yaml"}, {})[0].rules.value == "rules.yaml"
