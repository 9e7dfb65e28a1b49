"""Training a network from nothing: the loop, and its state, to go on later."""

import json
import math
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import cached_property

import numpy as np
import safetensors
import safetensors.numpy

from model.errors import CheckpointError, TrainingError
from model.learning.examples import Examples
from model.learning.mixture import Mixture
from model.learning.recipes import Recipe
from model.nn import architectures
from model.nn.checkpoint import read_metadata
from model.nn.folding import fold
from model.nn.layer import Array
from model.nn.losses import log_softmax
from model.nn.network import Network
from model.nn.workers import Workers

Progress = Callable[[int, int, float], None]
"""Told after each step: steps done, steps in all, mean loss of the batch. What it raises ends training."""

BLOCK = 16
"""Batches that are made at a time."""

FOLDING_BATCHES = 32
"""Batches that the means and variances of a finished network's batch normalisation are taken over."""


@dataclass(frozen=True, slots=True)
class EpochResult:
    """What one epoch came to.

    Attributes:
        epoch: 1 for the first.
        training_loss: mean over its batches, while learning.
        validation_loss: mean cross-entropy of the averaged weights on the validation examples, in nats.
        validation_errors: how many of these they misread.
        best: none before was better by more than chance, so that it is kept.
    """

    epoch: int
    training_loss: float
    validation_loss: float
    validation_errors: int
    best: bool


def within_chance(errors: int, fewest: int) -> bool:
    """At most one standard error more than the fewest, a count's being its square root.

    Where the fewest of many epochs is a matter of luck, the later of two that are as good is the better
    choice, for it has settled at a smaller learning rate (after the one standard error rule of Breiman et al.
    1984, "Classification and Regression Trees", section 3.4.3).
    """
    return errors <= fewest + math.sqrt(fewest)


class Training:
    """A training that can be stopped after any epoch and taken up again.

    Attributes:
        network: as the optimizer moves it.
        average: the moving average of its weights.
        best: the average after the last epoch that misread as few validation examples as any, give or take
            what is chance (`within_chance`), made ready for use: for plain pixels, and without batch
            normalisation.
        history: one result for each finished epoch.
    """

    def __init__(self, network: Network, mixture: Mixture, validation: Examples, recipe: Recipe) -> None:
        self.network = network
        self.average = network.copy()
        self.best = architectures.build(network.architecture, np.random.default_rng(0))
        self.history: list[EpochResult] = []
        self._mixture = mixture
        self._validation = validation
        self._recipe = recipe
        self._optimizer = recipe.optimizer(network.parameters())

    @property
    def steps(self) -> int:
        """Steps in all epochs."""
        return self._recipe.epochs * self._mixture.batches_per_epoch

    @property
    def is_finished(self) -> bool:
        """All epochs are done."""
        return len(self.history) == self._recipe.epochs

    def run(self, workers: Workers, progress: Progress) -> Iterator[EpochResult]:
        """Train to the end, and give the result of each epoch when it is finished.

        Raises:
            TrainingError: the loss stops being a finite number.
        """
        for epoch in range(len(self.history) + 1, self._recipe.epochs + 1):
            loss = self._train(epoch, workers, progress)
            candidate = self._for_use(self.average)
            result = self._validate(candidate, epoch, loss, workers)
            self.history.append(result)
            if result.best:
                self.best = candidate
            yield result

    def _train(self, epoch: int, workers: Workers, progress: Progress) -> float:
        """One pass over the training examples; the mean loss of its batches."""
        per_epoch = self._mixture.batches_per_epoch
        total = 0.0
        for step, pixels, targets in self._batches((epoch - 1) * per_epoch, epoch * per_epoch, workers):
            loss, gradients = workers.gradients(
                self.network,
                np.float32(self._recipe.input_scale) * pixels,
                targets,
                self._recipe.loss,
                (self._mixture.seed, 2, step),
            )
            if not math.isfinite(loss):
                raise TrainingError(f"the loss is not finite after {step} of {self.steps} steps")
            self._optimizer.step(gradients, self._learning_rate(step))
            self._take_into_average(step)
            total += loss
            progress(step + 1, self.steps, loss)
        return total / per_epoch

    def _batches(self, first: int, last: int, workers: Workers) -> Iterator[tuple[int, Array, Array]]:
        """The number, pixels and targets of each batch first..last, made some ahead by all workers."""
        for start in range(first, last, BLOCK):
            starts = range(start, min(start + BLOCK, last), BLOCK // workers.parts)

            def make(i: int, starts: range = starts) -> tuple[Array, Array]:
                return self._mixture.batches(starts[i], min(starts.step, last - starts[i]))

            step = start
            for pixels, targets in workers.map(make, len(starts)):
                for batch in zip(pixels, targets, strict=True):
                    yield step, *batch
                    step += 1

    def _learning_rate(self, step: int) -> float:
        """Rises linearly over the warm-up, then falls as a cosine to 0."""
        warm_up = self._recipe.warm_up * self.steps
        if step < warm_up:
            return self._recipe.learning_rate * (step + 1) / (warm_up + 1)
        done = (step - warm_up) / (self.steps - warm_up)
        return self._recipe.learning_rate * (1 + math.cos(math.pi * done)) / 2

    def _take_into_average(self, step: int) -> None:
        """``average = decay average + (1 - decay) weights``, with a smaller decay while it is young."""
        decay = min(self._recipe.averaging, (1 + step) / (10 + step))
        self.average.approach(self.network, 1 - decay)

    def _for_use(self, network: Network) -> Network:
        """A copy without batch normalisation, and with the input scale in its first weights.

        ``w (s x) = (s w) x``, so the copy takes plain pixels.
        """
        folded = fold(network, self._folding_pixels)
        first = next(layer for layer in folded.layers if layer.parameters)
        first.parameters["weight"][...] *= np.float32(self._recipe.input_scale)
        return folded

    @cached_property
    def _folding_pixels(self) -> Array:
        """(N, 784) at the scale that the network is trained with; the same after every epoch."""
        pixels, _ = self._mixture.batches(0, FOLDING_BATCHES)
        return np.float32(self._recipe.input_scale) * pixels.reshape(-1, 784)

    def _validate(self, network: Network, epoch: int, training_loss: float, workers: Workers) -> EpochResult:
        """How good the network is on the examples that choose."""
        labels = self._validation.labels
        logits = workers.map_chunks(network.logits, self._validation.pixels)
        loss = -log_softmax(logits)[np.arange(len(labels)), labels].mean()
        errors = int((logits.argmax(axis=1) != labels).sum())
        best = all(within_chance(errors, earlier.validation_errors) for earlier in self.history)
        return EpochResult(epoch, training_loss, float(loss), errors, best)

    def state(self) -> bytes:
        """All that `resume` needs to go on as if nothing had happened, in the safetensors format."""
        history = json.dumps([asdict(result) for result in self.history])
        return safetensors.numpy.save(self._tensors(), {"history": history, **self._identity()})

    def resume(self, state: bytes) -> None:
        """Go on from where `state` was taken. Raises `CheckpointError` where it is of another training."""
        try:
            tensors = safetensors.numpy.load(state)
        except safetensors.SafetensorError as exc:
            raise CheckpointError("not the state of a training") from exc
        metadata = read_metadata(state)
        for name, value in self._identity().items():
            if metadata.get(name) != value:
                raise CheckpointError(
                    f"a training with {name} {metadata.get(name)}, not {value}, was stopped"
                )
        for name, tensor in self._tensors().items():
            tensor[...] = tensors[name]
        self.history = [EpochResult(**result) for result in json.loads(metadata["history"])]

    def _tensors(self) -> dict[str, Array]:
        """Everything that changes in training, by name."""
        tensors = {f"optimizer.{name}": value for name, value in self._optimizer.state.items()}
        for role, network in (("network", self.network), ("average", self.average), ("best", self.best)):
            tensors |= {f"{role}.{name}": value for name, value in network.parameters().items()}
        return tensors

    def _identity(self) -> dict[str, str]:
        """What must agree for a training to go on."""
        return {
            "architecture": self.network.architecture,
            "seed": str(self._mixture.seed),
            "epochs": str(self._recipe.epochs),
            "steps": str(self.steps),
        }
