"""What a field costs: processor time against the classification alone of its cells, fields a second, memory."""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.harness.measurement import BenchmarkError
from edge.fields.analyser import FieldAnalyser, cut_cells, red_cells
from edge.fields.files import judge_fields
from edge.images.inputs import CellFile
from edge.inference.classifier import Classifier
from edge.messages.bench_codes import BenchCode
from edge.segmentation.finder import CellFinder
from edge.simulation.field import FieldSettings, draw_field

# The field whose cost is told: 1600x1200 px, about 100 red cells.
SETTINGS = FieldSettings(width=1600, height=1200, cells=112, cell_width=105)
# 20 megapixels, laid together from a drawn field.
LARGE = (5184, 3888)
SMALL = FieldSettings(width=640, height=480, cells=60, cell_width=40)
# What a child process does: judge a field again and again, and tell its memory ten times.
_CHILD = """
import json, sys
from pathlib import Path
from edge.inference.classifier import Classifier
from edge.fields.analyser import FieldAnalyser
from edge.images.files import read_image
def memory(key):
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(key)).split()[1]) / 1024
path, times = Path(sys.argv[1]), int(sys.argv[2])
analyser = FieldAnalyser(Classifier.open(threads=1))
told, counted = [], 0
for number in range(times):
    counted += analyser.analyse(read_image(path), path.name).cell_count
    if (number + 1) % max(times // 10, 1) == 0:
        told.append(round(memory("VmRSS"), 1))
print(json.dumps({"peak_mb": round(memory("VmHWM"), 1), "rss_mb": told, "cells_counted": counted}))
"""


def measure_cost(finder: CellFinder, classifier: Classifier, repeats: int) -> dict[str, Any]:
    """Time a drawn field's steps, the median of `repeats` rounds.

    Args:
        finder: finds the cells.
        classifier: judges them.
        repeats: rounds.

    Returns:
        Milliseconds of processor time (all threads) and of the clock, by step, and their ratio; fields a second.
    """
    rgb = draw_field(3, SETTINGS).rgb
    analyser = FieldAnalyser(classifier, finder=finder)
    cells = red_cells(analyser.find(rgb).cells)
    inputs = cut_cells(rgb, cells, classifier.input_size)
    steps: dict[str, Callable[[], object]] = {
        "finding": lambda: finder.find(rgb),
        "whole_field": lambda: analyser.analyse(rgb, "drawn"),
        "classification": lambda: classifier.probabilities(inputs),
    }
    spent: dict[str, list[tuple[float, float]]] = {step: [] for step in steps}
    for _ in range(repeats):
        for step, call in steps.items():
            processor, clock = time.process_time(), time.perf_counter()
            call()
            spent[step].append((time.process_time() - processor, time.perf_counter() - clock))
    figures: dict[str, Any] = {"cells": len(cells), "threads": classifier.threads}
    for step, times in spent.items():
        processor, clock = np.median(np.array(times), axis=0) * 1e3
        figures[step] = {"processor_ms": round(float(processor), 1), "clock_ms": round(float(clock), 1)}
    for kind in ("processor_ms", "clock_ms"):
        ratio = figures["whole_field"][kind] / figures["classification"][kind]
        figures[f"ratio_{kind.removesuffix('_ms')}"] = round(ratio, 2)
    figures["fields_a_second"] = round(_fields_a_second(analyser, rgb, 4 * repeats), 1)
    return figures


def _fields_a_second(analyser: FieldAnalyser, rgb: NDArray[np.uint8], times: int) -> float:
    """Judge the files of a slide as `analyze` does, decoding included."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "field.jpg"
        cv2.imwrite(str(path), cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))
        files = [CellFile(str(number), path) for number in range(times)]
        list(judge_fields(analyser, files[:4]))  # the workers are made, and warm
        start = time.perf_counter()
        judged = sum(field.accepted for field in judge_fields(analyser, files))
        return judged / (time.perf_counter() - start)


def measure_memory(times: int) -> dict[str, Any]:
    """Memory of a process that judges one 20-megapixel field, and of one that judges small ones again and again.

    Args:
        times: small fields.
    """
    tile = draw_field(4, FieldSettings()).rgb
    rows, columns = (-(-want // have) for want, have in zip(LARGE[::-1], tile.shape[:2], strict=True))
    large = np.tile(tile, (rows, columns, 1))[: LARGE[1], : LARGE[0]]
    with tempfile.TemporaryDirectory() as folder:
        return {
            "20_megapixels": _child(Path(folder) / "large.jpg", large, 1),
            "small_fields": {
                "fields": times,
                **_child(Path(folder) / "small.jpg", draw_field(5, SMALL).rgb, times),
            },
        }


def _child(path: Path, rgb: NDArray[np.uint8], times: int) -> dict[str, Any]:
    cv2.imwrite(str(path), cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))
    done = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", _CHILD, str(path), str(times)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise BenchmarkError(BenchCode.MEMORY_FAILED, reason=done.stderr.strip()[-300:])
    return dict(json.loads(done.stdout))
