"""A decoded photo at working size, and how its pixels lie in the full-size photo."""

from dataclasses import dataclass, replace
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

from model.errors import ShapeError
from model.vision.page import Box


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """An upright photo, or a part of it, at working size.

    Attributes:
        pixels: uint8 (h, w) of luminance or (h, w, 3) of red, green and blue.
        width, height: of the upright, full-size photo, in pixels.
        area: what `pixels` shows, in pixels of the full-size photo.
    """

    pixels: NDArray[np.uint8]
    width: int
    height: int
    area: Box

    @classmethod
    def from_array(cls, pixels: NDArray[np.uint8]) -> Self:
        """The picture whose full size is that of ``pixels``, (H, W) or (H, W, 3), uint8."""
        grey_or_rgb = pixels.ndim == 2 or (pixels.ndim == 3 and pixels.shape[2] == 3)
        if pixels.dtype != np.uint8 or not grey_or_rgb or pixels.size == 0:
            raise ShapeError(f"a picture is uint8 (H, W) or (H, W, 3), got {pixels.dtype} {pixels.shape}")
        height, width = pixels.shape[:2]
        return cls(pixels, width, height, Box(0, 0, width, height))

    @property
    def scale(self) -> float:
        """Pixels of the full-size photo to one pixel of this picture."""
        return (self.area.right - self.area.left) / int(self.pixels.shape[1])

    def reduced_to(self, longest: int) -> "Picture":
        """The same area with a longest side of at most ``longest`` pixels."""
        height, width = self.pixels.shape[:2]
        if max(height, width) <= longest:
            return self
        factor = longest / max(height, width)
        size = max(1, round(width * factor)), max(1, round(height * factor))
        pixels = np.asarray(cv2.resize(self.pixels, size, interpolation=cv2.INTER_AREA), np.uint8)
        return Picture(pixels, self.width, self.height, self.area)

    def part(self, box: Box) -> "Picture":
        """What ``box``, in pixels of this picture, shows."""
        pixels = np.ascontiguousarray(self.pixels[box.top : box.bottom, box.left : box.right])
        return replace(self, pixels=pixels, area=self.in_photo(box))

    def in_photo(self, box: Box) -> Box:
        """``box`` in pixels of this picture -> in pixels of the full-size photo, rounded outwards."""
        x, y = self.scale, (self.area.bottom - self.area.top) / self.pixels.shape[0]
        return Box(
            self.area.left + int(box.left * x),
            self.area.top + int(box.top * y),
            min(self.width, self.area.left + int(np.ceil(box.right * x))),
            min(self.height, self.area.top + int(np.ceil(box.bottom * y))),
        )
