"""Layers that make images smaller."""

import numpy as np

from model.errors import ShapeError
from model.nn.layer import Array, Gradients, Layer

PoolCache = tuple[Array, Array]


class MaxPool2D(Layer):
    """The largest of every 2x2 block: (H, N, W, C) -> (H/2, N, W/2, C), H and W even.

    Taken in two steps, first the larger of two rows, then the larger of two columns. The derivative of max(a,
    b) by a is 1 where a >= b and 0 elsewhere, and by b the rest: the gradient goes to one winner only, also
    on flat ground, where a == b.
    """

    def forward(self, x: Array, rng: np.random.Generator | None = None) -> tuple[Array, PoolCache]:
        """(H, N, W, C) -> (H/2, N, W/2, C), and both steps' inputs for `backward`."""
        if x.ndim != 4 or x.shape[0] % 2 or x.shape[2] % 2:
            raise ShapeError(f"MaxPool2D expects (H, N, W, C) with even H and W, got {x.shape}")
        rows = np.maximum(x[0::2], x[1::2])  # (H/2, N, W, C)
        return np.maximum(rows[:, :, 0::2], rows[:, :, 1::2]), (x, rows)

    def infer(self, x: Array) -> Array:
        """(H, N, W, C) -> (H/2, N, W/2, C)."""
        return self.forward(x)[0]

    def backward(self, grad: Array, cache: PoolCache) -> tuple[Array, Gradients]:
        """dL/dy (H/2, N, W/2, C) -> dL/dx (H, N, W, C)."""
        x, rows = cache
        grad_rows, grad_x = np.empty_like(rows), np.empty_like(x)
        _share(grad, rows[:, :, 0::2], rows[:, :, 1::2], grad_rows[:, :, 0::2], grad_rows[:, :, 1::2])
        _share(grad_rows, x[0::2], x[1::2], grad_x[0::2], grad_x[1::2])
        return grad_x, {}


def _share(grad: Array, first: Array, second: Array, grad_first: Array, grad_second: Array) -> None:
    """Write the gradient of ``max(first, second)`` to the one that won."""
    np.multiply(grad, first >= second, out=grad_first)
    np.subtract(grad, grad_first, out=grad_second)
