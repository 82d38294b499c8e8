"""Cells of several requests judged in one batch."""

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from numpy.typing import NDArray

from server.batching import Batcher, BatcherClosedError, QueueFullError


class SlowNetwork:
    """Answers each cell with its first pixel; waits for leave; notes how many run at a time."""

    batch_size = 8

    def __init__(self) -> None:
        self.leave = threading.Event()
        self.started = threading.Event()
        self.sizes: list[int] = []
        self.inside = 0
        self.most_inside = 0

    def cell_probabilities(self, inputs: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Wait for leave, then answer."""
        self.inside += 1
        self.most_inside = max(self.most_inside, self.inside)
        self.started.set()
        self.leave.wait(10)
        self.sizes.append(len(inputs))
        self.inside -= 1
        return inputs[:, 0, 0, 0].astype(np.float32)


def cells(*values: int) -> NDArray[np.uint8]:
    return np.stack([np.full((2, 2, 3), value, np.uint8) for value in values])


def batcher(network: SlowNetwork, max_waiting: int = 100) -> Batcher:
    return Batcher(network, max_waiting=max_waiting, gather_seconds=0.05)


def test_requests_that_wait_together_become_one_batch_and_each_gets_its_own() -> None:
    network = SlowNetwork()
    line = batcher(network)
    with ThreadPoolExecutor(5) as pool:
        first = pool.submit(line.probabilities, cells(1))
        network.started.wait(10)
        others = [pool.submit(line.probabilities, cells(n, n + 10)) for n in (2, 3, 4)]
        while line.waiting < 6:
            threading.Event().wait(0.005)
        network.leave.set()
        assert first.result(10).tolist() == [1]
        assert [other.result(10).tolist() for other in others] == [[2, 12], [3, 13], [4, 14]]
    assert network.sizes == [1, 6]
    line.close()


def test_the_network_is_never_entered_twice() -> None:
    network = SlowNetwork()
    network.leave.set()
    line = batcher(network)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda n: line.probabilities(cells(n)).tolist(), range(200)))
    assert answers == [[n] for n in range(200)]
    assert network.most_inside == 1
    line.close()


def test_a_full_queue_refuses_at_once() -> None:
    network = SlowNetwork()
    line = batcher(network, max_waiting=2)
    with ThreadPoolExecutor(3) as pool:
        running = pool.submit(line.probabilities, cells(1))
        network.started.wait(10)
        waiting = pool.submit(line.probabilities, cells(2, 3))
        while line.waiting < 2:
            threading.Event().wait(0.005)
        with pytest.raises(QueueFullError):
            line.probabilities(cells(4))
        with pytest.raises(QueueFullError), line.preparing():
            pass
        network.leave.set()
        assert running.result(10).tolist() == [1]
        assert waiting.result(10).tolist() == [2, 3]
    line.close()


def test_a_failing_network_is_told_to_those_who_wait_and_to_nobody_later() -> None:
    class Failing(SlowNetwork):
        def cell_probabilities(self, inputs: NDArray[np.uint8]) -> NDArray[np.float32]:
            """Fail on 13."""
            if inputs[0, 0, 0, 0] == 13:
                raise RuntimeError("broken")
            return inputs[:, 0, 0, 0].astype(np.float32)

    line = batcher(Failing())
    with pytest.raises(RuntimeError, match="broken"):
        line.probabilities(cells(13))
    assert line.probabilities(cells(5)).tolist() == [5]
    line.close()


def test_closing_finishes_what_waits_and_takes_nothing_more() -> None:
    network = SlowNetwork()
    line = batcher(network)
    with ThreadPoolExecutor(2) as pool:
        running = pool.submit(line.probabilities, cells(1))
        network.started.wait(10)
        waiting = pool.submit(line.probabilities, cells(2))
        while line.waiting < 1:
            threading.Event().wait(0.005)
        network.leave.set()
        line.close()
        assert running.result(10).tolist() == [1]
        assert waiting.result(10).tolist() == [2]
    with pytest.raises(BatcherClosedError):
        line.probabilities(cells(3))
