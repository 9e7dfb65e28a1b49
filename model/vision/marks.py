"""Ink -> marks: its connected pieces, and how they lie to one another."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from model.vision.ink import border_contact
from model.vision.page import Box

_MOST_MARKS = 400
"""Pieces that are looked at, the largest first."""
_SPECK = 0.012
"""Pieces smaller than this part of the picture's longer side are specks."""


@dataclass(frozen=True, slots=True)
class Mark:
    """One or several connected pieces of ink.

    Attributes:
        box: in pixels of the ink's array.
        area: pixels of ink.
        contact: pixels of the array's border that it covers.
        labels: of its pieces in the label array.
        cut: probability that its left side, where it was cut off another mark, ends a digit; None where there
            was no cut.
    """

    box: Box
    area: int
    contact: int
    labels: frozenset[int]
    cut: float | None = None

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
        labels = self.labels | other.labels
        return Mark(box, self.area + other.area, self.contact + other.contact, labels, self.cut)


def find_marks(mask: NDArray[np.uint8]) -> tuple[list[Mark], NDArray[np.int32]]:
    """uint8 (h, w) of 0 and 1 -> its connected pieces, largest first, without specks; and their labels."""
    # labelling takes most of the time, so only where ink is
    left, top, width, height = cv2.boundingRect(mask)
    inked = mask[top : top + height, left : left + width]
    labels = np.zeros(mask.shape, np.int32)
    if inked.size == 0:
        return [], labels
    _, found, stats, _ = cv2.connectedComponentsWithStats(inked, connectivity=8)
    labels[top : top + height, left : left + width] = found
    stats[:, cv2.CC_STAT_LEFT] += left
    stats[:, cv2.CC_STAT_TOP] += top
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


def pixels_of(mark: Mark, labels: NDArray[np.int32]) -> NDArray[np.uint8]:
    """1 where (h, w) holds the mark's labels."""
    first, *others = mark.labels
    own = labels == first
    for label in others:
        own |= labels == label
    return np.asarray(own, np.uint8)


def around(mark: Mark, labels: NDArray[np.int32]) -> NDArray[np.int32]:
    """The labels in the mark's box, (height, width); writing there changes ``labels``."""
    box = mark.box
    return labels[box.top : box.bottom, box.left : box.right]


def distance(a: Mark, b: Mark) -> float:
    """Distance of the boxes, in pixels."""
    across = max(a.box.left, b.box.left) - min(a.box.right, b.box.right)
    down = max(a.box.top, b.box.top) - min(a.box.bottom, b.box.bottom)
    return float(np.hypot(max(across, 0), max(down, 0)))


def ink_distance(a: Mark, b: Mark, labels: NDArray[np.int32]) -> float:
    """Distance of the ink, in pixels."""
    inside = around(a + b, labels)
    distances = cv2.distanceTransform(1 - pixels_of(a, inside), cv2.DIST_L2, 3)
    return float(distances[pixels_of(b, inside) > 0].min())


def shared_rows(a: Mark, b: Mark) -> float:
    """The part of the lower one's rows that the other one has, too."""
    shared = min(a.box.bottom, b.box.bottom) - max(a.box.top, b.box.top)
    return shared / min(a.height, b.height)
