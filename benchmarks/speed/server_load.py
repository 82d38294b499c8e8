"""Load on ``plasmolite serve`` over loopback, in turns with ``plasmolite classify`` on the same encoded pictures.

Run it with ``python -m benchmarks.speed.server_load --cells 1`` for rates, ``--rounds 1 --seconds 600`` for
the memory over time. The load comes from h2load (nghttp2; ``apt install nghttp2-client``), whose own use of
the processor is small and is told. Each client is a process with one open connection and a form of its own.
"""

import argparse
import json
import os
import resource
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

from benchmarks.harness.measurement import BenchmarkError
from edge.cells.files import judge_files
from edge.errors import PlasmoliteError
from edge.images.files import encode_png
from edge.images.inputs import CellFile
from edge.inference.classifier import Classifier
from edge.simulation.single_cell import draw_cell

_BOUNDARY = "plasmolite-load"
_DRAWN = 64
_WARM_UP_SECONDS = 3
_STOP_SECONDS = 60


class Judged(NamedTuple):
    """What ``plasmolite classify``'s own loop did in one round."""

    cells: int
    seconds: float
    cpu_seconds: float


class Loaded(NamedTuple):
    """What the server did in one round.

    Attributes:
        answer_ms: time of each answer with status 200.
        statuses: how often each other status came; -1 is a connection that was lost.
        seconds: length of the round.
        server_cpu_seconds: used by the server.
        client_cpu_seconds: used by the load generator.
    """

    answer_ms: tuple[float, ...]
    statuses: Counter[int]
    seconds: float
    server_cpu_seconds: float
    client_cpu_seconds: float


def draw_pictures(folder: Path) -> list[Path]:
    """Draw the cells that both sides judge, half of them with a parasite, as PNG files."""
    paths = []
    for seed in range(_DRAWN):
        path = folder / f"{seed:03}.png"
        path.write_bytes(encode_png(draw_cell(seed, seed % 2 == 0).rgb))
        paths.append(path)
    return paths


def form_of(pictures: Sequence[bytes]) -> bytes:
    """Encode pictures as one multipart form."""
    parts = [
        f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="{n}.png"\r\n\r\n'.encode()
        + data
        for n, data in enumerate(pictures)
    ]
    return b"\r\n".join([*parts, f"--{_BOUNDARY}--\r\n".encode()])


def write_forms(folder: Path, pictures: Sequence[bytes], *, clients: int, cells: int) -> list[Path]:
    """Write a form for each client, so that together they send all of the pictures in turn."""
    paths = []
    for client in range(clients):
        path = folder / f"client{client}.form"
        chosen = [pictures[(client * cells + n) % len(pictures)] for n in range(cells)]
        path.write_bytes(form_of(chosen))
        paths.append(path)
    return paths


def classify_for(folder: Path, seconds: float) -> Judged:
    """Judge the files again and again, as ``plasmolite classify`` does with a folder; loading is not counted."""
    classifier = Classifier.open()
    files = [CellFile(path.name, path) for path in sorted(folder.glob("*.png"))]
    list(judge_files(classifier, 0.5, files))
    cells, began, cpu = 0, time.perf_counter(), time.process_time()
    while time.perf_counter() - began < seconds:
        cells += len(list(judge_files(classifier, 0.5, files * 4)))
    return Judged(cells, time.perf_counter() - began, time.process_time() - cpu)


def load_for(port: int, pid: int, forms: Sequence[Path], seconds: float) -> Loaded:
    """Let every client post its form over one connection again and again.

    Args:
        port: of the server on loopback.
        pid: of the server.
        forms: one file a client.
        seconds: how long; whole milliseconds count.

    Raises:
        BenchmarkError: the load generator is not installed, or failed.
    """
    server_before, clients_before = cpu_seconds(pid), _children_seconds()
    with tempfile.TemporaryDirectory() as name:
        logs = [Path(name, f"{client}.log") for client in range(len(forms))]
        clients = [
            subprocess.Popen(  # noqa: S603 - the load generator with our own arguments
                [
                    *(find_h2load(), "--h1", "--clients=1", "--threads=1"),
                    *(f"--duration={round(seconds * 1000)}ms", f"--log-file={log}", f"--data={form}"),
                    f"--header=content-type: multipart/form-data; boundary={_BOUNDARY}",
                    f"http://127.0.0.1:{port}/predict",
                ],
                stdout=subprocess.DEVNULL,
            )
            for form, log in zip(forms, logs, strict=True)
        ]
        codes = [client.wait() for client in clients]
        if any(codes):
            raise BenchmarkError(f"h2load ended with {max(codes, key=abs)} instead of 0.")
        # A line an answer: when it began, status, time; both times in microseconds.
        lines = [line.split() for log in logs for line in log.read_text(encoding="ascii").splitlines()]
    return Loaded(
        answer_ms=tuple(int(took) / 1000 for _, status, took in lines if status == "200"),
        statuses=Counter(int(status) for _, status, _ in lines if status != "200"),
        seconds=seconds,
        server_cpu_seconds=cpu_seconds(pid) - server_before,
        client_cpu_seconds=_children_seconds() - clients_before,
    )


def cpu_seconds(pid: int) -> float:
    """Time of the processor that a process has used (Linux)."""
    after_name = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()
    return (int(after_name[11]) + int(after_name[12])) / os.sysconf("SC_CLK_TCK")


def resident_mib(pid: int) -> float:
    """Resident memory of a process, MiB (Linux)."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1]) / 1024


class MemoryWatch(threading.Thread):
    """Notes the resident memory of a process every few seconds until stopped.

    Attributes:
        noted: MiB, in the order of time.
    """

    def __init__(self, pid: int, every_seconds: float) -> None:
        super().__init__(daemon=True)
        self.noted = [resident_mib(pid)]
        self._pid, self._every, self._done = pid, every_seconds, threading.Event()

    def run(self) -> None:
        """Note until stopped."""
        while not self._done.wait(self._every):
            self.noted.append(resident_mib(self._pid))

    def stop(self) -> None:
        """Note the last, and end the thread."""
        self._done.set()
        self.join()
        self.noted.append(resident_mib(self._pid))


class Server(NamedTuple):
    """``plasmolite serve`` in a process of its own."""

    process: subprocess.Popen[str]
    port: int
    """On loopback."""


@contextmanager
def serving(folder: Path, options: Sequence[str] = ()) -> Iterator[Server]:
    """Run ``plasmolite serve`` on a free port of loopback, and end it on leaving.

    Raises:
        BenchmarkError: it does not start.
    """
    slides = str(folder / "slides.sqlite")
    command = [sys.executable, "-m", "plasmolite", "serve", "--port", "0", "--slides", slides, *options]
    log = folder / "server.log"
    with log.open("w", encoding="utf-8") as file:
        process = subprocess.Popen(command, stderr=file, text=True)  # noqa: S603 - our own program
    try:
        yield Server(process, _wait_for_port(process, log))
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(_STOP_SECONDS)


def _wait_for_port(process: subprocess.Popen[str], log: Path) -> int:
    for _ in range(1200):
        text = log.read_text(encoding="utf-8")
        if "Plasmolite is at" in text:
            return int(text.split("Plasmolite is at ")[1].split("/ ")[0].rsplit(":", 1)[1])
        if process.poll() is not None:
            raise BenchmarkError(f"The server did not start: {text}")
        time.sleep(0.1)
    raise BenchmarkError("The server did not start within two minutes.")


def take_turns(
    server: Server, folder: Path, forms: Sequence[Path], *, rounds: int, seconds: float
) -> Iterator[tuple[Judged, Loaded]]:
    """Let ``classify``'s own loop and the server under load take turns; yield each round.

    Args:
        server: warm.
        folder: of the pictures that ``classify`` judges.
        forms: one file a client.
        rounds: how many.
        seconds: length of either turn; 20 are enough for ``classify``.
    """
    # Spawned, not forked: a process of its own, as plasmolite classify is.
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        for _ in range(rounds):
            alone = pool.submit(classify_for, folder, min(seconds, 20.0)).result()
            yield alone, load_for(server.port, server.process.pid, forms, seconds)


def told(
    judged: Sequence[Judged], loaded: Sequence[Loaded], cells: int, memory: Sequence[float]
) -> dict[str, object]:
    """Put the rounds together: medians over the rounds, times over all answers."""
    shares = [
        len(load.answer_ms) * cells / load.seconds / (alone.cells / alone.seconds)
        for alone, load in zip(judged, loaded, strict=True)
    ]
    times = sorted(took for load in loaded for took in load.answer_ms)
    answered = len(times) * cells
    p50, p99 = statistics.median(times), times[min(len(times) - 1, int(len(times) * 0.99))]
    # Two minutes fill the caches of allocators and of the runtime: what grows after the first half would go on.
    late = memory[len(memory) // 2 :]
    return {
        "classify_cells_per_second": round(statistics.median(j.cells / j.seconds for j in judged), 1),
        "serve_cells_per_second": round(
            statistics.median(len(load.answer_ms) * cells / load.seconds for load in loaded), 1
        ),
        "share": round(statistics.median(shares), 3),
        "share_of_each_round": [round(share, 3) for share in shares],
        "classify_cpu_ms_a_cell": round(
            sum(j.cpu_seconds for j in judged) / sum(j.cells for j in judged) * 1e3, 2
        ),
        "serve_cpu_ms_a_cell": round(sum(load.server_cpu_seconds for load in loaded) / answered * 1e3, 2),
        "clients_cpu_ms_a_cell": round(sum(load.client_cpu_seconds for load in loaded) / answered * 1e3, 2),
        "requests": len(times),
        "other_statuses": {
            str(status): count for status, count in sum((ld.statuses for ld in loaded), Counter()).items()
        },
        "p50_ms": round(p50, 1),
        "p99_ms": round(p99, 1),
        "p99_over_p50": round(p99 / p50, 2),
        "memory_mib": [round(value, 1) for value in memory],
        "memory_growth_in_second_half_mib": round(late[-1] - late[0], 1),
    }


def main() -> None:
    """Measure and print one JSON object."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5, help="turns of both sides")
    parser.add_argument("--seconds", type=float, default=4.0, help="length of the load in each round")
    parser.add_argument("--clients", type=int, default=8, help="clients at the same time")
    parser.add_argument("--cells", type=int, default=1, help="cells in one request")
    parser.add_argument(
        "--memory-every", type=float, default=10.0, help="seconds between looks at the memory"
    )
    parser.add_argument("serve", nargs="*", help="options for plasmolite serve, after --")
    options = parser.parse_args()
    try:
        figures = _measure(options)
    except PlasmoliteError as error:
        raise SystemExit(str(error)) from error
    sys.stdout.write(json.dumps(figures, indent=1) + "\n")


def _measure(options: argparse.Namespace) -> dict[str, object]:
    find_h2load()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        pictures = [path.read_bytes() for path in draw_pictures(folder)]
        forms = write_forms(folder, pictures, clients=options.clients, cells=options.cells)
        with serving(folder, options.serve) as server:
            pid = server.process.pid
            load_for(server.port, pid, forms, _WARM_UP_SECONDS)
            watch = MemoryWatch(pid, options.memory_every)
            watch.start()
            turns = list(take_turns(server, folder, forms, rounds=options.rounds, seconds=options.seconds))
            watch.stop()
    judged, loaded = zip(*turns, strict=True)
    return {
        "cores": len(os.sched_getaffinity(0)),
        "load_average": round(os.getloadavg()[0], 2),
        "clients": options.clients,
        "cells_a_request": options.cells,
        **told(judged, loaded, options.cells, watch.noted),
        "server_exit_code": server.process.returncode,
    }


def _children_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def find_h2load() -> str:
    """Find the load generator.

    Raises:
        BenchmarkError: it is not installed.
    """
    found = shutil.which("h2load")
    if found is None:
        raise BenchmarkError("h2load is not installed. Install it with: apt install nghttp2-client")
    return found


if __name__ == "__main__":
    main()
