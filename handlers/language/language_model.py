"""The network of the language model, and how a text becomes its input.

TorchServe wants exactly one class in a model file.
"""

from __future__ import annotations

import zlib

import torch
from torch import nn

BUCKETS = 2048
"""Trigrams are hashed into so many rows of the embedding."""


class LanguageModel(nn.Module):
    """Tell the language of texts: hashed trigrams to (batch, 4) scores."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.EmbeddingBag(BUCKETS, 16, mode="mean")
        self.scores = nn.Linear(16, 4)

    def forward(self, trigrams: torch.Tensor, offsets: torch.Tensor) -> torch.Tensor:
        """Return one row of scores a text; a softmax makes them probabilities."""
        return self.scores(self.embedding(trigrams, offsets))


def hashed_trigrams(texts: list[str]) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the hashed trigrams of all `texts` in a row, and where each text begins."""
    buckets: list[int] = []
    offsets: list[int] = []
    for text in texts:
        padded = f"  {text.lower()}  "
        offsets.append(len(buckets))
        trigrams = (padded[at : at + 3] for at in range(len(padded) - 2))
        # crc32, since hash() differs from process to process
        buckets.extend(zlib.crc32(trigram.encode()) % BUCKETS for trigram in trigrams)
    return torch.tensor(buckets), torch.tensor(offsets)
