"""Losses are what their formulas say, and their gradients are the derivatives."""

import numpy as np
import pytest

from model.nn.layer import Array
from model.nn.losses import HalfSquaredError, Loss, SoftmaxCrossEntropy, log_softmax, one_hot, softmax
from tests.model.nn.derivatives import central_difference


@pytest.mark.parametrize(
    "loss", [HalfSquaredError(), SoftmaxCrossEntropy(), SoftmaxCrossEntropy(label_smoothing=0.1)]
)
@pytest.mark.parametrize("soft", [False, True], ids=["labels", "soft targets"])
def test_gradient_is_the_derivative_of_the_value(loss: Loss, soft: bool, rng: np.random.Generator) -> None:
    outputs = rng.normal(size=(3, 10))
    targets: Array = softmax(rng.normal(size=(3, 10))) if soft else one_hot(np.array([1, 5, 9])).astype(float)

    _, gradient = loss.value_and_gradient(outputs, targets)

    expected = central_difference(lambda: float(loss.value_and_gradient(outputs, targets)[0].sum()), outputs)
    np.testing.assert_allclose(gradient, expected, rtol=1e-5, atol=1e-8)


def test_half_squared_error_is_half_the_sum_of_squares() -> None:
    losses, _ = HalfSquaredError().value_and_gradient(np.array([[1.0, 0.5]]), np.array([[0.0, 1.0]]))

    np.testing.assert_allclose(losses, [0.625])


def test_cross_entropy_is_the_surprise_at_the_label() -> None:
    outputs = np.log(np.array([[0.7, 0.2, 0.1]]))

    losses, _ = SoftmaxCrossEntropy().value_and_gradient(outputs, np.array([[0.0, 1.0, 0.0]]))

    np.testing.assert_allclose(losses, [-np.log(0.2)])


def test_label_smoothing_makes_the_smoothed_label_the_best_answer() -> None:
    best = np.log(np.array([[0.1 / 10] * 9 + [0.9 + 0.1 / 10]]))

    _, gradient = SoftmaxCrossEntropy(0.1).value_and_gradient(best, one_hot(np.array([9])).astype(float))

    np.testing.assert_allclose(gradient, 0, atol=1e-8)


def test_softmax_of_huge_logits_is_finite() -> None:
    logits = np.array([[1e4, 0.0, -1e4]], np.float32)

    np.testing.assert_array_equal(softmax(logits), [[1, 0, 0]])
    np.testing.assert_array_equal(log_softmax(logits), [[0, -1e4, -2e4]])
