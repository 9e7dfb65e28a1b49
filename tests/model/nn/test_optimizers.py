"""Optimizers do what their formulas say."""

import numpy as np
import pytest

from model.nn.layer import Parameters
from model.nn.optimizers import SGD, AdamW


def test_gradient_descent_goes_against_the_gradient() -> None:
    parameters: Parameters = {"weight": np.array([[1.0, 2.0]])}

    SGD(parameters).step({"weight": np.array([[10.0, -10.0]])}, learning_rate=0.1)

    np.testing.assert_allclose(parameters["weight"], [[0, 3]])


def test_momentum_adds_what_is_left_of_earlier_gradients() -> None:
    parameters: Parameters = {"weight": np.array([[0.0]])}
    optimizer = SGD(parameters, momentum=0.5)

    for _ in range(3):
        optimizer.step({"weight": np.array([[1.0]])}, learning_rate=1)

    np.testing.assert_allclose(parameters["weight"], [[-(1 + 1.5 + 1.75)]])


def test_the_first_step_of_adam_is_the_learning_rate_whatever_the_gradients_size() -> None:
    parameters: Parameters = {"weight": np.array([[1.0, 1.0]])}

    AdamW(parameters).step({"weight": np.array([[1e-3, -1e3]])}, learning_rate=0.1)

    np.testing.assert_allclose(parameters["weight"], [[0.9, 1.1]], rtol=1e-5)


def test_adam_follows_its_published_formulas(rng: np.random.Generator) -> None:
    start, gradients = rng.normal(size=(2, 3)), rng.normal(size=(5, 2, 3))
    parameters: Parameters = {"weight": start.copy()}
    optimizer = AdamW(parameters, betas=(0.8, 0.9), epsilon=1e-3, weight_decay=0.1)
    expected, mean, square = start, np.zeros((2, 3)), np.zeros((2, 3))

    for t, gradient in enumerate(gradients, 1):
        optimizer.step({"weight": gradient}, learning_rate=0.01)
        mean, square = 0.8 * mean + 0.2 * gradient, 0.9 * square + 0.1 * gradient**2
        scaled = mean / (1 - 0.8**t) / (np.sqrt(square / (1 - 0.9**t)) + 1e-3)
        expected = expected - 0.01 * (scaled + 0.1 * expected)

    np.testing.assert_allclose(parameters["weight"], expected)


def test_relative_steps_grow_with_the_size_that_a_parameter_had_at_the_start() -> None:
    parameters: Parameters = {
        "small": np.full((2, 2), 0.1),
        "large": np.full((2, 2), -3.0),
        "none": np.zeros(2),
    }
    gradients: Parameters = {name: np.ones_like(p) for name, p in parameters.items()}
    optimizer = AdamW(parameters, relative=True)

    for _ in range(2):
        optimizer.step(gradients, learning_rate=0.1)

    np.testing.assert_allclose(parameters["small"], 0.1 - 2 * 0.1 * 0.1)
    np.testing.assert_allclose(parameters["large"], -3.0 - 2 * 0.1 * 3)
    assert (parameters["none"] < 0).all()


def test_weight_decay_leaves_biases_alone() -> None:
    parameters: Parameters = {"weight": np.ones((2, 2)), "bias": np.ones(2)}
    nothing: Parameters = {"weight": np.zeros((2, 2)), "bias": np.zeros(2)}

    AdamW(parameters, weight_decay=0.5).step(nothing, learning_rate=1)

    np.testing.assert_allclose(parameters["weight"], 0.5)
    np.testing.assert_allclose(parameters["bias"], 1)


@pytest.mark.parametrize("kind", [AdamW, lambda parameters: SGD(parameters, momentum=0.9)])
def test_the_state_is_all_that_is_needed_to_go_on(kind: type[AdamW], rng: np.random.Generator) -> None:
    first: Parameters = {"weight": np.ones((2, 2))}
    gradients = rng.normal(size=(4, 2, 2))
    optimizer = kind(first)
    for gradient in gradients[:2]:
        optimizer.step({"weight": gradient}, 0.1)
    second: Parameters = {"weight": first["weight"].copy()}
    resumed = kind(second)
    for name, value in optimizer.state.items():
        resumed.state[name][...] = value

    for gradient in gradients[2:]:
        optimizer.step({"weight": gradient}, 0.1)
        resumed.step({"weight": gradient}, 0.1)

    np.testing.assert_array_equal(first["weight"], second["weight"])
