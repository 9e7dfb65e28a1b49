"""A network: layers in a row."""

import copy
from collections.abc import Sequence
from typing import Any, Self

import numpy as np

from model.nn.activations import Sigmoid
from model.nn.layer import Activation, Array, Gradients, Layer, Parameters
from model.nn.linear import Linear
from model.nn.losses import Loss, softmax
from model.nn.shape import to_rows

CHUNK = 4
"""Images that pass through the layers at a time; what they need stays in the processor's cache."""


class Network:
    """Layers applied one after the other to (N, 784) float32, ``pixels / 255``, ink bright.

    No call leaves state behind, so one network may answer in several threads while another trains.

    Attributes:
        architecture: the name under which `architectures.build` makes the same layers.
        layers: from input to output.
    """

    def __init__(self, architecture: str, layers: Sequence[Layer]) -> None:
        self.architecture = architecture
        self.layers = tuple(layers)

    def parameters(self) -> Parameters:
        """All parameters, named by layer: "0.weight", ...; changing an array in place changes the network."""
        return {
            f"{i}.{name}": p for i, layer in enumerate(self.layers) for name, p in layer.parameters.items()
        }

    def outputs(self, x: Array) -> Array:
        """(N, 784) -> (N, K), what the last layer puts out; K is 10, the digits, or 11 for the judge."""
        if len(x) <= CHUNK:
            return self._infer(x, self.layers)
        return np.concatenate([self._infer(x[i : i + CHUNK], self.layers) for i in range(0, len(x), CHUNK)])

    def logits(self, x: Array) -> Array:
        """(N, 784) -> (N, K), whose `softmax` are the probabilities.

        Sigmoid outputs (the classic network) are taken to logits by their logarithm: softmax then divides
        them by their sum.
        """
        outputs = self.outputs(x)
        if isinstance(self.layers[-1], Sigmoid):
            return np.log(np.maximum(outputs, np.finfo(outputs.dtype).tiny))
        return outputs

    def probabilities(self, x: Array) -> Array:
        """(N, 784) -> (N, K), each row sums to 1."""
        return softmax(self.logits(x))

    def activations(self, x: Array) -> list[Array]:
        """What every activation layer and the last layer put out, each as rows (N, D); classic: h1, h2, o."""
        found = []
        for layer in self.layers:
            x = layer.infer(x)
            if isinstance(layer, Activation) or layer is self.layers[-1]:
                found.append(to_rows(x))
        return found

    def features(self, x: Array) -> Array:
        """(N, 784) -> (N, D), the input of the last `Linear` layer: what the network makes of an image."""
        last = max(i for i, layer in enumerate(self.layers) if isinstance(layer, Linear))
        return self._infer(x, self.layers[:last])

    def gradients(
        self, x: Array, targets: Array, loss: Loss, rng: np.random.Generator | None = None
    ) -> tuple[Array, Gradients]:
        """Backpropagation: the loss of every example (N,), and the gradients of their sum by all parameters.

        Forward through the layers, keeping each cache; then, from the last layer to the first, each layer
        turns the gradient by its output into the gradient by its input, which is the output of the layer
        before.
        """
        caches: list[Any] = []
        for layer in self.layers:
            x, cache = layer.forward(x, rng)
            caches.append(cache)
        losses, grad = loss.value_and_gradient(x, targets)
        first = next(i for i, layer in enumerate(self.layers) if layer.parameters)
        gradients: Gradients = {}
        for i in range(len(self.layers) - 1, first - 1, -1):
            if i == first:
                own = self.layers[i].parameter_gradients(grad, caches[i])
            else:
                grad, own = self.layers[i].backward(grad, caches[i])
            gradients |= {f"{i}.{name}": g for name, g in own.items()}
        return losses, gradients

    def copy(self) -> Self:
        """A network of its own with the same parameters."""
        return copy.deepcopy(self)

    def interpolate(self, other: Self, step: float) -> Self:
        """A new network, ``step`` of the way from this one (0) to the other (1)."""
        result = self.copy()
        result.approach(other, step)
        return result

    def approach(self, other: Self, step: float) -> None:
        """Go ``step`` of the way to another network, in place."""
        theirs = other.parameters()
        for name, parameter in self.parameters().items():
            np.add(parameter, step * (theirs[name] - parameter), out=parameter)

    @staticmethod
    def _infer(x: Array, layers: Sequence[Layer]) -> Array:
        for layer in layers:
            x = layer.infer(x)
        return x
