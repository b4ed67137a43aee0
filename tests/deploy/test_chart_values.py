"""What the Helm chart is given: words that the package takes, and a refusal of everything else."""

from __future__ import annotations

import importlib
import json
import re
from dataclasses import fields
from typing import Any

import pytest
import yaml

from tests.deploy.manifests import CHART, DEPLOY, HELM, needs_helm, said_by
from ts_retry_ext.judge.builtin import BUILTIN_RULES
from ts_retry_ext.judge.rule import When, rule_record
from ts_retry_ext.judge.verdict import Outcome, Scope
from ts_retry_ext.settings import SETTINGS, OnFatal, Setting

# Imported so that the static checks do not need it.
jsonschema: Any = importlib.import_module("jsonschema")
DEFINITIONS: dict[str, Any] = json.loads((CHART / "values.schema.json").read_text())["definitions"]

#: Options of ``--set`` for a chart without a sidecar, and what is said where it retires models.
WITHOUT_SIDECAR = "sidecar.enabled=false,retry.onFatal=hold"
RETIRE = "retry.onFatal=retire needs the sidecar: set sidecar.enabled"


def variable(name: str, value: str) -> str:
    """Return an option of ``--set`` that gives TorchServe an environment variable."""
    return f"torchserve.env[0].name={name},torchserve.env[0].value={value}"


def refusal(*options: str) -> str:
    """Return why Helm refuses to render the chart."""
    done = said_by(str(HELM), "template", "models", str(CHART), *options)
    assert done.returncode != 0, done.stdout
    return done.stderr


@needs_helm
@pytest.mark.parametrize(
    ("option", "said"),
    [
        # Helm 3 and 4 word these differently; both name the key.
        ("sidecar.enabeld=true", "enabeld"),
        ("retry.onFatal=halt", "retire"),
        ("probes.startup.failureThreshold=0", "failureThreshold"),
        ("replicas=two", "replicas"),
        ("torchserve.config.retry_on_fatal=halt", "retire"),
        ("torchserve.config.retry_onfatal=hold", "retry_onfatal"),
        ("torchserve.config.retry_first_trial=1m", "retry_first_trial"),
        (variable("TS_RETRY_ON_FATAL", "halt"), "retire"),
        (variable("TS_RETRY_ONFATAL", "hold"), "TS_RETRY_ON_FATAL"),
        ("retry.rules[0].id=a,retry.rules[0].when.message=x", "verdict"),
        ("torchserve.config.retry_state_dir=/x", "the sidecar reads /state"),
        ("torchserve.config.retry_sidecar=true", "starts a second sidecar"),
        ("sidecar.enabled=false", RETIRE),
        (f"{WITHOUT_SIDECAR},torchserve.config.retry_on_fatal=retire", RETIRE),
        (f"{WITHOUT_SIDECAR},{variable('TS_RETRY_ON_FATAL', 'retire')}", RETIRE),
        (f"{WITHOUT_SIDECAR},probes.readiness.model=digits", "probes.readiness.model"),
        *(
            (f"{WITHOUT_SIDECAR},{name}.enabled=true", f"{name}.enabled=true needs the sidecar")
            for name in ("podMonitor", "serviceMonitor", "alerts", "dashboard")
        ),
        (
            "models.volume.hostPath.path=/a,models.volume.nfs.path=/b",
            "models.volume names 2 sources",
        ),
        ("models.volume.persistentVolumeClaim=null", "models.volume names 0 sources"),
        ("torchserve.config.load_models=a\nb", "torchserve.config.load_models has several lines"),
    ],
)
def test_a_mistake_is_refused_with_its_name(option: str, said: str) -> None:
    assert said in refusal(f"--set={option}")


def test_values_that_the_readme_names_are_there() -> None:
    readme = (DEPLOY / "README.md").read_text().partition("## Helm")[2].partition("*Tried*")[0]
    rows = [line.split("|")[1] for line in readme.splitlines() if line.startswith("| `")]
    named = [name for row in rows for name in re.findall(r"`([\w.]+)`", row)]
    assert len(named) > 10
    for name in named:
        found = yaml.safe_load((CHART / "values.yaml").read_text())
        for key in name.split("."):
            assert key in found, name
            found = found[key]


#: Values that some settings take and others do not.
TEXTS = ("halt", "true", "yes", "0", "3", "-1", "2.5", "1m", "http://a:1", "a", " ")


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: str(setting.name))
def test_settings_are_allowed_what_the_package_takes(setting: Setting) -> None:
    """As a key of ``config.properties``, which Helm can hold as a number, and as a variable."""
    for value in (*OnFatal, *TEXTS):
        taken = _taken(setting, value)
        assert fits("config", {setting.property_key: value}) is taken, value
        assert fits("env", [{"name": setting.variable, "value": value}]) is taken, value
    for number in (True, 0, 3, -1, 2.5, 604801):
        written = str(number).lower()
        if not isinstance(setting.default, str) and setting.default is not None:
            assert fits("config", {setting.property_key: number}) is _taken(setting, written), (
                number
            )


def test_settings_and_fields_of_rules_are_those_of_the_package() -> None:
    keys = [setting.property_key for setting in SETTINGS]
    variables = [setting.variable for setting in SETTINGS]
    assert DEFINITIONS["config"]["propertyNames"]["then"]["enum"] == keys
    assert list(DEFINITIONS["config"]["properties"]) == keys
    assert DEFINITIONS["env"]["items"]["properties"]["name"]["then"]["enum"] == variables
    rule = DEFINITIONS["rule"]["properties"]
    assert rule.keys() == {*rule_record(BUILTIN_RULES[0])} - {"source"}
    assert rule["when"]["propertyNames"]["enum"] == [field.name for field in fields(When)]
    assert rule["verdict"]["enum"] == [word.value for word in Outcome]
    assert rule["scope"]["enum"] == [word.value for word in Scope]


def fits(definition: str, value: object) -> bool:
    """Return whether a value fits a definition of the chart's schema."""
    schema = {"definitions": DEFINITIONS, "$ref": f"#/definitions/{definition}"}
    return bool(jsonschema.Draft7Validator(schema).is_valid(value))


def _taken(setting: Setting, value: object) -> bool:
    try:
        setting.parse(value)
    except ValueError:
        return False
    return True
