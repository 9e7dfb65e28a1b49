"""A picture and its page: ink, marks, groups, glyphs."""

import cv2
import numpy as np
import pytest

from model.learning import handwriting, mnist
from model.learning.handwriting import Hand, Pen
from model.vision.finding import find_page, glyph_of
from model.vision.frame import without_frame
from model.vision.page import Glyph, Page
from model.vision.picture import Picture
from tests import data
from tests.model.vision.pictures import Pixels, ink_of, on_paper


def page_of(pixels: Pixels) -> Page:
    return find_page(Picture.from_array(pixels))


def glyphs_of(page: Page) -> list[Glyph]:
    return [glyph for line in page.lines for group in line.groups for glyph in group.alternatives[0]]


def photographed(digit: int) -> Pixels:
    """A digit in pale ink on paper that is nowhere of one colour, (240, 240)."""
    grain = np.random.default_rng(0).normal(0, 5, (240, 240))
    page = on_paper(ink_of(digit, height=180), (240, 240), paper=210, pen=160)
    return np.clip(page + grain + np.linspace(-20, 20, 240), 0, 255).astype(np.uint8)


def place(sheet: Pixels, ink: Pixels, left: int, top: int, pen: int = 30) -> None:
    area = sheet[top : top + ink.shape[0], left : left + ink.shape[1]]
    area[ink > 127] = pen


def test_a_digit_becomes_one_glyph_at_its_place() -> None:
    ink = ink_of(3)
    height, width = ink.shape

    (glyph,) = glyphs_of(page_of(on_paper(ink)))

    top, left = (240 - height) // 2, (320 - width) // 2
    edges = (glyph.box.left, glyph.box.top, glyph.box.right, glyph.box.bottom)
    assert edges == pytest.approx((left, top, left + width, top + height), abs=2)


def test_a_glyph_is_laid_out_as_mnist_is() -> None:
    (glyph,) = glyphs_of(page_of(on_paper(ink_of(2))))

    rows, columns = np.nonzero(glyph.pixels > 60)
    assert max(np.ptp(rows), np.ptp(columns)) + 1 in {19, 20}
    weights = glyph.pixels / glyph.pixels.sum()
    assert (weights.sum(axis=1) @ np.arange(28)) == pytest.approx(14, abs=0.6)
    assert (weights.sum(axis=0) @ np.arange(28)) == pytest.approx(14, abs=0.6)
    assert glyph.pixels.max() > 240


def test_the_negative_of_a_picture_gives_the_same_glyph() -> None:
    page = on_paper(ink_of(6))

    np.testing.assert_array_equal(
        glyph_of(Picture.from_array(page)), glyph_of(Picture.from_array(255 - page))
    )


def test_a_pen_thinner_than_mnists_is_drawn_as_thick_as_there() -> None:
    thin = np.full((600, 600), 240, np.uint8)
    thin[150:450, 300:302] = 40  # a line of 300 x 2 pixels

    glyph = glyph_of(Picture.from_array(thin))

    assert glyph is not None
    assert 1.5 <= (glyph / 255).sum(axis=1).max() <= 3.5


def test_a_shadow_across_the_page_is_no_ink() -> None:
    sheet = on_paper(ink_of(4)).astype(float)
    sheet[:, 180:] *= 0.55

    page = page_of(sheet.astype(np.uint8))

    assert len(glyphs_of(page)) == 1


def test_the_desk_around_a_page_is_no_ink() -> None:
    desk = np.full((480, 640), 60, np.uint8)
    desk[40:440, 60:600] = on_paper(ink_of(8), size=(400, 540))

    (glyph,) = glyphs_of(page_of(desk))

    assert glyph.box.bottom - glyph.box.top == pytest.approx(ink_of(8).shape[0], abs=6)


def test_faint_squares_are_no_ink() -> None:
    sheet = on_paper(ink_of(5))
    lines = np.zeros_like(sheet, bool)
    lines[::24] = lines[:, ::24] = True
    sheet[lines] = np.minimum(sheet[lines], 200)

    assert len(glyphs_of(page_of(sheet))) == 1


def test_specks_are_left_out() -> None:
    sheet = on_paper(ink_of(7))
    for row, column in ((20, 20), (30, 290), (215, 40)):
        sheet[row : row + 3, column : column + 3] = 40

    assert len(glyphs_of(page_of(sheet))) == 1


def test_digits_are_read_from_left_to_right_and_line_by_line() -> None:
    sheet = np.full((480, 640), 235, np.uint8)
    for row, top in enumerate((60, 270)):
        for column, left in enumerate((60, 250, 440)):
            place(sheet, ink_of(1 + column + 3 * row), left, top)

    page = page_of(sheet)

    assert [len(line.groups) for line in page.lines] == [3, 3]
    for line in page.lines:
        lefts = [group.alternatives[0][0].box.left for group in line.groups]
        assert lefts == sorted(lefts)


def test_the_separate_bar_of_a_five_belongs_to_it() -> None:
    sheet = np.full((240, 320), 235, np.uint8)
    place(sheet, ink_of(0, height=90), 130, 90)
    sheet[72:82, 150:200] = 30  # a bar above

    assert len(glyphs_of(page_of(sheet))) == 1


def test_a_bar_nearly_half_as_high_as_its_five_belongs_to_it() -> None:
    sheet = np.full((400, 400), 235, np.uint8)
    cv2.polylines(
        sheet, [np.array([[185, 190], [180, 240], [240, 250], [250, 300], [170, 310]])], False, 30, 14
    )
    cv2.line(sheet, (195, 165), (255, 110), 30, 14)

    assert len(glyphs_of(page_of(sheet))) == 1


def test_digits_above_one_another_stay_apart() -> None:
    sheet = np.full((520, 300), 235, np.uint8)
    place(sheet, ink_of(3), 90, 60)
    place(sheet, ink_of(7), 90, 200)

    assert len(page_of(sheet).lines) == 2


def test_touching_digits_are_offered_whole_and_in_parts() -> None:
    sheet = np.full((240, 320), 235, np.uint8)
    three = ink_of(3)
    place(sheet, three, 70, 60)
    place(sheet, ink_of(8), 70 + three.shape[1] - 3, 60)

    ((group,),) = [line.groups for line in page_of(sheet).lines]

    assert {len(way) for way in group.alternatives} >= {1, 2}
    assert len(group.alternatives[0]) == 1
    assert len(group.priors) == len(group.alternatives)


def sheet_of(digits: str, step: int, fall: float = 0.0) -> Pixels:
    """Digits beside one another, ``step`` pixels apart, on a line that falls by ``fall``."""
    sheet = np.full((640, 900), 235, np.uint8)
    for number, digit in enumerate(digits):
        middle = 320 + fall * step * (number - len(digits) // 2)
        place(sheet, ink_of(int(digit), height=80), 60 + step * number, round(middle) - 40)
    return sheet


@pytest.mark.parametrize("fall", [-0.5, -0.15, 0.15, 0.5])
def test_a_line_that_climbs_or_falls_is_one_line(fall: float) -> None:
    page = page_of(sheet_of("2580364", 100, fall))

    (line,) = page.lines
    boxes = [group.alternatives[0][0].box for group in line.groups]
    assert [round((box.left - 60) / 100) for box in boxes] == list(range(7))
    for number, box in enumerate(boxes):
        assert (box.top + box.bottom) / 2 == pytest.approx(320 + fall * 100 * (number - 3), abs=20)


def test_writing_that_is_turned_is_turned_back() -> None:
    sheet = sheet_of("4444", 100)
    turn = cv2.getRotationMatrix2D((450, 320), 25, 1)
    turned = np.asarray(cv2.warpAffine(sheet, turn, (900, 640), borderValue=235), np.uint8)

    upright, straightened = (glyphs_of(page_of(page))[1].pixels for page in (sheet, turned))

    assert np.abs(upright.astype(int) - straightened).mean() < 10


def test_lines_near_one_another_stay_apart() -> None:
    sheet = np.full((480, 640), 235, np.uint8)
    for row in range(3):
        for column in range(4):
            place(sheet, ink_of(2 + column), 60 + 120 * column + 25 * row, 40 + 135 * row + 8 * column)

    assert [len(line.groups) for line in page_of(sheet).lines] == [4, 4, 4]


def test_a_digit_that_runs_into_the_edge_goes_on_with_its_line() -> None:
    sheet = sheet_of("355", 100)
    right = int(np.flatnonzero((sheet < 128).any(axis=0))[-1])

    page = page_of(np.ascontiguousarray(sheet[:, : right - 2]))

    assert len(glyphs_of(page)) == 3


@pytest.mark.parametrize("colour", [0, 128, 255])
def test_what_is_in_a_margin_is_found_as_without_it(colour: int) -> None:
    photo = photographed(8)
    framed = cv2.copyMakeBorder(photo, 60, 20, 45, 80, cv2.BORDER_CONSTANT, value=colour)

    page = page_of(np.asarray(framed, np.uint8))

    (glyph,), (expected,) = glyphs_of(page), glyphs_of(page_of(photo))
    assert np.abs(glyph.pixels.astype(int) - expected.pixels).mean() < 5
    edges = (glyph.box.left - 45, glyph.box.top - 60, glyph.box.right - 45, glyph.box.bottom - 60)
    box = expected.box
    assert edges == pytest.approx((box.left, box.top, box.right, box.bottom), abs=3)
    assert page.ink[:50].max() == 0
    assert page.ink[glyph.box.top : glyph.box.bottom, glyph.box.left : glyph.box.right].max() == 255


def test_the_corners_around_a_turned_photo_are_no_ink() -> None:
    turn = cv2.getRotationMatrix2D((120, 120), 12, 1)
    turned = np.asarray(cv2.warpAffine(photographed(8), turn, (240, 240)), np.uint8)

    (glyph,) = glyphs_of(page_of(turned))

    box = glyph.box
    assert (box.left, box.top, box.right, box.bottom) == pytest.approx((52, 22, 185, 218), abs=6)


@pytest.mark.parametrize("paper", [255, 120])
def test_what_is_drawn_on_a_page_is_no_frame_around_it(paper: int) -> None:
    zero, box, table, bold = (np.full((240, 320), paper, np.uint8) for _ in range(4))
    cv2.ellipse(zero, (160, 120), (60, 100), 0, 0, 360, 0, 6)
    cv2.line(zero, (130, 180), (190, 60), 0, 6)
    cv2.rectangle(box, (40, 20), (280, 220), 0, 8)
    box[60:180, 150:165] = 0
    for left in (20, 120, 220):
        cv2.rectangle(table, (left, 40), (left + 90, 200), 0, 4)
    cv2.ellipse(bold, (160, 120), (55, 80), 0, 0, 360, 0, 60)

    for page in (zero, box, table, bold):
        picture = Picture.from_array(page)
        assert without_frame(picture) is picture


def test_the_edge_of_a_shadow_is_no_frame() -> None:
    page = on_paper(ink_of(6))
    cv2.ellipse(page, (20, 120), (110, 200), 0, 0, 360, 90, -1)
    picture = Picture.from_array(page)

    assert without_frame(picture) is picture


def test_a_solid_one_on_a_plain_page_is_no_picture_in_a_frame() -> None:
    page = np.full((240, 320), 250, np.uint8)
    page[30:210, 130:180] = 20

    (glyph,) = glyphs_of(page_of(page))

    assert glyph.box.bottom - glyph.box.top == pytest.approx(180, abs=4)


@pytest.mark.parametrize("frame", ["box", "narrow box", "circle"])
def test_a_digit_in_a_frame_is_found_without_it(frame: str) -> None:
    ink = ink_of(1 if frame == "narrow box" else 3, height=110)
    sheet = on_paper(ink, size=(480, 640))
    expected = glyph_of(Picture.from_array(sheet))
    reach = {"box": (90, 90), "narrow box": (40, 90), "circle": (105, 105)}[frame]
    if frame.endswith("box"):
        cv2.rectangle(sheet, (320 - reach[0], 240 - reach[1]), (320 + reach[0], 240 + reach[1]), 30, 8)
    else:
        cv2.ellipse(sheet, (320, 240), reach, 0, 0, 360, 30, 8)

    (glyph,) = glyphs_of(page_of(sheet))

    assert expected is not None
    np.testing.assert_array_equal(glyph.pixels, expected)


def test_the_digits_in_the_cells_of_a_form_are_found_one_by_one() -> None:
    sheet = np.full((480, 800), 235, np.uint8)
    for cell, digit in enumerate((4, 0, 7, 2)):
        place(sheet, ink_of(digit, height=80), 175 + 120 * cell, 200)
        cv2.rectangle(sheet, (145 + 120 * cell, 180), (265 + 120 * cell, 300), 30, 6)

    (line,) = page_of(sheet).lines

    assert len(line.groups) == 4


def test_a_zero_with_a_loose_stroke_in_it_is_no_frame() -> None:
    sheet = np.full((480, 480), 235, np.uint8)
    cv2.ellipse(sheet, (240, 240), (75, 130), 0, 0, 360, 30, 14)
    cv2.line(sheet, (205, 320), (275, 160), 30, 12)

    (glyph,) = glyphs_of(page_of(sheet))

    assert glyph.box.bottom - glyph.box.top > 250


def test_a_line_under_a_digit_is_left_out_and_the_foot_of_a_one_is_not() -> None:
    sheet = on_paper(ink_of(8))
    expected = glyph_of(Picture.from_array(sheet))
    sheet[196:203, 100:220] = 30

    (glyph,) = glyphs_of(page_of(sheet))
    np.testing.assert_array_equal(glyph.pixels, expected)

    stem = np.full((240, 320), 235, np.uint8)
    stem[60:170, 155:167] = 30
    stem[172:182, 125:197] = 30
    (one,) = glyphs_of(page_of(stem))
    assert one.box.right - one.box.left > 60


@pytest.mark.parametrize(("note", "table"), [(215, 70), (215, 120), (60, 200)])
def test_writing_on_a_note_is_found_whatever_it_lies_on(note: int, table: int) -> None:
    pen = 25 if note > 128 else 235
    photo = np.full((600, 800), table, np.uint8)
    ink = ink_of(5, height=140)
    photo[150:390, 300:620] = on_paper(ink, size=(240, 320), paper=note, pen=pen)
    turn = cv2.getRotationMatrix2D((460, 270), 8, 1)
    turned = np.asarray(cv2.warpAffine(photo, turn, (800, 600), borderValue=table), np.uint8)

    (glyph,) = glyphs_of(page_of(turned))

    assert glyph.box.bottom - glyph.box.top == pytest.approx(len(ink), abs=12)
    assert 400 < (glyph.box.left + glyph.box.right) / 2 < 520


@pytest.mark.parametrize("corner", [0, 255])
def test_the_corners_of_a_turned_picture_are_no_ink(corner: int) -> None:
    sheet = on_paper(ink_of(2), size=(360, 480), paper=200, pen=120)
    turn = cv2.getRotationMatrix2D((240, 180), 9, 1)
    turned = np.asarray(cv2.warpAffine(sheet, turn, (480, 360), borderValue=corner), np.uint8)

    (glyph,) = glyphs_of(page_of(turned))

    assert glyph.box.bottom - glyph.box.top == pytest.approx(len(ink_of(2)), abs=16)


def thick(ink: Pixels, by: int) -> Pixels:
    """The ink with strokes so many pixels wider, cropped to it."""
    wide = np.asarray(cv2.dilate(np.pad(ink, by), np.ones((by, by), np.uint8)), np.uint8)
    left, top, width, height = cv2.boundingRect(wide)
    return wide[top : top + height, left : left + width]


def test_a_thick_digit_that_fills_its_picture_is_ink() -> None:
    ink = thick(ink_of(0, height=180), 15)

    (glyph,) = glyphs_of(page_of(np.asarray(235 - np.pad(ink, 3) * 0.8, np.uint8)))

    assert glyph.box.bottom - glyph.box.top == pytest.approx(len(ink), abs=6)


def test_thick_digits_at_both_edges_are_found() -> None:
    lines = handwriting.write_number("88", Hand(Pen(0.15)), np.random.default_rng(0))
    ink = thick(handwriting.large_ink(lines, 150), 15)[:, 3:-3]
    strip = np.full((len(ink) + 60, ink.shape[1]), 235, np.uint8)
    place(strip, ink, 0, 30)

    assert len(glyphs_of(page_of(strip))) == 2


def test_a_digit_that_was_cut_out_too_tightly_is_found() -> None:
    page = on_paper(ink_of(3, height=200))
    rows, columns = (np.flatnonzero((page < 128).any(axis=axis)) for axis in (1, 0))
    cut = np.ascontiguousarray(page[rows[0] + 3 : rows[-1] - 2, columns[0] + 3 : columns[-1] - 2])

    (glyph,) = glyphs_of(page_of(cut))

    assert glyph.box.bottom - glyph.box.top > 0.95 * len(cut)


def test_a_large_one_in_a_number_is_no_edge_of_the_page() -> None:
    sheet = np.full((480, 640), 235, np.uint8)
    place(sheet, ink_of(8, height=240), 300, 110)
    cv2.line(sheet, (180, 100), (180, 380), 30, 8)

    (line,) = page_of(sheet).lines

    assert len(line.groups) == 2


def test_the_two_strokes_of_an_open_four_stay_together_on_a_large_page() -> None:
    sheet = np.full((300, 400), 235, np.uint8)
    cv2.polylines(sheet, [np.array([[180, 122], [104, 182], [205, 174]])], False, 30, 10)
    cv2.line(sheet, (268, 80), (195, 262), 30, 10)

    (glyph,) = glyphs_of(page_of(sheet))

    assert glyph.box.right - glyph.box.left > 150


def test_a_pen_beside_a_digit_is_no_digit() -> None:
    sheet = on_paper(ink_of(6), size=(480, 640))
    cv2.line(sheet, (520, 60), (540, 420), 30, 20)

    (glyph,) = glyphs_of(page_of(sheet))

    assert glyph.box.right < 420


def test_holes_punched_into_the_paper_are_no_digits() -> None:
    sheet = on_paper(ink_of(7, height=60), size=(640, 480))
    for row in (200, 440):
        cv2.circle(sheet, (40, row), 22, 60, -1)

    (glyph,) = glyphs_of(page_of(sheet))

    assert glyph.box.left > 100


def test_a_large_digit_by_a_thin_pen_beside_punched_holes_is_no_edge_of_the_page() -> None:
    sheet = np.full((480, 480), 225, np.uint8)
    cv2.polylines(
        sheet,
        [np.array([(330, 90), (190, 90), (180, 220), (320, 230), (330, 380), (180, 390)])],
        False,
        40,
        3,
    )
    for row in (100, 240, 380):
        cv2.circle(sheet, (24, row), 13, 40, -1)

    (glyph,) = glyphs_of(page_of(sheet))

    assert glyph.box.bottom - glyph.box.top > 280


def test_ruled_lines_as_dark_as_the_ink_are_no_ink() -> None:
    sheet = on_paper(ink_of(2))
    expected = glyph_of(Picture.from_array(sheet))
    sheet[::60] = sheet[1::60] = 30
    sheet[:, 20::60] = sheet[:, 21::60] = 30

    (glyph,) = glyphs_of(page_of(sheet))

    assert expected is not None
    assert np.abs(glyph.pixels.astype(int) - expected).mean() < 12


def test_broken_ruled_lines_of_a_scan_are_no_ink() -> None:
    sheet = np.where(on_paper(ink_of(2), paper=255, pen=0) > 127, 255, 0).astype(np.uint8)
    expected = glyph_of(Picture.from_array(sheet))
    rules = np.full_like(sheet, 255)
    rules[30::60] = rules[31::60] = 0
    rules[:, 20::60] = rules[:, 21::60] = 0
    for start in range(13, 310, 27):
        rules[start : start + 6] = rules[:, start : start + 6] = 255

    (glyph,) = glyphs_of(page_of(np.minimum(sheet, rules)))

    assert expected is not None
    assert np.abs(glyph.pixels.astype(int) - expected).mean() < 12


def test_the_outline_of_a_digit_is_filled() -> None:
    ink = np.pad(ink_of(2, height=160), 8)
    thick = cv2.dilate(ink, np.ones((15, 15), np.uint8))
    outline = np.asarray(cv2.subtract(cv2.dilate(thick, np.ones((7, 7), np.uint8)), thick), np.uint8)

    (glyph,) = glyphs_of(page_of(on_paper(outline)))

    expected = glyph_of(Picture.from_array(on_paper(np.asarray(thick, np.uint8))))
    assert expected is not None
    assert np.abs(glyph.pixels.astype(int) - expected).mean() < 25


def test_a_zero_is_not_filled() -> None:
    (glyph,) = glyphs_of(page_of(on_paper(ink_of(0))))

    assert glyph.pixels[13:15, 13:15].max() == 0


def test_a_wide_stroke_whose_middle_has_faded_is_whole() -> None:
    bar = np.full((240, 320), 235, np.uint8)
    bar[40:200, 140:180] = 30
    bar[46:194, 146:174] = 130  # as markers leave it: half as dark in the middle

    (glyph,) = glyphs_of(page_of(bar))

    assert glyph.pixels[13:15, 13:15].min() > 200


def test_a_long_number_whose_digits_touch_can_be_read_digit_by_digit() -> None:
    sheet = np.full((200, 800), 235, np.uint8)
    left = 40
    for digit in (2, 3, 5, 8, 3, 2, 5, 8):
        ink = ink_of(digit, height=100)
        place(sheet, ink, left, 50)
        left += ink.shape[1] - 3

    (line,) = page_of(sheet).lines

    assert sum(max(len(way) for way in group.alternatives) for group in line.groups) >= 8
    for group in line.groups:
        assert all(glyph.box.right - glyph.box.left < 250 for way in group.alternatives for glyph in way)


def test_blank_paper_has_no_lines() -> None:
    page = page_of(np.full((240, 320), 220, np.uint8))

    assert page.lines == ()
    assert page.measurements.contrast == 0
    assert glyph_of(Picture.from_array(np.full((240, 320), 220, np.uint8))) is None


@pytest.mark.parametrize("scale", [0.5, 2.0, 4.0])
def test_the_size_of_a_picture_hardly_changes_the_glyph(scale: float) -> None:
    size = round(240 * scale), round(320 * scale)
    glyph = glyph_of(Picture.from_array(on_paper(ink_of(2, 120 * scale), size)))
    same = glyph_of(Picture.from_array(on_paper(ink_of(2))))

    assert glyph is not None
    assert same is not None
    assert np.abs(glyph.astype(int) - same).mean() < 8


def test_mnists_own_images_come_out_as_they_went_in() -> None:
    images = mnist.load(data.folder("mnist")).test.images[:200]

    glyphs = [glyph_of(Picture.from_array(image)) for image in images]

    differences = [
        np.abs(glyph.astype(int) - image).mean()
        for glyph, image in zip(glyphs, images, strict=True)
        if glyph is not None
    ]
    assert len(differences) == len(images)
    assert np.mean(differences) < 2
