"""Ink -> marks (connected pieces) -> groups of marks that are read together, in lines and reading order."""

import functools
import operator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from model.vision.ink import TINY, WIDE, border_contact
from model.vision.page import Box

_MOST_MARKS = 400
"""Pieces that are looked at, the largest first."""
_SPECK = 0.012
"""Pieces smaller than this part of the picture's longer side are specks."""
_TALL = 0.42
"""A digit has at least this part of the height of the tallest one."""
_PIECE = 0.06
"""Smaller pieces, as a part of a digit's height, belong to nothing."""
_NEAR = 0.25
"""A piece belongs to a digit that is nearer than this part of its height."""


@dataclass(frozen=True, slots=True)
class Mark:
    """One or several connected pieces of ink.

    Attributes:
        box: in pixels of the ink's array.
        area: pixels of ink.
        contact: pixels of the array's border that it covers.
        labels: of its pieces in the label array.
    """

    box: Box
    area: int
    contact: int
    labels: frozenset[int]

    @property
    def width(self) -> int:
        """In pixels."""
        return self.box.right - self.box.left

    @property
    def height(self) -> int:
        """In pixels."""
        return self.box.bottom - self.box.top

    @property
    def size(self) -> int:
        """The longer side in pixels."""
        return max(self.width, self.height)

    def __add__(self, other: "Mark") -> "Mark":
        a, b = self.box, other.box
        box = Box(min(a.left, b.left), min(a.top, b.top), max(a.right, b.right), max(a.bottom, b.bottom))
        return Mark(box, self.area + other.area, self.contact + other.contact, self.labels | other.labels)


def find_marks(mask: NDArray[np.uint8]) -> tuple[list[Mark], NDArray[np.int32]]:
    """uint8 (h, w) of 0 and 1 -> its connected pieces, largest first, without specks; and their labels."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    contacts = border_contact(labels, len(stats))
    sizes = np.maximum(stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_HEIGHT])
    sizes[0] = 0
    least = max(3, _SPECK * max(mask.shape))
    marks = []
    for label in np.argsort(-sizes, kind="stable")[:_MOST_MARKS]:
        if sizes[label] < least:
            break
        left, top, width, height, area = (int(value) for value in stats[label])
        box = Box(left, top, left + width, top + height)
        marks.append(Mark(box, area, int(contacts[label]), frozenset({int(label)})))
    return marks, labels


def choose_marks(marks: list[Mark], labels: NDArray[np.int32]) -> tuple[list[Mark], list[Mark]]:
    """Those as tall as digits, and the pieces that may belong to them; what comes in from the border is neither.

    The border's marks count only where there is nothing else of a size to speak of.
    """
    if max(labels.shape) < TINY:
        marks = [mark for mark in marks if mark.contact <= 0.5 * mark.size] or marks
        return marks[:1], marks[1:]
    inner = [mark for mark in marks if not mark.contact]
    written = [mark for mark in marks if mark.contact and not _is_surroundings(mark, labels)]
    chosen = (
        inner
        if _tallest(inner) >= max(0.25 * _tallest(written), 0.02 * max(labels.shape))
        else inner + written
    )
    chosen = [mark for mark in chosen or marks if not _is_frame(mark, chosen, labels)] or marks
    tallest = _tallest(chosen)
    large = [mark for mark in chosen if mark.height >= _TALL * tallest]
    small = [mark for mark in chosen if mark.height < _TALL * tallest and mark.size >= _PIECE * tallest]
    return large, small


def _is_frame(mark: Mark, others: list[Mark], labels: NDArray[np.int32]) -> bool:
    """Whether a mark is a long thin line, such as a page's edge, beside other marks."""
    thin = mark.area < 0.05 * mark.size * mark.size
    long = mark.size > 0.35 * max(labels.shape)
    least = 0.04 * max(labels.shape)
    return thin and long and any(other is not mark and other.height > least for other in others)


def _tallest(marks: list[Mark]) -> int:
    return max((mark.height for mark in marks), default=0)


def _is_surroundings(mark: Mark, labels: NDArray[np.int32]) -> bool:
    """Whether a mark at the border lies along it, or is wider than strokes are."""
    if mark.contact > 0.5 * mark.size:
        return True
    shorter = min(labels.shape)
    if shorter < TINY:
        return False
    box = mark.box
    own = np.isin(labels[box.top : box.bottom, box.left : box.right], list(mark.labels)).astype(np.uint8)
    return 2 * float(cv2.distanceTransform(own, cv2.DIST_L2, 3).max()) > WIDE * shorter


def group_marks(large: list[Mark], small: list[Mark], labels: NDArray[np.int32]) -> list[Mark]:
    """Marks that lie in each other's boxes, and pieces beside them, joined; tiny pictures hold one digit."""
    if max(labels.shape) < TINY:
        return [functools.reduce(operator.add, [*large, *small])] if large else []
    groups = _joined(large, labels)
    if not groups:
        return []
    height = float(np.median([group.height for group in groups]))
    for piece in small:
        nearest = min(range(len(groups)), key=lambda i: _gap(groups[i], piece))
        if _gap(groups[nearest], piece) <= _NEAR * height:
            groups[nearest] = groups[nearest] + piece
    return groups


def _joined(marks: list[Mark], labels: NDArray[np.int32]) -> list[Mark]:
    groups: list[Mark] = []
    for mark in marks:
        joined = mark
        rest = []
        for group in groups:
            if _overlap(group, joined) and _ink_gap(group, joined, labels) <= _NEAR * min(
                group.size, joined.size
            ):
                joined = joined + group
            else:
                rest.append(group)
        groups = [*rest, joined]
    return groups


def _overlap(a: Mark, b: Mark) -> bool:
    shared_width = min(a.box.right, b.box.right) - max(a.box.left, b.box.left)
    shared_height = min(a.box.bottom, b.box.bottom) - max(a.box.top, b.box.top)
    if shared_width <= 0 or shared_height <= 0:
        return False
    return shared_width * shared_height > 0.35 * min(a.width, b.width) * min(a.height, b.height)


def _ink_gap(a: Mark, b: Mark, labels: NDArray[np.int32]) -> float:
    """Distance of the ink, in pixels."""
    box = (a + b).box
    inside = labels[box.top : box.bottom, box.left : box.right]
    outside_a = np.isin(inside, list(a.labels), invert=True).astype(np.uint8)
    distances = cv2.distanceTransform(outside_a, cv2.DIST_L2, 3)
    return float(distances[np.isin(inside, list(b.labels))].min())


def _gap(a: Mark, b: Mark) -> float:
    """Distance of the boxes, in pixels."""
    across = max(a.box.left, b.box.left) - min(a.box.right, b.box.right)
    down = max(a.box.top, b.box.top) - min(a.box.bottom, b.box.bottom)
    return float(np.hypot(max(across, 0), max(down, 0)))


def in_lines(groups: list[Mark]) -> list[list[Mark]]:
    """Groups in reading order: lines from top to bottom, each from left to right."""
    lines: list[list[Mark]] = []
    for group in sorted(groups, key=lambda group: -group.height):
        middle = (group.box.top + group.box.bottom) / 2
        for line in lines:
            if any(near.box.top <= middle < near.box.bottom for near in line):
                line.append(group)
                break
        else:
            lines.append([group])
    lines.sort(key=lambda line: float(np.mean([group.box.top + group.box.bottom for group in line])))
    return [sorted(line, key=lambda group: group.box.left + group.box.right) for line in lines]
