"""Layers that only rearrange: row vectors to images and back."""

import numpy as np

from model.errors import ShapeError
from model.nn.layer import Array, Gradients, Layer


class ToImage(Layer):
    """Row vectors of ``size`` x ``size`` pixels to one-channel images: (N, size^2) -> (size, N, size, 1)."""

    def __init__(self, size: int) -> None:
        self.size = size

    def forward(self, x: Array, rng: np.random.Generator | None = None) -> tuple[Array, None]:
        """(N, size^2) -> (size, N, size, 1); there is nothing to remember."""
        return self.infer(x), None

    def infer(self, x: Array) -> Array:
        """(N, size^2) -> (size, N, size, 1), a view. Raises `ShapeError` for any other shape of ``x``."""
        if x.ndim != 2 or x.shape[1] != self.size**2:
            raise ShapeError(f"ToImage expects (N, {self.size**2}), got {x.shape}")
        return x.reshape(-1, self.size, self.size, 1).swapaxes(0, 1)

    def backward(self, grad: Array, cache: None) -> tuple[Array, Gradients]:
        """(size, N, size, 1) -> (N, size^2)."""
        return to_rows(grad), {}


class Flatten(Layer):
    """Images to row vectors, pixel by pixel with its channels: (H, N, W, C) -> (N, H W C)."""

    def forward(self, x: Array, rng: np.random.Generator | None = None) -> tuple[Array, tuple[int, ...]]:
        """(H, N, W, C) -> (N, H W C), and the shape of x."""
        return self.infer(x), x.shape

    def infer(self, x: Array) -> Array:
        """(H, N, W, C) -> (N, H W C)."""
        if x.ndim != 4:
            raise ShapeError(f"Flatten expects (H, N, W, C), got {x.shape}")
        return to_rows(x)

    def backward(self, grad: Array, cache: tuple[int, ...]) -> tuple[Array, Gradients]:
        """(N, H W C) -> (H, N, W, C)."""
        height, batch, width, channels = cache
        return np.ascontiguousarray(grad.reshape(batch, height, width, channels).swapaxes(0, 1)), {}


def to_rows(x: Array) -> Array:
    """Whatever a layer put out as row vectors: (H, N, W, C) -> (N, H W C); (N, D) stays as it is."""
    if x.ndim == 2:
        return x
    height, batch, width, channels = x.shape
    return x.swapaxes(0, 1).reshape(batch, height * width * channels)
