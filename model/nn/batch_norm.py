"""Batch normalisation, for training only: `folding` works it into the weights beside it."""

import numpy as np

from model.nn.layer import Array, Gradients, Layer, long_rows, sum_of_rows

EPSILON = 1e-5
"""Added to the variance, so that a channel that is the same everywhere divides by no 0."""

BatchNormCache = tuple[Array, Array]


class BatchNorm(Layer):
    """``y = (x - mean) / sqrt(variance + epsilon)``, for each channel over all pixels of the batch at hand.

    However the layers before change in a step, the layers after get numbers of the same mean and size, so
    all of them can learn fast at once (Ioffe & Szegedy 2015, arXiv:1502.03167, algorithm 1). The scale and
    shift that follow there are not needed here: the `BiasReLU` behind this layer shifts, and as max(s z, 0) =
    s max(z, 0) for s > 0, the next layer's weights can scale.

    **Backward.** With M pixels in a channel and d = dL/dy, x goes into y itself, into the mean and into the
    variance: ``dL/dx = (d - mean(d) - y mean(d y)) / sqrt(variance + epsilon)``.

    Shapes: x is (H, N, W, C). In a training that cuts its batches into chunks, a chunk is the batch. That
    makes an image's output depend on its company, which is good to train with and bad to answer with. So a
    network in use has no such layer (`folding.fold`).
    """

    def forward(self, x: Array, rng: np.random.Generator | None = None) -> tuple[Array, BatchNormCache]:
        """(H, N, W, C) -> (H, N, W, C); y and 1 / sqrt(variance + epsilon) (C,) for `backward`."""
        width = x.shape[2]
        y = (long_rows(x) - np.tile(_channel_means(x), width)).reshape(x.shape)
        inverse_deviation = 1 / np.sqrt(_channel_means(np.square(y)) + EPSILON)
        rows = long_rows(y)
        rows *= np.tile(inverse_deviation, width)
        return y, (y, inverse_deviation)

    def infer(self, x: Array) -> Array:
        """(H, N, W, C) -> (H, N, W, C), by this batch's own mean and variance."""
        return self.forward(x)[0]

    def backward(self, grad: Array, cache: BatchNormCache) -> tuple[Array, Gradients]:
        """dL/dy (H, N, W, C) -> dL/dx (H, N, W, C)."""
        y, inverse_deviation = cache
        width = y.shape[2]
        grad_x = long_rows(y) * np.tile(-_channel_means(grad * y), width)
        grad_x += long_rows(grad)
        grad_x -= np.tile(_channel_means(grad), width)
        grad_x *= np.tile(inverse_deviation, width)
        return grad_x.reshape(y.shape), {}


def _channel_means(x: Array) -> Array:
    """(H, N, W, C) -> (C,), over all pixels."""
    pixels = x.reshape(-1, x.shape[-1])
    return sum_of_rows(pixels) / len(pixels)
