"""`plasmolite serve` under load from h2load, in turns with `classify`'s own loop in another process."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks.harness.measurement import BenchmarkError, Better, Measurement, Section
from benchmarks.harness.settings import BenchSettings
from benchmarks.harness.timing import ProgressCallback, median_interval, part_of
from edge.cells.files import judge_files
from edge.images.encode import encode_png
from edge.images.inputs import CellFile
from edge.inference.classifier import Classifier
from edge.messages.bench_codes import BenchCode
from edge.messages.message import Message
from edge.simulation.single_cell import draw_cell

GROUP = "The server under load"


class LoadPlan(NamedTuple):
    """One way to load the server."""

    clients: int
    cells: int
    """In each request."""

    def describe(self) -> str:
        """Name the row of the table."""
        return f"clients {self.clients}, cells a request {self.cells}"


class LoadRound(NamedTuple):
    """One turn of `classify`'s loop and one of the server.

    Attributes:
        cells_per_second: rate in process.
        answer_ms: time of each answer with status 200.
        refused: requests without such an answer.
        seconds: length of the server's turn.
    """

    cells_per_second: float
    answer_ms: tuple[float, ...]
    refused: int
    seconds: float


PLANS = (LoadPlan(1, 1), LoadPlan(8, 1), LoadPlan(8, 8))
_ROUNDS = 5
_BOUNDARY = "plasmolite-load"
_DRAWN = 64
_WARM_UP_SECONDS = 1.0
_START_SECONDS = 120.0
_STOP_SECONDS = 60.0


def measure_server(settings: BenchSettings, report: ProgressCallback) -> Section:
    """Load the server by several clients, each round beside a round of `classify`'s own loop.

    Raises:
        BenchmarkError: h2load is not installed or fails, or the server does not start.
    """
    find_h2load()
    seconds = max(0.5, min(4.0, settings.limits.most_seconds / _ROUNDS))
    measurements: list[Measurement] = []
    # Spawned, not forked: as `plasmolite classify`, it shares nothing with this process.
    with (
        tempfile.TemporaryDirectory(prefix="plasmolite-server-") as name,
        ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool,
    ):
        folder = Path(name)
        pictures = [encode_png(draw_cell(seed, seed % 2 == 0).rgb) for seed in range(_DRAWN)]
        for number, picture in enumerate(pictures):
            (folder / f"{number:03}.png").write_bytes(picture)
        report(Message(BenchCode.STARTING_SERVER), 0.0)
        with _serving(folder) as port:
            for number, plan in enumerate(PLANS):
                part = part_of(report, number, len(PLANS))
                form = folder / "form"
                form.write_bytes(form_of(pictures[: plan.cells]))
                _load(port, plan, form, _WARM_UP_SECONDS)
                rounds = []
                for done in range(_ROUNDS):
                    part(plan.describe(), done / _ROUNDS)
                    rate = pool.submit(_classify, folder, seconds).result()
                    rounds.append(LoadRound(rate, *_load(port, plan, form, seconds), seconds))
                measurements += figures_of(plan, rounds)
    notes = (Message(BenchCode.NOTE_SERVER, rounds=_ROUNDS, seconds=seconds),)
    return Section("server", "Server", tuple(measurements), notes)


def figures_of(plan: LoadPlan, rounds: Sequence[LoadRound]) -> list[Measurement]:
    """Summarise the rounds of one plan: medians over rounds, percentiles over all answers.

    Raises:
        BenchmarkError: the server answered nothing.
    """
    subject = plan.describe()
    times = np.array([took for one in rounds for took in one.answer_ms])
    if not len(times):
        raise BenchmarkError(BenchCode.NO_ANSWER, subject=subject)
    rates = np.array([len(one.answer_ms) / one.seconds for one in rounds])
    in_process = np.array([one.cells_per_second for one in rounds])
    rows = []
    for figure, unit, values in (
        ("requests/s", "", rates),
        ("cells/s", "", rates * plan.cells),
        ("of the rate in process", "share", rates * plan.cells / in_process),
    ):
        low, high = median_interval(values)
        noise = float(np.std(values) / np.median(values))
        rows.append(
            Measurement(
                GROUP, subject, figure, float(np.median(values)), unit, low, high, Better.HIGHER, noise
            )
        )
    for figure, percentile in (("p50", 50), ("p95", 95), ("p99", 99)):
        by_round = [float(np.percentile(one.answer_ms, percentile)) for one in rounds if one.answer_ms]
        noise = float(np.std(by_round) / np.median(by_round))
        value = float(np.percentile(times, percentile))
        rows.append(Measurement(GROUP, subject, figure, value, "ms", better=Better.LOWER, noise=noise))
    lost = float(sum(one.refused for one in rounds))
    return [*rows, Measurement(GROUP, subject, "not answered with 200", lost)]


def form_of(pictures: Sequence[bytes]) -> bytes:
    """Encode PNG pictures as one multipart form."""
    parts = [
        f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="{n}.png"\r\n\r\n'.encode()
        + data
        for n, data in enumerate(pictures)
    ]
    return b"\r\n".join([*parts, f"--{_BOUNDARY}--\r\n".encode()])


def find_h2load() -> str:
    """Find the load generator.

    Raises:
        BenchmarkError: it is not installed.
    """
    found = shutil.which("h2load")
    if found is None:
        raise BenchmarkError(BenchCode.NO_H2LOAD)
    return found


def _classify(folder: Path, seconds: float) -> float:
    """Judge the files again and again, as `plasmolite classify` does with a folder; return cells a second."""
    classifier = Classifier.open()
    files = [CellFile(path.name, path) for path in sorted(folder.glob("*.png"))]
    list(judge_files(classifier, 0.5, files))  # loading and warming up are not counted
    cells, began = 0, time.perf_counter()
    while time.perf_counter() - began < seconds:
        cells += len(list(judge_files(classifier, 0.5, files * 4)))
    return cells / (time.perf_counter() - began)


def _load(port: int, plan: LoadPlan, form: Path, seconds: float) -> tuple[tuple[float, ...], int]:
    """Let every client post the form over one connection again and again.

    Returns:
        The times of the answers with status 200 in milliseconds, and how many other requests there were.
    """
    log = form.with_suffix(".log")
    log.unlink(missing_ok=True)
    done = subprocess.run(  # noqa: S603 - the load generator with our own arguments
        [
            *(find_h2load(), "--h1", "--threads=1", f"--clients={plan.clients}"),
            *(f"--duration={round(seconds * 1000)}ms", f"--log-file={log}", f"--data={form}"),
            f"--header=content-type: multipart/form-data; boundary={_BOUNDARY}",
            f"http://127.0.0.1:{port}/predict",
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        reason = done.stderr.strip()[-300:]
        raise BenchmarkError(BenchCode.H2LOAD_FAILED, status=done.returncode, reason=reason)
    # One line an answer: begin in microseconds, status (-1 is a lost connection), duration in microseconds.
    answers = [line.split()[1:3] for line in log.read_text(encoding="ascii").splitlines()]
    times = tuple(int(took) / 1000 for status, took in answers if status == "200")
    return times, len(answers) - len(times)


@contextmanager
def _serving(folder: Path) -> Iterator[int]:
    """Run `plasmolite serve` on a free port of loopback, yield the port, and end the server on leaving."""
    log = folder / "server.log"
    # What it says is read below.
    command = [sys.executable, "-m", "plasmolite", "serve", "--language", "en", "--port", "0"]
    with log.open("w", encoding="utf-8") as file:
        process = subprocess.Popen(  # noqa: S603 - our own program
            [*command, "--slides", os.fspath(folder / "slides.sqlite")], stderr=file
        )
    try:
        deadline = time.monotonic() + _START_SECONDS
        while "Plasmolite is at" not in (text := log.read_text(encoding="utf-8")):
            if process.poll() is not None or time.monotonic() > deadline:
                raise BenchmarkError(BenchCode.NO_SERVER, reason=text.strip()[-300:])
            time.sleep(0.1)
        yield int(text.split("Plasmolite is at ")[1].split("/ ")[0].rsplit(":", 1)[1])
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(_STOP_SECONDS)
