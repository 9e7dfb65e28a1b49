"""Bytes from outside: what is read, what is refused, and that nothing else happens."""

import io
import struct
import time
import zlib

import numpy as np
import pytest
from PIL import Image, ImageOps
from PIL.PngImagePlugin import PngInfo

from model.errors import (
    BrokenPhotoError,
    PhotoTooLargeError,
    UnknownFormatError,
    UnreadablePhotoError,
    UnsupportedFormatError,
)
from model.vision.decode import DecodeLimits, decode
from tests.model.vision.pictures import encoded, ink_of, on_paper

PAGE = on_paper(ink_of(7))


def png_header(width: int, height: int) -> bytes:
    """A PNG that claims a size and holds next to nothing."""
    header = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(b"\0" * 99)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )


def long_texts(count: int) -> PngInfo:
    texts = PngInfo()
    for number in range(count):
        texts.add_text(f"text {number}", "a" * 500_000, zip=True)
    return texts


def repeated_last_scan(times: int) -> bytes:
    """A progressive JPEG whose last scan comes again and again."""
    data = encoded(PAGE, "JPEG", progressive=True)
    last = data.rindex(b"\xff\xda")
    return data[:last] + data[last:-2] * times + data[-2:]


@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "WEBP", "BMP", "GIF"])
def test_a_photo_of_each_format_on_the_list_is_read(image_format: str) -> None:
    picture = decode(encoded(PAGE, image_format))

    assert (picture.width, picture.height) == (320, 240)
    grey = picture.pixels if picture.pixels.ndim == 2 else picture.pixels.mean(axis=2)
    assert np.abs(grey - PAGE.astype(float)).mean() < 3


@pytest.mark.parametrize(
    "data",
    [b"", b"hello", b"\xff\xd8\xff", b"%PDF-1.7", b"<svg xmlns='http://www.w3.org/2000/svg'/>", bytes(5000)],
)
def test_what_is_no_image_is_refused_as_such(data: bytes) -> None:
    with pytest.raises(UnreadablePhotoError):
        decode(data)


@pytest.mark.parametrize("image_format", ["TIFF", "PPM", "ICO", "TGA", "PCX"])
def test_formats_that_are_not_on_the_list_are_unknown(image_format: str) -> None:
    with pytest.raises(UnknownFormatError):
        decode(encoded(Image.fromarray(PAGE).convert("RGB"), image_format))


@pytest.mark.parametrize(("brand", "name"), [(b"heic", "HEIC"), (b"mif1", "HEIC"), (b"avif", "AVIF")])
def test_photos_of_iphones_are_recognised(brand: bytes, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("model.vision.decode.find_spec", lambda name: None)  # as without pillow-heif
    with pytest.raises(UnsupportedFormatError) as refused:
        decode(b"\0\0\0\x18ftyp" + brand + b"\0\0\0\0mif1" + bytes(100))

    assert refused.value.format == name


def test_heic_is_read_where_pillow_heif_is_installed() -> None:
    pillow_heif = pytest.importorskip("pillow_heif", reason="pillow-heif is not installed")
    pillow_heif.register_heif_opener()
    data = encoded(Image.fromarray(PAGE).convert("RGB"), "HEIF", quality=90)

    picture = decode(data)

    assert (picture.width, picture.height) == (320, 240)
    assert ((picture.pixels.mean(axis=2) < 128) == (PAGE < 128)).mean() > 0.97


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_exif_orientation_comes_out_upright(orientation: int) -> None:
    stored = Image.fromarray(PAGE)
    backwards = {1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 6: 8, 7: 7, 8: 6}[orientation]
    exif = Image.Exif()
    exif[0x0112] = backwards
    stored.getexif()[0x0112] = backwards
    turned = ImageOps.exif_transpose(stored)
    exif[0x0112] = orientation

    picture = decode(encoded(turned, "PNG", exif=exif))

    assert (picture.width, picture.height) == (320, 240)
    np.testing.assert_array_equal(picture.pixels, PAGE)


def test_damaged_exif_data_does_not_refuse_the_photo() -> None:
    data = encoded(Image.fromarray(PAGE), "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff\xff")

    assert decode(data).pixels.shape == (240, 320)


@pytest.mark.parametrize(("pen", "ground_is_light"), [(0, True), (255, False)])
def test_a_drawing_on_transparent_ground_stands_out(pen: int, ground_is_light: bool) -> None:
    alpha = on_paper(ink_of(3), paper=0, pen=255)
    drawing = np.dstack([np.full((*alpha.shape, 3), pen, np.uint8), alpha])

    pixels = decode(encoded(drawing)).pixels

    assert (pixels[0, 0] == (255 if ground_is_light else 0)).all()
    assert np.abs(pixels[..., 0].astype(int) - pixels[0, 0, 0]).max() == 255


@pytest.mark.parametrize("pen", [0, 255])
def test_a_pen_that_is_half_transparent_stands_out(pen: int) -> None:
    alpha = (on_paper(ink_of(3), paper=0, pen=255) * 0.45).astype(np.uint8)
    drawing = np.dstack([np.full((*alpha.shape, 3), pen, np.uint8), alpha])

    pixels = decode(encoded(drawing)).pixels[..., 0].astype(int)

    assert np.abs(pixels - pixels[0, 0]).max() > 100


def test_ink_with_its_own_alpha_in_grey_stands_out() -> None:
    alpha = on_paper(ink_of(3), paper=0, pen=255)
    drawing = Image.merge("LA", [Image.new("L", (320, 240), 0), Image.fromarray(alpha)])

    assert decode(encoded(drawing)).pixels.std() > 20


def test_sixteen_bits_are_scaled_by_their_real_range() -> None:
    deep = (PAGE.astype(np.uint16) * 9 + 1000).astype(np.uint16)

    pixels = decode(encoded(Image.fromarray(deep))).pixels

    assert pixels.min() == 0
    assert pixels.max() == 255


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "CMYK", "YCbCr"])
def test_every_mode_shows_the_same_picture(mode: str) -> None:
    image = Image.fromarray(PAGE).convert("RGB").convert(mode)
    data = encoded(image, "JPEG" if mode in {"CMYK", "YCbCr"} else "PNG")

    pixels = decode(data).pixels
    grey = pixels if pixels.ndim == 2 else pixels.mean(axis=2)
    assert ((grey < 128) == (PAGE < 128)).mean() > 0.9  # one bit is dithered


def test_only_the_first_frame_is_read() -> None:
    first, second = Image.fromarray(PAGE), Image.new("L", (320, 240), 0)

    data = encoded(first, "GIF", save_all=True, append_images=[second] * 3)

    assert decode(data).pixels.mean() > 200


def test_a_large_jpeg_is_reduced_while_it_is_decoded() -> None:
    page = on_paper(ink_of(5, 900), size=(3000, 4000))

    picture = decode(encoded(page, "JPEG"))

    assert max(picture.pixels.shape) < 1280
    assert (picture.width, picture.height, picture.scale) == (4000, 3000, 4000 / picture.pixels.shape[1])


@pytest.mark.parametrize("image_format", ["PNG", "WEBP", "GIF"])
def test_other_large_pictures_are_averaged(image_format: str) -> None:
    page = on_paper(ink_of(5, 500), size=(1500, 2000))

    picture = decode(encoded(page, image_format, **({"lossless": True} if image_format == "WEBP" else {})))

    assert max(picture.pixels.shape) == 500
    assert picture.pixels.mean() == pytest.approx(page.mean(), abs=2)


@pytest.mark.parametrize(
    "data",
    [
        png_header(30_000, 30_000),
        png_header(13_000, 13_000),
        png_header(25_000, 10),
        encoded(PAGE, pnginfo=long_texts(3)),
        b"RIFF\x1e\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0" + (11_999).to_bytes(3, "little") * 2,
    ],
)
def test_bombs_are_refused_at_once(data: bytes) -> None:
    started = time.process_time()
    with pytest.raises(UnreadablePhotoError):
        decode(data)
    assert time.process_time() - started < 1


def test_a_flood_of_scans_is_refused_at_once() -> None:
    started = time.process_time()
    with pytest.raises(BrokenPhotoError, match="scans"):
        decode(repeated_last_scan(4000))
    assert time.process_time() - started < 1


def test_a_flood_of_scans_in_a_video_behind_a_jpeg_or_a_thumbnail_before_it_is_none_of_its_own() -> None:
    data, scans = encoded(PAGE, "JPEG"), b"\xff\xda\x00\x02" * 200
    comment = b"\xff\xfe" + struct.pack(">H", len(scans) + 2) + scans

    assert decode(data[:2] + comment + data[2:] + scans).pixels.shape == (240, 320)


def test_an_ordinary_progressive_jpeg_is_read() -> None:
    assert decode(encoded(PAGE, "JPEG", progressive=True)).pixels.shape == (240, 320)


def test_a_png_may_hold_a_long_text() -> None:
    assert decode(encoded(PAGE, pnginfo=long_texts(2))).pixels.shape == (240, 320)


def one_component_of_three(side: int) -> bytes:
    """A baseline JPEG in colour whose only scan is of its lightness."""
    data = encoded(Image.new("L", (side, side), 200), "JPEG")
    frame = data.index(b"\xff\xc0")
    size, component = data[frame + 4 : frame + 9], data[frame + 11 : frame + 13]
    components = b"".join(bytes([number]) + component for number in (1, 2, 3))
    return data[:frame] + b"\xff\xc0\0\x11" + size + b"\3" + components + data[frame + 13 :]


def test_a_jpeg_of_a_scan_for_each_component_is_refused_for_its_coefficients() -> None:
    assert decode(one_component_of_three(4400)).width == 4400
    with pytest.raises(PhotoTooLargeError, match="at most 20000000"):
        decode(one_component_of_three(4500))


def test_a_progressive_jpeg_is_refused_for_its_coefficients() -> None:
    page = Image.new("RGB", (4500, 4500), "white")
    quartered, whole = (
        encoded(page, "JPEG", progressive=True, subsampling=way) for way in ("4:2:0", "4:4:4")
    )

    assert decode(quartered).width == 4500
    with pytest.raises(PhotoTooLargeError, match="at most 20000000"):
        decode(whole)


def test_more_bytes_than_allowed_are_not_looked_at() -> None:
    with pytest.raises(PhotoTooLargeError):
        decode(bytes(101), DecodeLimits(file_bytes=100))


@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "GIF", "BMP", "WEBP"])
def test_a_file_cut_short_is_broken(image_format: str) -> None:
    data = encoded(PAGE, image_format)

    with pytest.raises(UnreadablePhotoError):
        decode(data[: len(data) // 2])


def test_damaged_bytes_raise_nothing_but_our_errors() -> None:
    rng = np.random.default_rng(0)
    small = Image.fromarray(PAGE).resize((64, 48)).convert("RGB")
    files = [encoded(small, name) for name in ("JPEG", "PNG", "WEBP", "BMP", "GIF")]
    for _ in range(400):
        data = bytearray(files[rng.integers(len(files))])
        for _ in range(rng.integers(1, 12)):
            data[rng.integers(len(data))] = rng.integers(256)
        start, end = sorted(rng.integers(0, len(data), 2))
        if rng.random() < 0.3:
            del data[start : min(end, start + 40)]
        try:
            picture = decode(bytes(data))
        except UnreadablePhotoError:
            continue
        assert picture.pixels.dtype == np.uint8


def test_nothing_of_the_file_is_kept() -> None:
    exif = Image.Exif()
    exif[0x010E] = "taken at home"
    buffer = io.BytesIO()
    Image.fromarray(PAGE).save(buffer, "JPEG", exif=exif)

    picture = decode(buffer.getvalue())

    assert picture.pixels.base is None
