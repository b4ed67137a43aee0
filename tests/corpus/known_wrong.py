"""Rows of the corpus that are judged otherwise than wanted today, each with the reason.

Name -> (verdict given, why). A row that is judged rightly one day fails its test, so that it is
taken out of here.
"""

from __future__ import annotations

KNOWN_WRONG: dict[str, tuple[str, str]] = {
    "file-cut": (
        "U",
        "torch seeks before the start of the cut file; a bare EINVAL says nothing, and a mount can give it too",
    ),
    "tokenizer-empty": (
        "U",
        "the text names no file: an empty entry of a cache, which is fetched again, says the same",
    ),
    "hub-source": (
        "U",
        "a wrong value, but raised inside torch.hub: errors of plain Python from there may come from an answer",
    ),
}
