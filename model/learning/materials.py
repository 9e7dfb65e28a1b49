"""What every retraining takes besides corrections: pictures to replay, and held-out ones to be judged on."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from model.learning import handwriting, holdouts, replay
from model.learning.holdouts import Holdout, Progress
from model.learning.mnist import Mnist
from model.learning.replay import Replay
from model.nn.network import Network
from model.nn.workers import Workers


@dataclass(frozen=True, slots=True)
class Pictures:
    """How many pictures are made for a retraining.

    Attributes:
        drawn: digits to replay, where there is no MNIST.
        held_out: digits to be judged on, where there is no MNIST.
        photographed: of those to be judged on.
    """

    drawn: int = 5_000
    held_out: int = 1_000
    photographed: int = 200


def prepare(
    digits: Mnist | None,
    pictures: Pictures,
    teacher: Network,
    workers: Workers,
    folder: Path,
    *,
    progress: Progress = lambda _: None,
) -> tuple[Replay, tuple[Holdout, ...]]:
    """What to replay and what to judge by: of MNIST where it is at hand, else of drawn digits.

    Equal arguments give equal pictures.

    Args:
        digits: MNIST; None where there is none.
        pictures: how many to make.
        teacher: the shipped network.
        workers: do the work.
        folder: where renderings are kept from one retraining to the next.
        progress: told how much of the rendering is done.
    """
    if digits is None:
        rng = np.random.default_rng(holdouts.SEED)
        held_out = handwriting.examples(pictures.held_out, rng)
        mixed_in = Replay.of(replay.DRAWN, handwriting.examples(pictures.drawn, rng), teacher, workers)
    else:
        held_out = digits.validation
        mixed_in = Replay.of(replay.MNIST, digits.train, teacher, workers)
    return mixed_in, holdouts.load_or_render(held_out, pictures.photographed, folder, progress)
