r"""Broken: the network was made wider, but the archive still carries the weights of the narrow one.

    torch-model-archiver --model-name state_dict_mismatch --version 1.0 --export-path model_store \
        --handler handlers/language/language_handler.py \
        --model-file handlers/broken/state_dict_mismatch/wider_model.py \
        --serialized-file model_weights/language.pt \
        --extra-files handlers/language/index_to_name.json,handlers/language/language_model.py
"""

from __future__ import annotations

import torch
from torch import nn


class WiderLanguageModel(nn.Module):
    """As the language model, with an embedding of 32 instead of 16."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.EmbeddingBag(2048, 32, mode="mean")
        self.scores = nn.Linear(32, 4)

    def forward(self, trigrams: torch.Tensor, offsets: torch.Tensor) -> torch.Tensor:
        """Return one row of scores a text."""
        return self.scores(self.embedding(trigrams, offsets))
