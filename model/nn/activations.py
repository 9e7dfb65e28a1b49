"""The non-linear functions between linear layers."""

import numpy as np
from numpy.typing import DTypeLike

from model.nn.layer import Activation, Array, Gradients, Parameters, long_rows, sum_of_rows


class Sigmoid(Activation):
    """``y = 1 / (1 + exp(-x))``, element by element; its derivative is ``y (1 - y)``.

    It is computed as (1 + tanh(x / 2)) / 2, the same function, which does not overflow for large -x.
    """

    def forward(self, x: Array, rng: np.random.Generator | None = None) -> tuple[Array, Array]:
        """Any shape to the same shape, and y for `backward`."""
        y = self.infer(x)
        return y, y

    def infer(self, x: Array) -> Array:
        """Any shape to the same shape, values 0..1."""
        y: Array = np.multiply(x, 0.5)
        np.tanh(y, out=y)
        y += 1
        y *= 0.5
        return y

    def backward(self, grad: Array, cache: Array) -> tuple[Array, Gradients]:
        """dL/dx = dL/dy y (1 - y)."""
        grad_x = 1 - cache
        grad_x *= cache
        grad_x *= grad
        return grad_x, {}


class BiasReLU(Activation):
    """``y = max(x + bias, 0)`` with one bias for each channel, the last axis of x.

    The derivative by x is 1 where y > 0, else 0; the bias went into every pixel of its channel, so its
    gradient is the sum of dL/dx over all other axes. Adding one number to a channel and cutting at 0 keep the
    order of its values, so max-pooling may come before: the result is the same, from a quarter of the
    numbers.
    """

    def __init__(self, channels: int, *, dtype: DTypeLike = np.float32) -> None:
        self.bias: Array = np.zeros(channels, dtype)

    @property
    def parameters(self) -> Parameters:
        """``bias`` (C,)."""
        return {"bias": self.bias}

    def forward(self, x: Array, rng: np.random.Generator | None = None) -> tuple[Array, Array]:
        """(..., C) -> (..., C), and y for `backward`."""
        if x.ndim == 2:
            y = self.infer(x)
        else:
            y = _shifted_and_cut(long_rows(x), np.tile(self.bias, x.shape[-2])).reshape(x.shape)
        return y, y

    def infer(self, x: Array) -> Array:
        """(..., C) -> (..., C)."""
        return _shifted_and_cut(x, self.bias)

    def backward(self, grad: Array, cache: Array) -> tuple[Array, Gradients]:
        """dL/dy (..., C) -> dL/dx (..., C) and the gradient of the bias (C,)."""
        grad_x = (cache > 0).astype(grad.dtype)
        grad_x *= grad
        rows = grad_x.reshape(-1, grad.shape[-1])
        return grad_x, {"bias": sum_of_rows(rows)}


def _shifted_and_cut(rows: Array, bias: Array) -> Array:
    """``max(rows + bias, 0)``, bit by bit."""
    y: Array = np.maximum(rows, -bias)  # with a row NumPy compares faster than with a number
    y += bias
    return y
