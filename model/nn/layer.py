"""What every layer is: a function of a batch, its derivative, and its parameters."""

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating[Any]]
"""float32 in use; float64 where gradients are checked."""

Parameters = dict[str, Array]
"""Name to value, `weight` and `bias` by custom."""

Gradients = dict[str, Array]
"""The derivative of the loss by each parameter, under the parameter's name."""


class Layer(ABC):
    """A differentiable function of a batch.

    A call leaves no state on the layer: what `backward` needs is returned by `forward` as the cache and
    handed back. So one layer may serve several threads at once, and train in one while it answers in another.

    Shapes: N is the batch size. Row vectors are (N, D). Images are (H, N, W, C): the rows of the image come
    first, so that shifting a whole batch of images by a row is a contiguous slice (see `convolution`).
    """

    @property
    def parameters(self) -> Parameters:
        """The arrays that training changes, in place; none by default."""
        return {}

    @abstractmethod
    def forward(self, x: Array, rng: np.random.Generator | None = None) -> tuple[Array, Any]:
        """The output while training, and the cache for `backward`; ``rng`` is for layers that draw lots."""

    @abstractmethod
    def backward(self, grad: Array, cache: Any) -> tuple[Array, Gradients]:
        """dL/dy to dL/dx by the chain rule, and dL/dp for every parameter p."""

    @abstractmethod
    def infer(self, x: Array) -> Array:
        """The layer's output in use: no cache, no randomness; leaves ``x`` as it is."""

    def parameter_gradients(self, grad: Array, cache: Any) -> Gradients:
        """As `backward` without dL/dx, which nobody needs of a network's first layer."""
        return self.backward(grad, cache)[1]


class Activation(Layer):
    """A layer that is not linear, element by element; its outputs are what is worth looking at."""


def sum_of_rows(rows: Array) -> Array:
    """(M, C) -> (C,); as a product of matrices the sum is fast."""
    return np.ones(len(rows), rows.dtype) @ rows


def long_rows(x: Array) -> Array:
    """(..., W, C) -> (M, W C), a view. NumPy adds a long row to each of many faster than a short one."""
    return x.reshape(-1, x.shape[-2] * x.shape[-1])
