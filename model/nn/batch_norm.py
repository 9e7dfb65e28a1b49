"""Batch normalisation, for training only: `fold` turns it into the weights beside it."""

from collections.abc import Sequence

import numpy as np

from model.nn.layer import Array, Gradients, Layer, sum_of_rows
from model.nn.network import CHUNK, Network

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
    network in use has no such layer (`fold`).
    """

    def forward(self, x: Array, rng: np.random.Generator | None = None) -> tuple[Array, BatchNormCache]:
        """(H, N, W, C) -> (H, N, W, C); y and 1 / sqrt(variance + epsilon) (C,) for `backward`."""
        width = x.shape[2]
        y = (_long_rows(x) - np.tile(_channel_means(x), width)).reshape(x.shape)
        inverse_deviation = 1 / np.sqrt(_channel_means(np.square(y)) + EPSILON)
        rows = _long_rows(y)
        rows *= np.tile(inverse_deviation, width)
        return y, (y, inverse_deviation)

    def infer(self, x: Array) -> Array:
        """(H, N, W, C) -> (H, N, W, C), by this batch's own mean and variance."""
        return self.forward(x)[0]

    def backward(self, grad: Array, cache: BatchNormCache) -> tuple[Array, Gradients]:
        """dL/dy (H, N, W, C) -> dL/dx (H, N, W, C)."""
        y, inverse_deviation = cache
        width = y.shape[2]
        grad_x = _long_rows(y) * np.tile(-_channel_means(grad * y), width)
        grad_x += _long_rows(grad)
        grad_x -= np.tile(_channel_means(grad), width)
        grad_x *= np.tile(inverse_deviation, width)
        return grad_x.reshape(y.shape), {}


def fold(network: Network, pixels: Array) -> Network:
    """The same layers without batch normalisation, for use: each is worked into the layers beside it.

    Means and variances are those of all the pixels together, with the weights as they are now ("precise batch
    normalisation", Wu & Johnson 2021, arXiv:2105.07576, section 3.1); so they fit averaged weights as well.
    ``(x w - mean) / deviation + bias`` is ``x (w / deviation) + (bias - mean / deviation)``, and dividing by
    a positive number may change places with max-pooling.

    Args:
        network: its architecture names the layers without batch normalisation; it stays as it is.
        pixels: (N, 784) examples as in training, a thousand or more.
    """
    folded: list[Layer] = []
    chunks = [pixels[start : start + CHUNK] for start in range(0, len(pixels), CHUNK)]
    shift: Array | None = None
    left = sum(isinstance(layer, BatchNorm) for layer in network.layers)
    for layer in network.copy().layers:
        if isinstance(layer, BatchNorm):
            left -= 1
            mean, inverse_deviation = moments(chunks)
            _last_weight(folded)[...] *= inverse_deviation
            shift = mean * inverse_deviation
            chunks = [x * inverse_deviation for x in chunks]
            continue
        if shift is not None:
            layer.parameters["bias"][...] -= shift
            shift = None
        folded.append(layer)
        if left:  # nobody asks for the moments of what follows the last
            chunks = [layer.infer(x) for x in chunks]
    return Network(network.architecture, folded)


def moments(chunks: Sequence[Array]) -> tuple[Array, Array]:
    """Mean and 1 / sqrt(variance + epsilon), both (C,), over all pixels of images (H, N, W, C)."""
    channels = chunks[0].shape[-1]
    pixels = sum(x.size for x in chunks) // channels
    mean = sum(sum_of_rows(x.reshape(-1, channels)) for x in chunks) / pixels
    variance = sum(sum_of_rows(np.square(x - mean).reshape(-1, channels)) for x in chunks) / pixels
    return mean, 1 / np.sqrt(variance + EPSILON)


def _channel_means(x: Array) -> Array:
    """(H, N, W, C) -> (C,), over all pixels."""
    pixels = x.reshape(-1, x.shape[-1])
    return sum_of_rows(pixels) / len(pixels)


def _long_rows(x: Array) -> Array:
    """(H, N, W, C) -> (H N, W C), a view. NumPy adds a long row to each of many faster than a short one."""
    height, batch, width, channels = x.shape
    return x.reshape(height * batch, width * channels)


def _last_weight(layers: Sequence[Layer]) -> Array:
    """The weights whose outputs are normalised; channels out are their last axis."""
    return next(layer.parameters["weight"] for layer in reversed(layers) if "weight" in layer.parameters)
