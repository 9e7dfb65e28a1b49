"""The endless stream of batches to train on: several kinds of examples, each augmented in its own way."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from model.learning import augmentation
from model.learning.examples import Examples
from model.nn.layer import Array
from model.nn.losses import one_hot


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """One kind of examples in the mixture.

    Attributes:
        examples: passed over again and again, each time in another order.
        per_batch: how many of them are in a batch.
        recipe: how they are augmented; None leaves them as they are.
    """

    examples: Examples
    per_batch: int
    recipe: augmentation.Recipe | None


class Mixture:
    """Batches of all parts together.

    What is in them depends on the seed and on their number alone, so training can be taken up again anywhere.

    Args:
        parts: what batches are mixed of.
        seed: of the order and of augmentation.
        classes: that targets tell apart.
    """

    def __init__(self, parts: Sequence[Part], seed: int, classes: int = 10) -> None:
        self.parts = tuple(parts)
        self.seed = seed
        self.classes = classes

    @property
    def batch_size(self) -> int:
        """Examples in a batch."""
        return sum(part.per_batch for part in self.parts)

    @property
    def batches_per_epoch(self) -> int:
        """Batches in one pass over the first part."""
        return len(self.parts[0].examples) // self.parts[0].per_batch

    def batches(self, first: int, count: int) -> tuple[Array, Array]:
        """Batches first, first + 1, ...: pixels (count, batch_size, 784), targets (count, batch_size, K)."""
        pixels = np.empty((count, self.batch_size, 784), np.float32)
        targets = np.empty((count, self.batch_size, self.classes), np.float32)
        start = 0
        for number, part in enumerate(self.parts):
            examples = part.examples.take(
                self._indices(number, first * part.per_batch, count * part.per_batch)
            )
            images = examples.pixels.reshape(-1, 28, 28)
            if part.recipe is not None:
                rng = np.random.default_rng((self.seed, 1, number, first))
                images = augmentation.augment(images, rng, recipe=part.recipe)
            end = start + part.per_batch
            pixels[:, start:end] = images.reshape(count, part.per_batch, 784)
            rows = one_hot(examples.labels, self.classes)
            targets[:, start:end] = rows.reshape(count, part.per_batch, self.classes)
            start = end
        return pixels, targets

    def _indices(self, number: int, start: int, count: int) -> NDArray[np.int64]:
        """The examples of a part at places start, start + 1, ... of the row of its shuffled passes."""
        size = len(self.parts[number].examples)
        first_pass, last_pass = start // size, (start + count - 1) // size
        passes = [_shuffled(size, self.seed, number, turn) for turn in range(first_pass, last_pass + 1)]
        offset = start - first_pass * size
        return np.concatenate(passes)[offset : offset + count]


@lru_cache(maxsize=16)
def _shuffled(size: int, seed: int, number: int, turn: int) -> NDArray[np.int64]:
    """The order in which a part is passed over this turn."""
    order = np.random.default_rng((seed, 0, number, turn)).permutation(size)
    order.setflags(write=False)
    return order
