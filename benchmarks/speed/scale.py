"""How the cost grows: with the cells of a field, with its megapixels, with the slides in the store."""

import tempfile
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from benchmarks.harness.candidates import leading_model, load_models
from benchmarks.harness.measurement import Better, Chart, Measurement, Section, Series, Told
from benchmarks.harness.settings import BenchSettings
from benchmarks.harness.timing import (
    ProgressCallback,
    Subject,
    Timing,
    TimingLimits,
    distribution,
    time_in_turns,
)
from edge.fields.analyser import FieldAnalyser
from edge.inference.classifier import Classifier
from edge.messages.bench_codes import BenchCode
from edge.messages.message import Message
from edge.simulation.field import FieldSettings, draw_field
from edge.slides.store import SlideStore

CELLS = (10, 50, 200, 700, 2000)
MEGAPIXELS = (0.3, 1.2, 5.0, 20.0)
SLIDES = (1, 10, 100, 1000, 10_000)
_RBC_CELL_WIDTH = 60.0


def measure_scale(settings: BenchSettings, report: ProgressCallback) -> Section:
    """Time growing work, and fit the exponent of its growth.

    Raises:
        PlasmoliteError: a model cannot be read.
    """
    model = leading_model(load_models(settings.models))
    analyser = FieldAnalyser(Classifier(model, threads=max(settings.threads)))
    groups: dict[str, tuple[str, dict[float, Timing]]] = {}
    report(Message(BenchCode.DRAWING_FIELDS), 0.0)
    groups["cells in a field of 5 megapixels"] = (
        "cells",
        _grow(_by_cells(analyser, settings), settings.limits, report, Message(BenchCode.BY_CELLS)),
    )
    groups["megapixels of a field of 60 cells"] = (
        "megapixels",
        _grow(_by_megapixels(analyser, settings), settings.limits, report, Message(BenchCode.BY_MEGAPIXELS)),
    )
    with tempfile.TemporaryDirectory(prefix="plasmolite-scale-") as folder:
        subjects = _by_slides(Path(folder), report)
        for what, found in subjects.items():
            groups[f"slides in the store, {what}"] = ("slides", _grow(found, settings.limits, report, what))
    measurements, charts = [], []
    for name, (unit, timings) in groups.items():
        group = f"Cost against {name}"
        for size, timing in timings.items():
            measurements.append(
                distribution(group, timing, tail=False)[0]._replace(subject=f"{size:,.10g} {unit}")
            )
        value, low, high = exponent({size: timing.p50 for size, timing in timings.items()})
        measurements.append(
            Measurement("Exponent of growth", name, "exponent", value, "", low, high, Better.LOWER)
        )
        series = Series(name, tuple(timings), tuple(timing.p50 * 1e3 for timing in timings.values()))
        charts.append(Chart("lines", f"Cost against {name}", unit, "ms", (series,), logarithmic=True))
    notes = (Message(BenchCode.NOTE_SCALE),)
    return Section("scale", "Scale", tuple(measurements), notes, (), tuple(charts))


def exponent(seconds: dict[float, float]) -> tuple[float, float, float]:
    """Fit cost = c * size ^ exponent by least squares on the logarithms.

    Args:
        seconds: cost by size, at least three sizes.

    Returns:
        The exponent, and two standard errors below and above it.
    """
    x, y = np.log(list(seconds)), np.log(list(seconds.values()))
    slope, intercept = np.polyfit(x, y, 1)
    residual = y - (slope * x + intercept)
    error = np.sqrt((residual**2).sum() / max(1, len(x) - 2) / ((x - x.mean()) ** 2).sum())
    return float(slope), float(slope - 2 * error), float(slope + 2 * error)


def _grow(
    calls: dict[float, Callable[[], object]], limits: TimingLimits, report: ProgressCallback, title: Told
) -> dict[float, Timing]:
    timings = time_in_turns(
        [Subject(str(size), call) for size, call in calls.items()], limits, report=report, title=title
    )
    return {size: timings[str(size)] for size in calls}


def _by_cells(analyser: FieldAnalyser, settings: BenchSettings) -> dict[float, Callable[[], object]]:
    calls: dict[float, Callable[[], object]] = {}
    for cells in CELLS:
        field = draw_field(settings.seed, FieldSettings(width=2592, height=1944, cells=cells, cell_width=32))
        # Sparse fields are refused on the spot in everyday use; here the finding is what is measured.
        calls[len(field.cells)] = lambda rgb=field.rgb: analyser.analyse(rgb, "drawn", 32.0)  # type: ignore[misc]
    return calls


def _by_megapixels(analyser: FieldAnalyser, settings: BenchSettings) -> dict[float, Callable[[], object]]:
    field = draw_field(settings.seed, FieldSettings(cells=60, cell_width=_RBC_CELL_WIDTH)).rgb
    calls: dict[float, Callable[[], object]] = {}
    for megapixels in MEGAPIXELS:
        zoom = (megapixels * 1e6 / (field.shape[0] * field.shape[1])) ** 0.5
        rgb = np.asarray(cv2.resize(field, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_CUBIC), np.uint8)
        calls[megapixels] = lambda rgb=rgb: analyser.analyse(rgb, "drawn")  # type: ignore[misc]
    return calls


def _by_slides(folder: Path, report: ProgressCallback) -> dict[str, dict[float, Callable[[], object]]]:
    """Fill stores of several sizes; time listing all slides, and finding and counting one."""
    listing: dict[float, Callable[[], object]] = {}
    opening: dict[float, Callable[[], object]] = {}
    for slides in SLIDES:
        store = SlideStore(folder / f"{slides}.sqlite")
        for number in range(slides):
            if number % 100 == 0:
                report(Message(BenchCode.FILLING_STORE, slides=slides), number / slides)
            store.create_slide(
                f"S-{number}",
                operator="benchmark",
                device="benchmark",
                model_name="none",
                model_sha256="0" * 64,
                settings={},
            )
        middle = f"S-{slides // 2}"
        listing[slides] = store.slides
        opening[slides] = lambda store=store, middle=middle: store.counts(store.slide(middle))  # type: ignore[misc]
    return {"listing all": listing, "opening one": opening}
