"""Training learns, can be taken up again, and gives the same weights every time."""

import math
from dataclasses import replace

import numpy as np
import pytest

from model.errors import CheckpointError, DataError, TrainingError
from model.learning import augmentation, handwriting
from model.learning.evaluation import Evaluation
from model.learning.examples import Examples
from model.learning.mixture import Mixture, Part
from model.learning.recipes import RECIPES, Recipe
from model.learning.training import Training, within_chance
from model.nn import architectures
from model.nn.workers import Workers

CLASSIC = replace(RECIPES["classic"], epochs=4, mnist=16, input_scale=1.0)


@pytest.fixture(scope="module")
def digits() -> Examples:
    """A few hundred drawn digits."""
    return handwriting.examples(600, np.random.default_rng(1))


def _training(digits: Examples, recipe: Recipe, architecture: str = "classic", seed: int = 5) -> Training:
    network = architectures.build_for_training(architecture, np.random.default_rng(seed))
    train, validation = digits.split(len(digits) * 5 // 6)
    return Training(network, Mixture(recipe.parts(train, train, train), seed), validation, recipe)


def _run(training: Training, epochs: int, recipe: Recipe = CLASSIC, threads: int = 1) -> None:
    """Go on for so many epochs."""
    with Workers(threads, recipe.threads, recipe.chunk) as workers:
        results = training.run(workers, lambda done, total, loss: None)
        for _ in range(epochs):
            next(results)


def _assert_same_weights(one: Training, other: Training) -> None:
    for mine, theirs in ((one.network, other.network), (one.average, other.average), (one.best, other.best)):
        for name, parameter in mine.parameters().items():
            np.testing.assert_array_equal(parameter, theirs.parameters()[name])


def test_training_learns(digits: Examples) -> None:
    recipe = replace(CLASSIC, epochs=30)
    training = _training(digits, recipe)

    _run(training, recipe.epochs)

    assert training.history[-1].training_loss < training.history[0].training_loss / 2
    assert Evaluation.of(training.best.logits, digits.take(slice(500, None))).accuracy > 0.7


def test_the_last_epoch_that_is_as_good_as_the_best_is_kept(digits: Examples) -> None:
    # ever bolder steps: errors fall, and at the end they rise
    recipe = replace(CLASSIC, epochs=24, learning_rate=40.0, warm_up=1.0, averaging=0.9)
    training = _training(digits, recipe)

    _run(training, recipe.epochs, recipe)

    errors = [result.validation_errors for result in training.history]
    good = [count for count in errors if count <= min(errors) + math.sqrt(min(errors))]
    assert Evaluation.of(training.best.logits, digits.take(slice(500, None))).errors == good[-1]


@pytest.mark.parametrize(("errors", "is_as_good"), [(13, True), (16, True), (17, False)])
def test_one_standard_error_is_a_matter_of_chance(errors: int, is_as_good: bool) -> None:
    assert within_chance(errors, fewest=13) == is_as_good


@pytest.mark.parametrize("architecture", ["classic", "reader"])
def test_a_training_that_was_stopped_goes_on_as_if_it_had_not_been(
    architecture: str, digits: Examples
) -> None:
    recipe = replace(RECIPES[architecture], epochs=2, mnist=20)
    small = digits.take(slice(500, None))
    straight, stopped, resumed = (_training(small, recipe, architecture) for _ in range(3))

    _run(straight, 2, recipe)
    _run(stopped, 1, recipe)
    resumed.resume(stopped.state())
    _run(resumed, 1, recipe)

    _assert_same_weights(straight, resumed)
    assert straight.history == resumed.history


def test_the_same_seed_gives_the_same_weights_whatever_the_number_of_threads(digits: Examples) -> None:
    recipe = replace(RECIPES["reader"], epochs=1, mnist=6, drawn=2, photographed=2)
    small = digits.take(slice(540, None))
    one, two = (_training(small, recipe, "reader") for _ in range(2))

    _run(one, 1, recipe, threads=1)
    _run(two, 1, recipe, threads=2)

    _assert_same_weights(one, two)


def test_another_seed_gives_other_weights(digits: Examples) -> None:
    one, two = _training(digits, CLASSIC, seed=1), _training(digits, CLASSIC, seed=2)

    _run(one, 1)
    _run(two, 1)

    assert not np.array_equal(one.network.parameters()["0.weight"], two.network.parameters()["0.weight"])


def test_another_training_is_not_taken_up(digits: Examples) -> None:
    stopped, other = _training(digits, CLASSIC, seed=1), _training(digits, CLASSIC, seed=2)
    _run(stopped, 1)

    with pytest.raises(CheckpointError, match="seed 1, not 2"):
        other.resume(stopped.state())
    with pytest.raises(CheckpointError, match="not the state"):
        other.resume(b"something else")


def test_a_loss_that_is_not_finite_ends_training(digits: Examples) -> None:
    training = _training(digits, CLASSIC)
    training.network.parameters()["4.bias"][:] = np.nan

    with pytest.raises(TrainingError, match="not finite after 0 of"):
        _run(training, 1)


def test_a_batch_has_its_share_of_every_part_and_a_pass_takes_each_example_once(digits: Examples) -> None:
    zeros = Examples(np.zeros((7, 28, 28), np.uint8), np.zeros(7, np.uint8))
    tens = Examples(
        np.arange(30, dtype=np.uint8)[:, None, None] + np.zeros((30, 28, 28), np.uint8), np.ones(30, np.uint8)
    )
    mixture = Mixture([Part(tens, 5, None), Part(zeros, 2, None)], seed=3)

    pixels, targets = mixture.batches(6, 6)

    assert mixture.batches_per_epoch == 6
    assert pixels.shape == (6, 7, 784)
    np.testing.assert_array_equal(targets[:, :5, 1], 1)
    np.testing.assert_array_equal(targets[:, 5:, 0], 1)
    assert sorted((255 * pixels[:, :5, 0]).round().astype(int).ravel()) == list(range(30))


def test_batches_do_not_depend_on_what_was_made_before(digits: Examples) -> None:
    mixture = Mixture([Part(digits, 8, augmentation.MILD)], seed=3)
    mixture.batches(0, 4)

    np.testing.assert_array_equal(
        mixture.batches(4, 2)[0], Mixture([Part(digits, 8, augmentation.MILD)], 3).batches(4, 2)[0]
    )


def test_examples_must_fit_together() -> None:
    with pytest.raises(DataError, match="images"):
        Examples(np.zeros((3, 28, 28), np.uint8), np.zeros(2, np.uint8))
    with pytest.raises(DataError, match=r"0\.\.10"):
        Examples(np.zeros((1, 28, 28), np.uint8), np.array([11], np.uint8))


def test_the_finished_network_takes_plain_pixels_whatever_the_scale_it_was_trained_with(
    digits: Examples,
) -> None:
    training = _training(digits, replace(CLASSIC, input_scale=0.25))
    _run(training, 1)

    pixels = digits.pixels
    np.testing.assert_allclose(
        training.best.outputs(pixels), training.average.outputs(pixels / 4), rtol=1e-5, atol=1e-6
    )
