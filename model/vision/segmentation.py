"""Ink -> marks (connected pieces) -> groups of marks that are read together, in lines and reading order."""

import functools
import itertools
import math
import operator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from model.vision.ink import TINY, WIDE, border_contact
from model.vision.normalisation import stroke_width
from model.vision.page import Box

_MOST_MARKS = 400
"""Pieces that are looked at, the largest first."""
_SPECK = 0.012
"""Pieces smaller than this part of the picture's longer side are specks."""
_TALL = 0.42
"""A digit has at least this part of the height of the tallest one."""
_THROUGH, _COVERS = 0.8, 0.4
"""Ruled lines reach over this part of the picture, and cover less than that of what encloses them."""
_PIECE = 0.06
"""Smaller pieces, as a part of a digit's height, belong to nothing."""
_NEAR = 0.25
"""A piece belongs to a digit that is nearer than this part of its height."""
_INSIDE = 0.7
"""A mark is part of another one if this part of its box lies in the other's."""
_STACKED_GAP, _STACKED_HEIGHT, _STACKED_COLUMNS = 0.12, 0.6, 0.5
"""Of two marks above one another that are one digit: the widest gap and the largest height of the lower one,
as parts of the taller one's height; and the fewest shared columns, as a part of the narrower one's."""
_TALLEST = 1.3
"""Both together are at most so many times as high as the tallest other mark."""
_GAP = 0.12
"""Neighbours with a wider gap, as a part of their height, are two digits."""
_WIDEST = 1.3
"""Marks are not taken together where they come out wider than this part of the height."""
_WIDEST_CUT = 2.2
"""What was one mark before it was cut may be wider."""
_MOST_PIECES = 10
"""That are combined in all ways."""
_CUT_WIDTH = 1.1
"""Marks at least this wide, as a part of their height, may be several digits."""
_STROKES_OF_SEVERAL = 1.8
"""Narrower marks, too, with this many strokes in a row of pixels, on average; a 0 has fewer than two."""
_CUT_HEIGHT = 40
"""Pixels of height at which cuts are looked for."""
_NARROWEST = 0.4
"""Cuts leave digits at least this wide on average, as a part of the height."""
_LEAST_PRIOR = 0.003
"""Ways less likely than this part of the likeliest one are left out."""
_MOST_CROSSED = 2.6
"""Widths of a stroke that a cut may cross."""
_CUT_PRIOR, _CUT_SCALE = 0.5, 0.7
"""Probability that a cut through no ink is between two digits, and the strokes that it falls with to 1/e."""
_GAP_PRIOR = 0.6
"""Probability that a gap of no width is between two digits; it rises to 1 at `_GAP`."""
_BESIDE = 0.4
"""Neighbours in a line share at least this part of the lower one's rows."""
_SLOPES = np.radians(np.arange(-40, 41, 2))
"""Slopes of lines that are looked for."""
_LEAST_FOR_SLOPE, _FARTHEST, _LEVEL_WITHIN, _CLEARER_SLOPE = 3, 3.0, 0.2, 1.25
"""Marks that show a slope; in their sizes, how far apart they may be and how far out of line; and how much
better than none a slope has to fit."""
_ASIDE = 0.5
"""What a step aside costs a cut, in pixels of ink."""


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


def pixels_of(mark: Mark, labels: NDArray[np.int32]) -> NDArray[np.uint8]:
    """1 where (h, w) holds the mark's labels."""
    first, *others = mark.labels
    own = labels == first
    for label in others:
        own |= labels == label
    return np.asarray(own, np.uint8)


def find_marks(mask: NDArray[np.uint8]) -> tuple[list[Mark], NDArray[np.int32]]:
    """uint8 (h, w) of 0 and 1 -> its connected pieces, largest first, without specks; and their labels."""
    left, top, width, height = cv2.boundingRect(
        mask
    )  # labelling takes most of the time, so only where ink is
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


def runs_through(mark: Mark, labels: NDArray[np.int32]) -> bool:
    """Whether a mark runs from border to border and covers little of its box, as ruled lines do."""
    height, width = labels.shape
    long = mark.width > _THROUGH * width or mark.height > _THROUGH * height
    return mark.contact > 1 and long and mark.area < _COVERS * max(mark.size**2, mark.width * mark.height)


def choose_marks(marks: list[Mark], labels: NDArray[np.int32]) -> tuple[list[Mark], list[Mark]]:
    """Those as tall as digits, and the pieces that may belong to them; not what comes in from the border.

    The border's marks count only where there is nothing else of a size to speak of.
    """
    if max(labels.shape) < TINY:
        marks = [mark for mark in marks if not _lies_along_border(mark)]
        return marks[:1], marks[1:]
    inner = [mark for mark in marks if not mark.contact]
    written = [mark for mark in marks if mark.contact and not _is_surroundings(mark, labels)]
    if _tallest(inner) >= max(0.25 * _tallest(written), 0.02 * max(labels.shape)):
        chosen = inner + [mark for mark in written if _goes_on(mark, inner, labels)]
    else:
        chosen = inner + written
    chosen = chosen or [mark for mark in marks if not _lies_along_border(mark)]
    chosen = [mark for mark in chosen if not _is_frame(mark, chosen, labels)] or chosen
    tallest = _tallest(chosen)
    large = [mark for mark in chosen if mark.height >= _TALL * tallest]
    small = [mark for mark in chosen if mark.height < _TALL * tallest and mark.size >= _PIECE * tallest]
    return large, small


def _goes_on(mark: Mark, inner: list[Mark], labels: NDArray[np.int32]) -> bool:
    """Whether a mark at the border belongs to a line: as high and by the same pen as its neighbour."""
    line = [
        other for other in inner if _shared_rows(mark, other) > 0.7 and other.height > 0.6 * _tallest(inner)
    ]
    if not line:
        return False
    nearest = min(line, key=lambda other: _gap(mark, other))
    if _gap(mark, nearest) > nearest.height or not 0.6 < mark.height / nearest.height < 1.6:
        return False
    widths = [stroke_width(pixels_of(each, _inside(each, labels))) for each in (mark, nearest)]
    return 0.5 < widths[0] / widths[1] < 2


def _inside(mark: Mark, labels: NDArray[np.int32]) -> NDArray[np.int32]:
    box = mark.box
    return labels[box.top : box.bottom, box.left : box.right]


def _lies_along_border(mark: Mark) -> bool:
    return mark.contact > 0.5 * mark.size


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
    if _lies_along_border(mark):
        return True
    shorter = min(labels.shape)
    if shorter < TINY:
        return False
    box = mark.box
    own = pixels_of(mark, labels[box.top : box.bottom, box.left : box.right])
    widest = float(cv2.distanceTransform(own, cv2.DIST_L2, 3).max())
    return bool(widest > WIDE / 2 * shorter)


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
            if inside and _ink_gap(group, joined, labels) <= _NEAR * min(group.size, joined.size):
                joined = joined + group
            else:
                rest.append(group)
        groups = [*rest, joined]
    return groups


def _without_stacked(marks: list[Mark]) -> list[Mark]:
    """Marks joined with the one above or below that is part of the same digit, such as the bar of a 5."""
    for upper, lower in itertools.combinations(marks, 2):
        others = [mark for mark in marks if mark is not upper and mark is not lower]
        if _are_stacked(upper, lower) and (upper + lower).height <= _TALLEST * (_tallest(others) or math.inf):
            return _without_stacked([*others, upper + lower])
    return marks


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
            (_gap(mark, piece) / height, line, i)
            for line, (height, marks) in enumerate(lines)
            for i, mark in enumerate(marks)
        ]
        gap, line, i = min(gaps)
        if gap <= _NEAR:
            lines[line][1][i] = lines[line][1][i] + piece


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
    if len(pieces) <= _MOST_PIECES:
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


def _may_be_several(mark: Mark, own: NDArray[np.bool_]) -> bool:
    """Whether a mark is wide, or has more strokes beside one another than one digit has."""
    if mark.width >= _CUT_WIDTH * mark.height:
        return True
    if mark.width < _NARROWEST * mark.height:
        return False
    rows = own[:: max(1, mark.height // _CUT_HEIGHT)]
    starts = np.count_nonzero(rows[:, 1:] > rows[:, :-1]) + np.count_nonzero(rows[:, 0])
    return bool(starts >= _STROKES_OF_SEVERAL * len(rows))


def part(mark: Mark, labels: NDArray[np.int32]) -> list[Mark]:
    """The pieces of a mark that may be several digits, cut along paths of little ink from top to bottom.

    The pieces get new labels. A path may lean, as writing does; it costs the ink that it crosses.
    """
    box = mark.box
    inside = labels[box.top : box.bottom, box.left : box.right]
    own = pixels_of(mark, inside) > 0
    if not _may_be_several(mark, own):
        return [mark]
    factor = min(1.0, _CUT_HEIGHT / mark.height)
    size = max(8, round(mark.width * factor)), max(8, round(mark.height * factor))
    reduced = cv2.resize(own.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    cuts = _cuts(np.asarray(reduced, np.float32))
    if not cuts:
        return [mark]
    rows = np.minimum((np.arange(mark.height) * size[1] / mark.height).astype(int), size[1] - 1)
    columns = np.arange(mark.width)
    beyond = [columns > path[rows, None] * (mark.width / size[0]) for path, _ in cuts]
    side = np.asarray(np.sum(beyond, axis=0), np.int32)
    first = int(labels.max()) + 1
    inside[own] = (first + side)[own]
    pieces: list[Mark] = []
    for number, label in enumerate(range(first, first + len(cuts) + 1)):
        own = (inside == label).view(np.uint8)
        area = cv2.countNonZero(own)
        if area > 0:
            x, y, width, height = cv2.boundingRect(own)
            left, top = box.left + x, box.top + y
            piece = Box(left, top, left + width, top + height)
            prior = _CUT_PRIOR * math.exp(-cuts[number - 1][1] / _CUT_SCALE) if pieces else None
            pieces.append(Mark(piece, area, 0, frozenset({label}), prior))
    return pieces


def _cuts(ink: NDArray[np.float32]) -> list[tuple[NDArray[np.int64], float]]:
    """The cheapest paths down through (h, w), from left to right: a column for each row, and strokes crossed.

    Dynamic programming from both ends to the middle row: a step down costs the ink there, and a little if it
    is a step aside. Paths are local minima of the cost in the middle row that cross at most a stroke or two.
    """
    height, width = ink.shape
    stroke = stroke_width((ink > 0.5).astype(np.uint8))
    middle = height // 2
    above, from_above = _costs(ink[: middle + 1])
    below, from_below = _costs(ink[: middle - 1 if middle else None : -1])
    total = above + below - ink[middle]
    margin = max(2, round(0.15 * height))
    chosen: list[int] = []
    most = min(max(1, int(width / height / _NARROWEST)), _MOST_PIECES - 1)
    for column in np.argsort(total, kind="stable"):
        if total[column] > _MOST_CROSSED * stroke or len(chosen) == most:
            break
        if margin <= column < width - margin and all(abs(int(column) - other) >= margin for other in chosen):
            chosen.append(int(column))
    paths = []
    for column in sorted(chosen):
        up = _trace(from_above, column)
        down = _trace(from_below, column)
        paths.append((np.array([*up, *down[::-1][1:]]), float(total[column]) / stroke))
    return paths


def _costs(ink: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.int8]]:
    """(h, w) -> the cost (w,) of the cheapest path down to each column of the last row, and its steps."""
    cost = ink[0].copy()
    steps = np.zeros(ink.shape, np.int8)
    aside = np.float32(_ASIDE)
    for row in range(1, len(ink)):
        padded = np.pad(cost, 1, constant_values=np.inf)
        came = np.stack([padded[1:-1], padded[:-2] + aside, padded[2:] + aside])
        best = came.argmin(axis=0)
        steps[row] = np.array([0, -1, 1], np.int8)[best]
        cost = came[best, np.arange(len(cost))] + ink[row]
    return cost, steps


def _trace(steps: NDArray[np.int8], column: int) -> list[int]:
    """The columns of the path to ``column`` of the last row, from the first row on."""
    columns = [column]
    for row in range(len(steps) - 1, 0, -1):
        column += int(steps[row, column])
        columns.append(column)
    return columns[::-1]


def _overlap(a: Mark, b: Mark) -> float:
    """The part of the smaller box that lies in the other one."""
    shared_width = min(a.box.right, b.box.right) - max(a.box.left, b.box.left)
    shared_height = min(a.box.bottom, b.box.bottom) - max(a.box.top, b.box.top)
    if shared_width <= 0 or shared_height <= 0:
        return 0.0
    return shared_width * shared_height / min(a.width * a.height, b.width * b.height)


def _ink_gap(a: Mark, b: Mark, labels: NDArray[np.int32]) -> float:
    """Distance of the ink, in pixels."""
    box = (a + b).box
    inside = labels[box.top : box.bottom, box.left : box.right]
    distances = cv2.distanceTransform(1 - pixels_of(a, inside), cv2.DIST_L2, 3)
    return float(distances[pixels_of(b, inside) > 0].min())


def _gap(a: Mark, b: Mark) -> float:
    """Distance of the boxes, in pixels."""
    across = max(a.box.left, b.box.left) - min(a.box.right, b.box.right)
    down = max(a.box.top, b.box.top) - min(a.box.bottom, b.box.bottom)
    return float(np.hypot(max(across, 0), max(down, 0)))


def in_lines(groups: list[Mark]) -> list[list[Mark]]:
    """Groups in reading order: lines from top to bottom, each from left to right.

    A line is what hangs together by neighbours beside one another, so it may climb or fall.
    """
    rows = sorted(groups, key=_middle)
    line_of = {id(group): [group] for group in rows}
    for group in rows:
        beside = [
            other
            for other in rows
            if _middle(other) > _middle(group) and _shared_rows(group, other) > _BESIDE
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


def _shared_rows(a: Mark, b: Mark) -> float:
    """The part of the lower one's rows that the other one has, too."""
    shared = min(a.box.bottom, b.box.bottom) - max(a.box.top, b.box.top)
    return shared / min(a.height, b.height)


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
