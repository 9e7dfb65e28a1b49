"""The fully connected layer."""

import math

import numpy as np
from numpy.typing import DTypeLike

from model.errors import ShapeError
from model.nn.layer import Array, Gradients, Layer, Parameters


class Linear(Layer):
    """Affine map of row vectors, ``y = x @ weight + bias``.

    Shapes: N batch size, D ``in_features``, K ``out_features``. Each output is a weighted sum of all inputs,
    so by the chain rule dL/dx = dL/dy @ weight.T, dL/dweight = x.T @ dL/dy (each pair of input and output,
    summed over the batch) and dL/dbias = the sum of dL/dy over the batch.

    Weights start from N(0, gain / D), biases from 0. A gain of 2 keeps ReLU activations from shrinking with
    depth (He et al. 2015, arXiv:1502.01852, eq. 10); 1 suits layers that no ReLU follows.
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        *,
        rng: np.random.Generator,
        gain: float = 2.0,
        dtype: DTypeLike = np.float32,
    ) -> None:
        std = math.sqrt(gain / in_features)
        self.weight: Array = rng.normal(0, std, (in_features, out_features)).astype(dtype)  # (D, K)
        self.bias: Array = np.zeros(out_features, dtype)  # (K,)

    @property
    def parameters(self) -> Parameters:
        """``weight`` (D, K) and ``bias`` (K,)."""
        return {"weight": self.weight, "bias": self.bias}

    def forward(self, x: Array, rng: np.random.Generator | None = None) -> tuple[Array, Array]:
        """(N, D) -> (N, K), and x for `backward`."""
        return self.infer(x), x

    def infer(self, x: Array) -> Array:
        """(N, D) -> (N, K). Raises `ShapeError` for any other shape of ``x``."""
        in_features = len(self.weight)
        if x.ndim != 2 or x.shape[1] != in_features:
            raise ShapeError(f"Linear expects (N, {in_features}), got {x.shape}")
        y: Array = x @ self.weight
        y += self.bias
        return y

    def backward(self, grad: Array, cache: Array) -> tuple[Array, Gradients]:
        """dL/dy (N, K) -> dL/dx (N, D) and the gradients of weight (D, K) and bias (K,)."""
        return grad @ self.weight.T, self.parameter_gradients(grad, cache)

    def parameter_gradients(self, grad: Array, cache: Array) -> Gradients:
        """dL/dy (N, K) -> the gradients of weight (D, K) and bias (K,)."""
        return {"weight": cache.T @ grad, "bias": grad.sum(axis=0)}
