"""Several workers side by side over one sequence, with their results in its order."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from itertools import islice
from queue import SimpleQueue
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
