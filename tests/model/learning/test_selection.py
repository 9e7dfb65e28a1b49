"""Which corrected glyphs train."""

import tracemalloc
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from model.learning.handwriting import draw
from model.learning.selection import Limits, Rule, TaughtGlyph, largest_share, select, split

MONDAY = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def drawings() -> NDArray[np.uint8]:
    """(200, 28, 28): drawing i shows i % 10."""
    return draw([index % 10 for index in range(200)], np.random.default_rng(7))


def taught(
    pixels: NDArray[np.uint8],
    label: int,
    *,
    key: int = 0,
    contributor: int = 1,
    shipped: tuple[int, float] = (0, 0.5),
    at: datetime = MONDAY,
    is_trusted: bool = False,
) -> TaughtGlyph:
    return TaughtGlyph(key, contributor, at, label, pixels, *shipped, is_trusted)


def lesson(drawings: NDArray[np.uint8], count: int, people: int = 1) -> list[TaughtGlyph]:
    """The first drawings, rightly labelled, taught in turn by so many people; the network is unsure."""
    return [
        taught(
            drawings[index],
            index % 10,
            key=index,
            contributor=index % people,
            shipped=((index // 10) % 10, 0.6),
        )
        for index in range(count)
    ]


def keys(glyphs: Sequence[TaughtGlyph]) -> set[int]:
    return {glyph.key for glyph in glyphs}


def test_what_the_shipped_network_is_nearly_certain_of_otherwise_is_held_back(
    drawings: NDArray[np.uint8],
) -> None:
    doubted = taught(drawings[4], 9, shipped=(4, 0.97))

    selection = select([doubted], Limits())

    assert selection.chosen == ()
    assert selection.left_out == {0: Rule.MODEL_IS_SURE}


def test_an_admin_may_teach_what_the_shipped_network_is_certain_of_otherwise(
    drawings: NDArray[np.uint8],
) -> None:
    glyph = taught(drawings[4], 9, shipped=(4, 0.97), is_trusted=True)

    assert select([glyph], Limits()).chosen == (glyph,)


def test_a_single_correction_is_learned(drawings: NDArray[np.uint8]) -> None:
    glyph = taught(drawings[7], 7, shipped=(1, 0.62))

    assert select([glyph], Limits()).chosen == (glyph,)


@pytest.mark.parametrize("degrees", [0, 3])
def test_near_identical_glyphs_with_two_labels_are_held_back_both(
    drawings: NDArray[np.uint8], degrees: float
) -> None:
    turn = cv2.getRotationMatrix2D((13.5, 13.5), degrees, 1)
    turned = np.asarray(cv2.warpAffine(drawings[3], turn, (28, 28)), np.uint8)
    glyphs = [taught(drawings[3], 3, key=1), taught(turned, 8, key=2, contributor=2)]

    assert select(glyphs, Limits()).left_out == {1: Rule.CONFLICTING_LABELS, 2: Rule.CONFLICTING_LABELS}


def test_an_admins_label_wins_a_conflict(drawings: NDArray[np.uint8]) -> None:
    glyphs = [taught(drawings[3], 8, key=1), taught(drawings[3], 3, key=2, contributor=2, is_trusted=True)]

    assert keys(select(glyphs, Limits()).chosen) == {2}


def test_one_persons_copies_count_once_and_another_persons_copy_counts_too(
    drawings: NDArray[np.uint8],
) -> None:
    glyphs = [taught(drawings[3], 3, key=key, at=MONDAY + timedelta(hours=key)) for key in range(5)]
    glyphs.append(taught(drawings[3], 3, key=9, contributor=2))

    selection = select(glyphs, Limits())

    assert len(selection.chosen) == 2
    assert 9 in keys(selection.chosen)


def test_thousands_of_copies_take_no_more_memory_than_as_many_different_glyphs(
    drawings: NDArray[np.uint8],
) -> None:
    copies = [taught(drawings[3], 3, key=index, contributor=index) for index in range(4_000)]

    tracemalloc.start()
    selection = select(copies, Limits(maximum=10))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert len(selection.chosen) == 10
    assert peak < 200e6


def test_twenty_of_a_person_and_day_are_taken_the_first_ones(drawings: NDArray[np.uint8]) -> None:
    glyphs = [
        taught(
            drawings[index],
            index % 10,
            key=index,
            at=MONDAY + timedelta(minutes=index),
            shipped=(index // 10, 0.5),
        )
        for index in range(40)
    ]

    selection = select(glyphs, Limits(per_person_and_day=20))

    late = {key for key, rule in selection.left_out.items() if rule is Rule.PERSON_AND_DAY}
    assert late <= set(range(20, 40))
    assert len(selection.chosen) <= 20


def test_twenty_of_a_pair_are_taken_from_as_many_people_as_possible(drawings: NDArray[np.uint8]) -> None:
    """Accounts that lie together teach one pair, such as 4 read, 9 said; quiet people are not crowded out."""
    glyphs = [
        taught(drawings[index], 9, key=index, contributor=0 if index < 60 else index, shipped=(4, 0.6))
        for index in range(65)
    ]

    selection = select(glyphs, Limits(per_person_and_day=1000))

    assert len(selection.chosen) <= 20
    assert {61, 62, 63, 64} <= keys(selection.chosen) | {
        key for key, rule in selection.left_out.items() if rule is Rule.CONFLICTING_LABELS
    }


def test_no_cap_binds_below_twenty(drawings: NDArray[np.uint8]) -> None:
    limits = Limits(per_person_and_day=3, per_pair=1, maximum=2)

    assert len(select(lesson(drawings, 10), limits).chosen) == 10


def test_never_more_than_the_maximum_is_taken(drawings: NDArray[np.uint8]) -> None:
    selection = select(lesson(drawings, 100, people=20), Limits(maximum=30))

    assert len(selection.chosen) == 30
    assert Rule.MAXIMUM in selection.left_out.values()


def test_the_order_and_the_row_numbers_of_corrections_decide_nothing(drawings: NDArray[np.uint8]) -> None:
    glyphs = lesson(drawings, 120, people=4)
    renumbered = [
        taught(g.pixels, g.label, key=1000 - g.key, contributor=50 - int(str(g.contributor)),
               shipped=(g.shipped_digit, g.shipped_confidence))
        for g in reversed(glyphs)
    ]  # fmt: skip

    one, other = select(glyphs, Limits()), select(renumbered, Limits())

    assert [glyph.digest for glyph in one.chosen] == [glyph.digest for glyph in other.chosen]


def test_after_somebody_left_the_selection_is_that_of_a_run_that_never_knew_them(
    drawings: NDArray[np.uint8],
) -> None:
    everybody = lesson(drawings, 150, people=5)
    others = [glyph for glyph in everybody if glyph.contributor != 3]
    never_knew = [
        taught(g.pixels, g.label, key=g.key + 500, contributor=int(str(g.contributor)) + 70,
               shipped=(g.shipped_digit, g.shipped_confidence))
        for g in others
    ]  # fmt: skip

    after, fresh = select(others, Limits(maximum=60)), select(never_knew, Limits(maximum=60))

    assert [glyph.digest for glyph in after.chosen] == [glyph.digest for glyph in fresh.chosen]
    assert [g.digest for g in split(after.chosen, whole_below=20).held_out] == [
        g.digest for g in split(fresh.chosen, whole_below=20).held_out
    ]


def test_who_disagrees_with_everybody_goes_to_review(drawings: NDArray[np.uint8]) -> None:
    selection = select(lesson(drawings, 30, people=3), Limits(), distrusted=frozenset({2}))

    assert {glyph.contributor for glyph in selection.chosen} == {0, 1}
    assert Rule.DISAGREES_WITH_OTHERS in selection.left_out.values()


def test_held_out_corrections_are_those_of_whole_people(drawings: NDArray[np.uint8]) -> None:
    parts = split(lesson(drawings, 200, people=10), whole_below=200)

    assert len(parts.held_out) >= 20
    assert {g.contributor for g in parts.held_out}.isdisjoint(g.contributor for g in parts.trained)
    assert len(parts.trained) + len(parts.held_out) == 200


def test_held_out_corrections_of_a_single_person_are_some_of_the_pictures(
    drawings: NDArray[np.uint8],
) -> None:
    parts = split(lesson(drawings, 200), whole_below=200)

    assert len(parts.held_out) == 20


def test_few_corrections_are_all_learned(drawings: NDArray[np.uint8]) -> None:
    assert split(lesson(drawings, 100, people=5)).held_out == ()


def test_the_largest_share_is_that_of_the_person_with_the_most(drawings: NDArray[np.uint8]) -> None:
    glyphs = [
        *lesson(drawings, 10, people=10),
        taught(drawings[20], 0, contributor=3),
        taught(drawings[21], 1),
    ]

    assert largest_share(glyphs) == pytest.approx(2 / 12)
