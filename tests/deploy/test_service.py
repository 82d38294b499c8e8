"""The watchdog's question to the server's pipeline, with the real queue and a network that is put in its place."""

import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

pytest.importorskip("waitress")

from deploy.bundle import ROOT
from server.batching import BatcherClosedError, QueueFullError
from server.wsgi.serve import pipeline_fault


class Network:
    """Answers every cell alike."""

    input_size = 96

    def __init__(self, score: float) -> None:
        self.score = score

    def cell_probabilities(self, inputs: Any) -> Any:
        """Judge cells."""
        return np.full(len(inputs), self.score, np.float32)

    probabilities = cell_probabilities


class Raising:
    """A queue that takes nothing."""

    def __init__(self, error: type[Exception]) -> None:
        self.error = error

    def probabilities(self, _: Any) -> Any:
        """Refuse cells."""
        raise self.error


def context_of(score: float = 0.1, queue: Any = None) -> Any:
    network = Network(score)
    return SimpleNamespace(stopping=threading.Event(), classifier=network, batcher=queue or network)


def test_a_pipeline_that_judges_a_cell_is_healthy() -> None:
    assert pipeline_fault(context_of()) is None


def test_an_answer_that_is_no_probability_is_a_fault() -> None:
    assert "no probability" in (pipeline_fault(context_of(float("nan"))) or "")


def test_a_busy_server_is_not_a_sick_one() -> None:
    assert pipeline_fault(context_of(queue=Raising(QueueFullError))) is None


def test_a_closed_queue_is_a_fault_unless_the_server_is_stopping() -> None:
    context = context_of(queue=Raising(BatcherClosedError))
    assert pipeline_fault(context) == "The queue of cells is closed."
    context.stopping.set()
    assert pipeline_fault(context) is None


def test_the_unit_waits_for_the_servers_word_and_watches_it() -> None:
    unit = (Path(ROOT) / "deploy" / "plasmolite.service").read_text().splitlines()
    for line in (
        "Type=notify",
        "WatchdogSec=60",
        "User=plasmolite",
        "ProtectSystem=strict",
        "DevicePolicy=closed",
    ):
        assert line in unit
