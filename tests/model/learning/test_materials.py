"""What is replayed and judged by comes of MNIST where it is at hand, else of drawn digits."""

from pathlib import Path

import numpy as np

from model.learning import handwriting, materials, replay
from model.learning.examples import Examples
from model.learning.materials import Pictures
from model.learning.mnist import Mnist
from model.nn import checkpoint
from model.nn.workers import Workers

PICTURES = Pictures(drawn=40, held_out=20, photographed=2)


def prepared(digits: Mnist | None, folder: Path) -> tuple[Examples, Examples, str]:
    """The pictures to replay, those to be judged on as they are, and what the replay is called."""
    with Workers(1) as workers:
        mixed_in, (plain, *_) = materials.prepare(
            digits, PICTURES, checkpoint.shipped("reader").network, workers, folder
        )
    return mixed_in.examples, Examples(plain.images, plain.labels), mixed_in.name


def test_mnist_is_replayed_and_its_validation_digits_judge(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    train, validation, test = (handwriting.examples(count, rng) for count in (30, 10, 5))

    replayed, judged_on, name = prepared(Mnist(train, validation, test, sha256=""), tmp_path)

    assert name == replay.MNIST
    np.testing.assert_array_equal(replayed.images, train.images)
    np.testing.assert_array_equal(judged_on.images, validation.images)


def test_without_mnist_nothing_that_is_replayed_judges(tmp_path: Path) -> None:
    replayed, judged_on, name = prepared(None, tmp_path)

    assert name == replay.DRAWN
    assert (len(replayed), len(judged_on)) == (40, 20)
    taught = {image.tobytes() for image in replayed.images}
    assert not any(image.tobytes() in taught for image in judged_on.images)
