"""The judge starts as the reader and learns what is no digit."""

from dataclasses import replace

import numpy as np
import pytest

from model.learning import handwriting, judging
from model.learning.examples import NO_DIGIT, Examples
from model.learning.mnist import Mnist
from model.learning.recipes import RECIPES
from model.nn import checkpoint
from model.nn.workers import Workers


def ignore(done: int, total: int) -> None:
    """No one is told."""


def drawn(count: int, seed: int) -> Examples:
    labels = np.resize(np.arange(10), count)
    images = handwriting.draw(labels.tolist(), np.random.default_rng(seed))
    return Examples(images, labels.astype(np.uint8))


def test_an_untrained_judge_tells_the_ten_digits_as_its_reader_does() -> None:
    reader = checkpoint.shipped("reader").network
    glyphs = drawn(20, 1).pixels

    judge = judging.from_reader(reader, np.random.default_rng(2))

    np.testing.assert_allclose(judge.logits(glyphs)[:, :NO_DIGIT], reader.logits(glyphs), atol=1e-4)
    assert judge.logits(glyphs).shape == (20, NO_DIGIT + 1)


def test_a_few_steps_teach_it_to_tell_digits_from_what_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judging, "NO_DIGITS", 600)
    monkeypatch.setattr(judging, "VALIDATION", 300)
    digits = Mnist(drawn(600, 3), drawn(200, 4), drawn(10, 5), sha256="")
    recipe = replace(RECIPES["judge"], epochs=1)
    parts = recipe.parts(digits.train, digits.train, digits.train)
    training = judging.training(
        parts, digits, checkpoint.shipped("reader").network, recipe, seed=6, progress=ignore
    )

    with Workers() as workers:
        for _ in training.run(workers, lambda done, total, loss: None):
            pass

    unseen = judging.not_one_digit(digits.validation, 300, 7, ignore)
    likeness = 1 - training.best.probabilities(unseen.pixels)[:, NO_DIGIT]
    assert np.mean(likeness < 0.5) > 0.9
    likeness = 1 - training.best.probabilities(digits.validation.pixels)[:, NO_DIGIT]
    assert np.mean(likeness > 0.5) > 0.9
