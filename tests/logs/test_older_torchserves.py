"""Real console logs of TorchServe 0.8 to 0.11, in every form.

Four models on one server each for 75 s: an import that fails, a KeyError in the entry point, weights that do not fit,
and one that serves. 0.8 and 0.9 end each process that they retry before it is given the model. Paths and the host's
name are made neutral, nothing is left out. Counts were taken with grep from "Worker cmdline", "-> WORKER_STOPPED",
"Retry worker" and "-> WORKER_MODEL_LOADED". The last load of "missing" on 0.10.0 died before its words were read.
"""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from tests.logs.forms import FORMATS, PASTES
from tests.logs.written import JUDGE, analyzed, outcome
from ts_retry_ext.analyze.text_failures import failures_in

DATA = Path(__file__).parent / "data" / "older"
FORMS = {**FORMATS, **PASTES}
SERVES = ("serving", 1, 0, 1)
#: Of each version and model what `written.KNOWN` has.
KNOWN = {
    "0.8.2": {"key": ("failed", 7, 6, 0), "missing": ("failed", 6, 5, 0), "shapes": ("failed", 6, 5, 0), "sound": SERVES},
    "0.9.0": {"key": ("failed", 8, 7, 0), "missing": ("failed", 7, 7, 0), "shapes": ("failed", 7, 7, 0), "sound": SERVES},
    "0.10.0": {"key": ("failed", 6, 6, 0), "missing": ("retrying", 6, 6, 0), "shapes": ("failed", 7, 7, 0), "sound": SERVES},
    "0.11.1": {"key": ("failed", 4, 3, 0), "missing": ("failed", 5, 5, 0), "shapes": ("failed", 3, 2, 0), "sound": SERVES},
}  # fmt: skip
CAUSES = {
    "key": "KeyError: 'bias'",
    "missing": "ModuleNotFoundError: No module named 'left_pad'",
    "shapes": "RuntimeError: Error(s) in loading state_dict for Net:\n\tsize mismatch for fc.weight",
}


def lines_of(version: str) -> list[str]:
    return gzip.decompress((DATA / f"{version}.log.gz").read_bytes()).decode().splitlines()


def causes_in(content: str) -> dict[str | None, str]:
    found = failures_in(content.encode(), "x", JUDGE).found
    whole = [one for one in found if one.judged.complete and not one.judged.crashed]
    return {f.model: f"{f.judged.failure.type}: {f.judged.failure.message}" for f in whole}


@pytest.mark.parametrize("version", KNOWN)
def test_what_happened_is_told(version: str, tmp_path: Path) -> None:
    (tmp_path / "console.log").write_text("\n".join(lines_of(version)))
    report = analyzed(tmp_path / "console.log")
    assert outcome(report) == KNOWN[version]
    assert report.content["servers"][0]["torchserve"] == version


@pytest.mark.parametrize("version", KNOWN)
def test_both_commands_read_every_form(version: str, tmp_path: Path) -> None:
    lines = lines_of(version)
    wrong = []
    for name, form in FORMS.items():
        text = form(lines)
        (tmp_path / "x.log").write_text(text, newline="")
        causes = causes_in(text)
        if "columns" in name or "Insights" in name:  # They lose blanks or tabs.
            causes = {model: "".join(cause.split()) for model, cause in causes.items()}
            expected = {model: "".join(cause.split()) for model, cause in CAUSES.items()}
        else:
            expected = CAUSES
        if outcome(analyzed(tmp_path / "x.log")) != KNOWN[version] or causes != expected:
            wrong.append(name)
    assert not wrong
