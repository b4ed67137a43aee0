"""Train the two small models that the example handlers serve: some seconds on a CPU, nothing fetched.

    python handlers/make_models.py model_weights

writes ``digits.pt`` (TorchScript) and ``language.pt`` (a state_dict) into that directory.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import torch
from torch import nn

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "language"))

from language_model import LanguageModel, hashed_trigrams  # noqa: E402 - lies beside its handler

GLYPHS = """
.###. ..#.. .###. .###. ...#. ##### .###. ##### .###. .###.
#...# .##.. #...# #...# ..##. #.... #.... ....# #...# #...#
#..## ..#.. ....# ....# .#.#. ####. #.... ...#. #...# #...#
#.#.# ..#.. ..##. ..##. #..#. ....# ####. ..#.. .###. .####
##..# ..#.. .#... ....# ##### ....# #...# ..#.. #...# ....#
#...# ..#.. #.... #...# ...#. #...# #...# ..#.. #...# ....#
.###. .###. ##### .###. ...#. .###. .###. ..#.. .###. .###.
"""
"""The ten digits, 5 wide and 7 high."""

SENTENCES = {
    "en": "the weather is fine today and we will go for a walk by the river with our friends before "
    "dinner where is the station please I would like two tickets she reads the newspaper every "
    "morning and thinks about what she should write to her brother this house was built long ago",
    "de": "das Wetter ist heute schön und wir gehen mit unseren Freunden vor dem Essen am Fluss "
    "spazieren wo ist bitte der Bahnhof ich möchte zwei Fahrkarten sie liest jeden Morgen die Zeitung "
    "und denkt darüber nach was sie ihrem Bruder schreiben soll dieses Haus wurde vor langer Zeit gebaut",
    "fr": "il fait beau aujourd'hui et nous allons nous promener au bord de la rivière avec nos amis "
    "avant le dîner où est la gare s'il vous plaît je voudrais deux billets elle lit le journal tous "
    "les matins et pense à ce qu'elle devrait écrire à son frère cette maison est très ancienne",
    "es": "hoy hace buen tiempo y vamos a pasear por la orilla del río con nuestros amigos antes de "
    "cenar dónde está la estación por favor quisiera dos billetes ella lee el periódico cada mañana y "
    "piensa en lo que debería escribir a su hermano esta casa fue construida hace mucho tiempo",
}


class DigitReader(nn.Module):
    """Tell which digit a 7 x 5 drawing shows: (batch, 7, 5) of 0 and 1 to (batch, 10) scores."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Conv2d(1, 16, kernel_size=3, padding=1)
        self.scores = nn.Linear(16 * 7 * 5, 10)

    def forward(self, drawing: torch.Tensor) -> torch.Tensor:
        """Return the scores; a softmax makes them probabilities."""
        seen = torch.relu(self.features(drawing.unsqueeze(1)))
        return self.scores(seen.flatten(1))


def glyphs() -> torch.Tensor:
    """Return the digits 0 to 9 as a (10, 7, 5) tensor."""
    rows = [line.split() for line in GLYPHS.split("\n") if line]
    drawings = [[[float(c == "#") for c in row[digit]] for row in rows] for digit in range(10)]
    return torch.tensor(drawings)


def train_digits(steps: int = 150) -> torch.jit.ScriptModule:
    """Train on the digits with some of the 35 points flipped, and compile to TorchScript."""
    model, clean, digits = DigitReader(), glyphs(), torch.arange(10)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    for _ in range(steps):
        flips = (torch.rand(8, *clean.shape) < 0.06).float()
        drawings = (clean - flips).abs().flatten(0, 1)
        loss = nn.functional.cross_entropy(model(drawings), digits.repeat(8))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return torch.jit.script(model.eval())


def train_language(steps: int = 150, words: int = 5) -> LanguageModel:
    """Train on windows of `words` words of the sentences above."""
    names = json.loads((HERE / "language" / "index_to_name.json").read_text("utf-8"))
    samples: list[tuple[str, int]] = []
    for index in range(len(names)):
        text = SENTENCES[names[str(index)]].split()
        samples += [(" ".join(text[at : at + words]), index) for at in range(len(text) - words)]
    trigrams, offsets = hashed_trigrams([text for text, _ in samples])
    languages = torch.tensor([language for _, language in samples])
    model = LanguageModel()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
    for _ in range(steps):
        loss = nn.functional.cross_entropy(model(trigrams, offsets), languages)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    model.eval()
    return model


def main() -> None:
    """Write the two files."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument(
        "directory", type=Path, help="where to write the weights; made when missing"
    )
    directory: Path = parser.parse_args().directory
    directory.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    torch.set_num_threads(1)  # so small that more threads only get in each other's way
    train_digits().save(str(directory / "digits.pt"))
    torch.save(train_language().state_dict(), directory / "language.pt")


if __name__ == "__main__":
    main()
