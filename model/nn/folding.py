"""Batch normalisation out of a network: what it does is worked into the weights beside it."""

from collections.abc import Iterable, Sequence

import numpy as np

from model.nn.batch_norm import EPSILON, BatchNorm
from model.nn.layer import Array, Layer, sum_of_rows
from model.nn.network import CHUNK, Network
from model.nn.normalized_convolution import NormalizedConv2D


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
    layers = _apart(network.copy().layers)
    left = sum(isinstance(layer, BatchNorm) for layer in layers)
    for layer in layers:
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


def _apart(layers: Iterable[Layer]) -> list[Layer]:
    """The layers with convolution and normalisation one after the other."""
    return [
        part
        for layer in layers
        for part in (layer.parts if isinstance(layer, NormalizedConv2D) else (layer,))
    ]


def _last_weight(layers: Sequence[Layer]) -> Array:
    """The weights whose outputs are normalised; channels out are their last axis."""
    return next(layer.parameters["weight"] for layer in reversed(layers) if "weight" in layer.parameters)
