"""How right the verdicts are, by the model file in the device's runtime, and what that costs in time."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.candidates import load_models
from benchmarks.changes import CHANGES, Change, changed
from benchmarks.foreign import ForeignModel, parse_foreign
from benchmarks.labelled import LabelledCell, read_boxed_cells, read_found_cells, read_labelled_cells
from benchmarks.measurement import BenchmarkError, Chart, Measurement, Section, Series
from benchmarks.settings import BenchSettings
from benchmarks.timing import Report, Subject, time_in_turns
from edge.classifier import Classifier
from edge.intervals import clopper_pearson
from edge.preprocessing import network_input
from edge.runtime import find_runtime
from train.evaluation import Judged, Values, auc, measure, sensitivity_at_specificity

_FIGURES = {
    "accuracy": "accuracy",
    "sensitivity": "sensitivity",
    "specificity": "specificity",
    "auc": "AUC",
    "mcc": "Matthews correlation",
    "brier": "Brier score",
    "ece": "calibration error",
}
_LOWER_IS_BETTER = {"brier", "ece"}
_SHARES = {"accuracy", "sensitivity", "specificity"}


class Candidate(NamedTuple):
    """A model that judges cells."""

    name: str
    prepare: Callable[[NDArray[np.uint8], NDArray[np.uint8]], NDArray[Any]]
    probabilities: Callable[[NDArray[Any]], NDArray[np.float32]]
    cell_threshold: float
    field_threshold: float

    def judge(self, cells: list[LabelledCell], change: Change | None = None) -> Values:
        """Judge cells, as they are or changed: float64, shape (n,)."""
        found = []
        # In portions, so that the inputs of a large folder never stand in memory at once.
        for start in range(0, len(cells), 512):
            inputs = [
                self.prepare(*(changed(cell.rgb, cell.mask, change) if change else (cell.rgb, cell.mask)))
                for cell in cells[start : start + 512]
            ]
            found.append(self.probabilities(np.stack(inputs)))
        return np.concatenate(found).astype(np.float64)


def measure_accuracy(settings: BenchSettings, report: Report) -> Section:
    """Judge all labelled cells there are with every model, ours and foreign.

    Raises:
        PlasmoliteError: no data is named, or it cannot be read.
    """
    if settings.cells is None and settings.boxes is None and settings.uninfected_fields is None:
        raise BenchmarkError(
            "The section accuracy needs labelled data: --cells for single cells, --boxes for annotated fields, "
            "--uninfected for fields without malaria."
        )
    candidates, foreign = _candidates(settings)
    measurements: list[Measurement] = []
    notes = [
        "Judged by the model files in the device's runtime, through the device's own preprocessing. Intervals of "
        "95 % by a bootstrap over patients (over fields where fields are named): cells of one are alike.",
        *(f"{one.describe()} Its threshold is 0.5." for one in foreign),
    ]
    charts: list[Chart] = []
    if settings.cells is not None:
        cells, refused = read_labelled_cells(
            settings.cells,
            patients=settings.patients,
            corrections=settings.corrections,
            split=settings.split,
            most=settings.most_cells,
            report=_part(report, 0, 5),
        )
        notes.append(
            f"{settings.cells.name}: {len(cells)} cells of {len({cell.patient for cell in cells})} patients"
            f"{', those of the split file only' if settings.split else ''}; {len(refused)} could not be judged"
            f"{', such as ' + refused[0] if refused else '.'}"
        )
        judged = _judge_all(candidates, cells, _part(report, 1, 5))
        measurements += _single_cells(candidates, cells, judged)
        measurements += _flips(candidates, judged)
        costs, chart = _costs(candidates, cells, judged, settings, report)
        measurements += costs
        charts.append(chart)
        if settings.changes:
            measurements += _under_change(candidates, cells, judged, _part(report, 2, 5))
    if settings.boxes is not None:
        measurements += _boxed(candidates, settings, _part(report, 3, 5))
    if settings.uninfected_fields is not None:
        measurements += _false_alarms(candidates, settings, _part(report, 4, 5))
    return Section("accuracy", "Accuracy", tuple(measurements), tuple(notes), (), tuple(charts))


def _candidates(settings: BenchSettings) -> tuple[list[Candidate], list[ForeignModel]]:
    runtime = find_runtime()
    threads = max(settings.threads)
    candidates = []
    for model in load_models(settings.models):
        classifier = Classifier(model, threads=threads, runtime=runtime)
        candidates.append(
            Candidate(
                model.name,
                lambda rgb, mask, size=model.input_size: network_input(rgb, mask, size=size),  # type: ignore[misc]
                classifier.probabilities,
                model.operating_point("cell").threshold,
                model.operating_point("field").threshold,
            )
        )
    foreign = [parse_foreign(text) for text in settings.foreign]
    for one in foreign:
        candidates.append(
            Candidate(
                one.name,
                one.prepare,
                lambda inputs, one=one: one.probabilities(inputs, runtime, threads),  # type: ignore[misc]
                0.5,
                0.5,
            )
        )
    return candidates, foreign


def _judge_all(candidates: list[Candidate], cells: list[LabelledCell], report: Report) -> dict[str, Judged]:
    labels = np.array([cell.label for cell in cells], np.int64)
    patients = np.array([cell.patient for cell in cells])
    judged = {}
    for done, candidate in enumerate(candidates):
        report(f"judging with {candidate.name}", done / len(candidates))
        judged[candidate.name] = Judged(labels, candidate.judge(cells), patients)
    return judged


def _single_cells(
    candidates: list[Candidate], cells: list[LabelledCell], judged: dict[str, Judged]
) -> list[Measurement]:
    undisputed = np.array([not cell.disputed for cell in cells])
    populations = {"all cells, published labels": np.ones(len(cells), bool)}
    if not undisputed.all():
        populations = {"undisputed cells": undisputed, **populations}
    measurements = []
    for population, chosen in populations.items():
        for candidate in candidates:
            part = judged[candidate.name].at(chosen)
            group = f"Single cells, {population}: at each model's cell threshold"
            for key, found in measure(part, candidate.cell_threshold).items():
                better = "lower" if key in _LOWER_IS_BETTER else "higher"
                unit = "share" if key in _SHARES else ""
                measurements.append(
                    Measurement(group, candidate.name, _FIGURES[key], found.value, unit, *found[1:], better)
                )
            group = f"Single cells, {population}: at the field threshold"
            measurements += _at_field_threshold(group, candidate, part, 0.999)
    return measurements


def _at_field_threshold(group: str, candidate: Candidate, judged: Judged, target: float) -> list[Measurement]:
    found = measure(judged, candidate.field_threshold)
    rows = [
        Measurement(
            group, candidate.name, _FIGURES[key], found[key].value, "share", *found[key][1:], "higher"
        )
        for key in ("specificity", "sensitivity")
    ]
    rows.append(
        Measurement(group, candidate.name, "AUC", found["auc"].value, "", *found["auc"][1:], "higher")
    )
    figure = f"sensitivity at {target:.1%} specificity"
    value = sensitivity_at_specificity(judged, target)
    return [*rows, Measurement(group, candidate.name, figure, value, "share", better="higher")]


def _flips(candidates: list[Candidate], judged: dict[str, Judged]) -> list[Measurement]:
    """Count the verdicts that differ between precisions of the same network."""
    measurements = []
    for candidate in candidates:
        network, _, precision = candidate.name.rpartition(" ")
        for other in candidates:
            if other.name in {f"{network} float32", f"{network} float16"} and other.name != candidate.name:
                if precision == "float32":
                    continue
                ours = judged[candidate.name].probabilities >= candidate.cell_threshold
                theirs = judged[other.name].probabilities >= other.cell_threshold
                flips = int((ours != theirs).sum())
                limits = clopper_pearson(flips, len(ours))
                measurements.append(
                    Measurement(
                        "Verdicts that differ between precisions",
                        candidate.name,
                        f"from {other.name}",
                        flips / len(ours),
                        "share",
                        *limits,
                        "lower",
                    )
                )
    return measurements


def _costs(
    candidates: list[Candidate],
    cells: list[LabelledCell],
    judged: dict[str, Judged],
    settings: BenchSettings,
    report: Report,
) -> tuple[list[Measurement], Chart]:
    """Lay the accuracy of each model beside its time, and say what a point more costs."""
    subjects = []
    for candidate in candidates:
        inputs = np.stack([candidate.prepare(cell.rgb, cell.mask) for cell in cells[:32]])
        subjects.append(
            Subject(
                candidate.name,
                lambda candidate=candidate, inputs=inputs: candidate.probabilities(inputs),  # type: ignore[misc]
                len(inputs),
            )
        )
    timings = time_in_turns(
        subjects, settings.limits, report=_part(report, 2, 5), title="what accuracy costs"
    )
    undisputed = np.array([not cell.disputed for cell in cells])
    points = {}
    for candidate in candidates:
        part = judged[candidate.name].at(undisputed)
        right = (part.probabilities >= candidate.cell_threshold) == (part.labels == 1)
        points[candidate.name] = (timings[candidate.name].per_item * 1e3, float(right.mean()))
    fastest = min(points, key=lambda name: points[name][0])
    group = "What accuracy on undisputed cells costs"
    measurements = []
    for name, (milliseconds, share) in points.items():
        timing = timings[name]
        scale = 1e3 / timing.items
        measurements.append(
            Measurement(
                group,
                name,
                "p50",
                milliseconds,
                "ms",
                timing.low * scale,
                timing.high * scale,
                "lower",
                timing.wander,
                timing.yardsticks / timing.items,
            )
        )
        measurements.append(Measurement(group, name, "accuracy", share, "share"))
        if share > points[fastest][1]:
            price = (milliseconds - points[fastest][0]) / (100 * (share - points[fastest][1]))
            measurements.append(Measurement(group, name, f"ms per point over {fastest}", price))
    names, at = tuple(points), tuple(points.values())
    series = Series("models", tuple(x for x, _ in at), tuple(100 * y for _, y in at), names)
    return measurements, Chart(
        "points", "Accuracy against time", "ms a cell", "accuracy on undisputed cells, %", (series,), True
    )


def _under_change(
    candidates: list[Candidate], cells: list[LabelledCell], judged: dict[str, Judged], report: Report
) -> list[Measurement]:
    """Measure how much AUC each simulated change takes, on undisputed cells."""
    undisputed = [cell for cell in cells if not cell.disputed]
    chosen = np.array([not cell.disputed for cell in cells])
    measurements = []
    for done, change in enumerate(CHANGES):
        for candidate in candidates:
            report(f"{change.name}, {candidate.name}", done / len(CHANGES))
            before = judged[candidate.name].at(chosen)
            after = before._replace(probabilities=candidate.judge(undisputed, change))
            group = "Loss of AUC under simulated change, undisputed cells"
            measurements.append(
                Measurement(group, change.name, candidate.name, auc(before) - auc(after), better="lower")
            )
    return measurements


def _boxed(candidates: list[Candidate], settings: BenchSettings, report: Report) -> list[Measurement]:
    if settings.boxes is None:
        return []
    cells = read_boxed_cells(settings.boxes, report)
    infected = sum(cell.label for cell in cells)
    group = (
        f"Cells cut from {settings.boxes.name} ({infected} infected, {len(cells) - infected} uninfected): "
        "at the field threshold"
    )
    judged = _judge_all(candidates, cells, report)
    return [
        one
        for candidate in candidates
        for one in _at_field_threshold(group, candidate, judged[candidate.name], 0.995)
    ]


def _false_alarms(candidates: list[Candidate], settings: BenchSettings, report: Report) -> list[Measurement]:
    if settings.uninfected_fields is None:
        return []
    cells = read_found_cells(settings.uninfected_fields, report)
    group = f"Cells found in {settings.uninfected_fields.name}, none infected: false alarms"
    judged = _judge_all(candidates, cells, report)
    measurements = []
    for candidate in candidates:
        for figure, threshold in (
            ("at the field threshold", candidate.field_threshold),
            ("at the cell threshold", candidate.cell_threshold),
        ):
            alarms = int((judged[candidate.name].probabilities >= threshold).sum())
            limits = clopper_pearson(alarms, len(cells))
            measurements.append(
                Measurement(group, candidate.name, figure, alarms / len(cells), "share", *limits, "lower")
            )
        measurements.append(Measurement(group, candidate.name, "cells", len(cells)))
    return measurements


def _part(report: Report, done: int, of: int) -> Report:
    return lambda text, share: report(text, (done + share) / of)
