"""``plasmolite serve`` under load, in turns with the same work done in a process of its own."""

import tempfile
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks.harness.measurement import BenchmarkError, Measurement, Section
from benchmarks.harness.settings import BenchSettings
from benchmarks.harness.timing import Report, median_interval, part_of
from benchmarks.speed.server_load import (
    Judged,
    Loaded,
    draw_pictures,
    find_h2load,
    load_for,
    serving,
    take_turns,
    write_forms,
)

GROUP = "The server under load"


class LoadPlan(NamedTuple):
    """One way to load the server."""

    clients: int
    cells: int
    """In each request."""

    def describe(self) -> str:
        """Name it: the row of the table."""
        return f"clients {self.clients}, cells a request {self.cells}"


PLANS = (LoadPlan(1, 1), LoadPlan(8, 1), LoadPlan(8, 8))
_ROUNDS = 5
_WARM_UP_SECONDS = 1.0


def measure_server(settings: BenchSettings, report: Report) -> Section:
    """Load the server by several clients, each round beside a round of ``classify``'s own loop.

    Raises:
        BenchmarkError: the load generator is not installed, or the server does not start.
    """
    find_h2load()
    seconds = max(0.5, min(4.0, settings.limits.most_seconds / _ROUNDS))
    measurements: list[Measurement] = []
    with tempfile.TemporaryDirectory(prefix="plasmolite-server-") as name:
        folder = Path(name)
        pictures = [path.read_bytes() for path in draw_pictures(folder)]
        report("starting the server", 0.0)
        with serving(folder) as server:
            for number, plan in enumerate(PLANS):
                part = part_of(report, number, len(PLANS))
                part(plan.describe(), 0.0)
                forms = write_forms(folder, pictures, clients=plan.clients, cells=plan.cells)
                load_for(server.port, server.process.pid, forms, _WARM_UP_SECONDS)
                judged, loaded = [], []
                for alone, load in take_turns(server, folder, forms, rounds=_ROUNDS, seconds=seconds):
                    judged.append(alone)
                    loaded.append(load)
                    part(plan.describe(), len(loaded) / _ROUNDS)
                measurements += figures_of(plan, judged, loaded)
    notes = (
        f"{_ROUNDS} rounds of {seconds:.1f} s each over loopback by h2load, in turns with classify's own loop on the "
        "same PNG files in a process of its own. The model is the one in use here.",
    )
    return Section("server", "Server", tuple(measurements), notes)


def figures_of(plan: LoadPlan, judged: list[Judged], loaded: list[Loaded]) -> list[Measurement]:
    """Put the rounds of one plan together.

    Raises:
        BenchmarkError: the server answered nothing.
    """
    subject = plan.describe()
    rates = np.array([len(load.answer_ms) / load.seconds for load in loaded])
    alone = np.array([one.cells / one.seconds for one in judged])
    times = np.array([took for load in loaded for took in load.answer_ms])
    if not len(times):
        raise BenchmarkError(f"The server answered no request ({subject}).")
    lost = sum(sum(load.statuses.values()) for load in loaded)
    rows = []
    for figure, unit, values in (
        ("requests/s", "", rates),
        ("cells/s", "", rates * plan.cells),
        ("of the rate in process", "share", rates * plan.cells / alone),
    ):
        low, high = median_interval(values)
        noise = float(np.std(values) / np.median(values))
        rows.append(
            Measurement(GROUP, subject, figure, float(np.median(values)), unit, low, high, "higher", noise)
        )
    for figure, percentile in (("p50", 50), ("p95", 95), ("p99", 99)):
        by_round = [float(np.percentile(load.answer_ms, percentile)) for load in loaded if load.answer_ms]
        noise = float(np.std(by_round) / np.median(by_round))
        value = float(np.percentile(times, percentile))
        rows.append(Measurement(GROUP, subject, figure, value, "ms", better="lower", noise=noise))
    return [*rows, Measurement(GROUP, subject, "not answered with 200", float(lost))]
