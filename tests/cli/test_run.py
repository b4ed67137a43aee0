from __future__ import annotations

import pytest

from ts_retry_ext.cli.main import main


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "is not torchserve"),
        (["--", "sleep", "60"], "'sleep 60' is not torchserve"),
        (["--", "python", "-m", "http.server"], "is not torchserve"),
        (["--", "torchserve", "--start"], "in the foreground"),
        (["--", "torchserve", "--stop", "--foreground"], "in the foreground"),
    ],
)
def test_anything_else_is_a_usage_error_with_an_example(
    words: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", *words]) == 2
    error = capsys.readouterr().err
    assert told in error
    assert "ts-retry run -- torchserve --start --foreground" in error
