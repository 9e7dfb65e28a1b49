"""How sure the reader may be of unusual hands."""

from pathlib import Path

import numpy as np
import pytest

from model.learning import handwriting, holdouts, sureness
from model.learning.examples import Examples
from model.learning.sureness import Sureness, measure
from model.nn import checkpoint
from model.nn.losses import softmax


def said_and_right(count: int, slope: float, offset: float) -> tuple[np.ndarray, np.ndarray]:
    """Confidences, and whether each reading was right, of a reader with this true sureness."""
    rng = np.random.default_rng(4)
    log_odds = rng.normal(4, 3, count)
    is_right = rng.random(count) < 1 / (1 + np.exp(-(slope * log_odds + offset)))
    return 1 / (1 + np.exp(-log_odds)), is_right


def test_it_finds_how_often_a_reader_that_boasts_is_right() -> None:
    found = Sureness.fit(*said_and_right(40_000, 0.5, -1.0))

    assert found.slope == pytest.approx(0.5, abs=0.02)
    assert found.offset == pytest.approx(-1.0, abs=0.06)
    assert found.of(0.99) == pytest.approx(1 / (1 + np.exp(-(0.5 * np.log(99) - 1))), abs=0.01)


@pytest.mark.parametrize("is_right", [True, False])
def test_it_stays_finite_where_every_reading_is_right_or_wrong(is_right: bool) -> None:
    found = Sureness.fit(np.linspace(0.4, 1.0, 50), np.full(50, is_right))

    assert np.isfinite([found.slope, found.offset]).all()
    assert (found.of(0.7) > 0.5) == is_right


def test_it_grows_with_confidence_and_ends_below_certainty() -> None:
    values = [Sureness(0.7, -0.6).of(confidence) for confidence in (0.0, 0.2, 0.9, 0.999, 1.0)]

    assert values == sorted(values)
    assert values[0] > 0
    assert values[-1] < 1


def test_without_a_measurement_the_confidence_counts() -> None:
    assert Sureness.of_checkpoint({}).of(0.95) == pytest.approx(0.95)


def test_metadata_keeps_it() -> None:
    assert Sureness.of_checkpoint(Sureness(0.7, -0.6).to_metadata()) == Sureness(0.7, -0.6)


def test_the_shipped_reader_is_right_as_often_as_it_says_in_hands_that_it_was_not_measured_in() -> None:
    """Drawn digits in random hands of other seeds: those that it is 95 % sure of are right, others less."""
    shipped = checkpoint.shipped("reader")
    drawn = handwriting.examples(600, np.random.default_rng(8))
    written = holdouts.styled(drawn, seed=9)
    temperature = float(shipped.metadata["temperature"])
    logits = shipped.network.logits(Examples(written.images, written.labels).pixels)
    probabilities = softmax(logits / np.float32(temperature))
    is_right = probabilities.argmax(axis=1) == written.labels
    sure = Sureness.of_checkpoint(shipped.metadata)

    is_sure = np.array([sure.of(float(p)) > 0.95 for p in probabilities.max(axis=1)])

    assert is_sure.mean() > 0.5
    assert is_right[is_sure].mean() > 0.97
    assert is_right[~is_sure].mean() < 0.95


def test_it_is_measured_in_the_hands_that_the_network_errs_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """In one hand all is read right, in the other every second digit is not: the latter counts."""
    network = checkpoint.shipped("reader").network
    labels = np.array([4] * sureness.WRITTEN, np.uint8)
    four = handwriting.draw([4], np.random.default_rng(8))
    right = Examples(np.repeat(four, sureness.WRITTEN, axis=0), labels)
    half_wrong = Examples(right.images, np.where(np.arange(sureness.WRITTEN) % 2, 4, 9).astype(np.uint8))

    alone = measure(network, 1.0, right)
    together = measure(network, 1.0, Examples.concatenate([right, half_wrong]))

    assert alone.of(0.9) > 0.9
    assert together.of(0.9) == pytest.approx(0.5, abs=0.05)


def test_a_checkpoint_can_be_given_its_sureness(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The weights stay; what the metadata says is what `measure` finds."""
    digits = handwriting.examples(60, np.random.default_rng(8))
    shipped = checkpoint.shipped("reader")
    file = tmp_path / "reader.safetensors"
    file.write_bytes(checkpoint.save(shipped.network, {"temperature": "0.5"}))
    monkeypatch.setattr("model.learning.mnist.load", lambda _: type("Digits", (), {"validation": digits}))
    monkeypatch.setattr("sys.argv", ["sureness", "mnist", str(file)])
    monkeypatch.setattr(sureness, "HANDS", 10)

    sureness.main()

    given = checkpoint.load_file(file)
    assert given.metadata["temperature"] == "0.5"
    found = measure(shipped.network, 0.5, sureness.in_random_hands(digits))
    assert Sureness.of_checkpoint(given.metadata).slope == pytest.approx(found.slope, abs=1e-3)
    given_logits, logits = (network.logits(digits.pixels[:3]) for network in (given.network, shipped.network))
    np.testing.assert_array_equal(given_logits, logits)
