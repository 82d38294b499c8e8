"""Several workers side by side over one sequence, with their results in its order."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from itertools import islice
from queue import SimpleQueue
from threading import Condition
from typing import TypeVar

import cv2

Worker = TypeVar("Worker")
Item = TypeVar("Item")
Result = TypeVar("Result")


def ordered_map(
    work: Callable[[Worker, Item], Result],
    items: Iterable[Item],
    workers: Sequence[Worker],
    *,
    ahead: int = 0,
) -> Iterator[Result]:
    """Apply a function to items in threads, one for each worker, and yield the results in the items' order.

    A worker is what only one thread may use at a time, such as a network's interpreter; each call has one to itself.
    OpenCV works in the calling thread meanwhile: its own threads would fight with the workers for the cores.

    Args:
        work: takes a worker and an item.
        items: may be a generator; taken no earlier than needed.
        workers: at least one.
        ahead: items that wait for a worker. With those under work they bound the memory.

    Yields:
        One result for each item.

    Raises:
        Exception: what `work` raised, in its turn.
    """
    idle: SimpleQueue[Worker] = SimpleQueue()
    for worker in workers:
        idle.put(worker)

    def run(item: Item) -> Result:
        worker = idle.get()
        try:
            return work(worker, item)
        finally:
            idle.put(worker)

    pending = iter(items)
    waiting: deque[Future[Result]] = deque()
    with one_opencv_thread(), ThreadPoolExecutor(len(workers), thread_name_prefix="worker") as pool:
        while True:
            for item in islice(pending, len(workers) + ahead - len(waiting)):
                waiting.append(pool.submit(run, item))
            if not waiting:
                return
            yield waiting.popleft().result()


@contextmanager
def one_opencv_thread() -> Iterator[None]:
    """Let OpenCV work in the thread that calls it; it has as many threads as before afterwards."""
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(before)


class Room:
    """Lets work in while what it needs fits, all of it together; what needs more than there is goes in alone.

    Who came first goes in first: results that wait for an earlier one take room too.

    Args:
        size: how much there is, in any unit; None for no bound.
    """

    def __init__(self, size: float | None) -> None:
        self._size = size
        self._taken: list[float] = []
        self._waiting: deque[object] = deque()
        self._changed = Condition()

    @contextmanager
    def taken(self, need: float) -> Iterator[bool]:
        """Wait until there is room, and hold it.

        Args:
            need: how much.

        Yields:
            Whether there is less room than is needed, so that nothing else is in.
        """
        short = self._size is not None and need > self._size
        turn = object()
        with self._changed:
            self._waiting.append(turn)
            self._changed.wait_for(lambda: self._waiting[0] is turn and self._fits(need, short=short))
            self._waiting.popleft()
            self._taken.append(need)
            self._changed.notify_all()
        try:
            yield short
        finally:
            with self._changed:
                self._taken.remove(need)
                self._changed.notify_all()

    def _fits(self, need: float, *, short: bool) -> bool:
        # What is short of room itself is in alone.
        fits = self._size is None or sum(self._taken) + need <= self._size
        return not self._taken or (fits and not short)


class Delivered:
    """Counts the results that were taken and let go, so that what is large can wait for those before it."""

    def __init__(self) -> None:
        self._count = 0
        self._changed = Condition()

    def add_one(self) -> None:
        """Say that one more was."""
        with self._changed:
            self._count += 1
            self._changed.notify_all()

    def wait_for(self, count: int, seconds: float) -> None:
        """Wait until so many were, but no longer than so long: nobody may ask for another."""
        with self._changed:
            self._changed.wait_for(lambda: self._count >= count, seconds)
