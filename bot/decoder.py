"""The pool of killable decoder processes: the only place where bytes from outside are decoded.

A thread cannot be stopped, so photos are decoded in processes of their own, with limits on memory,
processor and wall time. One that breaks them is killed and replaced, and its photo answered with an error.
They see no secrets (their environment holds none), their answers are data and never code (`page_codec`),
and each is renewed after some photos.
"""

import asyncio
import contextlib
import json
import queue
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import IO, Self

from bot import page_codec
from model import errors
from model.errors import PhotoTooLargeError, UnreadablePhotoError, UnsupportedFormatError
from model.vision.page import Page

_START_SECONDS = 60.0
_MOST_ANSWER_BYTES = 64 << 20
_ENVIRONMENT = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
"""All that a decoder sees of ours: no configuration, no secrets, and one thread for each process."""
_KINDS: dict[str, type[UnreadablePhotoError]] = {
    kind.__name__: kind
    for kind in (
        errors.UnreadablePhotoError,
        errors.UnknownFormatError,
        errors.PhotoTooLargeError,
        errors.BrokenPhotoError,
    )
}


class DecoderTimeoutError(UnreadablePhotoError):
    """The photo took too long and its decoder was killed."""


class DecoderCrashedError(UnreadablePhotoError):
    """The decoder died of the photo."""


class DecoderPool:
    """Processes that turn photos into pages; processes are started when they are first needed.

    Args:
        processes: photos decoded at the same time.
        memory: bytes that one process may take.
        seconds: wall time for one photo.
        file_bytes: of one photo.
        photos_per_process: a process is renewed after that many.
    """

    def __init__(
        self,
        processes: int = 2,
        *,
        memory: int = 1 << 30,
        seconds: float = 10,
        file_bytes: int = 20 << 20,
        photos_per_process: int = 500,
    ) -> None:
        self.file_bytes = file_bytes
        self._processes = processes
        self._idle: queue.LifoQueue[_Decoder] = queue.LifoQueue()
        for _ in range(processes):
            self._idle.put(_Decoder(memory, seconds, file_bytes, photos_per_process))
        self._threads = ThreadPoolExecutor(processes, "decoder")
        self._closed = False

    async def start(self) -> None:
        """Start all processes, so that the first photos need not wait for them."""
        decoders = [self._idle.get() for _ in range(self._processes)]
        try:
            await asyncio.gather(*(asyncio.to_thread(decoder.start) for decoder in decoders))
        finally:
            for decoder in decoders:
                self._idle.put(decoder)

    async def read_page(self, data: bytes) -> Page:
        """The page of a photo.

        Raises:
            UnreadablePhotoError: one of its kinds; also `DecoderTimeoutError` and `DecoderCrashedError`.
        """
        return await asyncio.get_running_loop().run_in_executor(self._threads, self.read_page_now, data)

    def read_page_now(self, data: bytes) -> Page:
        """`read_page` for callers without an event loop; blocks until the page is there."""
        if len(data) > self.file_bytes:
            raise PhotoTooLargeError(f"{len(data)} bytes, at most {self.file_bytes}")
        decoder = self._idle.get()
        try:
            return decoder.read_page(data)
        finally:
            self._give_back(decoder)

    def close(self) -> None:
        """Stop all processes; photos in work are answered with an error."""
        self._closed = True
        self._threads.shutdown(wait=False, cancel_futures=True)
        for _ in range(self._processes):
            try:
                self._idle.get(timeout=1).stop()
            except queue.Empty:
                return

    def _give_back(self, decoder: "_Decoder") -> None:
        """Idle again; one that has decoded its photos is renewed first, while others take what comes."""
        if decoder.is_spent:
            threading.Thread(target=self._renew, args=(decoder,), name="decoder renewal", daemon=True).start()
        else:
            self._idle.put(decoder)

    def _renew(self, decoder: "_Decoder") -> None:
        with contextlib.suppress(UnreadablePhotoError, OSError):  # the next photo tries again, and tells
            decoder.start()
        if self._closed:
            decoder.stop()
        else:
            self._idle.put(decoder)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Decoder:
    """One process at a time; used by one thread at a time."""

    def __init__(self, memory: int, seconds: float, file_bytes: int, photos: int) -> None:
        self._memory, self._seconds, self._file_bytes = memory, seconds, file_bytes
        self._photos = photos
        self._left = 0
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def is_spent(self) -> bool:
        """Whether the process has decoded as many photos as one does."""
        return self._process is not None and self._left <= 0

    def start(self) -> None:
        """Start the process unless it runs already."""
        if self._process is not None and self._process.poll() is None and self._left > 0:
            return
        self.stop()
        arguments = [str(self._memory), str(max(1, round(self._seconds))), str(self._file_bytes)]
        self._process = subprocess.Popen(  # noqa: S603 - our own module, with numbers
            [sys.executable, "-m", "bot.decoder_process", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_ENVIRONMENT,
        )
        self._left = self._photos
        self._answer(_START_SECONDS)

    def stop(self) -> None:
        """End the process, if there is one."""
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout):
            assert stream is not None  # both are pipes
            try:
                stream.close()
            except BrokenPipeError:
                continue  # what was still to be written to a dead process

    def read_page(self, data: bytes) -> Page:
        """The page; where the process dies (perhaps killed from outside) a second one tries once more."""
        try:
            return self._read(data)
        except DecoderCrashedError:
            return self._read(data)

    def _read(self, data: bytes) -> Page:
        self.start()
        self._left -= 1
        try:
            answer = self._answer(self._seconds, data)
            if answer[:1] == b"P":
                return page_codec.decode(answer[1:])
        except (DecoderTimeoutError, DecoderCrashedError):
            self.stop()
            raise
        except page_codec.PageFormatError as exc:
            self.stop()
            raise DecoderCrashedError(str(exc)) from exc
        raise _error(answer[1:])

    def _answer(self, seconds: float, data: bytes | None = None) -> bytes:
        """Send ``data``, if any, and wait for an answer; a timer kills the process, which ends the wait."""
        process = self._process
        assert process is not None  # start comes first
        assert process.stdin is not None  # a pipe
        assert process.stdout is not None  # a pipe
        late = threading.Event()

        def kill() -> None:
            late.set()
            process.kill()

        timer = threading.Timer(seconds, kill)
        timer.start()
        try:
            if data is not None:
                process.stdin.write(len(data).to_bytes(4) + data)
                process.stdin.flush()
            answer = _receive(process.stdout)
        except OSError:
            answer = None
        finally:
            timer.cancel()
        if late.is_set():
            raise DecoderTimeoutError(f"not decoded within {seconds:g} s")
        if answer is None:
            raise DecoderCrashedError(f"the decoder ended with status {process.poll()}")
        return answer


def _receive(stream: IO[bytes]) -> bytes | None:
    """The next message, None where the stream ends or claims more than a page can have."""
    header = stream.read(4)
    length = int.from_bytes(header)
    if len(header) < 4 or length > _MOST_ANSWER_BYTES:
        return None
    data = stream.read(length)
    return data if len(data) == length else None


def _error(detail: bytes) -> UnreadablePhotoError:
    """An error as the process sent it."""
    try:
        kind, message = (str(part) for part in json.loads(detail))
    except ValueError:
        return DecoderCrashedError("the decoder gave no answer that can be understood")
    if kind == UnsupportedFormatError.__name__:
        return UnsupportedFormatError(message)
    return _KINDS.get(kind, UnreadablePhotoError)(message)
