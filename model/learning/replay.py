"""What is mixed in with corrections, so that learning them forgets nothing else: MNIST, or drawn digits.

What is aimed at is what the shipped network itself says of each varied copy (Hinton et al. 2015,
arXiv:1503.02531, at temperature 1): that holds its function in place and takes no side on labels. Half of
what is replayed lies at the edge, among the pictures that the shipped network is least sure of, because those
are the first that a change tips over.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from model.learning.examples import Examples
from model.nn.layer import Array
from model.nn.losses import softmax
from model.nn.network import Network
from model.nn.workers import Workers

MNIST, DRAWN = "mnist", "drawn"

EDGE_SHARE = 0.5
"""Of what is replayed."""
EDGE_PART = 0.1
"""Of the pictures that are searched."""
SEARCHED = 10_000
"""Pictures, at most: to find an edge in more of them takes longer than it is worth."""


@dataclass(frozen=True, slots=True, eq=False)
class Replay:
    """Pictures to mix in, and whose answers to aim at.

    Attributes:
        name: `MNIST` or `DRAWN`.
        examples: the pictures.
        edge: those that the teacher is least sure of, int64 indices.
        teacher: the shipped network.
    """

    name: str
    examples: Examples
    edge: NDArray[np.int64]
    teacher: Network

    @classmethod
    def of(cls, name: str, examples: Examples, teacher: Network, workers: Workers) -> Self:
        """Replay of these pictures."""
        searched = examples.take(slice(0, SEARCHED))
        confidences = softmax(workers.map_chunks(teacher.logits, searched.pixels)).max(axis=1)
        edge = np.argsort(confidences, kind="stable")[: max(1, round(EDGE_PART * len(searched)))]
        return cls(name, examples, np.sort(edge), teacher)

    def indices(self, count: int, rng: np.random.Generator) -> NDArray[np.int64]:
        """(count,) which pictures to mix in: of the edge and of all, each digit of these equally often."""
        at_edge = round(EDGE_SHARE * count)
        everything = np.arange(len(self.examples))
        return np.concatenate(
            [self._evenly(everything, count - at_edge, rng), self._evenly(self.edge, at_edge, rng)]
        )

    def _evenly(self, among: NDArray[np.int64], count: int, rng: np.random.Generator) -> NDArray[np.int64]:
        """(count,) of these indices, each digit equally often, whatever its share of the pictures."""
        labels = self.examples.labels[among]
        by_digit = [among[labels == digit] for digit in np.unique(labels)]
        digits = rng.permutation(np.resize(rng.permutation(len(by_digit)), count))
        return np.array([rng.choice(by_digit[digit]) for digit in digits], np.int64)

    def targets(self, pixels: Array) -> Array:
        """Varied copies (N, 784) of the pictures -> what the teacher says of them, (N, 10)."""
        return softmax(self.teacher.logits(pixels))
