"""The benchmark as a whole: its sections, run one after the other, with the machine's record about them."""

import re
import sys
import time
from collections.abc import Sequence
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

from benchmarks.harness.machine import describe_software, judge_machine, watch_use
from benchmarks.harness.measurement import Benchmark, BenchmarkError, Section
from benchmarks.harness.passes import merge_passes
from benchmarks.harness.settings import BenchSettings
from benchmarks.harness.timing import ProgressCallback
from edge.device.board import read_board
from edge.inference.model_file import load_model
from edge.messages.bench_codes import BenchCode


class SectionEntry(NamedTuple):
    """A section of the benchmark: where it lives, and what it answers."""

    module: str
    function: str
    summary: str
    repeats: bool = False
    """Whether it is measured in several passes; the others compare within themselves, or take long."""


SECTIONS: dict[str, SectionEntry] = {
    "startup": SectionEntry(
        "benchmarks.speed.startup",
        "measure_startup",
        "seconds to the first verdict, memory, disk",
        repeats=True,
    ),
    "latency": SectionEntry(
        "benchmarks.speed.latency",
        "measure_latency",
        "interpreter, preprocessing and file to verdict",
        repeats=True,
    ),
    "peers": SectionEntry(
        "benchmarks.speed.peers",
        "measure_peers",
        "the same network in other runtimes, and other systems' networks",
    ),
    "field": SectionEntry(
        "benchmarks.speed.fields",
        "measure_fields",
        "fields a second, and the share of each step",
        repeats=True,
    ),
    "live": SectionEntry(
        "benchmarks.speed.live", "measure_live", "frames dropped at a camera's rate, and the age of results"
    ),
    "server": SectionEntry(
        "benchmarks.speed.server",
        "measure_server",
        "requests a second against the rate in process; needs h2load",
    ),
    "scale": SectionEntry(
        "benchmarks.speed.scale", "measure_scale", "growth with cells, megapixels and slides in the store"
    ),
    "accuracy": SectionEntry(
        "benchmarks.accuracy.section",
        "measure_accuracy",
        "labelled cells by patient; needs --cells, --boxes or --uninfected",
    ),
    "laboratories": SectionEntry(
        "benchmarks.accuracy.laboratories",
        "measure_laboratories",
        "whole fields, laboratory by laboratory; needs --laboratory",
    ),
    "patients": SectionEntry(
        "benchmarks.accuracy.patients",
        "measure_patients",
        "evidence of infection, limit of detection and count by patient; needs --laboratory, twice or more",
    ),
}


def run_benchmark(sections: Sequence[str], settings: BenchSettings, report: ProgressCallback) -> Benchmark:
    """Run sections of the benchmark.

    Args:
        sections: names from :data:`SECTIONS`, run in this order.
        settings: what to measure.
        report: told of the progress: what is being done, and the share of the whole run.

    Raises:
        PlasmoliteError: nothing of a section could be measured.
    """
    unknown = [name for name in sections if name not in SECTIONS]
    if unknown:
        raise BenchmarkError(BenchCode.NO_SECTION, unknown=unknown, sections=list(SECTIONS))
    made = datetime.now().astimezone().isoformat(timespec="seconds")
    before = read_board()
    passes: dict[str, list[Section]] = {name: [] for name in sections}
    # All of one pass before the next: a section's passes lie as far apart as can be.
    plan = [
        (name, turn)
        for turn in range(settings.passes)
        for name in sections
        if turn == 0 or SECTIONS[name].repeats
    ]
    shorter = settings.in_passes()
    for done, (name, turn) in enumerate(plan):
        entry = SECTIONS[name]
        measure = getattr(import_module(entry.module), entry.function)

        def part(text: str, share: float, done: int = done, name: str = name, turn: int = turn) -> None:
            which = f", pass {turn + 1}" if SECTIONS[name].repeats and settings.passes > 1 else ""
            report(f"{name}{which}: {text}", (done + share) / len(plan))

        begin = time.perf_counter()
        with watch_use() as use:
            section = measure(shorter if entry.repeats else settings, part)
        passes[name].append(
            section._replace(
                seconds=round(time.perf_counter() - begin, 1),
                others_share=use.others_share,
                waited_share=use.waited_share,
            )
        )
    measured = [merge_passes(found) for found in passes.values()]
    after = read_board()
    models = [load_model(path) for path in settings.models]
    machine = {
        "before": before.to_json(),
        "after": after.to_json(),
        **describe_software(),
        "models": [{"file": model.path.name, "name": model.name, "sha256": model.sha256} for model in models],
    }
    others = {section.name: section.lost_share for section in measured}
    warnings = tuple(judge_machine(before, after, others))
    return Benchmark(
        made, ("plasmolite", *map(_without_folders, sys.argv[1:])), machine, warnings, tuple(measured)
    )


def _without_folders(argument: str) -> str:
    """Shorten absolute paths to their last name: results are kept and shown, and nobody else has these folders.

    A path is an argument, or stands in one between equals signs and commas (``--json=FILE``, ``NAME=FILE,size=44``).
    """
    parts = re.split("([=,])", argument)
    return "".join(Path(part).name if Path(part).is_absolute() else part for part in parts)
