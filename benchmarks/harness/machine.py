"""What stands with every figure: the machine before and after, who else used it, the versions, the commit."""

import os
import platform
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, NamedTuple

from edge.about import source_commit
from edge.device.board import Board
from edge.messages.bench_codes import BenchCode
from edge.messages.message import Message

BUSY_SHARE = 0.05
"""Share of the time that may be lost to other programs before figures are called disturbed."""
HOT_C = 80.0
"""Degrees Celsius at which a Raspberry Pi begins to lower its clock (Raspberry Pi documentation)."""

_DISTRIBUTIONS = (
    "plasmolite",
    "ai-edge-litert",
    "tflite-runtime",
    "tensorflow",
    "keras",
    "onnxruntime",
    "openvino",
    "tf2onnx",
    "numpy",
    "opencv-python-headless",
    "scikit-learn",
    "scipy",
    "flask",
    "waitress",
)


class ProcessorTime(NamedTuple):
    """Time that all processors have spent since the machine started, in clock ticks."""

    busy: int
    """Spent on anything, by anybody, time stolen by a host of virtual machines included."""
    total: int
    own: float
    """Spent on this process and its children, in ticks."""


class Use:
    """Who used the processors while a section was measured; filled when it ends."""

    others_share: float | None = None
    waited_share: float | None = None


@contextmanager
def watch_use(root: Path = Path("/")) -> Iterator[Use]:
    """Watch which share of the processors' time other programs take meanwhile, and how long this one waits for them.

    Both are ``None`` without /proc; the second too where this process's main thread worked for less than a third of
    the time, so that it tells nothing (others, such as processes that were started, did the work).
    """
    use, before, worked = Use(), read_processor_time(root), _read_schedule(root)
    begin = time.monotonic_ns()
    yield use
    after, now = read_processor_time(root), _read_schedule(root)
    if worked and now:
        ran, waited = now[0] - worked[0], now[1] - worked[1]
        if 3 * (ran + waited) >= time.monotonic_ns() - begin:
            use.waited_share = waited / (ran + waited)
    if before and after and after.total > before.total:
        others = (after.busy - before.busy) - (after.own - before.own)
        use.others_share = min(1.0, max(0.0, others / (after.total - before.total)))


def read_processor_time(root: Path = Path("/")) -> ProcessorTime | None:
    """Read /proc/stat, whose first line sums the processors; ``None`` where a system has none."""
    try:
        first = (root / "proc/stat").read_text().splitlines()[0]
    except (OSError, IndexError):
        return None
    # user nice system idle iowait irq softirq steal (proc(5)); guests are within user and nice.
    ticks = [int(word) for word in first.split()[1:9]]
    idle = ticks[3] + ticks[4]
    times = os.times()
    own = (times.user + times.system + times.children_user + times.children_system) * os.sysconf("SC_CLK_TCK")
    return ProcessorTime(sum(ticks) - idle, sum(ticks), own)


def _read_schedule(root: Path) -> tuple[int, int] | None:
    """How long this process's main thread has run, and has waited to run, ns (Linux, sched-stats.rst)."""
    try:
        ran, waited, _ = (root / "proc/self/schedstat").read_text().split()
    except (OSError, ValueError):
        return None
    return int(ran), int(waited)


def describe_software() -> dict[str, Any]:
    """Record Python, the libraries' versions and the commit."""
    versions = {}
    for name in _DISTRIBUTIONS:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            continue
    return {"python": platform.python_version(), "versions": versions, "commit": source_commit()}


def judge_machine(before: Board, after: Board, others: Mapping[str, float | None]) -> list[Message]:
    """Say what makes the figures worthless, or a little doubtful.

    Args:
        before: the board when the benchmark began.
        after: the board when it ended.
        others: share of the time that was lost to other programs, by section.

    Returns:
        Whole sentences; none where nothing is wrong.
    """
    warnings = []
    if before.governor not in {None, "performance"}:
        warnings.append(Message(BenchCode.GOVERNOR, governor=str(before.governor)))
    for board, code in ((before, BenchCode.THROTTLED_BEFORE), (after, BenchCode.THROTTLED_AFTER)):
        if board.throttling is not None and board.throttling.now:
            warnings.append(Message(code, reasons=board.throttling.now))
    if after.throttling is not None and before.throttling is not None:
        known = set(before.throttling.since_start)
        new = [condition for condition in after.throttling.since_start if condition not in known]
        if new:
            warnings.append(Message(BenchCode.THROTTLED_DURING, reasons=new))
    if after.temperature_c is not None and after.temperature_c >= HOT_C:
        warnings.append(Message(BenchCode.HOT, temperature=after.temperature_c))
    busy = [
        Message(BenchCode.BUSY_SHARE, section=name, percent=100 * share)
        for name, share in others.items()
        if share is not None and share > BUSY_SHARE
    ]
    if busy:
        warnings.append(Message(BenchCode.BUSY, shares=busy))
    return warnings
