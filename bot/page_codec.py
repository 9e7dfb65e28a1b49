"""Pages as bytes on their way out of a decoder process: JSON and raw pixels, nothing that could run code.

What decoded a hostile file is not to be trusted, so the other side checks every shape and length.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.vision.page import Box, Glyph, Group, Line, Measurements, Page

Pixels = NDArray[np.uint8]


class PageFormatError(ValueError):
    """The bytes are no page."""


def encode(page: Page) -> bytes:
    """What `decode` takes: the length of the JSON in 4 bytes, the JSON, then the pixels of all arrays."""
    glyphs = [
        glyph
        for line in page.lines
        for group in line.groups
        for alternative in group.alternatives
        for glyph in alternative
    ]
    header = {
        "size": [page.width, page.height],
        "measurements": asdict(page.measurements),
        "preview": page.preview.shape,
        "ink": page.ink.shape,
        "lines": [
            [
                {
                    "ways": [[_edges(glyph.box) for glyph in way] for way in group.alternatives],
                    "priors": group.priors,
                }
                for group in line.groups
            ]
            for line in page.lines
        ],
    }
    text = json.dumps(header).encode()
    arrays = [page.preview, page.ink, *(glyph.pixels for glyph in glyphs)]
    return b"".join([len(text).to_bytes(4), text, *(array.tobytes() for array in arrays)])


def decode(data: bytes) -> Page:
    """The page. Raises `PageFormatError` where the bytes are none."""
    try:
        length = int.from_bytes(data[:4])
        header = json.loads(data[4 : 4 + length])
        return _page(header, _Arrays(data, 4 + length))
    except (ValueError, KeyError, TypeError, RecursionError) as exc:
        raise PageFormatError(str(exc)) from exc


def _edges(box: Box) -> tuple[int, int, int, int]:
    return box.left, box.top, box.right, box.bottom


class _Arrays:
    """Takes one uint8 array after the other from bytes."""

    def __init__(self, data: bytes, start: int) -> None:
        self._data, self._at = data, start

    def take(self, *shape: int) -> Pixels:
        """The next array; a copy, so that it does not keep the bytes alive."""
        count = int(np.prod(shape))
        if any(side < 0 for side in shape) or self._at + count > len(self._data):
            raise PageFormatError(f"no {shape} left")
        array = np.frombuffer(self._data, np.uint8, count, self._at).reshape(shape).copy()
        self._at += count
        return array


def _page(header: Mapping[str, Any], arrays: _Arrays) -> Page:
    width, height = (int(side) for side in header["size"])
    preview_height, preview_width, channels = (int(side) for side in header["preview"])
    if channels != 3:
        raise PageFormatError(f"a preview has 3 channels, not {channels}")
    ink_height, ink_width = (int(side) for side in header["ink"])
    preview = arrays.take(preview_height, preview_width, 3)
    ink = arrays.take(ink_height, ink_width)
    lines = tuple(Line(tuple(_group(group, arrays) for group in line)) for line in header["lines"])
    return Page(width, height, lines, _measurements(header["measurements"]), preview, ink)


def _group(group: Mapping[str, Any], arrays: _Arrays) -> Group:
    ways = tuple(
        tuple(Glyph(Box(*map(int, edges)), arrays.take(28, 28)) for edges in way) for way in group["ways"]
    )
    priors = tuple(float(prior) for prior in group["priors"])
    if priors and len(priors) != len(ways):
        raise PageFormatError(f"{len(priors)} priors for {len(ways)} ways")
    return Group(ways, priors)


def _measurements(values: Mapping[str, Any]) -> Measurements:
    return Measurements(
        contrast=float(values["contrast"]),
        ink_share=float(values["ink_share"]),
        inner_ink=float(values["inner_ink"]),
        sharpness=float(values["sharpness"]),
        marks=int(values["marks"]),
        digit_sized_marks=int(values["digit_sized_marks"]),
        touches_edge=bool(values["touches_edge"]),
        light_on_dark=bool(values["light_on_dark"]),
    )
