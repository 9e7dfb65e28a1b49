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

    def indices(self, count: int, rng: np.random.Generator) -> NDArray[np.int64]:
        """(count,) which pictures to mix in: each digit equally often, whatever its share of the pictures."""
        by_digit = [
            np.flatnonzero(self.examples.labels == digit) for digit in np.unique(self.examples.labels)
        ]
        digits = rng.permutation(np.resize(rng.permutation(len(by_digit)), count))
        return np.array([rng.choice(by_digit[digit]) for digit in digits], np.int64)

    def targets(self, indices: NDArray[np.int64], pixels: Array, label_smoothing: float) -> Array:
        """(N, 11) for `TemperedCrossEntropy`; ``pixels`` (N, 784) are these pictures' augmented copies."""
        if self.teacher is None:
            return label_targets(self.examples.labels[indices], label_smoothing)
        return _with_temperature(softmax(self.teacher.logits(pixels) / TEMPERATURE), TEMPERATURE)


def from_mnist(examples: Examples) -> Replay:
    """Replay of MNIST's training pictures under their own labels."""
    return Replay("mnist", examples)


def from_drawing(
    draw: Callable[[Sequence[int], np.random.Generator], NDArray[np.uint8]],
    teacher: Network,
    rng: np.random.Generator,
    count: int,
) -> Replay:
    """Replay of digits that ``draw`` makes of labels, with ``teacher``'s answers as targets."""
    labels = [index % 10 for index in range(count)]
    return Replay("drawn", Examples(draw(labels, rng), np.array(labels, np.uint8)), teacher)


def label_targets(labels: NDArray[np.uint8], label_smoothing: float) -> Array:
    """Labels (N,) -> (N, 11) for `TemperedCrossEntropy` at temperature 1; smoothed."""
    targets = one_hot(labels) * np.float32(1 - label_smoothing) + np.float32(label_smoothing / 10)
    return _with_temperature(targets, 1.0)


def _with_temperature(targets: Array, temperature: float) -> Array:
    """(N, 10) targets -> (N, 11) for `TemperedCrossEntropy`: the last column is the temperature."""
    return np.concatenate([targets, np.full((len(targets), 1), temperature, targets.dtype)], axis=1)


class TemperedCrossEntropy:
    """Cross-entropy at a temperature T of each row: ``L = -T^2 sum over k of t_k log softmax(z / T)_k``.

    The derivative by logit k is T (p_k - t_k). The factor T^2 keeps gradients of the same size at every
    temperature (Hinton et al. 2015, section 2). With T = 1 this is softmax cross-entropy.
    """

    def value_and_gradient(self, outputs: Array, targets: Array) -> tuple[Array, Array]:
        """Logits (N, 10) and targets with temperatures (N, 11) -> losses (N,), gradient (N, 10)."""
        probabilities, temperatures = targets[:, :10], targets[:, 10:]
        log_probabilities = log_softmax(outputs / temperatures)
        losses = -(temperatures[:, 0] ** 2) * (probabilities * log_probabilities).sum(axis=1)
        return losses, temperatures * (np.exp(log_probabilities) - probabilities)
