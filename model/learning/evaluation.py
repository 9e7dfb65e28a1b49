"""How good a network is on labelled glyphs: counts, calibration, mistakes, robustness."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from model.learning import augmentation
from model.learning.examples import Examples
from model.nn.layer import Array
from model.nn.losses import softmax

Logits = Callable[[Array], Array]
"""Pixels (N, 784) to logits (N, 10): `Network.logits`, alone or shared among workers."""


@dataclass(frozen=True, slots=True)
class Bin:
    """The examples that were read with about the same confidence.

    Attributes:
        confidence: their mean confidence.
        accuracy: the share of them that was read right.
        count: how many they are.
    """

    confidence: float
    accuracy: float
    count: int


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """A network's answers to labelled examples.

    Attributes:
        examples: what was asked.
        probabilities: (N, 10), what it said.
    """

    examples: Examples
    probabilities: Array

    @classmethod
    def of(cls, logits: Logits, examples: Examples, temperature: float = 1.0) -> Self:
        """Ask a network; its logits are divided by the temperature that calibrates it."""
        return cls(examples, softmax(logits(examples.pixels) / np.float32(temperature)))

    @property
    def digits(self) -> NDArray[np.intp]:
        """(N,) the most probable digit of each example."""
        digits: NDArray[np.intp] = self.probabilities.argmax(axis=1)
        return digits

    @property
    def is_right(self) -> NDArray[np.bool_]:
        """(N,) whether that is the label."""
        right: NDArray[np.bool_] = self.digits == self.examples.labels
        return right

    @property
    def errors(self) -> int:
        """How many examples were misread."""
        return int((~self.is_right).sum())

    @property
    def accuracy(self) -> float:
        """Share of the examples that were read right."""
        return 1 - self.errors / len(self.examples)

    def per_digit(self) -> list[float]:
        """The accuracy on the examples of each label 0..9."""
        return [float(self.is_right[self.examples.labels == digit].mean()) for digit in range(10)]

    def confusion_matrix(self) -> NDArray[np.int64]:
        """(10, 10) counts: the row is the label, the column what was read."""
        matrix = np.zeros((10, 10), np.int64)
        np.add.at(matrix, (self.examples.labels, self.digits), 1)
        return matrix

    def worst_mistakes(self, count: int) -> NDArray[np.intp]:
        """The indices of the mistakes that it was surest of, surest first."""
        mistakes = np.flatnonzero(~self.is_right)
        return mistakes[np.argsort(-self.probabilities.max(axis=1)[mistakes], kind="stable")][:count]

    def reliability(self, bins: int = 10) -> list[Bin]:
        """Confidence against accuracy, in bins of equal width (DeGroot & Fienberg 1983); none is empty."""
        confidence = self.probabilities.max(axis=1)
        numbers = np.minimum((confidence * bins).astype(int), bins - 1)
        chosen = [numbers == number for number in range(bins) if (numbers == number).any()]
        return [
            Bin(float(confidence[c].mean()), float(self.is_right[c].mean()), int(c.sum())) for c in chosen
        ]

    def calibration_error(self) -> float:
        """Mean distance of confidence and accuracy, by bins (Guo et al. 2017, arXiv:1706.04599, eq. 3)."""
        return sum(b.count * abs(b.confidence - b.accuracy) for b in self.reliability()) / len(self.examples)


def best_temperature(logits: Array, labels: NDArray[np.integer[Any]]) -> float:
    """The temperature that makes the logits' probabilities most likely (Guo et al. 2017, section 4.2).

    The mean negative log-likelihood has one minimum; golden-section search finds it between 1/8 and 8.
    """

    def cost(exponent: float) -> float:
        probabilities = softmax(logits / np.float32(2.0**exponent))[np.arange(len(labels)), labels]
        return -float(np.log(np.maximum(probabilities, 1e-12)).mean())

    golden = (5**0.5 - 1) / 2
    low, high = -3.0, 3.0
    while high - low > 1e-3:
        left, right = high - golden * (high - low), low + golden * (high - low)
        if cost(left) < cost(right):
            high = right
        else:
            low = left
    return float(2.0 ** ((low + high) / 2))


def robustness(logits: Logits, examples: Examples, strength: float, seed: int) -> dict[str, float]:
    """Accuracy under each transformation of the photo augmentation alone, ``strength`` times as strong."""
    images = examples.images.astype(np.float32) / np.float32(255)
    accuracies = {}
    for number, name in enumerate(augmentation.TRANSFORMATIONS):
        recipe = augmentation.PHOTO.only(name)
        varied = augmentation.augment(images, np.random.default_rng((seed, number)), strength, recipe)
        digits = logits(varied.reshape(-1, 784)).argmax(axis=1)
        accuracies[name] = float((digits == examples.labels).mean())
    return accuracies
