"""Memory that a training frees is kept for its next step."""

import ctypes
import platform

_TRIM_THRESHOLD, _TOP_PAD, _MMAP_MAX = -1, -2, -4
"""Numbers of the settings in glibc's ``malloc.h``."""
_NEVER = -1
"""Documented for the trim threshold: nothing is given back."""
_PAD = 256 * 2**20
"""Bytes. More than the 64 MiB of a heap of a thread: one that is empty is then kept too (``heap_trim`` in glibc's
``arena.c``)."""


def keep_freed_memory() -> bool:
    """Have glibc keep what is freed, until the process ends, instead of giving it back to the system.

    A step of training takes and frees blocks of tens of megabytes. By default (`mallopt(3)`) each is mapped anew, and
    the kernel has to clear every page of it again: two fifths of the processor time of a training on two cores.

    Returns:
        Whether it does so now; other libraries than glibc are left as they are.
    """
    if platform.libc_ver()[0] != "glibc":
        return False
    mallopt = ctypes.CDLL(None).mallopt
    settings = {_TRIM_THRESHOLD: _NEVER, _TOP_PAD: _PAD, _MMAP_MAX: 0}
    return all(mallopt(name, value) for name, value in settings.items())
