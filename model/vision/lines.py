"""Marks -> lines of writing, and the angle at which these run."""

import numpy as np

from model.vision.marks import Mark, shared_rows

_BESIDE = 0.4
"""Neighbours in a line share at least this part of the lower one's rows."""
_SLOPES = np.radians(np.arange(-40, 41, 2))
"""Slopes of lines that are looked for."""
_LEAST_FOR_SLOPE, _FARTHEST, _LEVEL_WITHIN, _CLEARER_SLOPE = 3, 3.0, 0.2, 1.25
"""Marks that show a slope; in their sizes, how far apart they may be and how far out of line; and how much
better than none a slope has to fit."""


def in_lines(groups: list[Mark]) -> list[list[Mark]]:
    """Groups in reading order: lines from top to bottom, each from left to right.

    A line is what hangs together by neighbours beside one another, so it may climb or fall.
    """
    rows = sorted(groups, key=_middle)
    line_of = {id(group): [group] for group in rows}
    for group in rows:
        beside = [
            other for other in rows if _middle(other) > _middle(group) and shared_rows(group, other) > _BESIDE
        ]
        if not beside:
            continue
        nearest = min(beside, key=lambda other: _apart(group, other))
        line, others = line_of[id(group)], line_of[id(nearest)]
        if line is not others:
            line += others
            line_of.update((id(other), line) for other in others)
    lines = list({id(line): line for line in line_of.values()}.values())
    lines.sort(key=lambda line: float(np.mean([group.box.top + group.box.bottom for group in line])))
    return [sorted(line, key=_middle) for line in lines]


def _apart(a: Mark, b: Mark) -> int:
    """Distance of their middles, squared, in which rows count three times as much as columns."""
    return (_middle(a) - _middle(b)) ** 2 + (3 * (a.box.top + a.box.bottom - b.box.top - b.box.bottom)) ** 2


def _middle(mark: Mark) -> int:
    """Twice the column of its middle."""
    return mark.box.left + mark.box.right


def slope_of(marks: list[Mark]) -> float:
    """The angle by which lines of writing fall to the right, in radians; 0 unless another is much likelier.

    The likelier angle has more pairs of neighbours at one height, as the projection profile of a scanned page
    is sharpest where its lines are level (Postl 1986).
    """
    if len(marks) < _LEAST_FOR_SLOPE:
        return 0.0
    sizes = np.array([mark.size for mark in marks])
    middles = np.array([[_middle(mark), mark.box.top + mark.box.bottom] for mark in marks]) / 2
    first, second = np.nonzero(middles[:, None, 0] < middles[None, :, 0])
    size = np.maximum(sizes[first], sizes[second])
    x, y = ((middles[second] - middles[first]) / size[:, None]).T
    near = (np.hypot(x, y) < _FARTHEST) & (np.abs(y) < x)
    above = y[near, None] * np.cos(_SLOPES) - x[near, None] * np.sin(_SLOPES)  # (pairs, slopes)
    level = np.exp(-((above / _LEVEL_WITHIN) ** 2) / 2).sum(axis=0)
    best = int(np.argmax(level))
    return float(_SLOPES[best]) if level[best] > _CLEARER_SLOPE * level[len(_SLOPES) // 2] else 0.0
