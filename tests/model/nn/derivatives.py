"""Derivatives by central differences, to compare backpropagation with."""

from collections.abc import Callable

import numpy as np

from model.nn.layer import Array, Layer

STEP = 1e-6


def central_difference(function: Callable[[], float], x: Array) -> Array:
    """(f(x + h) - f(x - h)) / 2h for every element of ``x``, changed in place and restored; float64."""
    derivative = np.empty_like(x)
    for index in np.ndindex(x.shape):
        value = x[index]
        x[index] = value + STEP
        above = function()
        x[index] = value - STEP
        below = function()
        x[index] = value
        derivative[index] = (above - below) / (2 * STEP)
    return derivative


def assert_backward_is_derivative(layer: Layer, x: Array, rng: np.random.Generator) -> None:
    """The gradients of the input and of all parameters agree with central differences."""
    y, cache = layer.forward(x)
    upstream = rng.normal(size=y.shape)

    def loss() -> float:
        return float((layer.forward(x)[0] * upstream).sum())

    grad_x, gradients = layer.backward(upstream, cache)

    np.testing.assert_allclose(grad_x, central_difference(loss, x), rtol=1e-5, atol=1e-7)
    assert gradients.keys() == layer.parameters.keys()
    for name, parameter in layer.parameters.items():
        np.testing.assert_allclose(gradients[name], central_difference(loss, parameter), rtol=1e-5, atol=1e-7)
    for name, gradient in layer.parameter_gradients(upstream, cache).items():
        np.testing.assert_array_equal(gradient, gradients[name])
