"""Dropout."""

import numpy as np

from model.nn.layer import Array, Gradients, Layer


class Dropout(Layer):
    """Sets each value to 0 with probability ``rate`` while training, and scales the others by 1 / (1 - rate).

    The expected output is the input, so in use the layer does nothing (Srivastava et al. 2014, JMLR 15,
    section 10). The derivative is the same mask. Without an ``rng`` it lets everything through.
    """

    def __init__(self, rate: float) -> None:
        self.rate = rate

    def forward(self, x: Array, rng: np.random.Generator | None = None) -> tuple[Array, Array | None]:
        """Any shape to the same shape, and the mask of 0 and 1 / (1 - rate)."""
        if rng is None or self.rate == 0:
            return x, None
        keep = rng.random(x.shape, np.float32) >= self.rate
        mask = keep.astype(x.dtype) / x.dtype.type(1 - self.rate)
        return x * mask, mask

    def infer(self, x: Array) -> Array:
        """``x`` itself."""
        return x

    def backward(self, grad: Array, cache: Array | None) -> tuple[Array, Gradients]:
        """dL/dx = dL/dy mask."""
        return (grad if cache is None else grad * cache), {}
