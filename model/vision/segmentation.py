"""Marks -> lines of groups that are read together, each with all the ways to read it."""

import functools
import itertools
import math
import operator

import numpy as np
from numpy.typing import NDArray

from model.vision.cutting import MOST_PIECES, part
from model.vision.ink import TINY
from model.vision.lines import in_lines
from model.vision.marks import Mark, distance, ink_distance

_NEAR = 0.25
"""A piece belongs to a digit that is nearer than this part of its height."""
_INSIDE = 0.7
"""A mark is part of another one if this part of its box lies in the other's."""
_STACKED_GAP, _STACKED_HEIGHT, _STACKED_COLUMNS = 0.12, 0.6, 0.5
"""Of two marks above one another that are one digit: the widest gap and the largest height of the lower one,
as parts of the taller one's height; and the fewest shared columns, as a part of the narrower one's."""
_TALLEST = 1.3
"""Both together are at most so many times as high as the tallest other mark."""
_UNDERLINE_GAP, _FLAT = 0.04, 0.25
"""A line under a digit keeps this part of its height away, and is so high for its width at most."""
_GAP = 0.12
"""Neighbours with a wider gap, as a part of their height, are two digits."""
_WIDEST = 1.3
"""Marks are not taken together where they come out wider than this part of the height."""
_WIDEST_CUT = 2.2
"""What was one mark before it was cut may be wider."""
_LEAST_PRIOR = 0.003
"""Ways less likely than this part of the likeliest one are left out."""
_GAP_PRIOR = 0.6
"""Probability that a gap of no width is between two digits; it rises to 1 at `_GAP`."""

Ways = dict[tuple[Mark, ...], float]
"""The ways to read a group, with their probability by gaps and cuts alone; the fewest digits first."""


def write_lines(large: list[Mark], small: list[Mark], labels: NDArray[np.int32]) -> list[list[Ways]]:
    """Lines from top to bottom, each of groups from left to right, each of the ways to read it.

    Touching digits are cut where little ink is, which gives their pieces labels of their own in ``labels``; a
    way takes neighbouring pieces together. Tiny pictures hold one digit.
    """
    if not large:
        return []
    if max(labels.shape) < TINY:
        return [[{(functools.reduce(operator.add, [*large, *small]),): 1.0}]]
    lines = []
    for line in in_lines(_without_stacked(_without_inner(large, labels))):
        height = float(np.median([mark.height for mark in line]))
        pieces = [piece for mark in line for piece in part(mark, labels)]
        lines.append((height, pieces))
    _attach(small, lines)
    return [[_ways(group, height) for group in _groups(pieces, height)] for height, pieces in lines]


def _without_inner(marks: list[Mark], labels: NDArray[np.int32]) -> list[Mark]:
    """Marks joined with those that lie in their boxes, near their ink."""
    groups: list[Mark] = []
    for mark in marks:
        joined = mark
        rest = []
        for group in groups:
            inside = _overlap(group, joined) > _INSIDE
            if inside and ink_distance(group, joined, labels) <= _NEAR * min(group.size, joined.size):
                joined = joined + group
            else:
                rest.append(group)
        groups = [*rest, joined]
    return groups


def _overlap(a: Mark, b: Mark) -> float:
    """The part of the smaller box that lies in the other one."""
    shared_width = min(a.box.right, b.box.right) - max(a.box.left, b.box.left)
    shared_height = min(a.box.bottom, b.box.bottom) - max(a.box.top, b.box.top)
    if shared_width <= 0 or shared_height <= 0:
        return 0.0
    return shared_width * shared_height / min(a.width * a.height, b.width * b.height)


def _without_stacked(marks: list[Mark]) -> list[Mark]:
    """Marks joined with the one above or below that is part of the same digit, such as the bar of a 5."""
    for upper, lower in itertools.combinations(marks, 2):
        others = [mark for mark in marks if mark is not upper and mark is not lower]
        if _are_stacked(upper, lower) and (upper + lower).height <= _TALLEST * _tallest(others):
            return _without_stacked([*others, upper + lower])
    return marks


def _tallest(marks: list[Mark]) -> float:
    return max((mark.height for mark in marks), default=math.inf)


def _are_stacked(a: Mark, b: Mark) -> bool:
    """Whether one mark lies on the other: their rows overlap, or it is much lower and next to it."""
    columns = min(a.box.right, b.box.right) - max(a.box.left, b.box.left)
    gap = max(a.box.top, b.box.top) - min(a.box.bottom, b.box.bottom)
    shorter, taller = sorted((a.height, b.height))
    is_near = gap <= 0 or (shorter < _STACKED_HEIGHT * taller and gap <= _STACKED_GAP * taller)
    return is_near and columns >= _STACKED_COLUMNS * min(a.width, b.width)


def _attach(small: list[Mark], lines: list[tuple[float, list[Mark]]]) -> None:
    """Join each small piece to the digit next to it, if there is one."""
    for piece in small:
        gaps = [
            (distance(mark, piece) / height, line, i)
            for line, (height, marks) in enumerate(lines)
            for i, mark in enumerate(marks)
        ]
        gap, line, i = min(gaps)
        if gap <= _NEAR and not _underlines(piece, lines[line][1][i]):
            lines[line][1][i] = lines[line][1][i] + piece


def _underlines(piece: Mark, mark: Mark) -> bool:
    """Whether a piece is a line drawn under a digit: flat, wider than that, and clear of it."""
    is_below = piece.box.top - mark.box.bottom > _UNDERLINE_GAP * mark.height
    return is_below and piece.height < _FLAT * piece.width and piece.width > mark.width


def _groups(pieces: list[Mark], height: float) -> list[list[Mark]]:
    """Pieces from left to right, cut where a gap is too wide for one digit."""
    groups: list[list[Mark]] = []
    right = 0
    for piece in pieces:
        if groups and piece.box.left - right <= _GAP * height:
            groups[-1].append(piece)
            right = max(right, piece.box.right)
        else:
            groups.append([piece])
            right = piece.box.right
    return [part for group in groups for part in _divided(group, height)]


def _divided(pieces: list[Mark], height: float) -> list[list[Mark]]:
    """Pieces that are too many for all their ways, divided where a digit ends most likely."""
    if len(pieces) <= MOST_PIECES:
        return [pieces]
    ends = [_end_prior(left, right, height) for left, right in itertools.pairwise(pieces)]
    place = int(np.argmax(ends)) + 1
    return _divided(pieces[:place], height) + _divided(pieces[place:], height)


def _ways(pieces: list[Mark], height: float) -> Ways:
    """All ways to take neighbouring pieces together as digits."""
    ends = [_end_prior(left, right, height) for left, right in itertools.pairwise(pieces)]
    whole = functools.reduce(operator.add, pieces)
    ways: Ways = {(whole,): math.prod(1 - end for end in ends)} if _may_be_one(whole, pieces, height) else {}
    started: list[tuple[tuple[Mark, ...], float]] = [((pieces[0],), 1.0)]
    for end, piece in zip(ends, pieces[1:], strict=True):
        parted = [((*way, piece), prior * end) for way, prior in started]
        joined = [((*way[:-1], way[-1] + piece), prior * (1 - end)) for way, prior in started]
        started = [*parted, *((way, prior) for way, prior in joined if way[-1].width <= _WIDEST * height)]
    ways.update(started)
    least = _LEAST_PRIOR * max(ways.values())
    likely = [(way, prior) for way, prior in ways.items() if prior >= least]
    return dict(sorted(likely, key=lambda way: len(way[0])))


def _may_be_one(whole: Mark, pieces: list[Mark], height: float) -> bool:
    """Whether all pieces may be one digit."""
    widest = _WIDEST_CUT if all(piece.cut is not None for piece in pieces[1:]) else _WIDEST
    return whole.width <= widest * height


def _end_prior(left: Mark, right: Mark, height: float) -> float:
    """Probability that a digit ends between two neighbouring pieces."""
    if right.cut is not None:
        return right.cut
    gap = (right.box.left - left.box.right) / height
    return float(np.clip(_GAP_PRIOR + (1 - _GAP_PRIOR) * gap / _GAP, 0.2, 0.98))
