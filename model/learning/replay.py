"""What is mixed in with corrections, so that learning them forgets nothing else: MNIST, or drawn digits.

Drawn digits are no MNIST: trained on their own labels they pull the network away from it. So their targets
are what the shipped network itself says of them, softened by a temperature (Hinton et al. 2015,
arXiv:1503.02531): that holds its function in place without saying that the drawing is right.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.learning.examples import Examples
from model.nn.layer import Array
from model.nn.losses import log_softmax, one_hot, softmax
from model.nn.network import Network

TEMPERATURE = 2.0
"""Of distillation."""


@dataclass(frozen=True, slots=True, eq=False)
class Replay:
    """Pictures to mix in, and what to aim at for them.

    Attributes:
        name: "mnist" or "drawn".
        examples: the pictures.
        teacher: whose answers are the targets, at `TEMPERATURE`; None where the labels are.
    """

    name: str
    examples: Examples
    teacher: Network | None = None

    @property
    def temperature(self) -> float:
        """By which logits are divided before they are compared with the targets."""
        return 1.0 if self.teacher is None else TEMPERATURE

    def indices(self, count: int, rng: np.random.Generator) -> NDArray[np.int64]:
        """(count,) which pictures to mix in: each digit equally often, whatever its share of the pictures."""
        by_digit = [
            np.flatnonzero(self.examples.labels == digit) for digit in np.unique(self.examples.labels)
        ]
        digits = rng.permutation(np.resize(rng.permutation(len(by_digit)), count))
        return np.array([rng.choice(by_digit[digit]) for digit in digits], np.int64)

    def targets(self, indices: NDArray[np.int64], pixels: Array) -> Array:
        """(N, 10) probabilities to aim at; ``pixels`` (N, 784) are these pictures' augmented copies."""
        if self.teacher is None:
            return one_hot(self.examples.labels[indices])
        return softmax(self.teacher.logits(pixels) / TEMPERATURE)


def from_mnist(examples: Examples) -> Replay:
    """Replay of MNIST's training pictures under their own labels."""
    return Replay("mnist", examples)


def from_drawing(
    draw: Callable[[Sequence[int], np.random.Generator], NDArray[np.uint8]],
    teacher: Network,
    rng: np.random.Generator,
    count: int = 16_000,
) -> Replay:
    """Replay of digits that ``draw`` makes of labels, with ``teacher``'s answers as targets."""
    labels = [index % 10 for index in range(count)]
    return Replay("drawn", Examples(draw(labels, rng), np.array(labels, np.uint8)), teacher)


@dataclass(frozen=True, slots=True, eq=False)
class TemperedCrossEntropy:
    """Cross-entropy at a temperature T of each row: ``L = -T^2 sum over k of t_k log softmax(z / T)_k``.

    The derivative by logit k is T (p_k - t_k). The factor T^2 keeps gradients of the same size at every
    temperature (Hinton et al. 2015, section 2). With T = 1 this is softmax cross-entropy.

    Attributes:
        temperatures: float32 (N, 1).
    """

    temperatures: NDArray[np.float32]

    def value_and_gradient(self, outputs: Array, targets: Array) -> tuple[Array, Array]:
        """Logits and targets (N, 10) -> losses (N,), gradient (N, 10)."""
        log_probabilities = log_softmax(outputs / self.temperatures)
        losses = -(self.temperatures**2) * (targets * log_probabilities).sum(axis=1, keepdims=True)
        return losses[:, 0], self.temperatures * (np.exp(log_probabilities) - targets)
