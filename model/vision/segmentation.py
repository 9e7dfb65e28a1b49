"""Ink -> marks (connected pieces) -> groups of marks that are read together, in lines and reading order."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from model.vision.page import Box


@dataclass(frozen=True, slots=True)
class Mark:
    """One or several connected pieces of ink.

    Attributes:
        box: in pixels of the ink's array.
        area: pixels of ink.
        labels: of its pieces in the label array.
    """

    box: Box
    area: int
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
        return Mark(box, self.area + other.area, self.labels | other.labels)


def find_marks(mask: NDArray[np.uint8]) -> tuple[list[Mark], NDArray[np.int32]]:
    """uint8 (h, w) of 0 and 1 -> its connected pieces, largest first, without specks; and their labels."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    pieces = stats[1:]
    if len(pieces) == 0:
        return [], labels
    sizes = np.maximum(pieces[:, cv2.CC_STAT_WIDTH], pieces[:, cv2.CC_STAT_HEIGHT])
    least = max(3, 0.012 * max(mask.shape))
    order = [int(i) for i in np.argsort(-sizes, kind="stable")[:400] if sizes[i] >= least]
    marks = []
    for i in order:
        left, top, width, height, area = (int(value) for value in pieces[i])
        marks.append(Mark(Box(left, top, left + width, top + height), area, frozenset({i + 1})))
    return marks, labels


def touches_edge(mark: Mark, shape: tuple[int, int]) -> bool:
    """Whether the mark runs into the border of an array of this shape."""
    box = mark.box
    return box.left == 0 or box.top == 0 or box.right == shape[1] or box.bottom == shape[0]


def choose_marks(marks: list[Mark], shape: tuple[int, int]) -> tuple[list[Mark], list[Mark]]:
    """Those of the size of a digit beside the largest, and small pieces that may belong to them."""
    inner = [mark for mark in marks if not touches_edge(mark, shape)]
    largest = max((mark.size for mark in marks), default=0)
    if any(mark.size >= 0.25 * largest for mark in inner):
        marks = inner
        largest = max(mark.size for mark in marks)
    large = [mark for mark in marks if mark.size >= 0.38 * largest]
    small = [mark for mark in marks if 0.06 * largest <= mark.size < 0.38 * largest]
    return large, small


def group_marks(large: list[Mark], small: list[Mark]) -> list[Mark]:
    """Marks that lie in each other's boxes, and small pieces beside them, joined."""
    if not large:
        return []
    reference = float(np.median([mark.size for mark in large]))
    groups = list(large)
    joined = True
    while joined:
        joined = False
        for i in range(len(groups)):
            for j in range(i + 1, len(groups)):
                if _belong_together(groups[i], groups[j], reference):
                    groups[i] = groups[i] + groups.pop(j)
                    joined = True
                    break
            if joined:
                break
    for piece in small:
        nearest = min(range(len(groups)), key=lambda i: _gap(groups[i], piece))
        if _gap(groups[nearest], piece) <= 0.15 * reference:
            groups[nearest] = groups[nearest] + piece
    return groups


def _belong_together(a: Mark, b: Mark, reference: float) -> bool:
    shared_width = min(a.box.right, b.box.right) - max(a.box.left, b.box.left)
    shared_height = min(a.box.bottom, b.box.bottom) - max(a.box.top, b.box.top)
    narrower, shorter = min(a.width, b.width), min(a.height, b.height)
    if shared_width > 0 and shared_height > 0:
        return shared_width * shared_height > 0.35 * narrower * shorter
    return shared_width > 0.5 * narrower and shorter < 0.45 * reference and -shared_height < 0.15 * reference


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
