"""The convolution layer, as matrix products."""

import math

import numpy as np
from numpy.typing import DTypeLike

from model.errors import ShapeError
from model.nn.layer import Array, Gradients, Layer, Parameters


class Conv2D(Layer):
    """A small window of weights slid over the image, stride 1, with ``padding`` zeros around it.

    ``y[h, n, w] = sum over i, j of x[h + i - padding, n, w + j - padding] @ weight[i, j]``, with i and j in
    0..kernel_size - 1. (Like every deep-learning library this is a correlation: the window is not flipped.)

    Shapes: x is (H, N, W, C), y is (H', N, W', K) with H' = H + 2 padding - kernel_size + 1 and W' likewise;
    C is ``in_channels``, K ``out_channels``. There is no bias: the `BiasReLU` that follows adds it, after
    pooling where there is some, on a quarter of the numbers.

    **How it becomes matrix products.** The usual way copies all kernel_size^2 neighbours of every pixel side
    by side (im2col). Here only the neighbours within the row are copied (`_columns`), a third of the work for
    a 3x3 window. The neighbours above and below then need no copy at all: rows are the first axis, so "the
    same batch, i rows further down" is a contiguous slice, and y is the sum of kernel_size products of slices
    with ``weight[i]`` as a (kernel_size C, K) matrix.

    **Backward.** y is linear in the weights and each product is that of a `Linear` layer, hence
    ``dL/dweight[i] = columns[i : i + H'].T @ dL/dy``. Every x[h] went into y[h + padding - i] through
    weight[i], so dL/dx is a convolution of dL/dy with the window turned by 180 degrees, channels exchanged,
    and padding kernel_size - 1 - padding.

    Weights start from N(0, 2 / (kernel_size^2 C)) (He et al. 2015, arXiv:1502.01852, eq. 10).
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        rng: np.random.Generator,
        kernel_size: int = 3,
        padding: int = 1,
        dtype: DTypeLike = np.float32,
    ) -> None:
        shape = (kernel_size, kernel_size, in_channels, out_channels)
        std = math.sqrt(2 / (kernel_size**2 * in_channels))
        self.padding = padding
        self.weight: Array = rng.normal(0, std, shape).astype(dtype)  # (kernel_size, kernel_size, C, K)

    @property
    def parameters(self) -> Parameters:
        """``weight`` (kernel_size, kernel_size, C, K)."""
        return {"weight": self.weight}

    def forward(self, x: Array, rng: np.random.Generator | None = None) -> tuple[Array, Array]:
        """(H, N, W, C) -> (H', N, W', K), and the columns for `backward`."""
        in_channels = self.weight.shape[2]
        if x.ndim != 4 or x.shape[3] != in_channels:
            raise ShapeError(f"Conv2D expects (H, N, W, {in_channels}), got {x.shape}")
        columns = _columns(x, len(self.weight), self.padding)
        return _convolve(columns, self.weight), columns

    def infer(self, x: Array) -> Array:
        """(H, N, W, C) -> (H', N, W', K)."""
        return self.forward(x)[0]

    def backward(self, grad: Array, cache: Array) -> tuple[Array, Gradients]:
        """dL/dy (H', N, W', K) -> dL/dx (H, N, W, C) and the gradient of the weight."""
        kernel_size = len(self.weight)
        turned = self.weight[::-1, ::-1].swapaxes(2, 3)  # (kernel_size, kernel_size, K, C)
        columns = _columns(grad, kernel_size, kernel_size - 1 - self.padding)
        return _convolve(columns, turned), self.parameter_gradients(grad, cache)

    def parameter_gradients(self, grad: Array, cache: Array) -> Gradients:
        """dL/dy (H', N, W', K) -> the gradient of the weight."""
        height, rows = len(grad), grad.reshape(-1, grad.shape[-1])  # (H' N W', K)
        products = [_slab(cache, i, height).T @ rows for i in range(len(self.weight))]
        return {"weight": np.stack(products).reshape(self.weight.shape)}


def _columns(x: Array, kernel_size: int, padding: int) -> Array:
    """Every pixel beside its neighbours in the row: (H, N, W, C) -> (H + 2 padding, N, W', kernel_size C)."""
    height, batch, width, channels = x.shape
    out_width = width + 2 * padding - kernel_size + 1
    columns = np.empty((height + 2 * padding, batch, out_width, kernel_size, channels), x.dtype)
    columns[:padding] = 0
    columns[padding + height :] = 0
    inner = columns[padding : padding + height]
    for j in range(kernel_size):
        # columns left..right of the output have a neighbour j in the image, the others see the padding
        left, right = max(0, padding - j), min(out_width, width + padding - j)
        inner[:, :, :left, j] = 0
        inner[:, :, left:right, j] = x[:, :, left + j - padding : right + j - padding]
        inner[:, :, right:, j] = 0
    return columns.reshape(height + 2 * padding, batch, out_width, kernel_size * channels)


def _convolve(columns: Array, weight: Array) -> Array:
    """The sum over window rows i of columns, i rows further down, times weight[i]: -> (H', N, W', K)."""
    kernel_size, _, channels, out_channels = weight.shape
    padded_height, batch, width, _ = columns.shape
    height = padded_height - kernel_size + 1
    matrices = weight.reshape(kernel_size, kernel_size * channels, out_channels)
    y: Array = _slab(columns, 0, height) @ matrices[0]
    product = np.empty_like(y)
    for i in range(1, kernel_size):
        np.matmul(_slab(columns, i, height), matrices[i], out=product)
        y += product
    return y.reshape(height, batch, width, out_channels)


def _slab(columns: Array, start: int, height: int) -> Array:
    """Rows start..start + height of all images as one matrix: a view, (height N W', kernel_size C)."""
    return columns[start : start + height].reshape(-1, columns.shape[-1])
