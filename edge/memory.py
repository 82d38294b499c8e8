"""How much memory this process may still take, and how to give back what large pictures took.

Read from Linux's own files: what the machine has free, and what each control group above the process allows, of either
version (Linux documentation, "cgroup-v2" and "cgroup-v1/memory"). Where a system tells nothing, nothing is bounded.
"""

import ctypes
import sys
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import NamedTuple

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8
"""glibc's malloc.h: how much freed memory a heap keeps, from which size on a block is mapped by itself, and how many
arenas malloc makes."""
_ARENAS = 2
_MAPPED_BYTES = 2 * 1024 * 1024
"""Blocks from this size on are the system's again as soon as they are freed. glibc raises its own bound to the largest
block that was freed, so that the pictures of a field would stay in its heap."""

_KEPT_BLOCK_BYTES, _KEPT_BYTES = 32 * 1024 * 1024, 64 * 1024 * 1024
"""Where glibc's own bounds end on 64 bits (DEFAULT_MMAP_THRESHOLD_MAX, and twice of it), after a few large pictures."""


class _Files(NamedTuple):
    """Where a version of control groups keeps a group's figures."""

    mount: str
    limit: str
    usage: str
    reclaimable: str


_V1 = _Files("sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
_V2 = (
    _Files("sys/fs/cgroup", "memory.max", "memory.current", "inactive_file"),
    _Files("sys/fs/cgroup/unified", "memory.max", "memory.current", "inactive_file"),
)


def available_memory(root: Path = Path("/")) -> int | None:
    """Bytes that this process may still take without swapping and without being ended; None where nobody says.

    The least of what the machine has free and of what each control group of the process leaves; the cache of files
    that a group holds can be had again.

    Args:
        root: where ``proc`` and ``sys`` are; another folder for a copy of a board's files.
    """
    figures = [machine_memory(root).get("MemAvailable"), *_left_by_groups(root)]
    known = [figure for figure in figures if figure is not None]
    return min(known, default=None)


def machine_memory(root: Path = Path("/")) -> dict[str, int]:
    """Read /proc/meminfo, which counts in KiB, into bytes."""
    figures: dict[str, int] = {}
    for line in _text(root / "proc/meminfo").splitlines():
        name, _, rest = line.partition(":")
        words = rest.split()
        if words and words[0].isdigit():
            figures[name] = int(words[0]) * 1024
    return figures


def _left_by_groups(root: Path) -> Iterator[int]:
    for line in _text(root / "proc/self/cgroup").splitlines():
        number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if number == "0" and not controllers:
            versions: tuple[_Files, ...] = _V2
        elif "memory" in controllers.split(","):
            versions = (_V1,)
        else:
            continue
        # Within a container the path may be that of the host; the group is then the mount itself.
        group = PurePosixPath(path.lstrip("/"))
        for files in versions:
            for folder in (group, *group.parents):
                left = _left_in(root / files.mount / folder, files)
                if left is not None:
                    yield left


def _left_in(folder: Path, files: _Files) -> int | None:
    """What one group leaves; None where it has no limit. v1 writes "no limit" as a number beyond any memory."""
    limit, usage = _text(folder / files.limit).strip(), _text(folder / files.usage).strip()
    if not limit.isdigit() or not usage.isdigit():
        return None
    cache = 0
    for line in _text(folder / "memory.stat").splitlines():
        name, _, value = line.partition(" ")
        if name == files.reclaimable and value.strip().isdigit():
            cache = int(value)
    return max(0, int(limit) - int(usage) + cache)


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""


def bound_arenas() -> None:
    """Let all threads share two arenas of glibc's malloc; to be called before they begin.

    By default each thread gets one of its own, which keeps what the largest field took: in a server of twelve threads
    thirteen fields of 16 megapixels held 1.27 GB. Elsewhere than on glibc nothing is done.
    """
    _tell_malloc({_M_ARENA_MAX: _ARENAS, _M_MMAP_THRESHOLD: _MAPPED_BYTES})


def keep_freed() -> None:
    """Let malloc keep what a picture took for the next one, as it does where nothing bounds it.

    Dask starts its workers with a bound of 64 KiB (``MALLOC_TRIM_THRESHOLD_``), and then the system has to clear each
    large array anew: 13,000 pages, or 55 MB, for a field of 1600 x 1200 px.
    """
    _tell_malloc({_M_MMAP_THRESHOLD: _KEPT_BLOCK_BYTES, _M_TRIM_THRESHOLD: _KEPT_BYTES})


def _tell_malloc(options: dict[int, int]) -> None:
    if sys.platform == "linux":
        try:
            library = ctypes.CDLL(None)
            for option, value in options.items():
                library.mallopt(option, value)
        except (AttributeError, OSError):
            return


def give_back() -> None:
    """Give freed memory back to the system, as far as glibc can."""
    if sys.platform == "linux":
        try:
            ctypes.CDLL(None).malloc_trim(0)
        except (AttributeError, OSError):
            return
