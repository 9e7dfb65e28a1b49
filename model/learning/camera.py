"""A camera of our own: writing on synthetic grounds, under named conditions, seeded.

It serves for measuring (a table of accuracy by condition), for training (glyphs that went through camera and
vision) and for sample photos. What a pixel shows is the reflectance of ground and ink times the light there,
seen through a lens that blurs and a sensor that adds noise, then compressed.
"""

import io
from dataclasses import dataclass, field, replace

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from model.learning import handwriting, paper
from model.learning.handwriting import Hand, Mask, Pen
from model.learning.paper import GROUNDS, Ground, Size
from model.learning.stroke_templates import DIGITS
from model.learning.writing import DrawnWriting, Writing
from model.vision.page import Box

Photo = NDArray[np.uint8]
"""(H, W, 3), or (H, W, 4) where the ground is transparent."""

Range = tuple[float, float]

SIZES: tuple[Size, ...] = ((480, 640), (640, 480), (768, 1024), (1024, 768), (960, 720), (720, 1280))
"""Of photos, unless the caller says another (H, W)."""

MARGIN = 0.22
"""What lies around a photo on each side and can come into view by rotation and perspective, as a share."""

INKS: dict[str, tuple[tuple[float, float, float], ...]] = {
    "pen": ((0.05, 0.05, 0.07), (0.1, 0.1, 0.12), (0.08, 0.12, 0.42), (0.13, 0.18, 0.55)),
    "pencil": ((0.3, 0.3, 0.32), (0.22, 0.22, 0.24), (0.38, 0.38, 0.4)),
    "coloured": (
        (0.75, 0.1, 0.12),
        (0.08, 0.5, 0.22),
        (0.1, 0.25, 0.7),
        (0.45, 0.12, 0.55),
        (0.85, 0.35, 0.05),
    ),
    "marker": ((0.04, 0.04, 0.05), (0.1, 0.1, 0.12), (0.1, 0.15, 0.5), (0.65, 0.08, 0.1)),
    "chalk": ((0.93, 0.93, 0.9), (0.9, 0.88, 0.65), (0.9, 0.75, 0.75)),
}
"""Colours by what is written with."""


@dataclass(frozen=True, slots=True)
class Condition:
    """Under what circumstances a photo is taken; ranges are drawn from uniformly.

    Attributes:
        grounds: what is written on, one of `paper.GROUNDS` at random.
        ink: what is written with, a key of `INKS`.
        pen_width: in heights of a digit; None leaves the writing's own.
        stroke: "full", or of thick pens "outlined" or "faded" (its middle half as dark as its edges).
        height: of the digits, as a share of the photo's shorter side (less where a number would not fit).
        centred: 1 puts the writing in the middle, 0 anywhere.
        rotation: largest angle either way, in degrees.
        perspective: largest shift of a corner, as a share of the photo.
        gradient: difference of light across the photo, as a share.
        shadow: how much light a shadow takes, as a share.
        shadow_edge: width of the shadow's edge, as a share of the photo.
        glare: how much light a lamp's reflection adds.
        exposure: brightness of white.
        blur: standard deviation of the lens's blur, in heights of a digit.
        motion: length of a movement while exposed, in heights of a digit.
        noise: standard deviation, of 255.
        quality: of the JPEG file, 1..95.
        around: what is drawn around the writing: "nothing", a "box", a "circle", or a "line" under it.
        desk: the page ends within the photo and lies on a desk.
        note: the page on the desk is a note, hardly larger than what is written on it.
        pen_lies: a pen lies beside the writing.
        medium: "photo"; or without a camera: "screen" (light on dark), "transparent" (ink on nothing), or
            "enlarged" (a picture of 28x28 made larger).
    """

    grounds: tuple[str, ...] = ("plain",)
    ink: str = "pen"
    pen_width: Range | None = None
    stroke: str = "full"
    height: Range = (0.28, 0.6)
    centred: float = 0.5
    rotation: float = 4
    perspective: float = 0
    gradient: Range = (0, 0.15)
    shadow: Range = (0, 0)
    shadow_edge: Range = (0.1, 0.4)
    glare: Range = (0, 0)
    exposure: Range = (0.85, 1)
    blur: Range = (0, 0.012)
    motion: Range = (0, 0)
    noise: Range = (1, 3)
    quality: Range = (75, 92)
    around: str = "nothing"
    desk: bool = False
    note: bool = False
    pen_lies: bool = False
    medium: str = "photo"


_HARD = Condition(
    grounds=("lined", "squared", "crumpled", "newspaper", "coloured"),
    height=(0.18, 0.45),
    centred=0.2,
    rotation=12,
    perspective=0.08,
    gradient=(0.1, 0.4),
    shadow=(0.2, 0.45),
    shadow_edge=(0.01, 0.2),
    exposure=(0.55, 0.95),
    blur=(0.01, 0.03),
    noise=(3, 9),
    quality=(30, 75),
)

CONDITIONS: dict[str, Condition] = {
    "plain": Condition(),
    "lined": Condition(grounds=("lined",)),
    "squared": Condition(grounds=("squared",)),
    "crumpled": Condition(grounds=("crumpled",)),
    "whiteboard": Condition(
        grounds=("whiteboard",), ink="marker", pen_width=(0.07, 0.14), gradient=(0.1, 0.3), glare=(0.1, 0.35)
    ),
    "blackboard": Condition(
        grounds=("blackboard",), ink="chalk", pen_width=(0.07, 0.14), gradient=(0.1, 0.3)
    ),
    "coloured paper": Condition(grounds=("coloured",)),
    "pencil": Condition(ink="pencil", pen_width=(0.05, 0.09)),
    "thin pen": Condition(pen_width=(0.018, 0.035)),
    "thick marker": Condition(ink="marker", pen_width=(0.15, 0.19)),
    "coloured ink": Condition(ink="coloured"),
    "soft shadow": Condition(gradient=(0.2, 0.4), shadow=(0.25, 0.55), shadow_edge=(0.1, 0.4)),
    "hard shadow": Condition(gradient=(0, 0.2), shadow=(0.25, 0.55), shadow_edge=(0.005, 0.03)),
    "low light": Condition(exposure=(0.22, 0.45), gradient=(0.1, 0.4), noise=(6, 13), blur=(0.005, 0.02)),
    "perspective": Condition(perspective=0.13, rotation=6),
    "rotated": Condition(rotation=16),
    "defocus": Condition(blur=(0.03, 0.055)),
    "motion": Condition(motion=(0.06, 0.14)),
    "jpeg": Condition(quality=(8, 22)),
    "tiny": Condition(height=(0.05, 0.09), centred=0),
    "corner": Condition(height=(0.15, 0.3), centred=0),
    "desk": Condition(
        desk=True, grounds=("plain", "lined", "coloured"), height=(0.18, 0.35), perspective=0.05
    ),
    "newspaper": Condition(grounds=("newspaper",)),
    "screen": Condition(medium="screen", noise=(0, 0), rotation=0),
    "transparent": Condition(medium="transparent", rotation=0),
    "enlarged": Condition(medium="enlarged"),
    "hard": _HARD,
}
"""The named conditions, from the easiest to everything at once."""


UNUSUAL: dict[str, Condition] = {
    "dark lines": Condition(grounds=("dark_lined",), pen_width=(0.07, 0.13), perspective=0.03),
    "dark squares": Condition(grounds=("dark_squared",), pen_width=(0.07, 0.13), perspective=0.03),
    "outlined": Condition(ink="marker", pen_width=(0.14, 0.19), stroke="outlined"),
    "faded": Condition(ink="marker", pen_width=(0.14, 0.19), stroke="faded"),
    "turned": Condition(rotation=25),
    "boxed": Condition(around="box", height=(0.2, 0.35)),
    "circled": Condition(around="circle", height=(0.2, 0.35)),
    "underlined": Condition(around="line", height=(0.2, 0.4)),
    "note": Condition(grounds=("plain", "lined", "coloured"), desk=True, note=True, height=(0.15, 0.25)),
    "pen on it": Condition(pen_lies=True, height=(0.2, 0.4)),
}
"""Conditions that few photos are taken under; they are measured and not trained on."""


@dataclass(frozen=True, slots=True, eq=False)
class Shot:
    """A picture and where in it the writing is."""

    photo: Photo
    box: Box


def photograph(
    writing: Writing, condition: Condition, rng: np.random.Generator, size: Size | None = None
) -> Photo:
    """A picture of the writing, uint8 (H, W, 3) or, where the ground is transparent, (H, W, 4)."""
    return shoot(writing, condition, rng, size).photo


def shoot(writing: Writing, condition: Condition, rng: np.random.Generator, size: Size | None = None) -> Shot:
    """A picture of the writing, with its box.

    Args:
        writing: what the picture shows.
        condition: one of `CONDITIONS`, or one's own.
        rng: everything that is random comes from here.
        size: (H, W); None picks one of `SIZES`.
    """
    if size is None:
        size = SIZES[rng.integers(len(SIZES))]
    if condition.medium == "enlarged":
        return _enlarged(writing, size, rng)
    if condition.medium in ("screen", "transparent"):
        return _drawn_on_screen(writing, condition, size, rng)
    return _photographed(writing, condition, size, rng)


def encode(photo: Photo, condition: Condition, rng: np.random.Generator) -> bytes:
    """The file: JPEG of the condition's quality; PNG where the picture never saw a camera."""
    buffer = io.BytesIO()
    if condition.medium == "photo":
        Image.fromarray(photo).save(buffer, "JPEG", quality=round(rng.uniform(*condition.quality)))
    else:
        Image.fromarray(photo).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def take(writing: Writing, condition: Condition, rng: np.random.Generator, size: Size | None = None) -> bytes:
    """`photograph` and `encode`: the file that a user would send."""
    return encode(photograph(writing, condition, rng, size), condition, rng)


def _inked(
    writing: Writing, condition: Condition, size: Size, rng: np.random.Generator
) -> tuple[Mask, float]:
    """The ink at the condition's size, smaller where it would not fit, and a digit's height in pixels."""
    height = rng.uniform(*condition.height) * min(size)
    pen_width = None if condition.pen_width is None else rng.uniform(*condition.pen_width)
    ink = writing.ink(height, pen_width)
    fit = min(0.8 * size[0] / ink.shape[0], 0.8 * size[1] / ink.shape[1])
    if fit < 1:
        height *= fit
        ink = writing.ink(height, pen_width)
    return _stroked(ink, condition.stroke, height), height


def _stroked(ink: Mask, stroke: str, height: float) -> Mask:
    """The ink of full strokes with its outline alone, or with a fading middle."""
    if stroke == "full":
        return ink
    line = max(2, round(0.025 * height))
    if stroke == "outlined":
        padded = cv2.copyMakeBorder(ink, *(line + 1,) * 4, cv2.BORDER_CONSTANT, value=0)
        round_pen = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * line + 1, 2 * line + 1))
        return np.asarray(cv2.subtract(cv2.dilate(padded, round_pen), padded), np.uint8)
    inside = cv2.distanceTransform((ink > 127).astype(np.uint8), cv2.DIST_L2, 5)
    return np.asarray(ink * (1 - 0.5 * np.clip(inside / line - 1, 0, 1)), np.uint8)


def _placed(ink: Mask, size: Size, centred: float, border: tuple[int, int], rng: np.random.Generator) -> Mask:
    """The ink somewhere on an empty canvas of ``size`` that is ``border`` larger on each side."""
    canvas = np.zeros((size[0] + 2 * border[0], size[1] + 2 * border[1]), np.uint8)
    place = []
    for axis in (0, 1):
        room = size[axis] - ink.shape[axis]
        distance = min(room / 2, 0.06 * size[axis])  # from the photo's edge
        middle = room / 2 + (1 - centred) * rng.uniform(-1, 1) * (room / 2 - distance)
        place.append(border[axis] + max(0, round(middle)))
    canvas[place[0] : place[0] + ink.shape[0], place[1] : place[1] + ink.shape[1]] = ink
    return canvas


def _photographed(writing: Writing, condition: Condition, size: Size, rng: np.random.Generator) -> Shot:
    """Ground, ink, view, light, lens and sensor, in this order."""
    ink, height = _inked(writing, condition, size, rng)
    if condition.around != "nothing":
        ink = _drawn_around(ink, condition.around, height, rng)
    moves = condition.rotation > 0 or condition.perspective > 0 or condition.desk
    border = (round(MARGIN * size[0]), round(MARGIN * size[1])) if moves else (0, 0)
    mask = _placed(ink, size, condition.centred, border, rng)

    ground_name = condition.grounds[rng.integers(len(condition.grounds))]
    spacing = max(6.0, height * rng.uniform(0.7, 1.8))
    page = GROUNDS[ground_name](mask.shape[:2], rng, spacing)
    _lay_ink(page, mask, condition.ink, height, rng)
    box = _box_of(mask, np.eye(3))
    if condition.desk:
        page = _on_desk(page, border, box if condition.note else None, spacing, rng)
    if condition.pen_lies:
        _lay_pen(page, box, rng)
    if moves:
        view = _view(size, border, condition, rng)
        page = np.asarray(
            cv2.warpPerspective(page, view, size[::-1], borderMode=cv2.BORDER_REPLICATE), np.float32
        )
        box = _box_of(mask, view)

    page *= _light(size, condition, rng)[..., None]
    if condition.glare[1]:
        page += _glare(size, rng.uniform(*condition.glare), rng)[..., None]
    page *= rng.uniform(*condition.exposure) * rng.uniform(0.92, 1.0, 3).astype(np.float32)  # white balance
    return Shot(_sensed(_blurred(page, condition, height, rng), rng.uniform(*condition.noise), rng), box)


def _lay_ink(page: Ground, mask: Mask, kind: str, height: float, rng: np.random.Generator) -> None:
    """Put ink on the page: pencil and chalk catch on its grain, pens vary a little in density."""
    rows, columns = np.flatnonzero(mask.max(axis=1)), np.flatnonzero(mask.max(axis=0))
    place = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    cover = mask[place].astype(np.float32) / 255
    size = cover.shape[0], cover.shape[1]
    if kind in ("pencil", "chalk"):
        grain = paper.clouds(size, rng, max(4, round(max(size) / max(1.5, height / 60))))
        roughness = rng.uniform(0.1, 0.25)
        cover *= np.clip(0.85 + roughness * grain, 0.25, 1)
    else:
        cover *= np.clip(0.95 + 0.05 * paper.clouds(size, rng, 8), 0.7, 1)
    colours = INKS[kind]
    colour = np.array(colours[rng.integers(len(colours))], np.float32)
    page[place] += cover[..., None] * (colour - page[place])


def _drawn_around(ink: Mask, what: str, height: float, rng: np.random.Generator) -> Mask:
    """The ink (h, w) with a box or a circle around it or a line under it, clear of it and larger than it."""
    pen = max(2, round(rng.uniform(0.02, 0.08) * height))
    gap = round(rng.uniform(0.1, 0.4) * height) + pen
    aside = round(0.25 * max(ink.shape)) + gap if what == "circle" else gap
    drawn = np.pad(ink, aside)
    bottom, right = drawn.shape[0] - pen, drawn.shape[1] - pen
    if what == "box":
        cv2.rectangle(drawn, (pen, pen), (right, bottom), 255, pen, cv2.LINE_AA)
    elif what == "circle":
        middle = drawn.shape[1] // 2, drawn.shape[0] // 2
        cv2.ellipse(drawn, middle, (middle[0] - pen, middle[1] - pen), 0, 0, 360, 255, pen, cv2.LINE_AA)
    else:
        slope = round(rng.uniform(-0.04, 0.04) * height)
        cv2.line(drawn, (pen, bottom - max(0, slope)), (right, bottom + min(0, slope)), 255, pen, cv2.LINE_AA)
    return drawn


def _lay_pen(page: Ground, box: Box, rng: np.random.Generator) -> None:
    """A pen on the page, on that side of the writing which has more room."""
    height, width = page.shape[:2]
    low, high = (0, box.left) if box.left > width - box.right else (box.right, width)
    x = low + (high - low) * rng.uniform(0.4, 0.6)
    lean = rng.uniform(-0.05, 0.05) * width
    ends = [(round(x + sign * lean), round((0.5 + sign * 0.3) * height)) for sign in (-1, 1)]
    colour = rng.uniform(0.02, 0.6, 3).tolist()
    cv2.line(page, ends[0], ends[1], colour, round(rng.uniform(0.03, 0.05) * min(height, width)), cv2.LINE_AA)


def _on_desk(
    page: Ground, border: tuple[int, int], writing: Box | None, spacing: float, rng: np.random.Generator
) -> Ground:
    """The page cut to a sheet and laid on a desk.

    Its edges are inside the photo at one to four sides; of a note they are near the writing.
    """
    size = page.shape[0], page.shape[1]
    ground = paper.desk(size, rng, spacing)
    if writing is None:
        (top, bottom), (left, right) = _sheet(size, border, rng)
    else:
        (top, bottom), (left, right) = _note(size, writing, rng)
    shadow = max(2, round(0.012 * max(size)))
    ground[top + shadow : bottom + shadow, left + shadow : right + shadow] *= 0.6
    ground[top:bottom, left:right] = page[top:bottom, left:right]
    return ground


def _sheet(size: Size, border: tuple[int, int], rng: np.random.Generator) -> list[tuple[int, int]]:
    """First and last row, and first and last column, of a sheet that nearly fills the photo."""
    inside = [(border[axis], size[axis] - border[axis]) for axis in (0, 1)]
    sheet = []
    for low, high in inside:
        reach = 0.11 * (high - low)
        sheet.append((round(low + rng.uniform(-0.6, 1) * reach), round(high - rng.uniform(-0.6, 1) * reach)))
    return sheet


def _note(size: Size, writing: Box, rng: np.random.Generator) -> list[tuple[int, int]]:
    """First and last row, and first and last column, of a note around the writing."""
    height = writing.bottom - writing.top
    note = []
    for axis, (low, high) in enumerate(((writing.top, writing.bottom), (writing.left, writing.right))):
        before, behind = rng.uniform(0.4, 1.2, 2) * height
        note.append((max(0, round(low - before)), min(size[axis], round(high + behind))))
    return note


def _box_of(mask: Mask, view: NDArray[np.float64]) -> Box:
    """What encloses the ink in the photo, once the canvas is seen through the (3, 3) homography ``view``."""
    outlines, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    points = np.concatenate(outlines).astype(np.float64)
    left, top, width, height = cv2.boundingRect(cv2.perspectiveTransform(points, view).astype(np.float32))
    return Box(left, top, left + width, top + height)


def _view(
    size: Size, border: tuple[int, int], condition: Condition, rng: np.random.Generator
) -> NDArray[np.float64]:
    """(3, 3) homography from canvas to photo: rotated about the middle, corners shifted by perspective."""
    height, width = size
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float64)
    middle = corners.mean(axis=0)
    angle = np.deg2rad(rng.uniform(-condition.rotation, condition.rotation))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    on_page = (corners - middle) @ turn.T + middle + (border[1], border[0])
    on_page += rng.uniform(-condition.perspective, condition.perspective, (4, 2)) * (width, height)
    view = cv2.getPerspectiveTransform(on_page.astype(np.float32), corners.astype(np.float32))
    return np.asarray(view, np.float64)


def _light(size: Size, condition: Condition, rng: np.random.Generator) -> NDArray[np.float32]:
    """(H, W) light: a gradient, less towards the corners, and a shadow with a straight or round edge."""
    low = max(2, size[0] // 4), max(2, size[1] // 4)
    y, x = paper.grid(low)
    angle = rng.uniform(0, 2 * np.pi)
    light = 1 + rng.uniform(*condition.gradient) * (np.cos(angle) * x + np.sin(angle) * y - 0.5)
    light = light - rng.uniform(0, 0.3) * (x * x + y * y)
    depth = rng.uniform(*condition.shadow)
    if depth:
        angle, offset = rng.uniform(0, 2 * np.pi), rng.uniform(-0.25, 0.25)
        curve = rng.choice((0.0, rng.uniform(-1.5, 1.5)))
        across, along = np.cos(angle) * x + np.sin(angle) * y, np.cos(angle) * y - np.sin(angle) * x
        edge = rng.uniform(*condition.shadow_edge)
        light = light * (1 - depth / (1 + np.exp(-4 * (across + curve * along * along - offset) / edge)))
    full = cv2.resize(light.astype(np.float32), size[::-1], interpolation=cv2.INTER_LINEAR)
    return np.asarray(full, np.float32)


def _glare(size: Size, strength: float, rng: np.random.Generator) -> NDArray[np.float32]:
    """(H, W) light of a lamp that the ground reflects: one or two soft spots."""
    low = max(2, size[0] // 8), max(2, size[1] // 8)
    y, x = paper.grid(low)
    glare = np.zeros(low, np.float32)
    for _ in range(rng.integers(1, 3)):
        (dy, dx), (height, width) = rng.uniform(-0.4, 0.4, 2), rng.uniform(0.04, 0.18, 2)
        glare += strength * np.exp(-(((y - dy) / height) ** 2) - ((x - dx) / width) ** 2)
    return np.asarray(cv2.resize(glare, size[::-1], interpolation=cv2.INTER_LINEAR), np.float32)


def _blurred(page: Ground, condition: Condition, height: float, rng: np.random.Generator) -> Ground:
    """The lens out of focus, then the camera moved."""
    deviation = rng.uniform(*condition.blur) * height
    if deviation > 0.3:
        page = np.asarray(cv2.GaussianBlur(page, (0, 0), deviation), np.float32)
    length = rng.uniform(*condition.motion) * height
    if length > 1:
        side = 2 * int(np.ceil(length / 2)) + 1
        kernel = np.zeros((side, side), np.uint8)
        angle, middle = rng.uniform(0, np.pi), side / 2 - 0.5
        step = length / 2 * np.array([np.cos(angle), np.sin(angle)])
        ends = (np.array([middle - step, middle + step]) * 16).astype(int).tolist()
        cv2.line(kernel, ends[0], ends[1], 255, 1, cv2.LINE_AA, 4)
        page = np.asarray(cv2.filter2D(page, -1, kernel.astype(np.float32) / kernel.sum()), np.float32)
    return page


def _sensed(page: Ground, noise: float, rng: np.random.Generator) -> Photo:
    """0..1 -> uint8 with noise: mostly of brightness, a third as much of colour and in larger spots."""
    size = page.shape[0], page.shape[1]
    values = page * np.float32(255)
    if noise:
        values += (noise * paper.fine_noise(size, rng))[..., None]
        half = (size[0] + 1) // 2, (size[1] + 1) // 2
        spots = np.stack([paper.fine_noise(half, rng) for _ in range(3)], axis=2)
        values += cv2.resize(spots * np.float32(noise / 3), size[::-1], interpolation=cv2.INTER_LINEAR)
    return np.asarray(np.clip(values + 0.5, 0, 255), np.uint8)


def _drawn_on_screen(writing: Writing, condition: Condition, size: Size, rng: np.random.Generator) -> Shot:
    """A drawing program's picture: one colour on another, or ink on a transparent ground."""
    ink, _ = _inked(writing, condition, size, rng)
    mask = _placed(ink, size, condition.centred, (0, 0), rng)
    box = _box_of(mask, np.eye(3))
    if condition.medium == "transparent":
        picture = np.zeros((*size, 4), np.uint8)
        picture[..., :3] = 255 if rng.random() < 0.3 else 0
        picture[..., 3] = mask
        return Shot(picture, box)
    dark = rng.uniform(0, 70, 3) if rng.random() < 0.6 else np.zeros(3)
    light = rng.uniform(170, 255, 3) if rng.random() < 0.6 else np.full(3, 255.0)
    share = mask[..., None] / np.float32(255)
    return Shot(np.asarray(dark + share * (light - dark) + 0.5, np.uint8), box)


def _enlarged(writing: Writing, size: Size, rng: np.random.Generator) -> Shot:
    """A small picture (28 x 28 for one digit), in either polarity, made 4 to 16 times larger."""
    ink = writing.ink(20, None)
    sides = [max(4, (28 - length) // 2) for length in ink.shape]
    small = np.pad(ink, [(side, side) for side in sides])
    if rng.random() < 0.5:
        small = 255 - small
    factor = max(1, round(rng.uniform(0.3, 0.9) * min(size[0] / small.shape[0], size[1] / small.shape[1])))
    way = (cv2.INTER_NEAREST, cv2.INTER_LINEAR, cv2.INTER_CUBIC)[rng.integers(3)]
    large = cv2.resize(small, None, fx=factor, fy=factor, interpolation=way)
    top, left = (factor * side for side in sides)
    box = Box(left, top, left + factor * ink.shape[1], top + factor * ink.shape[0])
    return Shot(np.repeat(np.asarray(large, np.uint8)[..., None], 3, axis=2), box)


@dataclass(frozen=True, slots=True)
class SamplePhoto:
    """A photo to try the bot with.

    Attributes:
        digits: what it shows.
        jpeg: the file.
    """

    digits: str
    jpeg: bytes = field(repr=False)


SAMPLE_CONDITIONS = (
    "plain",
    "lined",
    "squared",
    "pencil",
    "desk",
    "soft shadow",
    "coloured ink",
    "thick marker",
)


def sample_photos(count: int, seed: int, size: Size = (480, 640)) -> list[SamplePhoto]:
    """Photos of drawn digits and, every fourth, of a number; the same for the same seed."""
    samples = []
    for index in range(count):
        rng = np.random.default_rng([seed, index])
        condition = CONDITIONS[SAMPLE_CONDITIONS[index % len(SAMPLE_CONDITIONS)]]
        pen = Pen(rng.uniform(0.06, 0.12))
        if index % 4 == 3:
            digits = "".join(str(digit) for digit in rng.integers(0, 10, 3))
            lines = handwriting.write_number(digits, Hand.random(rng, pen), rng)
            condition = replace(condition, height=(0.3, 0.4))
        else:
            digit = int(rng.integers(10))
            digits = str(digit)
            shape = handwriting.choose_shape(DIGITS[digit], rng)
            lines = handwriting.write(shape, Hand.random(rng, pen), rng)
        samples.append(SamplePhoto(digits, take(DrawnWriting(lines), condition, rng, size)))
    return samples
