"""Pictures as Telegram keeps them: JPEG in a few sizes, upright, without metadata."""

import io
from collections.abc import Callable
from dataclasses import dataclass

from PIL import Image, ImageOps

from bot.localchat.errors import BadRequestError

BOXES = (90, 320, 800, 1280)
"""The longest side of each size, in pixels; a photo has those that are smaller than itself, and one more."""

QUALITY = 87
FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF")
MAXIMUM_BYTES = 10 << 20
MAXIMUM_PIXELS = 80_000_000
MAXIMUM_SIDES = 10_000
MAXIMUM_RATIO = 20
INVALID_DIMENSIONS = "PHOTO_INVALID_DIMENSIONS"
THUMBNAIL_BOX = 320


@dataclass(frozen=True)
class Rendition:
    """One size of a picture."""

    width: int
    height: int
    data: bytes  # JPEG


def sizes(data: bytes) -> list[Rendition]:
    """A photo's sizes, smallest first.

    Raises:
        BadRequestError: it is no picture, or one of proportions that Telegram refuses.
    """
    if len(data) > MAXIMUM_BYTES:
        raise BadRequestError("file is too big")
    picture = _upright(data, _check_dimensions)
    longest = max(picture.size)
    boxes = [box for box in BOXES if box < longest]
    if longest <= BOXES[-1]:
        boxes.append(longest)
    return [_fit(picture, box) for box in boxes]


def shrink(data: bytes, box: int = BOXES[-1]) -> bytes:
    """The picture as a Telegram app sends it: JPEG, at most ``box`` pixels long."""
    return _fit(_upright(data), box).data


def thumbnail(data: bytes) -> Rendition | None:
    """A small picture of a file, None for what is no picture."""
    try:
        return _fit(_upright(data), THUMBNAIL_BOX)
    except BadRequestError:
        return None


def _check_pixels(picture: Image.Image) -> None:
    if picture.width * picture.height > MAXIMUM_PIXELS:
        raise BadRequestError(INVALID_DIMENSIONS)


def _check_dimensions(picture: Image.Image) -> None:
    longest, shortest = max(picture.size), min(picture.size)
    if longest + shortest > MAXIMUM_SIDES or longest > MAXIMUM_RATIO * shortest:
        raise BadRequestError(INVALID_DIMENSIONS)


def _upright(data: bytes, check: Callable[[Image.Image], None] = _check_pixels) -> Image.Image:
    """The pixels as a person sees them, RGB: turned as EXIF says, transparent parts white.

    ``check`` sees the picture in its full size, of which no pixel is decoded yet.
    """
    try:
        picture: Image.Image = Image.open(io.BytesIO(data), formats=FORMATS)
        check(picture)
        picture.draft("RGB", (2 * BOXES[-1], 2 * BOXES[-1]))
        upright = ImageOps.exif_transpose(picture)
        if upright.has_transparency_data:
            layer = upright.convert("RGBA")
            upright = Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer)
        return upright.convert("RGB")
    except BadRequestError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as exc:
        raise BadRequestError(INVALID_DIMENSIONS) from exc
    except Exception as exc:  # Pillow raises what it likes at broken files
        raise BadRequestError("IMAGE_PROCESS_FAILED") from exc


def _fit(picture: Image.Image, box: int) -> Rendition:
    fitted = picture
    if max(picture.size) > box:
        scale = box / max(picture.size)
        size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
        fitted = picture.resize(size, Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    fitted.save(buffer, "JPEG", quality=QUALITY)
    return Rendition(fitted.width, fitted.height, buffer.getvalue())
