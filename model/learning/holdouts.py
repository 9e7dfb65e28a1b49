"""Held-out pictures that every candidate is judged on: plain, in random hands, and photographed.

Plain MNIST alone is blind to people who teach a wrong label for unusual shapes, since it has next to none of
these. The seeded renderings in random hands (`styles`) have them. All renderings of one picture share its
source number, and
the gate resamples sources: two pictures of one source are no two witnesses.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.learning.examples import Examples
from model.learning.styles import Style

PLAIN, STYLED, PHOTOGRAPHED = "plain", "styled", "photographed"
STYLE_STRENGTH = 0.8
"""Held-out hands are a little less unusual than those that the benchmark's simulated people have."""


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


def styled(examples: Examples, seed: int, renderings: int = 1) -> Holdout:
    """Every picture in ``renderings`` random hands, a new hand for each."""
    images = [
        Style.random(np.random.default_rng([seed, source, rendering]), STYLE_STRENGTH).write(
            image, int(label)
        )
        for rendering in range(renderings)
        for source, (image, label) in enumerate(zip(examples.images, examples.labels, strict=True))
    ]
    sources = np.tile(np.arange(len(examples.labels)), renderings)
    return Holdout(STYLED, np.stack(images), np.tile(examples.labels, renderings), sources)


def photographed(
    examples: Examples,
    photograph: Callable[[NDArray[np.uint8], np.random.Generator], NDArray[np.uint8] | None],
    seed: int,
    count: int,
) -> Holdout:
    """The first ``count`` pictures through camera and vision; where vision finds nothing they are left out.

    Args:
        examples: held-out pictures.
        photograph: (28, 28) -> the glyph that vision makes of a photo of it, or None.
        seed: of the conditions.
        count: how many.
    """
    images, sources = [], []
    for source in range(min(count, len(examples.labels))):
        glyph = photograph(examples.images[source], np.random.default_rng([seed, source]))
        if glyph is not None:
            images.append(glyph)
            sources.append(source)
    chosen = np.array(sources, np.int64)
    stacked = np.stack(images) if images else np.zeros((0, 28, 28), np.uint8)
    return Holdout(PHOTOGRAPHED, stacked, examples.labels[chosen], chosen)
