"""Untrusted bytes -> an upright picture at working size; the only place that opens bytes from outside.

Formats are told by content, never by name. Pillow's own limits are too wide (a WebP of 38 bytes takes
1.1 GB), so sizes are judged from the header before anything is decoded, big JPEGs are reduced while they are
decoded, everything else in strips, and whatever a decoder raises becomes one of our errors. Run it in a
process that can be killed.
"""

import io
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, PngImagePlugin, UnidentifiedImageError
from PIL.JpegImagePlugin import JpegImageFile

from model.errors import (
    BrokenPhotoError,
    PhotoTooLargeError,
    UnknownFormatError,
    UnreadablePhotoError,
    UnsupportedFormatError,
)
from model.vision.page import Box
from model.vision.picture import Picture

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF")
"""The allow-list. No MPO: it has no opener of its own (they open as JPEG); naming it breaks the others."""

PngImagePlugin.MAX_TEXT_MEMORY = 1 << 20
"""Bytes of all texts in a PNG, unpacked; Pillow keeps up to 64 MB of them."""

_ORIENTATION = 0x0112
_TRANSPOSITIONS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""EXIF orientation -> what turns the stored picture upright (EXIF 2.32, 4.6.4 A)."""

_JPEG_MARKER = re.compile(rb"\xff[^\x00\x01\xd0-\xd7\xff]")
"""A marker that a segment's length follows, or the end of the picture: no stuffed byte of a scan's data, and
none of the markers that stand alone (ITU-T T.81, table B.1)."""
_START_OF_SCAN, _END_OF_PICTURE = 0xDA, 0xD9


@dataclass(frozen=True, slots=True)
class DecodeLimits:
    """What is refused before decoding, and how large the result is.

    Attributes:
        file_bytes: the size of the file.
        pixels: width times height.
        baseline_jpeg_pixels: the same for baseline JPEGs, which are reduced while they are decoded.
        jpeg_coefficients: of a JPEG that is decoded only when all of it is there, as it is progressive or has
            scans of single components; its decoder holds two bytes of each.
        webp_pixels: the same as ``pixels`` for WebP, whose decoder holds several copies of the canvas.
        heic_pixels: the same for HEIC, where pillow-heif is installed.
        side: the longer side in pixels.
        scans: of a JPEG; a file of 200 kB that repeats its last scan 4,000 times holds a core for 46 s.
        working_side: the longer side of the result has this many pixels, where the photo has them, and less
            than twice as many.
    """

    file_bytes: int = 20 << 20
    pixels: int = 25_000_000
    baseline_jpeg_pixels: int = 60_000_000
    jpeg_coefficients: int = 60_000_000
    webp_pixels: int = 6_400_000
    heic_pixels: int = 16_000_000
    side: int = 20_000
    scans: int = 100
    working_side: int = 480


DEFAULT_LIMITS = DecodeLimits()


def decode(data: bytes, limits: DecodeLimits = DEFAULT_LIMITS) -> Picture:
    """The photo's first frame, upright, at working size.

    Raises:
        UnreadablePhotoError: one of its kinds says why the bytes are not read.
    """
    if len(data) > limits.file_bytes:
        raise PhotoTooLargeError(f"{len(data)} bytes, at most {limits.file_bytes}")
    with _our_errors():
        image = _open_heif(data, limits) if _is_iso_media(data) else _open(data, limits)
        return _picture(image, limits)


@contextmanager
def _our_errors() -> Iterator[None]:
    """Whatever a decoder raises -> `UnreadablePhotoError`; damaged bytes raise nearly anything."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            yield
    except UnreadablePhotoError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning, MemoryError) as exc:
        raise PhotoTooLargeError(str(exc) or "not enough memory") from exc
    except UnidentifiedImageError as exc:
        raise UnknownFormatError(f"none of {', '.join(FORMATS)}") from exc
    except Exception as exc:
        raise BrokenPhotoError(f"{type(exc).__name__}: {exc}") from exc


def _is_iso_media(data: bytes) -> bool:
    """Whether the bytes are an ISO base media file, as HEIC and AVIF are (ISO/IEC 14496-12, 4.3)."""
    return data[4:8] == b"ftyp" and _iso_format(data) is not None


def _iso_format(data: bytes) -> str | None:
    brands = data[8:12], *(data[at : at + 4] for at in range(16, min(64, int.from_bytes(data[:4])), 4))
    if any(brand in {b"avif", b"avis"} for brand in brands):
        return "AVIF"
    if any(
        brand in {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"} for brand in brands
    ):
        return "HEIC"
    return None


def _open_heif(data: bytes, limits: DecodeLimits) -> Image.Image:
    """HEIC where the optional pillow-heif is installed; it turns the photo upright itself."""
    format_name = _iso_format(data)
    assert format_name is not None  # _is_iso_media
    if format_name != "HEIC" or find_spec("pillow_heif") is None:
        raise UnsupportedFormatError(format_name)
    import pillow_heif  # noqa: PLC0415 - optional

    opened = pillow_heif.open_heif(io.BytesIO(data), convert_hdr_to_8bit=True)
    _check_pixels(opened.size, limits.heic_pixels, limits)
    image: Image.Image = opened.to_pillow()
    return image


def _open(data: bytes, limits: DecodeLimits) -> Image.Image:
    """The opened image, nothing decoded yet."""
    scans = _scans(data) if data.startswith(b"\xff\xd8") else []
    if len(scans) > limits.scans:
        raise BrokenPhotoError(f"{len(scans)} scans, at most {limits.scans}")
    image = Image.open(io.BytesIO(data), formats=FORMATS)
    _check_pixels(image.size, _most_pixels(image, scans, limits), limits)
    return image


def _scans(data: bytes) -> list[int]:
    """How many components each scan of a JPEG's first picture has (ITU-T T.81, B.2.3).

    A thumbnail before it or a phone's video behind it does not count.
    """
    scans, at = [], 2
    while marker := _JPEG_MARKER.search(data, at):
        kind, segment = data[marker.end() - 1], data[marker.end() : marker.end() + 3]
        if kind == _END_OF_PICTURE:
            break
        if kind == _START_OF_SCAN:
            scans.append(int.from_bytes(segment[2:]))
        at = marker.end() + int.from_bytes(segment[:2])
    return scans


def _most_pixels(image: Image.Image, scans: list[int], limits: DecodeLimits) -> int:
    """How many pixels of an opened image's kind are decoded."""
    if image.format == "WEBP":
        return limits.webp_pixels
    if not isinstance(image, JpegImageFile):
        return limits.pixels
    if not image.info.get("progressive") and scans[:1] == [len(image.layer)]:
        return limits.baseline_jpeg_pixels
    return min(limits.pixels, int(limits.jpeg_coefficients / _coefficients_per_pixel(image)))


def _coefficients_per_pixel(image: JpegImageFile) -> float:
    """Of all components: 1.5 where colour is halved both ways, 3 where it is not (ITU-T T.81, A.1.1)."""
    _, across, down, _ = zip(*image.layer, strict=True)
    return float(np.dot(across, down) / (max(across) * max(down)))


def _check_pixels(size: tuple[int, int], most: int, limits: DecodeLimits) -> None:
    width, height = size
    if width * height > most:
        raise PhotoTooLargeError(f"{width}x{height} pixels, at most {most}")
    if max(size) > limits.side:
        raise PhotoTooLargeError(f"{width}x{height}, at most {limits.side} pixels a side")


def _picture(image: Image.Image, limits: DecodeLimits) -> Picture:
    """Decode, reduce, put on a ground and turn upright."""
    width, height = image.size
    orientation = _orientation(image)
    factor = max(1, max(width, height) // limits.working_side)
    image.draft("RGB", (-(-width // factor), -(-height // factor)))
    image.load()
    factor = max(1, max(image.size) // limits.working_side)
    pixels = _flat(image, factor)
    if orientation in _TRANSPOSITIONS:
        pixels = np.asarray(Image.fromarray(pixels).transpose(_TRANSPOSITIONS[orientation]))
    if orientation >= 5:
        width, height = height, width
    return Picture(np.array(pixels), width, height, Box(0, 0, width, height))


def _orientation(image: Image.Image) -> int:
    """The EXIF orientation, 1 (upright) .. 8; damaged EXIF data counts as upright."""
    try:
        orientation = image.getexif().get(_ORIENTATION, 1)
    except Exception:  # the EXIF parser raises nearly anything for damaged bytes
        return 1
    return orientation if orientation in _TRANSPOSITIONS else 1


def _flat(image: Image.Image, factor: int) -> NDArray[np.uint8]:
    """The image reduced ``factor`` times without transparency, uint8 (h, w) or (h, w, 3)."""
    if image.mode in {"I", "F"} or image.mode.startswith("I;16"):
        return _scaled_to_range(image, factor)
    has_alpha = image.mode in {"RGBA", "LA", "PA", "RGBa", "La"} or "transparency" in image.info
    if has_alpha:
        return _on_ground(_reduced(image, "RGBa", factor))
    return _reduced(image, "L" if image.mode in {"1", "L"} else "RGB", factor)


def _reduced(image: Image.Image, mode: str, factor: int) -> NDArray[np.uint8]:
    """The image in another mode, averaged over squares of ``factor`` pixels; strip by strip."""
    if factor == 1 and image.mode == mode:
        return np.asarray(image)
    strips = []
    for _, strip in _strips(image, factor):
        straight = strip.convert("RGBA") if mode == "RGBa" else strip
        strips.append(np.asarray(straight.convert(mode).reduce(factor)))
    return np.concatenate(strips)


def _strips(image: Image.Image, factor: int) -> Iterator[tuple[int, Image.Image]]:
    """Strips of some two million pixels, of multiples of ``factor`` rows, each with the row it begins at."""
    rows = factor * max(1, 2_000_000 // (image.width * factor))
    for top in range(0, image.height, rows):
        yield top, image.crop((0, top, image.width, min(top + rows, image.height)))


def _on_ground(premultiplied: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """RGBa (h, w, 4) -> RGB on the ground that its ink stands out from.

    A drawing on transparent ground has one colour; it goes on white, or on black where it is light itself.
    A photo with transparent corners has ink and paper; it goes on its own median colour.
    """
    colour, alpha = premultiplied[..., :3].astype(np.float32), premultiplied[..., 3:].astype(np.float32) / 255
    opaque = alpha[..., 0] > alpha.max() / 2  # also a pen that is half transparent itself
    ground = np.full(3, 255, np.float32)
    if opaque.any() and not opaque.all():
        seen = colour[opaque] / alpha[opaque]
        lightness = seen.mean(axis=1)
        spread = np.percentile(lightness, 98) - np.percentile(lightness, 2)
        if spread > 96 and opaque.mean() > 0.4:
            ground = np.median(seen, axis=0)
        elif np.median(lightness) > 127:
            ground = np.zeros(3, np.float32)
    return np.clip(colour + (1 - alpha) * ground, 0, 255).astype(np.uint8)


def _scaled_to_range(image: Image.Image, factor: int) -> NDArray[np.uint8]:
    """16-bit, 32-bit and float images -> uint8 (h, w), from their darkest to their lightest value."""
    array = _array(image)
    size = max(1, image.width // factor), max(1, image.height // factor)
    if array.dtype != np.uint16:
        array = array.astype(np.float32)
    values = np.asarray(cv2.resize(array, size, interpolation=cv2.INTER_AREA), np.float32)
    values = np.nan_to_num(values, nan=0, posinf=0, neginf=0)
    low, high = float(values.min()), float(values.max())
    return ((values - low) * (255 / max(high - low, 1e-12))).astype(np.uint8)


def _array(image: Image.Image) -> NDArray[Any]:
    """All pixels of a picture of one channel; in strips, as Pillow makes two copies of what it gives away."""
    pixel = np.asarray(image.crop((0, 0, 1, 1)))
    array = np.empty((image.height, image.width), pixel.dtype)
    for top, strip in _strips(image, 1):
        array[top : top + strip.height] = strip
    return array
