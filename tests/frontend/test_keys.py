from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from ts_retry_ext.frontend.keys import Key, KeyFileError, read_key

KEYS = {
    "management": {"key": "KD-S0XEm", "expiration time": "2026-11-23T16:09:09.105364173Z"},
    "inference": {"key": "Fu9jDgjh", "expiration time": "2026-11-23T16:09:09Z"},
    "API": {"key": "7b5fd6Rl"},
}


def written(folder: Path, content: object) -> str:
    path = folder / "key_file.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return str(path)


def test_keys_of_torchserve_are_read(tmp_path: Path) -> None:
    path = written(tmp_path, KEYS)

    management = read_key(path, "management")

    assert management.headers == {"Authorization": "Bearer KD-S0XEm"}
    assert management.expires_at == pytest.approx(1795450149.105, abs=0.01)
    assert read_key(path, "inference").expires_at == 1795450149.0
    assert read_key(path, "API") == Key("7b5fd6Rl", None)


def test_key_is_expired_once_its_time_has_come() -> None:
    assert Key("k", time.time() - 1).is_expired()
    assert not Key("k", time.time() + 60).is_expired()
    assert not Key("k", None).is_expired()


def test_key_is_in_no_repr() -> None:
    assert "secret" not in repr(Key("secret", None))


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{",
        {},
        {"management": None},
        {"management": {"key": 5}},
        {"management": {"key": "a\nb"}},
    ],
)
def test_foreign_file_is_an_error_that_shows_nothing_of_it(content: object, tmp_path: Path) -> None:
    path = written(tmp_path, content)

    with pytest.raises(KeyFileError) as caught:
        read_key(path, "management")

    assert str(caught.value) == f"{path} holds no management key as TorchServe writes it"


def test_missing_file_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(KeyFileError, match=r"key_file\.json: No such file"):
        read_key(str(tmp_path / "key_file.json"), "API")
