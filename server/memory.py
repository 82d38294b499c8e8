"""Keeps the memory of a server that judges large fields near what one of them needs."""

import ctypes
import sys

_M_ARENA_MAX = -8
"""glibc's malloc.h: how many arenas malloc makes."""

_M_MMAP_THRESHOLD = -3
_ARENAS = 2
_MAPPED_BYTES = 2 * 1024 * 1024
"""Blocks from this size on are the system's again as soon as they are freed. glibc raises its own bound to the largest
block that was freed, so that the pictures of a field would stay in its heap."""


def bound_arenas() -> None:
    """Let all threads share two arenas of glibc's malloc; to be called before any thread begins.

    By default each thread gets one of its own, which keeps what the largest field took: with twelve threads
    thirteen fields of 16 megapixels held 1.27 GB. Elsewhere than on glibc nothing is done.
    """
    if sys.platform == "linux":
        try:
            library = ctypes.CDLL(None)
            library.mallopt(_M_ARENA_MAX, _ARENAS)
            library.mallopt(_M_MMAP_THRESHOLD, _MAPPED_BYTES)
        except (AttributeError, OSError):
            return


def give_back() -> None:
    """Give freed memory back to the system, as far as glibc can."""
    if sys.platform == "linux":
        try:
            ctypes.CDLL(None).malloc_trim(0)
        except (AttributeError, OSError):
            return
