"""The convolution layer, as matrix products."""

import math

import numpy as np
from numpy.typing import DTypeLike

from model.errors import ShapeError
from model.nn.layer import Array, Gradients, Layer, Parameters, sum_of_rows

SMALL = 1_000_000
"""Multiplications in a product of matrices that OpenBLAS does without packing the matrices first."""


class Conv2D(Layer):
    """A small window of weights slid over the image, stride 1, with ``padding`` zeros around it.

    ``y[h, n, w] = sum over i, j of x[h + i - padding, n, w + j - padding] @ weight[i, j]``, with i and j in
    0..kernel_size - 1. (Like every deep-learning library this is a correlation: the window is not flipped.)

    Shapes: x is (H, N, W, C), y is (H', N, W', K) with H' = H + 2 padding - kernel_size + 1 and W' likewise;
    C is ``in_channels``, K ``out_channels``, and padding is less than kernel_size. There is no bias: the
    `BiasReLU` that follows adds it, after pooling where there is some, on a quarter of the numbers.

    **How it becomes matrix products.** In use, the usual way: all kernel_size^2 neighbours of every pixel are
    copied side by side (im2col), and y is one product with the weight as a (kernel_size^2 C, K) matrix, which
    OpenBLAS shares among its threads.

    In training, whose threads each have images of their own, only the neighbours within the row are copied
    (`_columns`), a third of the memory for a 3x3 window. The neighbours above and below need no copy: rows
    are the first axis, so "the same batch, i rows further down" is a contiguous slice, and y is the sum of
    kernel_size products with ``weight[i]`` as a (kernel_size C, K) matrix, each over those rows for which
    there is such a row below.

    **Backward.** y is linear in the weights and each product is that of a `Linear` layer, hence
    ``dL/dweight[i]`` is the sum of ``columns[h + i - padding].T @ dL/dy[h]`` over those rows h of y for which
    there is that row of x. Every x[h] went into y[h + padding - i] through
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
        self._check(x)
        columns = _columns(x, len(self.weight), self.padding)
        return _convolve(columns, self.weight, self.padding), columns

    def infer(self, x: Array) -> Array:
        """(H, N, W, C) -> (H', N, W', K)."""
        self._check(x)
        windows = _windows(x, len(self.weight), self.padding)
        matrix = self.weight.reshape(-1, self.weight.shape[3])
        y: Array = windows.reshape(-1, len(matrix)) @ matrix
        return y.reshape(*windows.shape[:3], self.weight.shape[3])

    def _check(self, x: Array) -> None:
        in_channels = self.weight.shape[2]
        if x.ndim != 4 or x.shape[3] != in_channels:
            raise ShapeError(f"Conv2D expects (H, N, W, {in_channels}), got {x.shape}")

    def backward(self, grad: Array, cache: Array) -> tuple[Array, Gradients]:
        """dL/dy (H', N, W', K) -> dL/dx (H, N, W, C) and the gradient of the weight."""
        return self.input_gradient(grad), self.parameter_gradients(grad, cache)

    def input_gradient(self, grad: Array) -> Array:
        """dL/dy (H', N, W', K) -> dL/dx (H, N, W, C)."""
        kernel_size = len(self.weight)
        padding = kernel_size - 1 - self.padding
        turned = self.weight[::-1, ::-1].swapaxes(2, 3)  # (kernel_size, kernel_size, K, C)
        return _convolve(_columns(grad, kernel_size, padding), turned, padding)

    def parameter_gradients(self, grad: Array, cache: Array) -> Gradients:
        """dL/dy (H', N, W', K) -> the gradient of the weight."""
        kernel_size, channels, out_channels = len(self.weight), cache.shape[-1], grad.shape[-1]
        grad_weight = np.empty((kernel_size, channels, out_channels), grad.dtype)
        for i in range(kernel_size):
            below, above = _overlap(i - self.padding, len(cache), len(grad))
            columns, rows = cache[below].reshape(-1, channels), grad[above].reshape(-1, out_channels)
            grad_weight[i] = _transposed_product(columns, rows)
        return {"weight": grad_weight.reshape(self.weight.shape)}


def _columns(x: Array, kernel_size: int, padding: int) -> Array:
    """Every pixel beside its neighbours in the row: (H, N, W, C) -> (H, N, W', kernel_size C)."""
    padded = pad(x, 0, padding)
    height, batch, width, channels = padded.shape
    # neighbours lie side by side in memory, so a row of a window is a longer pixel at the same place
    shape = (height, batch, width - kernel_size + 1, kernel_size * channels)
    return _overlapping(padded, shape, padded.strides).copy()


def _windows(x: Array, kernel_size: int, padding: int) -> Array:
    """Every pixel's whole window: (H, N, W, C) -> (H', N, W', kernel_size, kernel_size C)."""
    padded = pad(x, padding, padding)
    height, batch, width, channels = padded.shape
    size = (height - kernel_size + 1, batch, width - kernel_size + 1)
    down, across, right, channel = padded.strides
    shape = (*size, kernel_size, kernel_size * channels)
    return _overlapping(padded, shape, (down, across, right, down, channel))


def pad(x: Array, above: int, beside: int) -> Array:
    """Zeros around (H, N, W, C), as many rows above and below, columns left and right."""
    if not (above or beside):
        return np.ascontiguousarray(x)
    height, batch, width, channels = x.shape
    padded = np.zeros((height + 2 * above, batch, width + 2 * beside, channels), x.dtype)
    padded[above : above + height, :, beside : beside + width] = x
    return padded


def _overlapping(x: Array, shape: tuple[int, ...], strides: tuple[int, ...]) -> Array:
    """A view on x in which numbers appear more than once; `as_strided` takes six times as long to make it."""
    return np.ndarray(shape, x.dtype, x.data, 0, strides)


def _convolve(columns: Array, weight: Array, padding: int) -> Array:
    """The sum over i of columns, i - padding rows further down, times weight[i]: (H', N, W', K)."""
    kernel_size, _, channels, out_channels = weight.shape
    height, batch, width, _ = columns.shape
    out_height = height + 2 * padding - kernel_size + 1
    rows = columns.reshape(height, batch * width, kernel_size * channels)
    matrices = weight.reshape(kernel_size, kernel_size * channels, out_channels)
    y = np.empty((out_height, batch * width, out_channels), columns.dtype)
    level, covered = _overlap(0, height, out_height)
    _multiply(rows[level], matrices[padding], y[covered])
    y[covered.stop :] = 0
    product = np.empty_like(y)
    for i in range(kernel_size):
        if i != padding:
            below, here = _overlap(i - padding, height, out_height)
            _multiply(rows[below], matrices[i], product[here])
            y[here] += product[here]
    return y.reshape(out_height, batch, width, out_channels)


def _multiply(rows: Array, matrix: Array, out: Array) -> None:
    """``out = rows @ matrix`` for (H, M, C) and (C, K), as products of `SMALL` matrices, a fifth faster."""
    height, count, channels = rows.shape
    parts = _parts(count, matrix.size)
    shape = (height * parts, count // parts)
    np.matmul(rows.reshape(*shape, channels), matrix, out=out.reshape(*shape, matrix.shape[1]))


def _transposed_product(columns: Array, rows: Array) -> Array:
    """(M, C).T @ (M, K) -> (C, K), as a sum of products of `SMALL` matrices, a fifth faster."""
    (count, channels), out_channels = columns.shape, rows.shape[1]
    parts = _parts(count, channels * out_channels)
    shape = (parts, count // parts)
    products = columns.reshape(*shape, channels).swapaxes(1, 2) @ rows.reshape(*shape, out_channels)
    return sum_of_rows(products.reshape(parts, -1)).reshape(channels, out_channels)


def _parts(count: int, size: int) -> int:
    """Into how many equal parts to cut ``count`` rows, of ``size`` multiplications each."""
    fitting = (n for n in range(1, count + 1) if count % n == 0 and count // n * size <= SMALL)
    return next(fitting, 1)


def _overlap(shift: int, size: int, out_size: int) -> tuple[slice, slice]:
    """Where ``x[p + shift]`` is inside of x for p in 0..out_size: the slices of p + shift and of p."""
    start, stop = max(0, -shift), min(out_size, size - shift)
    return slice(start + shift, stop + shift), slice(start, stop)
