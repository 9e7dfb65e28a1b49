"""What the C library does with memory that was freed."""

import ctypes

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
"""Parameters of mallopt(3)."""


def keep_freed_memory(largest: int = 32 << 20, most: int = 1 << 30) -> None:
    """Ask the C library to keep what is freed, for the next array of its size.

    By default glibc gives large arrays back to the system, which hands them out again page by page, zeroed: a
    sixth of a training step, up to a quarter of what a photo of 1280x960 pixels takes. Elsewhere this does
    nothing.

    Args:
        largest: bytes; larger arrays go back all the same. The default is the most that glibc takes.
        most: bytes that are kept at the end of the heap; by default as many as training frees.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, largest)
        mallopt(_M_TRIM_THRESHOLD, most)
