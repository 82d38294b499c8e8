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
from benchmarks.harness.measurement import Benchmark, BenchmarkError, Section, Told
from benchmarks.harness.passes import merge_passes
from benchmarks.harness.settings import BenchSettings
from benchmarks.harness.timing import ProgressCallback
from edge.device.board import read_board
from edge.inference.model_file import load_model
from edge.messages.bench_codes import BenchCode
from edge.messages.message import Message


class SectionEntry(NamedTuple):
    """A section of the benchmark, and where it lives."""

    module: str
    function: str
    repeats: bool = False
    """Whether it is measured in several passes; the others compare within themselves, or take long."""


SECTIONS: dict[str, SectionEntry] = {
    "startup": SectionEntry("benchmarks.speed.startup", "measure_startup", repeats=True),
    "latency": SectionEntry("benchmarks.speed.latency", "measure_latency", repeats=True),
    "peers": SectionEntry("benchmarks.speed.peers", "measure_peers"),
    "field": SectionEntry("benchmarks.speed.fields", "measure_fields", repeats=True),
    "live": SectionEntry("benchmarks.speed.live", "measure_live"),
    "server": SectionEntry("benchmarks.speed.server", "measure_server"),
    "scale": SectionEntry("benchmarks.speed.scale", "measure_scale"),
    "accuracy": SectionEntry("benchmarks.accuracy.section", "measure_accuracy"),
    "laboratories": SectionEntry("benchmarks.accuracy.laboratories", "measure_laboratories"),
    "patients": SectionEntry("benchmarks.accuracy.patients", "measure_patients"),
}
"""What each answers is in the catalogues under ``bench.section.NAME``."""


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

        def part(step: Told, share: float, done: int = done, name: str = name, turn: int = turn) -> None:
            if SECTIONS[name].repeats and settings.passes > 1:
                line = Message(BenchCode.PROGRESS_IN_PASSES, section=name, turn=turn + 1, step=step)
            else:
                line = Message(BenchCode.PROGRESS, section=name, step=step)
            report(line, (done + share) / len(plan))

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

    A path is an argument, or is in one between equals signs and commas (``--json=FILE``, ``NAME=FILE,size=44``).
    """
    parts = re.split("([=,])", argument)
    return "".join(Path(part).name if Path(part).is_absolute() else part for part in parts)
