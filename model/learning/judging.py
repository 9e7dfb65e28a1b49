"""The judge: a second network that tells one whole digit from everything else.

The reader knows ten digits and nothing else, so it gives an answer to anything. The judge has an eleventh
class, "no digit", and has seen much of it (`no_digits`). The recognizer asks it whether a glyph is a digit at
all, and which way to part touching digits is best.

It starts as the shipped reader, whose first layers know what digits are made of, and learns the eleventh
class together with the ten: a small network of its own lets through more of what it has never seen. The
shipped judge is made by ``digitbot train --architecture judge``.
"""

from collections.abc import Sequence

import numpy as np

from model.learning import augmentation, no_digits
from model.learning.examples import NO_DIGIT, Examples
from model.learning.mixture import Mixture, Part
from model.learning.mnist import Mnist
from model.learning.no_digits import Progress
from model.learning.recipes import Recipe
from model.learning.training import Training
from model.nn import architectures
from model.nn.network import Network

NO_DIGITS = 90_000
"""Glyphs to train on that are no digit."""

NO_DIGITS_PER_BATCH = 28
"""Beside the digits of the recipe."""

VALIDATION = 5_000
"""Glyphs that are no digit, beside MNIST's validation images: made of these, and of another seed."""


def from_reader(reader: Network, rng: np.random.Generator) -> Network:
    """A judge that tells the ten digits as the reader does, and is yet to learn what is none."""
    judge = architectures.build("judge", rng)
    own = judge.parameters()
    for name, parameter in reader.parameters().items():
        own[name][..., : parameter.shape[-1]] = parameter
    return judge


def not_one_digit(digits: Examples, count: int, seed: int, progress: Progress) -> Examples:
    """About ``count`` glyphs with the label `NO_DIGIT`; pairs and parts are made of ``digits``."""
    glyphs = no_digits.glyphs(digits.images, count, seed, progress)
    return Examples(glyphs, np.full(len(glyphs), NO_DIGIT, np.uint8))


def training(
    parts: Sequence[Part],
    digits: Mnist,
    reader: Network,
    recipe: Recipe,
    *,
    seed: int,
    progress: Progress,
) -> Training:
    """The training of a judge.

    Args:
        parts: digits to train on.
        digits: MNIST, of which pairs and parts of digits are made, and which validates.
        reader: what the judge starts as.
        recipe: how to train.
        seed: of everything that is drawn by lot.
        progress: told how many pictures without a digit were looked into.
    """
    others = not_one_digit(digits.train, NO_DIGITS, seed, progress)
    mixture = Mixture(
        [*parts, Part(others, NO_DIGITS_PER_BATCH, augmentation.PHOTO)], seed, classes=NO_DIGIT + 1
    )
    validation = [digits.validation, not_one_digit(digits.validation, VALIDATION, seed + 1, progress)]
    judge = from_reader(reader, np.random.default_rng((seed, 3)))
    return Training(judge, mixture, Examples.concatenate(validation), recipe)
