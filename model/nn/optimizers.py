"""How gradients change parameters."""

from typing import Protocol

import numpy as np

from model.nn.layer import Array, Gradients, Parameters

LEAST_SIZE = 1e-3
"""Of a parameter, where steps are relative to it."""


class Optimizer(Protocol):
    """Changes parameters in place, against their gradients."""

    state: dict[str, Array]
    """What it remembers between steps, by name, so that training can be resumed."""

    def step(self, gradients: Gradients, learning_rate: float) -> None:
        """One step for all parameters."""


class SGD:
    """Gradient descent: ``v = momentum v + gradient; p = p - learning_rate v``; plain at momentum 0."""

    def __init__(self, parameters: Parameters, *, momentum: float = 0.0) -> None:
        self.parameters = parameters
        self.momentum = momentum
        self.state: dict[str, Array] = (
            {f"velocity.{name}": np.zeros_like(p) for name, p in parameters.items()} if momentum else {}
        )

    def step(self, gradients: Gradients, learning_rate: float) -> None:
        """One step for all parameters."""
        for name, parameter in self.parameters.items():
            change = gradients[name]
            if self.momentum:
                velocity = self.state[f"velocity.{name}"]
                velocity *= self.momentum
                velocity += change
                change = velocity
            np.subtract(parameter, learning_rate * change, out=parameter)


class AdamW:
    """Steps scaled by the gradient's own mean and size (Kingma & Ba 2015, arXiv:1412.6980, algorithm 1).

    ``m = beta1 m + (1 - beta1) g``, ``v = beta2 v + (1 - beta2) g^2``, both divided by 1 - beta^t because
    they start at 0, then ``p = p - learning_rate (m / (sqrt(v) + epsilon) + weight_decay p)``. The decay
    stays outside of the scaled gradient (Loshchilov & Hutter 2019, arXiv:1711.05101, algorithm 2) and leaves
    biases alone. With weight_decay 0 this is Adam.

    With ``relative`` the learning rate of each parameter is multiplied by the root mean square that it has at
    the start (Shazeer & Stern 2018, arXiv:1804.04235, section 8): what a rate does to a network that was
    trained before then does not depend on how large its layers happen to be.
    """

    def __init__(
        self,
        parameters: Parameters,
        *,
        betas: tuple[float, float] = (0.9, 0.999),
        epsilon: float = 1e-8,
        weight_decay: float = 0.0,
        relative: bool = False,
    ) -> None:
        self.parameters = parameters
        self.scales = {name: _size(p) if relative else 1.0 for name, p in parameters.items()}
        self.betas = betas
        self.epsilon = epsilon
        self.weight_decay = weight_decay
        self.state: dict[str, Array] = {"steps": np.zeros(1)}
        for name, parameter in parameters.items():
            self.state[f"mean.{name}"] = np.zeros_like(parameter)
            self.state[f"square.{name}"] = np.zeros_like(parameter)

    def step(self, gradients: Gradients, learning_rate: float) -> None:
        """One step for all parameters."""
        self.state["steps"] += 1
        steps = self.state["steps"].item()
        correction1, correction2 = (1 - beta**steps for beta in self.betas)
        for name, parameter in self.parameters.items():
            rate = learning_rate * self.scales[name]
            mean, square = self._moments(name, gradients[name])
            size = np.sqrt(square)
            size *= 1 / correction2**0.5
            size += self.epsilon
            change = np.divide(mean, size, out=size)
            change *= rate / correction1
            if parameter.ndim > 1:
                change += rate * self.weight_decay * parameter
            np.subtract(parameter, change, out=parameter)

    def _moments(self, name: str, gradient: Array) -> tuple[Array, Array]:
        """The running means of the gradient and of its square, with this gradient taken in."""
        mean, square = self.state[f"mean.{name}"], self.state[f"square.{name}"]
        beta1, beta2 = self.betas
        mean += (1 - beta1) * (gradient - mean)
        square += (1 - beta2) * (gradient * gradient - square)
        return mean, square


def _size(parameter: Array) -> float:
    """The root mean square; never so small that the parameter could not move."""
    return max(LEAST_SIZE, float(np.sqrt(np.square(parameter).mean())))
