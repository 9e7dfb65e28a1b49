"""What training minimises, each with its derivative by the network's output."""

from typing import Protocol

import numpy as np

from model.nn.layer import Array


class Loss(Protocol):
    """How wrong outputs are. Targets are rows of a number for each of K classes (`one_hot` makes them)."""

    def value_and_gradient(self, outputs: Array, targets: Array) -> tuple[Array, Array]:
        """The loss of every example (N,), and the gradient (N, K) of their sum by the outputs."""


class HalfSquaredError:
    """``L = 1/2 sum over k of (a_k - t_k)^2``; the derivative by a_k is a_k - t_k."""

    def value_and_gradient(self, outputs: Array, targets: Array) -> tuple[Array, Array]:
        """Outputs and targets (N, K) -> losses (N,), gradient (N, K)."""
        difference = outputs - targets
        return np.einsum("nk,nk->n", difference, difference) / 2, difference


class SoftmaxCrossEntropy:
    """``L = -sum over k of t_k log p_k`` with ``p = softmax(z)``; the derivative by logit z_k is p_k - t_k.

    Targets t are probabilities that sum to 1: one-hot labels, or another network's answers. Label smoothing
    takes the share ``label_smoothing`` of them away and spreads it over all K classes, so that a network need
    not be infinitely sure to be right (Szegedy et al. 2016, arXiv:1512.00567, section 7).
    """

    def __init__(self, label_smoothing: float = 0.0) -> None:
        self.label_smoothing = label_smoothing

    def value_and_gradient(self, outputs: Array, targets: Array) -> tuple[Array, Array]:
        """Logits and targets (N, K) -> losses (N,), gradient (N, K)."""
        if self.label_smoothing:
            targets = targets * (1 - self.label_smoothing) + self.label_smoothing / targets.shape[1]
        log_probabilities = log_softmax(outputs)
        return -(targets * log_probabilities).sum(axis=1), np.exp(log_probabilities) - targets


def log_softmax(logits: Array) -> Array:
    """The logarithm of `softmax`; the largest logit is taken out first, so that exp cannot overflow."""
    shifted: Array = logits - logits.max(axis=1, keepdims=True)
    shifted -= np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return shifted


def softmax(logits: Array) -> Array:
    """``exp(z_k) / sum over j of exp(z_j)``: (N, K) logits to (N, K) probabilities that sum to 1."""
    probabilities: Array = np.exp(logits - logits.max(axis=1, keepdims=True))
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    return probabilities


def one_hot(labels: np.ndarray[tuple[int], np.dtype[np.integer]], classes: int = 10) -> Array:
    """Labels (N,) to rows (N, classes) of float32 with a 1 at the label."""
    rows: Array = np.eye(classes, dtype=np.float32)[labels]
    return rows
