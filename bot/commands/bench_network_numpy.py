"""Our side of the network's benchmark: one task in a process of its own, its figures as one line of JSON.

python -m bot.commands.bench_network_numpy TASK [MNIST]
"""

import json
import resource
import sys
from collections.abc import Callable
from dataclasses import replace
from itertools import islice
from pathlib import Path
from time import perf_counter

import numpy as np

from model.heap import keep_freed_memory
from model.learning import mnist
from model.learning.evaluation import Evaluation
from model.learning.examples import Examples
from model.learning.mixture import Mixture
from model.learning.recipes import RECIPES
from model.learning.training import Training
from model.nn import architectures
from model.nn.layer import Array
from model.nn.losses import one_hot
from model.nn.workers import Workers

BATCH = 64
LARGE_BATCH = 1024
LOOP = 500
"""Examples of the seed's loop that are timed together."""

IMAGES = 10_000
"""Of which the fastest counts: some seconds' worth, so that for a while both cores are free."""

READER_EPOCHS = 4
"""Enough for 99.5 %; on MNIST alone, so that no photos need be taken first."""

Figures = dict[str, float]


def fastest(step: Callable[[], object], warm_up: int, repeats: int) -> float:
    """Seconds of the fastest of many calls: what the machine can do when it does nothing else."""
    for _ in range(warm_up):
        step()
    seconds = []
    for _ in range(repeats):
        start = perf_counter()
        step()
        seconds.append(perf_counter() - start)
    return min(seconds)


def training_step(architecture: str, batch: int, repeats: int) -> Figures:
    """Forward, backward and update on a batch."""
    recipe = RECIPES[architecture]
    rng = np.random.default_rng(0)
    network = architectures.build_for_training(architecture, rng)
    optimizer = recipe.optimizer(network.parameters())
    pixels, targets = rng.random((batch, 784), np.float32), one_hot(rng.integers(0, 10, batch))
    chunk = batch if architecture == "classic" else recipe.chunk
    with Workers(recipe.threads, recipe.threads, chunk) as workers:

        def step() -> None:
            _, gradients = workers.gradients(network, pixels, targets, recipe.loss, (0,))
            optimizer.step(gradients, 1e-4)

        return {"seconds": fastest(step, 5, repeats)}


def one_image() -> Figures:
    """The reader's probabilities for one image.

    With nothing else in this process, its heap would end behind what a convolution needs, and shrink and grow
    with every image.
    """
    keep_freed_memory()
    network = architectures.build("reader", np.random.default_rng(0))
    pixels = np.random.default_rng(1).random((1, 784), np.float32)
    return {"seconds": fastest(lambda: network.probabilities(pixels), 50, IMAGES)}


def seed_loop(digits: mnist.Mnist) -> Figures:
    """The seed network trained as its text does: one epoch at 0.1, one example at a time."""
    network = architectures.build("classic", np.random.default_rng(0))
    training = Examples.concatenate([digits.train, digits.validation])
    pixels, targets = training.pixels, one_hot(training.labels)
    parameters = network.parameters()
    weights = [parameters[f"{i}.weight"] for i in (0, 2, 4)]
    biases = [parameters[f"{i}.bias"] for i in (0, 2, 4)]
    order = iter(np.random.default_rng(1).permutation(len(training)).tolist())

    def learn() -> None:
        for i in islice(order, LOOP):
            _learn(pixels[i], targets[i], weights, biases)

    seconds = fastest(learn, 0, len(training) // LOOP)
    accuracy = Evaluation.of(network.logits, digits.test).accuracy
    return {"seconds": seconds / LOOP, "accuracy": accuracy}


def _learn(x: Array, target: Array, weights: list[Array], biases: list[Array], rate: float = 0.1) -> None:
    """One step on one example, as plain as it can be written."""
    activations = [x]
    for weight, bias in zip(weights, biases, strict=True):
        activations.append(1 / (1 + np.exp(-(activations[-1] @ weight + bias))))
    delta = activations[3] - target
    for layer in (2, 1, 0):
        output = activations[layer + 1]
        delta = delta * output * (1 - output)
        before = weights[layer] @ delta
        weights[layer] -= rate * np.outer(activations[layer], delta)
        biases[layer] -= rate * delta
        delta = before


def train(architecture: str, digits: mnist.Mnist) -> Figures:
    """A whole training on MNIST: its time, its result on the test images, and its memory."""
    recipe = RECIPES[architecture]
    if architecture == "reader":
        recipe = replace(recipe, epochs=READER_EPOCHS, mnist=BATCH, drawn=0, photographed=0)
    start = perf_counter()
    network = architectures.build_for_training(architecture, np.random.default_rng((0, 3)))
    mixture = Mixture(recipe.parts(digits.train, digits.train, digits.train), 0)
    training = Training(network, mixture, digits.validation, recipe)
    with Workers(recipe.threads, recipe.threads, recipe.chunk) as workers:
        for _ in training.run(workers, lambda done, total, loss: None):
            pass
    seconds = perf_counter() - start
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (
        2**20 if sys.platform == "darwin" else 2**10
    )
    accuracy = Evaluation.of(training.best.logits, digits.test).accuracy
    return {"seconds": seconds, "accuracy": accuracy, "megabytes": megabytes}


TASKS: dict[str, Callable[[], Figures]] = {
    "classic-step": lambda: training_step("classic", BATCH, 2000),
    "classic-large-step": lambda: training_step("classic", LARGE_BATCH, 300),
    "reader-step": lambda: training_step("reader", BATCH, 60),
    "reader-one-image": one_image,
}

MNIST_TASKS: dict[str, Callable[[mnist.Mnist], Figures]] = {
    "seed-loop": seed_loop,
    "train-classic": lambda digits: train("classic", digits),
    "train-reader": lambda digits: train("reader", digits),
}


if __name__ == "__main__":
    task = sys.argv[1]
    figures = TASKS[task]() if task in TASKS else MNIST_TASKS[task](mnist.load(Path(sys.argv[2])))
    sys.stdout.write(json.dumps(figures))
