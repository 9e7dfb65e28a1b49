"""The networks by name, each a table of layers."""

from collections.abc import Callable
from itertools import pairwise

import numpy as np
from numpy.typing import DTypeLike

from model.errors import CheckpointError
from model.nn.activations import BiasReLU, Sigmoid
from model.nn.convolution import Conv2D
from model.nn.dropout import Dropout
from model.nn.layer import Layer
from model.nn.linear import Linear
from model.nn.network import Network
from model.nn.pooling import MaxPool2D
from model.nn.shape import Flatten, ToImage


def build(name: str, rng: np.random.Generator, dtype: DTypeLike = np.float32) -> Network:
    """A new network with random weights. Raises `CheckpointError` for an unknown name."""
    if name not in ARCHITECTURES:
        raise CheckpointError(f"unknown architecture {name!r}; known are {', '.join(ARCHITECTURES)}")
    return Network(name, ARCHITECTURES[name](rng, dtype))


def _classic(rng: np.random.Generator, dtype: DTypeLike) -> list[Layer]:
    """784-16-16-10 with a sigmoid after every layer, weights from N(0, 1 / in_features), biases 0."""
    sizes = (784, 16, 16, 10)
    layers: list[Layer] = []
    for in_features, out_features in pairwise(sizes):
        layers += [Linear(in_features, out_features, rng=rng, gain=1, dtype=dtype), Sigmoid()]
    return layers


def _reader(rng: np.random.Generator, dtype: DTypeLike) -> list[Layer]:
    """Three pairs of 3x3 convolutions; the image is halved after the first two pairs."""
    layers: list[Layer] = [ToImage(28)]
    in_channels = 1
    for channels, pooled in ((32, False), (32, True), (48, False), (48, True), (64, False), (64, False)):
        layers.append(Conv2D(in_channels, channels, rng=rng, dtype=dtype))
        if pooled:
            layers.append(MaxPool2D())
        layers.append(BiasReLU(channels, dtype=dtype))
        in_channels = channels
    return [*layers, Flatten(), Dropout(0.4), Linear(7 * 7 * in_channels, 10, rng=rng, gain=1, dtype=dtype)]


ARCHITECTURES: dict[str, Callable[[np.random.Generator, DTypeLike], list[Layer]]] = {
    "classic": _classic,
    "reader": _reader,
}
