"""Held-out pictures that every candidate is judged on: plain, in random hands, and photographed.

Plain MNIST alone is blind to people who teach a wrong label for unusual shapes, since it has next to none of
these. The seeded renderings in random hands (`styles`) have them. All renderings of one picture share its
source number, and
the gate resamples sources: two pictures of one source are no two witnesses.
"""

import hashlib
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import safetensors
import safetensors.numpy
from numpy.typing import NDArray

from model.learning import camera_glyphs
from model.learning.examples import Examples
from model.learning.styles import Style
from model.learning.writing import MnistWriting
from model.vision.page import PREPROCESSING_VERSION

PLAIN, STYLED, PHOTOGRAPHED = "plain", "styled", "photographed"
SEED = 2026
RENDERING_VERSION = 2
"""Changes with every change of the styles or the camera that changes the renderings."""
STYLE_STRENGTH = 1.2
"""So unusual that the shipped network errs on some 7 %: where it hardly errs, nothing shows."""
RENDERINGS = 2
"""Hands of each held-out picture."""

Progress = Callable[[float], None]
"""Told how much is done, 0..1."""


@dataclass(frozen=True, slots=True, eq=False)
class Holdout:
    """Pictures that nothing is trained on.

    Attributes:
        name: `PLAIN`, `STYLED` or `PHOTOGRAPHED`.
        images: uint8 (N, 28, 28), ink bright.
        labels: uint8 (N,).
        sources: int64 (N,) the number of the picture that each one was rendered from.
    """

    name: str
    images: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    sources: NDArray[np.int64]


def plain(examples: Examples) -> Holdout:
    """The held-out pictures as they are."""
    return Holdout(PLAIN, examples.images, examples.labels, np.arange(len(examples.labels)))


def styled(
    examples: Examples, seed: int, renderings: int = 1, progress: Progress = lambda _: None
) -> Holdout:
    """Every picture in ``renderings`` random hands, a new hand for each."""
    images: list[NDArray[np.uint8]] = []
    for rendering in range(renderings):
        for source, (image, label) in enumerate(zip(examples.images, examples.labels, strict=True)):
            style = Style.random(np.random.default_rng([seed, source, rendering]), STYLE_STRENGTH)
            images.append(style.write(image, int(label)))
            progress(len(images) / (renderings * len(examples)))
    sources = np.tile(np.arange(len(examples)), renderings)
    return Holdout(STYLED, np.stack(images), np.tile(examples.labels, renderings), sources)


def photographed(examples: Examples, seed: int, count: int, progress: Progress = lambda _: None) -> Holdout:
    """The first ``count`` pictures through camera and vision; what vision does not find is left out."""
    images, sources = [], []
    for source in range(min(count, len(examples))):
        rng = np.random.default_rng([seed, source])
        glyph = camera_glyphs.photographed(MnistWriting([examples.images[source]]), rng)
        if glyph is not None:
            images.append(glyph)
            sources.append(source)
        progress((source + 1) / min(count, len(examples)))
    chosen = np.array(sources, np.int64)
    stacked = np.array(images, np.uint8).reshape(-1, 28, 28)
    return Holdout(PHOTOGRAPHED, stacked, examples.labels[chosen], chosen)


def render(examples: Examples, photos: int, progress: Progress) -> tuple[Holdout, ...]:
    """All that candidates are judged on, made from held-out pictures; equal pictures give equal holdouts."""
    in_hands = styled(examples, SEED, RENDERINGS, progress=lambda done: progress(done / 3))
    in_photos = photographed(examples, SEED, photos, lambda done: progress((1 + 2 * done) / 3))
    return plain(examples), in_hands, in_photos


def load_or_render(examples: Examples, photos: int, folder: Path, progress: Progress) -> tuple[Holdout, ...]:
    """As `render`, keeping the renderings in a file of this folder: they take longer than judging by them.

    The file is named after all that they depend on. One that cannot be read or written is done without.
    """
    digest = hashlib.sha256(examples.images.tobytes() + examples.labels.tobytes()).hexdigest()[:12]
    path = folder / f"holdouts-{digest}-{photos}-{RENDERING_VERSION}.{PREPROCESSING_VERSION}.safetensors"
    try:
        return plain(examples), *_unpack(safetensors.numpy.load(path.read_bytes()))
    except (OSError, KeyError, safetensors.SafetensorError):
        made = render(examples, photos, progress)
    with suppress(OSError):
        _write(path, safetensors.numpy.save(_pack(made[1:])))
    return made


def _pack(made: tuple[Holdout, ...]) -> dict[str, NDArray[np.generic]]:
    return {
        f"{holdout.name}.{name}": getattr(holdout, name)
        for holdout in made
        for name in ("images", "labels", "sources")
    }


def _unpack(tensors: dict[str, NDArray[np.generic]]) -> tuple[Holdout, ...]:
    return tuple(
        Holdout(
            name,
            np.asarray(tensors[f"{name}.images"], np.uint8),
            np.asarray(tensors[f"{name}.labels"], np.uint8),
            np.asarray(tensors[f"{name}.sources"], np.int64),
        )
        for name in (STYLED, PHOTOGRAPHED)
    )


def _write(path: Path, data: bytes) -> None:
    """Whole or not at all, also when two processes do it at once."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
        file.write(data)
    Path(file.name).replace(path)
