"""Photos to measure with are seeded and labelled; scores count what they say."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from model.errors import DataError
from model.learning import camera_evaluation, handwriting
from model.learning.camera_evaluation import Answer, Photo, calibration_error, score
from model.learning.examples import Examples
from model.reading import Abstention, AbstentionReason, GlyphReading, Reading
from model.vision.decode import decode
from model.vision.page import Box
from tests.model.vision.pictures import encoded, ink_of, on_paper

SIZE = (120, 160)


def reading_of(digits: str, confidence: float) -> Reading:
    """A reading of these digits."""
    glyphs = tuple(
        GlyphReading(Box(0, 0, 1, 1), np.zeros((28, 28), np.uint8), tuple(np.eye(10)[int(digit)]), 0)
        for digit in digits
    )
    return Reading(glyphs, confidence)


@pytest.fixture
def digits() -> Examples:
    """Ten drawn digits."""
    return handwriting.examples(10, np.random.default_rng(0))


def test_a_score_counts_right_answers_and_abstentions() -> None:
    answers = {
        b"a": reading_of("7", 0.9),
        b"b": reading_of("1", 0.8),
        b"c": Reading.abstained(Abstention(AbstentionReason.NO_INK)),
        b"d": Reading.abstained(Abstention(AbstentionReason.NOT_A_DIGIT)),
    }
    photos = [Photo("a", "7", b"a"), Photo("b", "7", b"b"), Photo("c", "7", b"c"), Photo("d", "", b"d")]
    result = score("all", iter(photos), answers.__getitem__)
    assert result.accuracy == 0.5
    assert result.abstained == 0.5
    assert [answer.name for answer in result.mistakes] == ["b", "c"]
    assert result.answers[3].reason == "not_a_digit"


def test_calibration_error_is_the_gap_between_confidence_and_accuracy() -> None:
    """Four answers at 0.75 of which three are right fit; at 0.95 they would be 0.2 off."""
    for confidence, expected in ((0.75, 0.0), (0.95, 0.2)):
        answers = [Answer("", "1", "1" if index else "2", confidence, None) for index in range(4)]
        assert calibration_error(answers) == pytest.approx(expected)


def test_abstentions_have_no_part_in_calibration() -> None:
    assert calibration_error([Answer("", "1", "", 0.0, "no_ink")]) == 0


def test_photos_of_a_condition_are_the_same_for_the_same_seed(digits: Examples) -> None:
    def photos(seed: int) -> list[Photo]:
        return list(camera_evaluation.mnist_photos(digits, "lined", 3, seed, SIZE))

    assert photos(1) == photos(1) != photos(2)
    assert all(photo.digits.isdigit() for photo in photos(1))


def test_each_condition_has_digits_of_its_own(digits: Examples) -> None:
    names = [
        [photo.name.split()[-1] for photo in camera_evaluation.mnist_photos(digits, condition, 5, 1, SIZE)]
        for condition in ("plain", "lined")
    ]
    assert names[0] != names[1]


@pytest.mark.parametrize(
    ("photos", "lengths"),
    [
        (camera_evaluation.drawn_photos(30, 1, SIZE), {1}),
        (camera_evaluation.number_photos(30, 1, SIZE), {2, 3, 4, 5, 6}),
        (camera_evaluation.negative_photos("face", 3, 1, SIZE), {0}),
    ],
    ids=["drawn", "numbers", "negatives"],
)
def test_photos_carry_what_they_show(photos: Iterator[Photo], lengths: set[int]) -> None:
    assert {len(photo.digits) for photo in photos} == lengths


def test_a_folder_is_read_by_its_manifest(tmp_path: Path) -> None:
    (tmp_path / "single").mkdir()
    (tmp_path / "single" / "a.jpg").write_bytes(b"photo")
    (tmp_path / "manifest.csv").write_text("file,label,kind\nsingle/a.jpg,7,photo\nmulti/b.jpg,12,photo\n")
    photos = list(camera_evaluation.folder_photos(tmp_path, "single"))
    assert photos == [Photo("single/a.jpg", "7", b"photo")]


def test_retouched_photos_of_a_folder_show_what_it_says_and_are_seeded(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(encoded(on_paper(ink_of(7))))
    (tmp_path / "tiny.png").write_bytes(encoded(on_paper(ink_of(7, height=20), (28, 28))))
    (tmp_path / "manifest.csv").write_text("file,label\na.png,7\ntiny.png,7\n")

    (photo,) = camera_evaluation.retouched_photos(tmp_path, "between bars", 1)
    (same,) = camera_evaluation.retouched_photos(tmp_path, "between bars", 1)

    assert photo == same
    assert (photo.name, photo.digits) == ("a.png", "7")
    assert decode(photo.data).width * decode(photo.data).height > 320 * 240


def test_a_folder_without_its_files_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="manifest"):
        list(camera_evaluation.folder_photos(tmp_path, "single"))
