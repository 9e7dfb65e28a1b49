"""The networks by name, each a table of layers."""

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import DTypeLike

from model.errors import CheckpointError
from model.nn.activations import BiasReLU, Sigmoid
from model.nn.batch_norm import BatchNorm
from model.nn.convolution import Conv2D
from model.nn.dropout import Dropout
from model.nn.layer import Layer
from model.nn.linear import Linear
from model.nn.network import Network
from model.nn.normalized_convolution import NormalizedConv2D
from model.nn.pooling import MaxPool2D
from model.nn.shape import Flatten, ToImage


def build(name: str, rng: np.random.Generator, dtype: DTypeLike = np.float32) -> Network:
    """A new network with random weights. Raises `CheckpointError` for an unknown name."""
    if name not in ARCHITECTURES:
        raise CheckpointError(f"unknown architecture {name!r}; known are {', '.join(ARCHITECTURES)}")
    return Network(name, ARCHITECTURES[name](rng, dtype))


def build_for_training(name: str, rng: np.random.Generator, dtype: DTypeLike = np.float32) -> Network:
    """As `build`, with batch normalisation before every `BiasReLU`; `folding.fold` takes it out again."""
    layers: list[Layer] = []
    for layer in build(name, rng, dtype).layers:
        if isinstance(layer, BiasReLU):
            before = layers.pop()
            layers += _normalized(before)
        layers.append(layer)
    return Network(name, layers)


def _normalized(layer: Layer) -> Sequence[Layer]:
    """A layer and batch normalisation: in one where that is less work (see `NormalizedConv2D`)."""
    if isinstance(layer, Conv2D) and layer.weight[..., 0].size < layer.weight.shape[3]:
        return [NormalizedConv2D(layer)]
    return [layer, BatchNorm()]


def _classic(rng: np.random.Generator, dtype: DTypeLike) -> list[Layer]:
    """784-16-16-10 with a sigmoid after every layer, weights from N(0, 1 / in_features), biases 0."""
    sizes = (784, 16, 16, 10)
    layers: list[Layer] = []
    for in_features, out_features in pairwise(sizes):
        layers += [Linear(in_features, out_features, rng=rng, gain=1, dtype=dtype), Sigmoid()]
    return layers


READER_STAGES = (
    # channels, padding of the 3x3 convolution, whether pooling follows; and the size that comes out
    (32, 0, False),  # 26
    (32, 0, True),  # 24, pooled to 12
    (64, 1, False),  # 12
    (64, 0, True),  # 10, pooled to 5
    (96, 1, False),  # 5
    (96, 1, False),  # 5
)
"""The first two convolutions need no padding: MNIST's outermost pixels are nearly always empty."""


def _reader(rng: np.random.Generator, dtype: DTypeLike) -> list[Layer]:
    """Six 3x3 convolutions in three pairs, the image halved after the first two, and one linear layer."""
    return _convolutional(10, rng, dtype)


def _judge(rng: np.random.Generator, dtype: DTypeLike) -> list[Layer]:
    """As the reader, with an eleventh class: "no digit" (`judging`)."""
    return _convolutional(11, rng, dtype)


def _convolutional(classes: int, rng: np.random.Generator, dtype: DTypeLike) -> list[Layer]:
    """`READER_STAGES`, and a linear layer from the 5x5 images that come out of them to the classes."""
    layers: list[Layer] = [ToImage(28)]
    in_channels = 1
    for channels, padding, pooled in READER_STAGES:
        layers.append(Conv2D(in_channels, channels, padding=padding, rng=rng, dtype=dtype))
        if pooled:
            layers.append(MaxPool2D())
        layers.append(BiasReLU(channels, dtype=dtype))
        in_channels = channels
    head = Linear(5 * 5 * in_channels, classes, rng=rng, gain=1, dtype=dtype)
    return [*layers, Flatten(), Dropout(0.3), head]


ARCHITECTURES: dict[str, Callable[[np.random.Generator, DTypeLike], list[Layer]]] = {
    "classic": _classic,
    "reader": _reader,
    "judge": _judge,
}
