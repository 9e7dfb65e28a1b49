"""Pictures as Telegram keeps them."""

import io

import pytest
from PIL import Image

from bot.localchat import photos
from bot.localchat.errors import BadRequestError


def encoded(picture: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((1600, 1200), [(90, 68), (320, 240), (800, 600), (1280, 960)]),
        ((1280, 640), [(90, 45), (320, 160), (800, 400), (1280, 640)]),
        ((500, 400), [(90, 72), (320, 256), (500, 400)]),
        ((28, 28), [(28, 28)]),
        ((1, 1), [(1, 1)]),
        ((90, 5), [(90, 5)]),
    ],
)
def test_a_photo_has_the_sizes_of_its_boxes(size: tuple[int, int], expected: list[tuple[int, int]]) -> None:
    renditions = photos.sizes(encoded(Image.new("RGB", size, "white")))

    assert [(one.width, one.height) for one in renditions] == expected
    assert [Image.open(io.BytesIO(one.data)).size for one in renditions] == expected


def test_a_photo_is_turned_upright_and_loses_its_metadata() -> None:
    sideways = Image.new("L", (60, 40), 255)
    sideways.paste(0, (0, 0, 10, 40))  # a bar at the left, which a quarter turn brings to the top
    exif = Image.Exif()
    exif[0x0112] = 6  # Orientation: turn by 90 degrees clockwise to see it upright
    exif[0x010F] = "camera"

    (upright,) = photos.sizes(encoded(sideways, "JPEG", exif=exif))

    seen = Image.open(io.BytesIO(upright.data))
    assert seen.size == (40, 60)
    assert not seen.getexif()
    assert seen.convert("L").getpixel((20, 3)) < 60  # type: ignore[operator]
    assert seen.convert("L").getpixel((20, 50)) > 200  # type: ignore[operator]


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "1", "I;16", "CMYK"])
def test_every_mode_of_picture_becomes_jpeg(mode: str) -> None:
    picture = Image.new(mode, (40, 40))

    (only,) = photos.sizes(encoded(picture, "JPEG" if mode == "CMYK" else "PNG"))

    assert Image.open(io.BytesIO(only.data)).mode == "RGB"


def test_transparent_ground_becomes_white() -> None:
    (only,) = photos.sizes(encoded(Image.new("RGBA", (40, 40), (0, 0, 0, 0))))

    assert Image.open(io.BytesIO(only.data)).convert("L").getextrema() == (255, 255)


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
@pytest.mark.parametrize("size", [(5120, 5120), (9000, 1001), (2001, 100), (100, 2001), (14_000, 14_000)])
def test_pictures_too_large_or_too_thin_are_refused_as_telegram_does(
    size: tuple[int, int], kind: str
) -> None:
    picture = encoded(Image.new("L", size), kind)

    with pytest.raises(BadRequestError, match="PHOTO_INVALID_DIMENSIONS"):
        photos.sizes(picture)


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
@pytest.mark.parametrize("size", [(5000, 5000), (9000, 1000), (2000, 100), (100, 2000)])
def test_pictures_as_large_and_thin_as_telegram_takes_are_taken(size: tuple[int, int], kind: str) -> None:
    largest = photos.sizes(encoded(Image.new("L", size), kind))[-1]

    assert max(largest.width, largest.height) == min(1280, max(size))


def test_a_document_that_is_no_picture_has_no_thumbnail() -> None:
    assert photos.thumbnail(b"%PDF-1.7") is None


def test_an_app_makes_large_photos_smaller_before_it_sends_them() -> None:
    data = photos.shrink(encoded(Image.new("RGB", (3000, 2250), "white"), "JPEG"))

    assert Image.open(io.BytesIO(data)).size == (1280, 960)
