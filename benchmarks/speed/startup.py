"""Start-up time, memory and disk use: from the start of a process to its first verdict."""

import os
import re
import subprocess
import sys
import tempfile
import time
import tomllib
from importlib.metadata import Distribution, PackageNotFoundError, distribution, requires
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks.harness.candidates import load_models, sample_files
from benchmarks.harness.measurement import BenchmarkError, Better, Measurement, Section
from benchmarks.harness.settings import BenchSettings
from benchmarks.harness.timing import ProgressCallback, median_interval
from edge.messages.bench_codes import BenchCode
from edge.messages.message import Message

FIRST_VERDICT = "From the start of the process to the first verdict"
MEMORY = "Largest memory of classify, MB"
DISK = "Size on disk, MB"
# A child's ru_maxrss begins at its parent's size on Linux, so classify itself says at its end what it took.
_CLASSIFY = """
import atexit, os, sys
def tell():
    if os.path.exists("/proc/self/status"):
        with open("/proc/self/status") as status:
            sys.stderr.write(status.read())
atexit.register(tell)
from plasmolite.console import main
main()
"""
_MANY = 500
"""Cells in the run whose memory is measured beside that of a single cell."""


class Run(NamedTuple):
    """One process, from start to end."""

    seconds: float
    peak_bytes: int


def measure_startup(settings: BenchSettings, report: ProgressCallback) -> Section:
    """Start ``plasmolite classify`` again and again, and weigh models and libraries.

    Raises:
        PlasmoliteError: a model cannot be read, or ``classify`` fails.
    """
    models = load_models(settings.models)
    measurements: list[Measurement] = []
    # Turns again: each round starts every model once, so that a drifting machine is fair to all.
    runs: dict[str, list[Run]] = {model.name: [] for model in models}
    with tempfile.TemporaryDirectory(prefix="plasmolite-bench-") as folder:
        cell = Path(folder) / "cell.png"
        cell.write_bytes(sample_files()[0])
        many = Path(folder) / "many"
        many.mkdir()
        for number in range(_MANY):
            (many / f"cell_{number:03d}.png").write_bytes(sample_files()[number % len(sample_files())])
        for turn in range(settings.starts + 1):
            for model in models:
                report(Message(BenchCode.STARTING_CLASSIFY, turn=turn), turn / (settings.starts + 2))
                run = run_classify(model.path, cell)
                if turn > 0:  # the first fills the disk cache
                    runs[model.name].append(run)
        for model in models:
            report(Message(BenchCode.MEMORY_OF_CLASSIFY), (settings.starts + 1) / (settings.starts + 2))
            seconds = np.array([run.seconds for run in runs[model.name]])
            low, high = median_interval(seconds)
            spread = float(np.std(seconds) / np.median(seconds))
            measurements += [
                Measurement(
                    FIRST_VERDICT,
                    model.name,
                    "p50",
                    float(np.median(seconds)),
                    "s",
                    low,
                    high,
                    Better.LOWER,
                    spread,
                ),
                Measurement(FIRST_VERDICT, model.name, "max", float(seconds.max()), "s"),
                Measurement(
                    MEMORY,
                    model.name,
                    "1 cell",
                    float(np.median([run.peak_bytes for run in runs[model.name]])) / 1e6,
                    "MB",
                    better=Better.LOWER,
                ),
                Measurement(
                    MEMORY,
                    model.name,
                    f"{_MANY} cells",
                    run_classify(model.path, many).peak_bytes / 1e6,
                    "MB",
                    better=Better.LOWER,
                ),
                Measurement(
                    DISK, model.name, "size", model.path.stat().st_size / 1e6, "MB", better=Better.LOWER
                ),
            ]
    libraries, missing = edge_libraries()
    for library, size in libraries.items():
        measurements.append(Measurement(DISK, f"library {library}", "size", size / 1e6, "MB"))
    total = sum(libraries.values()) / 1e6
    measurements.append(
        Measurement(DISK, "edge extra, all libraries", "size", total, "MB", better=Better.LOWER)
    )
    notes = (
        Message(BenchCode.NOTE_STARTS, starts=settings.starts),
        Message(BenchCode.NOTE_LIBRARIES),
    )
    return Section("startup", "Start-up, memory, disk", tuple(measurements), notes, tuple(missing))


def run_classify(model: Path, pictures: Path) -> Run:
    """Run ``plasmolite classify`` in a process of its own and measure it.

    Raises:
        BenchmarkError: it could not judge the pictures.
    """
    arguments = [sys.executable, "-c", _CLASSIFY, "classify", "--json", "--model", str(model), str(pictures)]
    with tempfile.TemporaryFile() as errors:
        begin = time.perf_counter()
        # The console of this very installation, with our own arguments.
        process = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=errors)  # noqa: S603
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - begin
        process.returncode = os.waitstatus_to_exitcode(status)
        errors.seek(0)
        said = errors.read().decode(errors="replace").strip()
        if process.returncode != 0:
            raise BenchmarkError(
                BenchCode.CLASSIFY_FAILED, model=model, status=process.returncode, reason=said[:500]
            )
    peak = re.search(r"VmHWM:\s*(\d+) kB", said)
    if peak:
        return Run(seconds, int(peak.group(1)) * 1024)
    # Without /proc: what the kernel keeps of the process, in bytes on macOS, else in KiB (getrusage(2)).
    return Run(seconds, usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024))


def edge_libraries() -> tuple[dict[str, int], list[Message]]:
    """Weigh the libraries that the extra ``edge`` installs, with all that they need in turn.

    Returns:
        Bytes by distribution, and a sentence for each that is not installed.
    """
    sizes: dict[str, int] = {}
    missing: list[Message] = []
    wanted = _wanted_by_edge()
    if not wanted:
        missing.append(Message(BenchCode.LIBRARIES_UNKNOWN))
    while wanted:
        name = wanted.pop()
        if name in sizes:
            continue
        try:
            found = distribution(name)
        except PackageNotFoundError:
            missing.append(Message(BenchCode.LIBRARY_MISSING, name=name))
            continue
        sizes[name] = _bytes_of(found)
        wanted += [_name(text) for text in found.requires or [] if "extra ==" not in text and _applies(text)]
    return dict(sorted(sizes.items())), missing


def _wanted_by_edge() -> list[str]:
    """Name what ``plasmolite[edge]`` requires, as installed or as the source tree says."""
    try:
        return [_name(text) for text in requires("plasmolite") or [] if _is_of_edge(text)]
    except PackageNotFoundError:
        source = Path(__file__).parents[2] / "pyproject.toml"
    if not source.is_file():
        return []
    project = tomllib.loads(source.read_text("utf-8"))["project"]
    return [_name(text) for text in (*project["dependencies"], *project["optional-dependencies"]["edge"])]


def _is_of_edge(requirement: str) -> bool:
    marker = requirement.partition(";")[2].replace('"', "'")
    return not marker.strip() or "extra == 'edge'" in marker


def _applies(requirement: str) -> bool:
    """Tell whether a requirement is for this system, as far as its marker names another one."""
    marker = requirement.partition(";")[2]
    return not re.search(r"(sys_platform|platform_system)\s*==\s*['\"](win32|Windows|darwin|Darwin)", marker)


def _name(requirement: str) -> str:
    match = re.match(r"[A-Za-z0-9._-]+", requirement)
    return match.group().lower().replace("_", "-") if match else requirement


def _bytes_of(found: Distribution) -> int:
    paths = (Path(str(found.locate_file(file))) for file in found.files or [])
    return sum(path.stat().st_size for path in paths if path.suffix != ".pyc" and path.is_file())
