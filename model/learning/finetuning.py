"""Learning from corrections: a bold step away from the shipped weights, then part of the way back.

Always from the shipped weights and never on top of the last tune, so neither drift nor slow poison can add
up, and whoever leaves is unlearned by training once more without them. A large learning rate followed by a
step back (``base + step (tuned - base)``, Wortsman et al. 2022, arXiv:2109.01903) learns more and forgets
less than a small rate. The tuned weights are the mean over the last steps (Izmailov et al. 2018,
arXiv:1803.05407), which depends less on the order of the corrections than the last weights do, and so allows
for a longer way; `docs/learning.md` has our figures.
"""

import hashlib
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from model.errors import TrainingError
from model.learning.augmentation import MILD, PHOTO, Recipe, augment
from model.learning.examples import Examples
from model.learning.replay import DRAWN, Replay
from model.nn.layer import Array
from model.nn.losses import SoftmaxCrossEntropy, one_hot
from model.nn.network import Network
from model.nn.optimizers import AdamW
from model.nn.workers import Workers

Progress = Callable[[int, int], None]
"""Told after each step: steps done, steps in all. What it raises ends the training."""

AHEAD = 8
"""Batches that are made at a time, by all workers."""


@dataclass(frozen=True, slots=True)
class FineTuning:
    """The recipe.

    Attributes:
        learning_rate: of Adam at its height, as a part of the size of the weights; it rises over the warm-up
            and then falls linearly to 0.
        full_rate_steps: with fewer steps the height is lower, in proportion: a few corrections need no bold
            step, and there is less time to settle after one.
        warm_up_steps: at most; never more than a fifth of all steps.
        batch_size: glyphs of a step.
        corrections_per_batch: how many of these are corrections; the rest is replay, five times as much.
        epochs: passes over the corrections.
        least_steps: few corrections are passed over more often, so that even one is learned.
        most_steps: many corrections are passed over less often, so that it takes no longer than a minute,
        least_epochs: though never less often than so.
        averaged: the part of the steps, at the end, over whose weights the mean is taken.
        label_smoothing: of corrections, as the shipped network was trained with, so that its probabilities
            stay calibrated.
        augmentation: of corrections, as of the photographed digits that the shipped network was trained on.
        replay_augmentation: of replay, as of the MNIST digits that it was trained on.
        steps_back: how far to go from the shipped weights to the tuned ones; the first that the gate passes
            is taken.
        reach_without_mnist: these times, after a training at the full rate without MNIST: drawn digits hold
            its function less firmly.
    """

    learning_rate: float = 0.02
    full_rate_steps: int = 240
    warm_up_steps: int = 50
    batch_size: int = 66
    corrections_per_batch: int = 11
    epochs: int = 12
    least_steps: int = 140
    most_steps: int = 400
    least_epochs: int = 4
    averaged: float = 0.5
    label_smoothing: float = 0.05
    augmentation: Recipe = PHOTO
    replay_augmentation: Recipe = MILD
    steps_back: tuple[float, ...] = (0.8, 0.65, 0.5)
    reach_without_mnist: float = 0.5

    def within(self, largest_share: float, *, person: float, corrections: float) -> "FineTuning":
        """The same with more replay where it is needed; nothing that was taught is thrown away for it.

        Args:
            largest_share: the part of the corrections that one person gave.
            person: the part of what is learned, replay counted in, that one person may make up.
            corrections: the part of it that corrections may make up.
        """
        part = min(corrections, person / largest_share) if largest_share else corrections
        most = max(1, math.floor(part * self.batch_size))
        return replace(self, corrections_per_batch=min(self.corrections_per_batch, most))

    def steps(self, corrections: int) -> int:
        """How many steps so many corrections take."""
        per_epoch = math.ceil(corrections / self.corrections_per_batch)
        wanted = min(self.epochs * per_epoch, self.most_steps)
        return max(self.least_steps, wanted, self.least_epochs * per_epoch)

    def ways_back(self, corrections: int, replay: Replay) -> tuple[float, ...]:
        """How far to go to the weights that were tuned on so many corrections, boldest first."""
        is_bold = self.steps(corrections) >= self.full_rate_steps
        reach = self.reach_without_mnist if is_bold and replay.name == DRAWN else 1.0
        return tuple(reach * step for step in self.steps_back)


def seed_of(base: Network, corrections: Examples) -> int:
    """A seed that depends on the shipped weights and the corrections alone: equal data, equal weights."""
    digest = hashlib.sha256()
    for name, parameter in sorted(base.parameters().items()):
        digest.update(name.encode() + parameter.tobytes())
    digest.update(corrections.images.tobytes() + corrections.labels.tobytes())
    return int.from_bytes(digest.digest()[:8], "big")


def fine_tune(
    base: Network,
    corrections: Examples,
    replay: Replay,
    recipe: FineTuning,
    workers: Workers,
    *,
    seed: int,
    progress: Progress,
) -> Network:
    """A new network that has learned the corrections; ``base`` stays as it is.

    The same arguments give the same weights, bit for bit, on the same kind of machine.

    Raises:
        TrainingError: there are no corrections, or the loss stops being a finite number.
    """
    if len(corrections) == 0:
        raise TrainingError("there are no corrections to learn from")
    steps = recipe.steps(len(corrections))
    network = mean = base.copy()
    optimizer = AdamW(network.parameters(), relative=True)
    first = steps - max(1, math.ceil(recipe.averaged * steps))
    batches = _batches(corrections, replay, recipe, workers, seed=seed, steps=steps)
    for step, (pixels, targets) in enumerate(batches):
        loss, gradients = workers.gradients(network, pixels, targets, SoftmaxCrossEntropy(), (seed, 2, step))
        if not math.isfinite(loss):
            raise TrainingError(f"the loss is not finite after {step} of {steps} steps")
        optimizer.step(gradients, _learning_rate(step, steps, recipe))
        if step >= first:
            mean = mean.interpolate(network, 1 / (step - first + 1))
        progress(step + 1, steps)
    return mean


def _batches(
    corrections: Examples, replay: Replay, recipe: FineTuning, workers: Workers, *, seed: int, steps: int
) -> Iterator[tuple[Array, Array]]:
    """Pixels and targets of each step, made some ahead by all workers."""
    stream = _endless(len(corrections), np.random.default_rng((seed, 0)))
    for start in range(0, steps, AHEAD):
        numbers = range(start, min(start + AHEAD, steps))
        chosen = [[next(stream) for _ in range(recipe.corrections_per_batch)] for _ in numbers]

        def make(i: int, numbers: range = numbers, chosen: list[list[int]] = chosen) -> tuple[Array, Array]:
            rng = np.random.default_rng((seed, 1, numbers[i]))
            return _batch(corrections.take(np.array(chosen[i])), replay, recipe, rng)

        yield from workers.map(make, len(numbers))


def _batch(
    own: Examples, replay: Replay, recipe: FineTuning, rng: np.random.Generator
) -> tuple[Array, Array]:
    """These corrections with replay, varied: pixels (batch_size, 784), targets (batch_size, 10)."""
    mixed_in = replay.indices(recipe.batch_size - len(own), rng)
    taught = _varied(own, recipe.augmentation, rng)
    replayed = _varied(replay.examples.take(mixed_in), recipe.replay_augmentation, rng)
    smoothing = np.float32(recipe.label_smoothing)
    smoothed = (1 - smoothing) * one_hot(own.labels) + smoothing / 10
    return np.concatenate([taught, replayed]), np.concatenate([smoothed, replay.targets(replayed)])


def _varied(examples: Examples, recipe: Recipe, rng: np.random.Generator) -> Array:
    """(N, 784), augmented."""
    return augment(examples.pixels.reshape(-1, 28, 28), rng, recipe=recipe).reshape(-1, 784)


def _learning_rate(step: int, steps: int, recipe: FineTuning) -> float:
    """Rises linearly over the warm-up, then falls linearly to 0 after the last step."""
    height = recipe.learning_rate * min(1.0, steps / recipe.full_rate_steps)
    warm_up = min(recipe.warm_up_steps, steps // 5)
    if step < warm_up:
        return height * (step + 1) / warm_up
    return height * (steps - step) / (steps - warm_up)


def _endless(count: int, rng: np.random.Generator) -> Iterator[int]:
    """Indices below ``count``, each once in random order, then all over again."""
    while True:
        order: NDArray[np.int64] = rng.permutation(count)
        yield from order.tolist()
