"""Gathers the cells of several requests into one inference, and says no before the queue grows long.

A network judges 32 cells in far less than 32 times the time of one. While it works, requests pile up; the
next batch takes all that wait. Nobody waits for a batch to fill: it waits only for cells that are being
decoded at that moment, and only for a few milliseconds.
"""

import os
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray


class QueueFullError(Exception):
    """As many cells wait for the network as may wait; the request has to come again later."""


class BatcherClosedError(Exception):
    """The server is stopping; no cells are taken any more."""


class Judging(Protocol):
    """What judges a batch: :class:`edge.inference.classifier.Classifier`."""

    batch_size: int

    def cell_probabilities(self, inputs: NDArray[np.uint8]) -> NDArray[np.floating]:
        """Judge preprocessed cells, uint8 (n, size, size, 3), and return their probabilities, (n,)."""
        ...


class _Waiting(NamedTuple):
    inputs: NDArray[np.uint8]
    answer: "Future[NDArray[np.floating]]"


class Batcher:
    """One thread that feeds one interpreter, so that it is never shared; requests wait for their share.

    Args:
        classifier: judges the batches.
        max_waiting: cells that may wait; beyond, :class:`QueueFullError`.
        gather_seconds: longest wait for requests that have announced cells.
        observe: told the size of every batch, for the metrics.
    """

    def __init__(
        self,
        classifier: Judging,
        *,
        max_waiting: int,
        gather_seconds: float,
        observe: Callable[[int], None] = lambda _size: None,
    ) -> None:
        self._classifier = classifier
        self._max_waiting = max_waiting
        self._gather_seconds = gather_seconds
        self._observe = observe
        self._changed = threading.Condition()
        self._queue: deque[_Waiting] = deque()
        self._queued_cells = 0
        self._preparing = 0
        self._closed = False
        self._process = os.getpid()
        self._thread = threading.Thread(target=self._work, name="gather", daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> int:
        """Cells that wait at this moment."""
        return self._queued_cells

    @contextmanager
    def preparing(self) -> Iterator[None]:
        """Announce that cells are being decoded, so that a batch waits for them a little."""
        self._check_process()
        with self._changed:
            # Refused here, before decoding: a full queue must not cost the processor anything.
            if self._queued_cells >= self._max_waiting:
                raise QueueFullError
            self._preparing += 1
        try:
            yield
        finally:
            with self._changed:
                self._preparing -= 1
                self._changed.notify_all()

    def probabilities(self, inputs: NDArray[np.uint8]) -> NDArray[np.floating]:
        """Judge cells together with those of other requests.

        Args:
            inputs: RGB, uint8, shape (n, size, size, 3).

        Returns:
            Probability of *parasitised*, float32, shape (n,).

        Raises:
            QueueFullError: too many cells wait already.
            BatcherClosedError: the server is stopping.
        """
        self._check_process()
        waiting = _Waiting(inputs, Future())
        with self._changed:
            if self._closed:
                raise BatcherClosedError
            # A request larger than the whole queue is taken when nothing else waits, or it never would be.
            if self._queued_cells and self._queued_cells + len(inputs) > self._max_waiting:
                raise QueueFullError
            self._queue.append(waiting)
            self._queued_cells += len(inputs)
            self._changed.notify_all()
        return waiting.answer.result()

    def _check_process(self) -> None:
        """Refuse work in a process that was forked off: the thread stayed behind, and nobody would ever answer.

        Raises:
            RuntimeError: the application was made before the fork.
        """
        if os.getpid() != self._process:
            raise RuntimeError(
                "The application was made before this process was forked off. Make it in the worker: "
                "gunicorn without --preload."
            )

    def close(self) -> None:
        """Finish what waits, then stop the thread."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._thread.join()

    def _work(self) -> None:
        while batch := self._next_batch():
            try:
                inputs = np.concatenate([waiting.inputs for waiting in batch])
                self._observe(len(inputs))
                judged = self._classifier.cell_probabilities(inputs)
            except Exception as error:  # whatever it is, the waiting requests must be told
                for waiting in batch:
                    waiting.answer.set_exception(error)
                continue
            start = 0
            for waiting in batch:
                end = start + len(waiting.inputs)
                waiting.answer.set_result(judged[start:end])
                start = end

    def _next_batch(self) -> list[_Waiting]:
        """Wait for work and take as much of it as one inference holds; empty when closed and done."""
        with self._changed:
            self._changed.wait_for(lambda: self._queue or self._closed)
            self._changed.wait_for(
                lambda: (
                    self._closed or not self._preparing or self._queued_cells >= self._classifier.batch_size
                ),
                timeout=self._gather_seconds,
            )
            batch: list[_Waiting] = []
            cells = 0
            while self._queue and (
                not batch or cells + len(self._queue[0].inputs) <= self._classifier.batch_size
            ):
                batch.append(self._queue.popleft())
                cells += len(batch[-1].inputs)
            self._queued_cells -= cells
            return batch
