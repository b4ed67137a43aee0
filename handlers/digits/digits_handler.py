r"""Serve the digit reader: a digit drawn with # and . in, the digit and its probability out. TorchScript.

Pack it (after ``python handlers/make_models.py model_weights``):

    torch-model-archiver --model-name digits --version 1.0 --export-path model_store \
        --handler handlers/digits/digits_handler.py \
        --serialized-file model_weights/digits.pt \
        --config-file handlers/digits/model-config.yaml

Ask it:

    curl -H "Authorization: Bearer $INFERENCE_KEY" \
        http://127.0.0.1:8080/predictions/digits -T handlers/digits/seven.txt
"""

from __future__ import annotations

from typing import Any

import torch
from ts.utils.util import PredictionException

from ts_retry_ext import RetryAwareHandler

HEIGHT, WIDTH = 7, 5


class DigitsHandler(RetryAwareHandler):
    """The network is tried once while it loads, so that a wrong file is found out before a client does.

    What fails then is the script in the archive, which the next load would find just the same.
    """

    non_recoverable = (torch.jit.Error, IndexError)

    def initialize(self, context: Any) -> None:
        """Load the network and let it read an empty drawing."""
        super().initialize(context)
        self.inference(torch.zeros(1, HEIGHT, WIDTH))

    def preprocess(self, data: list[dict[str, Any]]) -> torch.Tensor:
        """Turn the drawings of a batch into a (batch, 7, 5) tensor of 0 and 1."""
        return torch.tensor([_drawing(row) for row in data])

    def inference(self, data: torch.Tensor) -> torch.Tensor:
        """Return the probability of each digit, one row a drawing."""
        with torch.inference_mode():
            probabilities: torch.Tensor = self.model(data.to(self.device)).softmax(1)
        return probabilities

    def postprocess(self, data: torch.Tensor) -> list[dict[str, Any]]:
        """Return the most probable digit of each drawing."""
        return [
            {"digit": int(row.argmax()), "probability": round(float(row.max()), 3)} for row in data
        ]


def _drawing(row: dict[str, Any]) -> list[list[float]]:
    body = row.get("data") or row.get("body") or b""
    text = body if isinstance(body, str) else bytes(body).decode("utf-8", "replace")
    lines = text.split()
    if [len(line) for line in lines] != [WIDTH] * HEIGHT:
        raise PredictionException(f"send {HEIGHT} lines of {WIDTH} characters, # or .", 400)
    return [[float(character == "#") for character in line] for line in lines]
