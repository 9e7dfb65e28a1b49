"""Evaluations count right, and their pictures can be drawn."""

import io

import numpy as np
import pytest

from model.learning import augmentation, plots
from model.learning.evaluation import Evaluation, best_temperature, robustness
from model.learning.examples import Examples
from model.nn.layer import Array
from model.nn.losses import softmax


@pytest.fixture
def evaluation() -> Evaluation:
    """0..9 twice: the second 3 is read as 5, barely; the second 8 as 9, surely."""
    labels = np.tile(np.arange(10, dtype=np.uint8), 2)
    probabilities = np.full((20, 10), 0.01, np.float32)
    probabilities[np.arange(20), labels] = 0.91
    probabilities[13] = 0.01
    probabilities[13, [3, 5]] = 0.45, 0.47
    probabilities[18] = 0.001
    probabilities[18, 9] = 0.991
    return Evaluation(Examples(np.zeros((20, 28, 28), np.uint8), labels), probabilities)


def test_errors_and_accuracy(evaluation: Evaluation) -> None:
    assert evaluation.errors == 2
    assert evaluation.accuracy == 0.9
    assert evaluation.per_digit() == [1, 1, 1, 0.5, 1, 1, 1, 1, 0.5, 1]


def test_the_confusion_matrix_has_labels_in_rows(evaluation: Evaluation) -> None:
    matrix = evaluation.confusion_matrix()

    assert matrix.sum() == 20
    assert (matrix[3, 3], matrix[3, 5], matrix[8, 9], matrix[5, 3]) == (1, 1, 1, 0)


def test_the_worst_mistakes_are_those_it_was_surest_of(evaluation: Evaluation) -> None:
    assert evaluation.worst_mistakes(5).tolist() == [18, 13]


def test_reliability_sets_confidence_against_accuracy(evaluation: Evaluation) -> None:
    bins = [(round(b.confidence, 3), round(b.accuracy, 3), b.count) for b in evaluation.reliability()]

    assert bins == [(0.47, 0, 1), (0.914, 0.947, 19)]
    assert evaluation.calibration_error() == pytest.approx(
        (0.47 + abs(18 - 18 * 0.91 - 0.991)) / 20, abs=1e-3
    )


def test_the_best_temperature_undoes_exaggeration() -> None:
    rng = np.random.default_rng(4)
    logits = rng.normal(scale=2, size=(20_000, 10)).astype(np.float32)
    labels = np.array([rng.choice(10, p=p) for p in softmax(logits.astype(np.float64))])

    assert best_temperature(3 * logits, labels) == pytest.approx(3, rel=0.05)


def test_robustness_is_measured_for_every_transformation() -> None:
    examples = Examples(np.zeros((4, 28, 28), np.uint8), np.array([1, 1, 1, 7], np.uint8))

    def always_one(pixels: Array) -> Array:
        return np.eye(10, dtype=np.float32)[np.ones(len(pixels), int)]

    accuracies = robustness(always_one, examples, strength=2, seed=0)

    assert accuracies == dict.fromkeys(augmentation.TRANSFORMATIONS, 0.75)


def test_every_picture_can_be_drawn(evaluation: Evaluation) -> None:
    history = [{"epoch": 1, "training_loss": 0.5, "validation_loss": 0.4, "validation_errors": 20}]
    figures = [
        plots.confusion(evaluation),
        plots.mistakes(evaluation),
        plots.per_digit(evaluation),
        plots.reliability(evaluation),
        plots.learning_curve(history),
        plots.robustness({"rotation": 0.9, "shear": 0.8}, strength=2),
    ]

    for figure in figures:
        picture = io.BytesIO()
        figure.savefig(picture, format="png")
        assert picture.getvalue().startswith(b"\x89PNG")
