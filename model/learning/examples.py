"""Glyphs with their labels."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from model.errors import DataError

NO_DIGIT = 10
"""The label of what is not one digit, for networks that tell it (`judging`)."""


@dataclass(frozen=True, slots=True, eq=False)
class Examples:
    """Images that go to a network, and what they show.

    Attributes:
        images: uint8 (N, 28, 28), ink bright.
        labels: uint8 (N,), the digits 0..9, or `NO_DIGIT`.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.uint8]

    def __post_init__(self) -> None:
        if self.images.shape != (len(self.labels), 28, 28):
            raise DataError(f"expected ({len(self.labels)}, 28, 28) images, got {self.images.shape}")
        if len(self.labels) and self.labels.max() > NO_DIGIT:
            raise DataError(f"expected labels 0..{NO_DIGIT}, got {self.labels.max()}")

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def pixels(self) -> NDArray[np.float32]:
        """(N, 784) float32 in 0..1, as networks take them."""
        return self.images.reshape(-1, 784).astype(np.float32) / np.float32(255)

    def take(self, indices: NDArray[np.integer] | slice) -> Self:
        """The examples at these indices."""
        return type(self)(self.images[indices], self.labels[indices])

    def split(self, first: int) -> tuple[Self, Self]:
        """The first so many, and the rest."""
        return self.take(slice(None, first)), self.take(slice(first, None))

    @classmethod
    def concatenate(cls, parts: Iterable[Self]) -> Self:
        """All parts, one after the other."""
        together = list(parts)
        return cls(
            np.concatenate([part.images for part in together]),
            np.concatenate([part.labels for part in together]),
        )
