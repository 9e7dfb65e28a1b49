"""How each architecture is trained from nothing."""

from collections.abc import Callable
from dataclasses import dataclass

from model.learning import augmentation
from model.learning.examples import Examples
from model.learning.mixture import Part
from model.nn.layer import Parameters
from model.nn.losses import HalfSquaredError, Loss, SoftmaxCrossEntropy
from model.nn.optimizers import SGD, AdamW, Optimizer


@dataclass(frozen=True, slots=True)
class Recipe:
    """What is trained on, and how.

    Attributes:
        epochs: passes over MNIST's training examples.
        mnist: how many of a batch are MNIST's images.
        drawn: how many of a batch are drawn by code.
        photographed: how many of a batch went through camera and vision.
        drawings, photos: how many different ones there are to choose from.
        augmentation: of MNIST's images; the others are augmented as photos are.
        input_scale: what pixels are multiplied by; the finished network's first weights take it over.
        learning_rate: at its height.
        warm_up: share of all steps in which the learning rate rises linearly; then it falls as a cosine to 0
            (Loshchilov & Hutter 2017, arXiv:1608.03983, eq. 5, without restarts).
        averaging: decay of the moving average of the weights, which is what is kept (Polyak & Juditsky 1992).
        loss: of each example.
        optimizer: made for the network's parameters.
        threads: that share a batch.
        chunk: images that pass through the network together.
    """

    epochs: int
    mnist: int
    drawn: int
    photographed: int
    drawings: int
    photos: int
    augmentation: augmentation.Recipe | None
    input_scale: float
    learning_rate: float
    warm_up: float
    averaging: float
    loss: Loss
    optimizer: Callable[[Parameters], Optimizer]
    threads: int
    chunk: int

    def parts(self, mnist: Examples, drawn: Examples, photographed: Examples) -> list[Part]:
        """What batches are mixed of; kinds of which a batch has none are left out."""
        parts = [
            Part(mnist, self.mnist, self.augmentation),
            Part(drawn, self.drawn, augmentation.PHOTO),
            Part(photographed, self.photographed, augmentation.PHOTO),
        ]
        return [part for part in parts if part.per_batch]


def _adamw(parameters: Parameters) -> Optimizer:
    return AdamW(parameters, weight_decay=0.05)


RECIPES = {
    "classic": Recipe(
        epochs=60,
        mnist=32,
        drawn=0,
        photographed=0,
        drawings=0,
        photos=0,
        augmentation=None,
        input_scale=0.35,
        learning_rate=4.0,
        warm_up=0.0,
        averaging=0.999,
        loss=HalfSquaredError(),
        optimizer=SGD,
        threads=1,
        chunk=32,
    ),
    "reader": Recipe(
        epochs=28,
        mnist=46,
        drawn=6,
        photographed=12,
        drawings=20_000,
        photos=60_000,
        augmentation=augmentation.MILD,
        input_scale=1.0,
        learning_rate=2e-3,
        warm_up=0.1,
        averaging=0.999,
        loss=SoftmaxCrossEntropy(label_smoothing=0.05),
        optimizer=_adamw,
        threads=2,
        chunk=16,
    ),
    "judge": Recipe(
        epochs=12,
        mnist=20,
        drawn=8,
        photographed=8,
        drawings=40_000,
        photos=60_000,
        augmentation=augmentation.PHOTO,
        input_scale=1.0,
        learning_rate=5e-4,
        warm_up=0.05,
        averaging=0.999,
        loss=SoftmaxCrossEntropy(label_smoothing=0.01),
        optimizer=_adamw,
        threads=2,
        chunk=8,
    ),
}
"""By architecture; the judge starts as the reader (`judging`)."""
