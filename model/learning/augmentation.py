"""Augmentation: varied copies of a batch of glyphs, as other hands and imperfect photos would give.

A `Recipe` says how strong each transformation is. Geometry (rotation, shear, scale, shift, elastic
distortion) is one warp with one bilinear sampling, so that it blurs once; what follows changes strokes and
grey values. All images of a batch lie under one another in a tall sheet with margins, so that each filter is
one OpenCV call.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any, Self

import cv2
import numpy as np
from numpy.typing import NDArray

Images = NDArray[np.float32]
"""(N, 28, 28), 0..1, ink bright."""

SIZE = 28
MARGIN = 2  # empty pixels around each image of a sheet: filters of radius 2 or less do not reach a neighbour
TILE = SIZE + 2 * MARGIN
SHEET_IMAGES = 512  # OpenCV's remap addresses at most 32,767 rows


@dataclass(frozen=True, slots=True)
class Recipe:
    """How strong each transformation is; 0 leaves it out.

    Attributes:
        rotation: largest angle either way, in degrees.
        shear: largest horizontal shift per row (slant), as a tangent.
        scale: largest change of size, as a share; width and height vary together and, half as much, apart.
        shift: largest shift in each direction, in pixels.
        elastic: standard deviation of a smooth random displacement, in pixels (Simard et al. 2003, "Best
            practices for convolutional neural networks applied to visual document analysis").
        stroke_width: largest share of one pixel by which strokes grow or shrink on each side.
        blur: largest share of a blurred copy (binomial, 5x5) mixed in.
        gamma: largest change of the tone curve, as the natural logarithm of its exponent.
        gain: largest loss of brightness of the ink, as a share.
        noise: largest standard deviation of added noise.
        ruled_line: share of the images that get a faint rest of a ruled line.
        gap: share of the images whose strokes are cut where a ruled line was taken out.
        speck: share of the images that get one to three specks.
        cut_off: share of the images that lose some pixels at one side of the ink.
    """

    rotation: float = 0.0
    shear: float = 0.0
    scale: float = 0.0
    shift: float = 0.0
    elastic: float = 0.0
    stroke_width: float = 0.0
    blur: float = 0.0
    gamma: float = 0.0
    gain: float = 0.0
    noise: float = 0.0
    ruled_line: float = 0.0
    gap: float = 0.0
    speck: float = 0.0
    cut_off: float = 0.0

    def times(self, strength: float) -> Self:
        """The same recipe with every amount multiplied."""
        return replace(self, **{name: strength * getattr(self, name) for name in TRANSFORMATIONS})

    def only(self, transformation: str) -> Self:
        """A recipe with this transformation alone, as strong as here."""
        return type(self)(**{transformation: getattr(self, transformation)})


TRANSFORMATIONS: tuple[str, ...] = tuple(field.name for field in fields(Recipe))
"""The names of all transformations, in the order in which they are applied."""

MILD = Recipe(rotation=12, shear=0.15, scale=0.12, shift=2, elastic=0.5, stroke_width=0.4, gamma=0.2)
"""For MNIST itself: variations that its own writers show; stronger ones cost accuracy on its test images."""

PHOTO = Recipe(
    rotation=13, shear=0.22, scale=0.14, shift=2, elastic=0.6, stroke_width=0.75, blur=0.5, gamma=0.4,
    gain=0.12, noise=0.05, ruled_line=0.04, gap=0.03, speck=0.04, cut_off=0.02,
)  # fmt: skip
"""For photos: besides other hands, what finding and normalising ink in a photo leaves behind."""


def augment(
    images: Images, rng: np.random.Generator, strength: float = 1.0, recipe: Recipe = PHOTO
) -> Images:
    """A varied copy of each image, (N, 28, 28) in 0..1; every amount of the recipe times ``strength``."""
    recipe = recipe.times(strength)
    varied = np.empty(images.shape, np.float32)
    for start in range(0, len(images), SHEET_IMAGES):
        part = images[start : start + SHEET_IMAGES]
        for apply, names in _STEPS:
            if any(getattr(recipe, name) for name in names):
                part = apply(part, rng, recipe)
        np.clip(part, 0, 1, out=varied[start : start + SHEET_IMAGES])
    return varied


def _sheet(images: Images) -> Images:
    """(N, 28, 28) -> (N * TILE, TILE): all images under one another, with margins."""
    sheet = np.zeros((len(images), TILE, TILE), np.float32)
    sheet[:, MARGIN:-MARGIN, MARGIN:-MARGIN] = images
    return sheet.reshape(-1, TILE)


def _images(sheet: NDArray[Any]) -> Images:
    """The inverse of `_sheet`."""
    images = sheet.reshape(-1, TILE, TILE)[:, MARGIN:-MARGIN, MARGIN:-MARGIN]
    return np.asarray(images, np.float32)


def _between(rng: np.random.Generator, limit: float, count: int) -> NDArray[np.float32]:
    """(count, 1, 1) uniform in -limit..limit."""
    return rng.uniform(-limit, limit, (count, 1, 1)).astype(np.float32)


def _up_to(rng: np.random.Generator, limit: float, count: int) -> NDArray[np.float32]:
    """(count, 1, 1) uniform in 0..limit."""
    return rng.uniform(0, limit, (count, 1, 1)).astype(np.float32)


def _chosen(rng: np.random.Generator, share: float, count: int) -> NDArray[np.intp]:
    """Indices of a random part of ``count`` images, each with probability ``share``."""
    return np.flatnonzero(rng.random(count) < share)


_AXIS = np.arange(SIZE, dtype=np.float32)
_CENTRED = _AXIS - (SIZE - 1) / 2


def _smoothing_basis(knots: int = 8, width: float = 1.0) -> NDArray[np.float32]:
    """(28, knots): Gaussian bumps that turn noise at the knots into a smooth field of variance 1."""
    centres = np.linspace(-0.5, SIZE - 0.5, knots)
    spacing = centres[1] - centres[0]
    basis = np.exp(-0.5 * ((_AXIS[:, None] - centres) / (width * spacing)) ** 2)
    return np.asarray(basis / np.sqrt((basis**2).sum(axis=1, keepdims=True)), np.float32)


_BASIS = _smoothing_basis()


def _warp(images: Images, rng: np.random.Generator, recipe: Recipe) -> Images:
    """Rotate, slant, scale, shift and distort in one bilinear sampling.

    Each pixel p of the result samples the source at ``A p + d(p)``, both relative to the centre.
    """
    n = len(images)
    angle = np.deg2rad(_between(rng, recipe.rotation, n))
    shear = _between(rng, recipe.shear, n)
    both, apart = _between(rng, recipe.scale, n), _between(rng, recipe.scale / 2, n)
    shift = rng.uniform(-recipe.shift, recipe.shift, (2, n, 1, 1)).astype(np.float32)
    inverse_width, inverse_height = np.exp(-both - apart), np.exp(-both + apart)  # (N, 1, 1)

    sine, cosine = np.sin(angle), np.cos(angle)
    x, y = _CENTRED[None, None, :], _CENTRED[None, :, None]
    rotated_x, rotated_y = cosine * x + sine * y, cosine * y - sine * x  # (N, 28, 28)
    source_x = inverse_width * (rotated_x + shear * rotated_y) + shift[0]
    source_y = inverse_height * rotated_y + shift[1]
    if recipe.elastic:
        knots = rng.standard_normal((2, n, _BASIS.shape[1], _BASIS.shape[1]), dtype=np.float32)
        displacement = recipe.elastic * (_BASIS @ knots @ _BASIS.T)  # (2, N, 28, 28)
        source_x += displacement[0]
        source_y += displacement[1]
    return _sample(images, source_x, source_y)


def _sample(images: Images, source_x: Images, source_y: Images) -> Images:
    """Bilinear values of each image at positions (N, 28, 28) relative to its centre; 0 outside."""
    centre = MARGIN + (SIZE - 1) / 2
    tops = TILE * np.arange(len(images), dtype=np.float32)[:, None, None]
    # One pixel outside the image all is empty, so clipped positions read 0 and never a neighbour.
    columns = np.clip(source_x + centre, 0, TILE - 1)
    rows = np.clip(source_y + centre, 0, TILE - 1) + tops
    sampled = cv2.remap(
        _sheet(images), columns.reshape(-1, SIZE), rows.reshape(-1, SIZE), cv2.INTER_LINEAR
    )  # (N * 28, 28)
    return np.asarray(sampled, np.float32).reshape(-1, SIZE, SIZE)


_CROSS = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))


def _stroke_width(images: Images, rng: np.random.Generator, recipe: Recipe) -> Images:
    """Grow or shrink strokes by a share of a pixel: a mixture with the largest or smallest of the neighbours.

    Shares above 1 repeat the filter. Thin strokes shrink less, so that no digit vanishes.
    """
    change = _between(rng, recipe.stroke_width, len(images))
    mass = images.mean(axis=(1, 2), keepdims=True)
    change = np.where(change < 0, change * np.clip(mass / 0.12, 0, 1) ** 2, change)
    while np.any(change):
        sheet = _sheet(images)
        grown, shrunk = _images(cv2.dilate(sheet, _CROSS)), _images(cv2.erode(sheet, _CROSS))
        share = np.clip(change, -1, 1)
        images = images + share.clip(min=0) * (grown - images) - share.clip(max=0) * (shrunk - images)
        change = change - share
    return images


def _blur(images: Images, rng: np.random.Generator, recipe: Recipe) -> Images:
    """Mix in a share of a blurred copy; above 1 all is the blurred copy."""
    share = np.minimum(_up_to(rng, recipe.blur, len(images)), 1)
    blurred = _images(cv2.GaussianBlur(_sheet(images), (5, 5), 1.0))
    return np.asarray(images + share * (blurred - images), np.float32)


def _tone(images: Images, rng: np.random.Generator, recipe: Recipe) -> Images:
    """Bend the tone curve (``x ** exponent``) and take some brightness from the ink."""
    exponent = np.exp(_between(rng, recipe.gamma, len(images)))
    gain = 1 - np.minimum(_up_to(rng, recipe.gain, len(images)), 0.9)
    return np.asarray(gain * np.power(np.clip(images, 0, 1), exponent), np.float32)


def _noise(images: Images, rng: np.random.Generator, recipe: Recipe) -> Images:
    """Add normal noise to half of the images; negative values are cut, as vision cuts the ground at 0."""
    chosen = _chosen(rng, 0.5, len(images))
    level = _up_to(rng, recipe.noise, len(chosen))
    noisy = images.copy()
    noisy[chosen] += level * rng.standard_normal((len(chosen), SIZE, SIZE), dtype=np.float32)
    return noisy


def _line_profile(rng: np.random.Generator, count: int, half_width: tuple[float, float]) -> Images:
    """(count, 28, 28) in 0..1: a soft, slightly tilted line through each image, one in four upright."""
    position = rng.uniform(-11, 11, (count, 1, 1)).astype(np.float32)
    slope = _between(rng, 0.1, count)
    width = rng.uniform(*half_width, (count, 1, 1)).astype(np.float32)
    distance = np.abs(_CENTRED[None, :, None] - position - slope * _CENTRED[None, None, :])
    lines = np.clip(0.5 + width - distance, 0, 1)
    upright = rng.random(count) < 0.25
    lines[upright] = lines[upright].transpose(0, 2, 1)
    return np.asarray(lines, np.float32)


def _ruled_line(images: Images, rng: np.random.Generator, recipe: Recipe) -> Images:
    """Leave pieces of a faint ruled line in some images."""
    chosen = _chosen(rng, recipe.ruled_line, len(images))
    lines = _line_profile(rng, len(chosen), (0.0, 0.6)) * rng.uniform(0.15, 0.8, (len(chosen), 1, 1))
    start, length = _between(rng, 14, len(chosen)), rng.uniform(4, 24, (len(chosen), 1, 1))
    along = _CENTRED[None, None, :]
    pieces = lines * ((along > start) & (along < start + length))
    changed = images.copy()
    changed[chosen] = np.maximum(changed[chosen], pieces)
    return changed


def _gap(images: Images, rng: np.random.Generator, recipe: Recipe) -> Images:
    """Cut the strokes of some images along a thin line, as taking out a ruled line can."""
    chosen = _chosen(rng, recipe.gap, len(images))
    lines = _line_profile(rng, len(chosen), (0.0, 0.5)) * rng.uniform(0.3, 0.9, (len(chosen), 1, 1))
    changed = images.copy()
    changed[chosen] *= 1 - lines
    return changed


def _speck(images: Images, rng: np.random.Generator, recipe: Recipe) -> Images:
    """Put one to three specks of half a pixel to two pixels into some images."""
    chosen = _chosen(rng, recipe.speck, len(images))
    changed = images.copy()
    for number in range(3):
        some = chosen[rng.random(len(chosen)) < (1.0 if number == 0 else 0.5)]
        centre = rng.uniform(-13, 13, (2, len(some), 1, 1)).astype(np.float32)
        radius = rng.uniform(0.2, 1.2, (len(some), 1, 1)).astype(np.float32)
        distance = np.hypot(_CENTRED[None, :, None] - centre[0], _CENTRED[None, None, :] - centre[1])
        specks = np.clip(0.5 + radius - distance, 0, 1) * rng.uniform(0.3, 1, (len(some), 1, 1))
        changed[some] = np.maximum(changed[some], specks)
    return changed


def _cut_off(images: Images, rng: np.random.Generator, recipe: Recipe) -> Images:
    """Lose one or two pixels of the ink at one of its four sides in some images."""
    chosen = _chosen(rng, recipe.cut_off, len(images))
    changed = images.copy()
    for index, side, depth in zip(
        chosen, rng.integers(0, 4, len(chosen)), rng.integers(1, 3, len(chosen)), strict=True
    ):
        turned = np.rot90(changed[index], side)  # a view: the chosen side is now on top
        inked = np.flatnonzero(turned.max(axis=1) > 0.2)
        if len(inked):
            turned[: inked[0] + depth] = 0
    return changed


_STEPS: tuple[tuple[Callable[[Images, np.random.Generator, Recipe], Images], tuple[str, ...]], ...] = (
    (_warp, ("rotation", "shear", "scale", "shift", "elastic")),
    (_stroke_width, ("stroke_width",)),
    (_blur, ("blur",)),
    (_tone, ("gamma", "gain")),
    (_noise, ("noise",)),
    (_ruled_line, ("ruled_line",)),
    (_gap, ("gap",)),
    (_speck, ("speck",)),
    (_cut_off, ("cut_off",)),
)
