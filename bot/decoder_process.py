"""What runs in a decoder process: photos come in through stdin, pages go out through stdout.

Started by `bot.decoder` as ``python -m bot.decoder_process MEMORY SECONDS BYTES``. Each message is 4 bytes
of length and that many bytes; an answer opens with one byte, `PAGE` or `ERROR`.
"""

import contextlib
import json
import resource
import sys
from typing import BinaryIO

import cv2

from bot import page_codec
from model.errors import ModelError, PhotoTooLargeError, UnsupportedFormatError
from model.heap import keep_freed_memory
from model.vision.decode import DecodeLimits
from model.vision.finding import read_page

READY, PAGE, ERROR = b"R", b"P", b"E"


def keep_working_memory() -> None:
    """Keep what pictures of working size took, and give back what whole photos did."""
    keep_freed_memory(largest=4 << 20, most=32 << 20)


def main(memory: int, seconds: int, file_bytes: int) -> None:
    """Answer until stdin ends, that is, until the bot closes it or dies."""
    cv2.setNumThreads(1)
    keep_working_memory()
    photos, pages = sys.stdin.buffer, sys.stdout.buffer
    sys.stdout = sys.stderr  # whatever prints must not mix with the answers
    _limit(memory)
    limits = DecodeLimits(file_bytes=file_bytes)
    _send(pages, READY)
    while (photo := _receive(photos)) is not None:
        _limit_cpu(seconds)
        _send(pages, _answer(photo, limits))


def _answer(photo: bytes, limits: DecodeLimits) -> bytes:
    try:
        return PAGE + page_codec.encode(read_page(photo, limits))
    except MemoryError:
        return _error(PhotoTooLargeError("not enough memory"))
    except ModelError as exc:
        return _error(exc)


def _error(error: ModelError) -> bytes:
    detail = error.format if isinstance(error, UnsupportedFormatError) else str(error)
    return ERROR + json.dumps([type(error).__name__, detail[:500]]).encode()


def _limit(memory: int) -> None:
    """No more than ``memory`` bytes, no core dumps, no files. macOS does not limit memory this way."""
    for kind, amount in ((resource.RLIMIT_AS, memory), (resource.RLIMIT_CORE, 0), (resource.RLIMIT_FSIZE, 0)):
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(kind, (amount, amount))


def _limit_cpu(seconds: int) -> None:
    """The system ends this process when it has used ``seconds`` more."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CPU, (int(used.ru_utime + used.ru_stime) + seconds + 1, hard))


def _receive(stream: BinaryIO) -> bytes | None:
    header = stream.read(4)
    if len(header) < 4:
        return None
    data = stream.read(int.from_bytes(header))
    return data if len(data) == int.from_bytes(header) else None


def _send(stream: BinaryIO, data: bytes) -> None:
    stream.write(len(data).to_bytes(4) + data)
    stream.flush()


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:4]))
