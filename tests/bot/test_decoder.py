"""Decoder processes: what they answer, what they survive, and what they do not know."""

import asyncio
import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from PIL import Image

from bot import page_codec
from bot.decoder import DecoderPool, DecoderTimeoutError
from bot.page_codec import PageFormatError
from model.errors import BrokenPhotoError, PhotoTooLargeError, UnknownFormatError, UnsupportedFormatError
from model.vision.finding import read_page
from tests.model.vision.pictures import encoded, ink_of, on_paper
from tests.model.vision.test_decode import repeated_last_scan

PAPER = Image.fromarray(on_paper(ink_of(7)))
PHOTO = encoded(PAPER, "JPEG")


@pytest.fixture(scope="module")
def pool() -> Iterator[DecoderPool]:
    with DecoderPool(1) as pool:
        yield pool


def decoder_processes() -> list[psutil.Process]:
    return [child for child in psutil.Process().children() if "bot.decoder_process" in child.cmdline()]


def seconds_worked() -> float:
    """Processor time of all decoders, which does not depend on what else the machine does."""
    times = [process.cpu_times() for process in decoder_processes()]
    return float(sum(one.user + one.system for one in times))


def test_a_page_comes_out_as_vision_found_it(pool: DecoderPool) -> None:
    page, expected = pool.read_page_now(PHOTO), read_page(PHOTO)

    assert page_codec.encode(page) == page_codec.encode(expected)
    np.testing.assert_array_equal(page.preview, expected.preview)
    assert page.measurements == expected.measurements


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"no photo", UnknownFormatError),
        (PHOTO[: len(PHOTO) // 2], BrokenPhotoError),
        (repeated_last_scan(4000), BrokenPhotoError),
        (b"\0\0\0\x18ftypheic" + bytes(64), UnsupportedFormatError),
        (bytes(21 << 20), PhotoTooLargeError),
    ],
)
def test_what_cannot_be_read_is_refused_within_two_seconds(
    pool: DecoderPool, data: bytes, error: type[Exception]
) -> None:
    pool.read_page_now(PHOTO)
    before = seconds_worked()
    with pytest.raises(error):
        pool.read_page_now(data)
    assert seconds_worked() - before < 2


def test_a_killed_decoder_is_replaced_and_its_photo_read(pool: DecoderPool) -> None:
    pool.read_page_now(PHOTO)
    for process in decoder_processes():
        os.kill(process.pid, signal.SIGKILL)

    assert pool.read_page_now(PHOTO).lines


def test_a_decoder_that_takes_too_long_is_killed() -> None:
    others = set(decoder_processes())
    with DecoderPool(1, seconds=0.2) as pool:
        pool.read_page_now(PHOTO)
        (process,) = set(decoder_processes()) - others
        process.suspend()
        with pytest.raises(DecoderTimeoutError):
            pool.read_page_now(PHOTO)
        assert not process.is_running() or process.status() == psutil.STATUS_ZOMBIE

        assert pool.read_page_now(PHOTO).lines


def test_decoders_see_no_configuration_and_no_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIGITBOT_TELEGRAM__TOKEN", "123:secret")
    with DecoderPool(1) as pool:
        pool.read_page_now(PHOTO)
        environments = [process.environ() for process in decoder_processes()]

    assert not any("secret" in value for variables in environments for value in variables.values())


@pytest.mark.skipif(not Path("/proc").exists(), reason="only Linux limits the memory of a process")
def test_the_memory_of_a_decoder_is_limited() -> None:
    with DecoderPool(1, memory=1 << 30) as pool:
        pool.read_page_now(PHOTO)
        limits = [process.rlimit(psutil.RLIMIT_AS) for process in decoder_processes()]

    assert (1 << 30, 1 << 30) in limits


@pytest.mark.skipif(not Path("/proc").exists(), reason="only Linux tells the most memory that was taken")
@pytest.mark.parametrize(
    ("image_format", "mode", "side", "options"),
    [
        ("PNG", "RGBA", 5000, {"compress_level": 1}),
        ("PNG", "I;16", 5000, {"compress_level": 1}),
        ("GIF", "P", 5000, {}),
        ("JPEG", "RGB", 7745, {"subsampling": 0}),
        ("JPEG", "RGB", 4472, {"subsampling": 0, "progressive": True}),
        ("JPEG", "CMYK", 3872, {"progressive": True}),
        ("WEBP", "RGBA", 2529, {"lossless": True, "quality": 0, "method": 0}),
        ("WEBP", "RGBA", 2529, {"lossless": True, "quality": 0, "method": 0, "save_all": True}),
    ],
)
def test_the_largest_photo_of_each_kind_takes_less_than_150_megabytes(
    image_format: str, mode: str, side: int, options: dict[str, Any]
) -> None:
    image, second = Image.new(mode, (side, side)), Image.new(mode, (side, side))
    image.paste(PAPER.convert(mode))
    data = encoded(image, image_format, append_images=[second], **options)  # it counts with save_all alone
    others = set(decoder_processes())
    with DecoderPool(1, seconds=60) as pool:
        pool.read_page_now(PHOTO)
        (process,) = set(decoder_processes()) - others
        before = process.memory_info().rss

        page = pool.read_page_now(data.ljust(pool.file_bytes, b"\0"))

        assert (page.width, page.height) == (side, side)
        assert most_memory(process) - before < 150e6


def most_memory(process: psutil.Process) -> int:
    """Bytes that a process has had in memory at most."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    (kilobytes,) = re.findall(r"VmHWM:\s+(\d+) kB", status)
    return 1024 * int(kilobytes)


async def test_photos_are_decoded_beside_the_event_loop(pool: DecoderPool) -> None:
    pages = await asyncio.gather(*(pool.read_page(PHOTO) for _ in range(4)))

    assert all(len(page.lines) == 1 for page in pages)


@pytest.mark.parametrize("damage", [b"", b"\0\0\0\x02{}", b"\xff\xff\xff\xff", b"\0\0\0\x05[1,2]rest"])
def test_what_is_no_page_is_not_taken_for_one(damage: bytes) -> None:
    with pytest.raises(PageFormatError):
        page_codec.decode(damage)


def test_a_page_cut_short_is_no_page() -> None:
    whole = page_codec.encode(read_page(PHOTO))

    with pytest.raises(PageFormatError):
        page_codec.decode(whole[:-1])
