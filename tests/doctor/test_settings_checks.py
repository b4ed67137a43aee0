from __future__ import annotations

import os
from pathlib import Path

import pytest

from ts_retry_ext.doctor.settings_checks import check_rules, check_settings, why_unusable
from ts_retry_ext.frontend.server_configuration import configuration_of_file
from ts_retry_ext.settings import resolve


def test_file_in_the_place_of_the_state_directory_is_unusable(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    user = os.geteuid()
    assert why_unusable(str(tmp_path / "file"), user) == "is no directory"
    assert why_unusable(str(tmp_path / "a" / "b"), user) is None
    assert not os.path.exists(tmp_path / "a")


@pytest.mark.skipif(os.geteuid() != 0, reason="takes root to make what belongs to others")
@pytest.mark.parametrize(
    ("owner", "mode", "user", "reason"),
    [
        (0, 0o777, 1000, None),  # a volume of Kubernetes
        (0, 0o775, 1000, None),  # its group may be the server's
        (0, 0o755, 1000, "is not writable"),
        (1000, 0o700, 1000, None),
        (1001, 0o777, 1000, "belongs to user id 1001"),
        (1000, 0o700, 0, "belongs to user id 1000"),
    ],
)
def test_state_directory_belongs_to_the_servers_user_or_is_a_volume_of_roots(
    tmp_path: Path, owner: int, mode: int, user: int, reason: str | None
) -> None:
    tmp_path.chmod(mode)
    os.chown(tmp_path, owner, owner)
    assert why_unusable(str(tmp_path), user) == reason


@pytest.mark.parametrize(
    ("action", "warned"), [("reject", True), ("retire", True), ("hold", False)]
)
def test_what_hides_a_halted_model_from_torchserves_own_probes_is_named(
    action: str, warned: bool
) -> None:
    settings, problems = resolve({"retry_on_fatal": action}, {})
    found = {one.name: one for one in check_settings(settings, problems)}
    assert ("on_fatal" in found) is warned


@pytest.mark.parametrize(
    ("content", "outcome", "said"),
    [
        (None, "wrong", "rules.yaml: cannot be read: No such file or directory (set by "),
        ("- id: [", "wrong", "rules.yaml: is not valid YAML"),
        (
            "- {id: x, when: {mesage: seat}, verdict: unknown}",
            "wrong",
            "x: when.mesage: is no field",
        ),
        ("- {id: x, when: {message: seat}, verdict: unknown}", "ok", "1 rule of your own: "),
    ],
    ids=["missing", "no YAML", "wrong", "sound"],
)
def test_rules_that_a_worker_would_go_on_without_are_named(
    tmp_path: Path, content: str | None, outcome: str, said: str
) -> None:
    if content is not None:
        (tmp_path / "rules.yaml").write_text(content)
    config = tmp_path / "config.properties"
    config.write_text("retry_rules=rules.yaml\n")
    (found,) = check_rules(configuration_of_file(str(tmp_path), str(config), {}))
    assert (found.name, found.outcome) == ("rules", outcome)
    assert said in found.found


def test_without_rules_of_ones_own_nothing_is_said(tmp_path: Path) -> None:
    assert not list(check_rules(configuration_of_file(str(tmp_path), None, {})))
