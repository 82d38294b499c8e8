"""Load on ``plasmolite serve`` over loopback, beside ``plasmolite classify`` on the same encoded pictures.

Run it with: ``python -m benchmarks.server_load --seconds 60 --clients 8 --pictures 32``. Each client is a process
of its own with one open connection; they do not share the server's interpreter lock, but its processor.
"""

import argparse
import json
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from http.client import HTTPConnection
from pathlib import Path
from typing import NamedTuple

from edge.imaging import encode_png
from edge.simulator import draw_cell

_BOUNDARY = "plasmolite-load"
_DRAWN = 64


class ClientRun(NamedTuple):
    """What one client saw: seconds of each answer, and what was no 200."""

    seconds: tuple[float, ...]
    refused: int
    lost: int


class LoadResult(NamedTuple):
    """One run of the load.

    Attributes:
        cells_per_second: judged by the server.
        requests: answered with 200.
        refused: answered with 503: the queue was full.
        lost: not answered.
        p50: median of the answers' time, seconds.
        p99: of the answers' time, seconds.
        memory: resident memory of the server, MiB, every few seconds.
    """

    cells_per_second: float
    requests: int
    refused: int
    lost: int
    p50: float
    p99: float
    memory: tuple[float, ...]


def draw_pictures(folder: Path) -> list[Path]:
    """Draw the cells that both sides judge."""
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


def ask_until(port: int, bodies: Sequence[bytes], until: float, seed: int) -> ClientRun:
    """One client: posts forms over one connection until a moment of the monotonic clock."""
    rng = random.Random(seed)
    headers = {"Content-Type": f"multipart/form-data; boundary={_BOUNDARY}"}
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    seconds: list[float] = []
    refused = lost = 0
    while time.monotonic() < until:
        began = time.perf_counter()
        try:
            connection.request("POST", "/predict", rng.choice(bodies), headers)
            answer = connection.getresponse()
            answer.read()
        except OSError:
            lost += 1
            connection.close()
            continue
        if answer.status == 200:
            seconds.append(time.perf_counter() - began)
        else:
            refused += 1
            time.sleep(0.05)
    connection.close()
    return ClientRun(tuple(seconds), refused, lost)


def resident_mib(pid: int) -> float:
    """Resident memory of a process, MiB (Linux)."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1]) / 1024


def run_load(
    port: int, pid: int, bodies: Sequence[bytes], *, clients: int, cells: int, seconds: float
) -> LoadResult:
    """Put the load on a running server.

    Args:
        port: where it listens on loopback.
        pid: its process, whose memory is watched.
        bodies: forms to choose from.
        clients: that ask at the same time.
        cells: in each form.
        seconds: how long.
    """
    memory: list[float] = []
    done = threading.Event()

    def watch() -> None:
        while not done.wait(min(5.0, seconds / 12)):
            memory.append(resident_mib(pid))

    watcher = threading.Thread(target=watch, daemon=True)
    with ProcessPoolExecutor(clients) as pool:
        until = time.monotonic() + seconds
        watcher.start()
        futures = [pool.submit(ask_until, port, bodies, until, seed) for seed in range(clients)]
        runs = [future.result() for future in futures]
    done.set()
    watcher.join()
    times = sorted(second for run in runs for second in run.seconds)
    return LoadResult(
        cells_per_second=len(times) * cells / seconds,
        requests=len(times),
        refused=sum(run.refused for run in runs),
        lost=sum(run.lost for run in runs),
        p50=statistics.median(times),
        p99=times[min(len(times) - 1, int(len(times) * 0.99))],
        memory=tuple(memory),
    )


def classify_rate(folder: Path, seconds: float) -> float:
    """Cells a second of ``plasmolite classify`` itself on the same files, loading not counted.

    The files are judged again and again in one process, as a folder of as many would be.
    """
    code = (
        "import sys,time;from pathlib import Path;from edge.cellfiles import CellFile,judge_files;"
        "from edge.classifier import Classifier;c=Classifier.open();"
        "files=[CellFile(p.name,p) for p in sorted(Path(sys.argv[1]).glob('*.png'))];"
        "list(judge_files(c,.5,files));n=0;began=time.perf_counter()\n"
        "while time.perf_counter()-began<float(sys.argv[2]): n+=len(list(judge_files(c,.5,files*8)))\n"
        "print(n/(time.perf_counter()-began))"
    )
    done = subprocess.run(  # noqa: S603 - our own interpreter and code
        [sys.executable, "-c", code, str(folder), str(seconds)], capture_output=True, text=True, check=True
    )
    return float(done.stdout.split()[-1])


def start_server(folder: Path) -> tuple[subprocess.Popen[str], int]:
    """Start ``plasmolite serve`` on a free port of loopback."""
    command = [
        sys.executable,
        "-m",
        "plasmolite",
        "serve",
        "--port",
        "0",
        "--slides",
        str(folder / "slides.sqlite"),
    ]
    log = (folder / "server.log").open("w", encoding="utf-8")
    process = subprocess.Popen(command, stderr=log, text=True)  # noqa: S603 - as above
    for _ in range(1200):
        text = (folder / "server.log").read_text(encoding="utf-8")
        if "Plasmolite is at" in text:
            return process, int(text.split("Plasmolite is at ")[1].split("/ ")[0].rsplit(":", 1)[1])
        if process.poll() is not None:
            raise SystemExit(f"The server did not start: {text}")
        time.sleep(0.1)
    raise SystemExit("The server did not start within two minutes.")


def main() -> None:
    """Measure and print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seconds", type=float, default=60.0, help="length of the load")
    parser.add_argument("--clients", type=int, default=8, help="clients at the same time")
    parser.add_argument("--pictures", type=int, default=32, help="cells in one request")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        data = [path.read_bytes() for path in draw_pictures(folder)]
        rng = random.Random(0)
        bodies = [form_of(rng.choices(data, k=options.pictures)) for _ in range(8)]
        alone = classify_rate(folder, min(20.0, options.seconds))
        server, port = start_server(folder)
        try:
            load = {"clients": options.clients, "cells": options.pictures}
            run_load(port, server.pid, bodies, seconds=3.0, **load)
            result = run_load(port, server.pid, bodies, seconds=options.seconds, **load)
        finally:
            server.send_signal(signal.SIGTERM)
            code = server.wait(60)
    told = {
        "cores": len(os.sched_getaffinity(0)),
        "load_average": os.getloadavg()[0],
        "clients": options.clients,
        "cells_a_request": options.pictures,
        "classify_cells_per_second": round(alone, 1),
        "serve_cells_per_second": round(result.cells_per_second, 1),
        "share": round(result.cells_per_second / alone, 3),
        "requests": result.requests,
        "refused": result.refused,
        "lost": result.lost,
        "p50_ms": round(result.p50 * 1000, 1),
        "p99_ms": round(result.p99 * 1000, 1),
        "p99_over_p50": round(result.p99 / result.p50, 2),
        "memory_mib_first_and_last": [round(result.memory[0], 1), round(result.memory[-1], 1)],
        "server_exit_code": code,
    }
    sys.stdout.write(json.dumps(told, indent=1) + "\n")


if __name__ == "__main__":
    main()
