"""From a page to a reading: choosing, confidence, abstaining."""

import csv
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from model.errors import CheckpointError
from model.learning import camera_evaluation, lines
from model.learning.lines import Style
from model.nn import checkpoint
from model.reading import AbstentionReason, Reading
from model.recognizer import Recognizer
from model.vision.finding import find_page, read_page
from model.vision.picture import Picture
from tests import data
from tests.model.vision.pictures import Pixels, encoded, ink_of, on_paper


@pytest.fixture(scope="module")
def recognizer() -> Recognizer:
    return Recognizer.from_checkpoint(checkpoint.shipped("reader"))


def row_of(digits: str, seed: int = 0) -> Pixels:
    inks = [ink_of(int(digit), seed=seed) for digit in digits]
    sheet = np.full((260, 110 * len(inks) + 60), 230, np.uint8)
    for number, ink in enumerate(inks):
        left = 40 + 110 * number
        sheet[70 : 70 + len(ink), left : left + ink.shape[1]][ink > 127] = 40
    return sheet


def read(recognizer: Recognizer, pixels: Pixels) -> Reading:
    return recognizer.read(find_page(Picture.from_array(pixels)))


@pytest.mark.parametrize("digit", range(10))
def test_a_clear_digit_is_read(recognizer: Recognizer, digit: int) -> None:
    reading = read(recognizer, on_paper(ink_of(digit)))

    assert reading.digits == str(digit)
    assert reading.confidence > 0.5
    assert sum(reading.glyphs[0].probabilities) == pytest.approx(1, abs=1e-5)


def test_a_number_is_read_from_left_to_right(recognizer: Recognizer) -> None:
    reading = read(recognizer, row_of("40726"))

    assert reading.digits == "40726"
    assert reading.confidence <= min(glyph.confidence for glyph in reading.glyphs)


def test_touching_digits_are_parted(recognizer: Recognizer) -> None:
    inks = ink_of(3), ink_of(2)
    sheet = np.full((240, 360), 230, np.uint8)
    left = 80
    for ink in inks:
        sheet[60 : 60 + len(ink), left : left + ink.shape[1]][ink > 127] = 40
        left += ink.shape[1] - 4

    assert read(recognizer, sheet).digits == "32"


def test_brackets_are_no_digits(recognizer: Recognizer) -> None:
    rng = np.random.default_rng(3)
    line = lines.drawn_line("(245) 836", Style(0.3, 0, 0.2, 0, 0, 0), rng)

    sheet = on_paper(line.ink(80, 0.1), (240, 900))

    assert read(recognizer, sheet).digits == "245836"


def test_a_number_of_ones_is_read_and_hatching_is_not(recognizer: Recognizer) -> None:
    sheet = np.full((240, 500), 235, np.uint8)
    for left in (60, 110, 160, 210, 260):
        sheet[60:180, left : left + 12] = 40
    assert read(recognizer, sheet).digits == "11111"

    for left in (310, 360, 410):
        sheet[60:180, left : left + 12] = 40

    assert read(recognizer, sheet).abstention is not None


def test_ones_on_several_lines_are_no_hatching(recognizer: Recognizer) -> None:
    sheet = np.full((600, 300), 235, np.uint8)
    for top in (60, 240, 420):
        for left in (110, 160):
            sheet[top : top + 120, left : left + 12] = 40

    assert read(recognizer, sheet).digits == "11\n11\n11"


def test_digits_have_to_account_for_the_ink(recognizer: Recognizer) -> None:
    page = find_page(Picture.from_array(on_paper(ink_of(7))))
    cluttered = replace(
        page, measurements=replace(page.measurements, inner_ink=2 * page.measurements.inner_ink)
    )

    assert recognizer.read(page).digits == "7"
    assert recognizer.read(cluttered).abstention is not None


def test_what_is_much_smaller_than_the_digit_need_not_be_read(recognizer: Recognizer) -> None:
    screenshot = np.full((600, 800), 255, np.uint8)
    for button in range(8):
        screenshot[15:55, 20 + 60 * button : 60 + 60 * button] = 0
    ink = ink_of(5, height=280)
    screenshot[200 : 200 + len(ink), 300 : 300 + ink.shape[1]][ink > 127] = 0

    assert read(recognizer, screenshot).digits == "5"


def test_a_small_digit_on_a_large_photo_is_read(recognizer: Recognizer) -> None:
    ink = ink_of(5, height=70)
    sheet = np.full((1800, 2400), 235, np.uint8)
    sheet[800 : 800 + len(ink), 1100 : 1100 + ink.shape[1]][ink > 127] = 40

    assert recognizer.read(read_page(encoded(sheet, "JPEG", quality=92))).digits == "5"


def test_blank_paper_is_abstained_for_want_of_ink(recognizer: Recognizer) -> None:
    reading = read(recognizer, np.full((240, 320), 225, np.uint8))

    assert reading.digits == ""
    assert reading.confidence == 0
    assert reading.abstention is not None
    assert reading.abstention.reason is AbstentionReason.NO_INK
    assert reading.abstention.measured["contrast"] == 0


def test_a_page_full_of_marks_is_abstained_with_their_number(recognizer: Recognizer) -> None:
    sheet = np.full((600, 800), 235, np.uint8)
    for top in range(40, 560, 60):
        for left in range(40, 760, 60):
            sheet[top : top + 30, left : left + 24] = 40

    reading = read(recognizer, sheet)

    assert reading.abstention is not None
    assert reading.abstention.reason is AbstentionReason.TOO_MANY_MARKS
    assert reading.abstention.measured["marks"] == 9 * 12


@pytest.mark.parametrize("turns", [1, 3])
@pytest.mark.parametrize("digits", ["2", "47"])
def test_digits_that_lie_on_their_side_are_abstained_as_such(
    recognizer: Recognizer, digits: str, turns: int
) -> None:
    turned = np.ascontiguousarray(np.rot90(row_of(digits), turns))

    abstention = read(recognizer, turned).abstention

    assert abstention is not None
    assert abstention.reason is AbstentionReason.ON_ITS_SIDE


@pytest.mark.parametrize("kind", ["face", "letter", "shape", "texture", "text", "blank"])
def test_pictures_without_a_digit_are_abstained(recognizer: Recognizer, kind: str) -> None:
    photos = camera_evaluation.negative_photos(kind, 5, seed=3, size=(240, 320))

    read = [recognizer.read(read_page(photo.data)).digits for photo in photos]

    assert read.count("") >= 4


STORED = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}
"""EXIF orientation -> how the upright picture lies in such a file."""


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    digits=st.text("0123456789", min_size=1, max_size=4),
    seed=st.integers(0, 5),
    scale=st.sampled_from((0.5, 0.7, 1.0, 1.6, 2.5, 4.0)),
    negative=st.booleans(),
    orientation=st.sampled_from((1, *STORED)),
    image_format=st.sampled_from(("PNG", "JPEG", "WEBP")),
)
def test_the_same_digits_get_the_same_answer_however_they_are_stored(
    recognizer: Recognizer,
    *,
    digits: str,
    seed: int,
    scale: float,
    negative: bool,
    orientation: int,
    image_format: str,
) -> None:
    page = row_of(digits, seed)
    picture = ImageOps.scale(Image.fromarray(255 - page if negative else page), scale)
    exif = Image.Exif()
    if orientation in STORED:
        picture = picture.transpose(STORED[orientation])
        exif[0x0112] = orientation

    reading = recognizer.read(read_page(encoded(picture, image_format, exif=exif)))

    assert reading.digits == recognizer.read(read_page(encoded(page))).digits


def test_company_changes_no_bit_of_the_probabilities(recognizer: Recognizer) -> None:
    pixels = np.random.default_rng(0).random((5, 784), np.float32)

    together = recognizer.classify(pixels)

    alone = np.concatenate([recognizer.classify(row[None]) for row in pixels])
    assert together.tobytes() == alone.tobytes()


def test_most_photos_of_strangers_are_read(recognizer: Recognizer) -> None:
    folder = data.folder("photos")
    with (folder / "manifest.csv").open(newline="") as manifest:
        rows = list(csv.DictReader(manifest))[::4]

    right = [
        recognizer.read(read_page((folder / row["file"]).read_bytes())).digits == row["label"] for row in rows
    ]

    assert np.mean(right) > 0.95


def test_a_judge_is_refused_as_what_reads() -> None:
    with pytest.raises(CheckpointError, match="a judge"):
        Recognizer.from_checkpoint(checkpoint.shipped("judge"))


@pytest.mark.parametrize("temperature", ["0", "-1", "nan", "inf", "warm"])
def test_a_temperature_that_is_no_positive_number_is_refused(temperature: str) -> None:
    reader = checkpoint.shipped("reader")

    with pytest.raises(CheckpointError, match="no positive number"):
        Recognizer.from_checkpoint(replace(reader, metadata={**reader.metadata, "temperature": temperature}))
