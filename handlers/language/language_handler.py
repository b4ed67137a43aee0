r"""Serve the language model: a text in, its language and the probability out. Weights are a state_dict.

Pack it (after ``python handlers/make_models.py model_weights``):

    torch-model-archiver --model-name language --version 1.0 --export-path model_store \
        --handler handlers/language/language_handler.py \
        --model-file handlers/language/language_model.py \
        --serialized-file model_weights/language.pt \
        --extra-files handlers/language/index_to_name.json \
        --config-file handlers/language/model-config.yaml

Ask it:

    curl -H "Authorization: Bearer $INFERENCE_KEY" \
        http://127.0.0.1:8080/predictions/language -T handlers/language/question.txt
"""

from __future__ import annotations

import json
from typing import Any

import torch
from language_model import hashed_trigrams
from ts.utils.util import PredictionException

from ts_retry_ext import NonRecoverableError, RetryAwareHandler


class LanguageHandler(RetryAwareHandler):
    """What can go wrong while loading, and what it means.

    A wrong file in the archive stays wrong: nothing is gained by loading it again. The built-in
    rules know that of weights that do not fit; what a label file must look like only we know.
    """

    non_recoverable = (json.JSONDecodeError, UnicodeDecodeError)

    def initialize(self, context: Any) -> None:
        """Load network, weights and labels, and see that they belong together."""
        super().initialize(context)
        languages = self.model.scores.out_features
        if not isinstance(self.mapping, dict) or len(self.mapping) != languages:
            raise NonRecoverableError(
                f"index_to_name.json must name {languages} languages, one for each output of the "
                f"network, not {self.mapping!r:.200}",
                remedy="pack the index_to_name.json that belongs to the weights",
            )

    def preprocess(self, data: list[dict[str, Any]]) -> tuple[torch.Tensor, torch.Tensor]:
        """Turn the texts of a batch into hashed trigrams."""
        trigrams, offsets = hashed_trigrams([_text(row) for row in data])
        return trigrams.to(self.device), offsets.to(self.device)

    def inference(self, data: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
        """Return the probability of each language, one row a text."""
        with torch.inference_mode():
            probabilities: torch.Tensor = self.model(*data).softmax(1)
        return probabilities

    def postprocess(self, data: torch.Tensor) -> list[dict[str, Any]]:
        """Return the most probable language of each text."""
        return [
            {
                "language": self.mapping[str(int(row.argmax()))],
                "probability": round(float(row.max()), 3),
            }
            for row in data
        ]


def _text(row: dict[str, Any]) -> str:
    body = row.get("data") or row.get("body") or b""
    text = body if isinstance(body, str) else bytes(body).decode("utf-8", "replace")
    if not text.strip():
        raise PredictionException("send a text as the body of the request", 400)
    return text
