"""How right the verdicts are, by the model file in the device's runtime, and what that costs in time."""

import numpy as np

from benchmarks.accuracy.agreement import measure_agreement
from benchmarks.accuracy.changes import CHANGES
from benchmarks.accuracy.groups import ALL, BOXED, CHANGED, FOUND, UNDISPUTED
from benchmarks.accuracy.judging import Candidate, judge_all, judge_fields, open_candidates, open_keras
from benchmarks.accuracy.labelled import LabelledCell, read_boxed_cells, read_found_cells, read_held_out_cells
from benchmarks.accuracy.refusals import CROPS_A_PICTURE, measure_refusals, measure_wrong_refusals
from benchmarks.harness.measurement import BenchmarkError, Better, Chart, Measurement, Section, Series, Told
from benchmarks.harness.settings import BenchSettings
from benchmarks.harness.timing import ProgressCallback, Subject, distribution, part_of, time_in_turns
from edge.cells.red_cell_check import is_red_cell
from edge.cells.red_cell_features import measure_piece
from edge.messages.bench_codes import BenchCode
from edge.messages.catalogue import Value
from edge.messages.message import Message
from train.evaluation.metrics import (
    Estimate,
    Judged,
    auc,
    cluster_bootstrap,
    measure,
    sensitivity,
    sensitivity_at_specificity,
    specificity,
)

_NAMES = {
    "auc": "AUC",
    "mcc": "Matthews correlation",
    "brier": "Brier score",
    "ece": "calibration error",
}
_AT_CELL, _AT_FIELD = "at the cell threshold", "at the field threshold"
"""False alarms by these names."""
_LOWER_IS_BETTER = {"Brier score", "calibration error", _AT_CELL, _AT_FIELD}
_WITHOUT_UNIT = set(_NAMES.values())
_CHANGE_ROUNDS = 300
"""Draws for the interval of a loss of AUC: nine changes of each model are many."""


def measure_accuracy(settings: BenchSettings, report: ProgressCallback) -> Section:
    """Judge all labelled cells there are with every model, ours and other systems'.

    Raises:
        PlasmoliteError: no data is named, or it cannot be read.
    """
    if not any((settings.cells, settings.boxes, settings.uninfected_fields, settings.other_pictures)):
        raise BenchmarkError(BenchCode.NO_DATA)
    candidates, others = open_candidates(settings)
    measurements: list[Measurement] = []
    charts: list[Chart] = []
    missing: list[Told] = []
    notes: list[Told] = [
        Message(BenchCode.NOTE_ACCURACY),
        *(Message.of_all((one.describe(), Message(BenchCode.AT_HALF))) for one in others),
    ]
    if settings.cells is not None:
        keras = _keras(settings, candidates, missing)
        part = _single_cells(settings, candidates, keras, report)
        measurements += part.measurements
        charts += part.charts
        notes += part.notes
    if settings.boxes is not None:
        cells = read_boxed_cells(settings.boxes, part_of(report, 3, 5))
        infected = sum(cell.label for cell in cells)
        notes.append(
            Message(
                BenchCode.NOTE_BOXES,
                folder=settings.boxes.name,
                infected=infected,
                uninfected=len(cells) - infected,
            )
        )
        group = f"{BOXED} {settings.boxes.name}: at the field threshold"
        judged = judge_fields(candidates, cells, part_of(report, 3, 5))
        for one in candidates:
            measurements += _at_field_threshold(group, one, judged[one.name], 0.995)
    if settings.uninfected_fields is not None:
        cells = read_found_cells(settings.uninfected_fields, part_of(report, 4, 5))
        notes.append(Message(BenchCode.NOTE_FOUND, folder=settings.uninfected_fields.name, cells=len(cells)))
        judged = judge_fields(candidates, cells, part_of(report, 4, 5))
        group = f"{FOUND} {settings.uninfected_fields.name}, none infected: false alarms"
        for one in candidates:
            measurements += _false_alarms(group, one, judged[one.name])
    if settings.other_pictures is not None:
        notes.append(
            Message(BenchCode.NOTE_STRANGERS, folder=settings.other_pictures.name, squares=CROPS_A_PICTURE)
        )
        measurements += measure_refusals(settings.other_pictures, settings.seed, part_of(report, 4, 5))
    notes += _beside_others(candidates, measurements)
    return Section("accuracy", "Accuracy", tuple(measurements), tuple(notes), tuple(missing), tuple(charts))


def _keras(settings: BenchSettings, candidates: list[Candidate], missing: list[Told]) -> list[Candidate]:
    if settings.keras is None:
        missing.append(Message(BenchCode.KERAS_NOT_NAMED))
        return []
    try:
        return [open_keras(settings.keras, candidates)]
    except ImportError as error:
        missing.append(Message(BenchCode.KERAS_NOT_INSTALLED, name=str(error.name)))
        return []


def _single_cells(
    settings: BenchSettings, candidates: list[Candidate], keras: list[Candidate], report: ProgressCallback
) -> Section:
    """Judge the single cells: everything of a section that comes of them."""
    if settings.cells is None:
        raise BenchmarkError(BenchCode.NO_CELLS)
    models = [one.model for one in candidates if one.model]
    cells, refused, which = read_held_out_cells(settings.cells, settings, models, part_of(report, 0, 5))
    counted = Message(
        BenchCode.NOTE_CELLS,
        folder=settings.cells.name,
        cells=len(cells),
        patients=len({cell.patient for cell in cells}),
        disputed=sum(cell.disputed for cell in cells),
        refused=len(refused),
    )
    examples = [Message(BenchCode.NOTE_SUCH_AS, refusal=refusal) for refusal in refused[:1]]
    notes = (Message.of_all((counted, *examples)), which)
    everyone = [*candidates, *keras]
    judged = judge_all(everyone, cells, part_of(report, 1, 5))
    undisputed = np.array([not cell.disputed for cell in cells])
    measurements: list[Measurement] = []
    for group, chosen in ((UNDISPUTED, undisputed), (ALL, np.ones(len(cells), bool))):
        if group == UNDISPUTED and undisputed.all():
            continue
        for one in everyone:
            report(Message(BenchCode.INTERVALS, model=one.name), 0.4)
            part = judged[one.name].at(chosen)
            measurements += _figures(f"{group}: at the cell threshold", one, part)
            measurements += _at_field_threshold(f"{group}: at the field threshold", one, part, 0.999)
    measurements += measure_agreement(everyone, judged)
    unlike = sum(not is_red_cell(measure_piece(cell.rgb, cell.mask)) for cell in cells)
    measurements += measure_wrong_refusals(len(refused) + unlike, len(cells) + len(refused))
    costs, chart = _costs(candidates, cells, judged, settings, report)
    measurements += costs
    if settings.changes:
        measurements += _under_change(candidates, cells, judged, part_of(report, 2, 5))
    return Section("accuracy", "", tuple(measurements), notes, (), (chart,))


def _figures(group: str, candidate: Candidate, judged: Judged) -> list[Measurement]:
    found = measure(judged, candidate.cell_threshold)
    return [_measured(group, candidate, _NAMES.get(name, name), estimate) for name, estimate in found.items()]


def _measured(group: str, candidate: Candidate, name: str, estimate: Estimate) -> Measurement:
    unit = "" if name in _WITHOUT_UNIT else "share"
    better = Better.LOWER if name in _LOWER_IS_BETTER else Better.HIGHER
    return Measurement(group, candidate.name, name, estimate.value, unit, *estimate[1:], better)


def _at_field_threshold(group: str, candidate: Candidate, judged: Judged, target: float) -> list[Measurement]:
    threshold = candidate.field_threshold

    def figures(places: np.ndarray) -> dict[str, float]:
        sample = judged.at(places)
        return {
            "specificity": specificity(sample, threshold),
            "sensitivity": sensitivity(sample, threshold),
            "AUC": auc(sample),
            f"sensitivity at {target:.1%} specificity": sensitivity_at_specificity(sample, target),
        }

    found = cluster_bootstrap(judged.patients, judged.labels, figures)
    return [_measured(group, candidate, name, estimate) for name, estimate in found.items()]


def _costs(
    candidates: list[Candidate],
    cells: list[LabelledCell],
    judged: dict[str, Judged],
    settings: BenchSettings,
    report: ProgressCallback,
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
    title = Message(BenchCode.COSTING)
    timings = time_in_turns(subjects, settings.limits, report=part_of(report, 2, 5), title=title)
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
        measurements += distribution(group, timings[name], tail=False)
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
    candidates: list[Candidate],
    cells: list[LabelledCell],
    judged: dict[str, Judged],
    report: ProgressCallback,
) -> list[Measurement]:
    """Measure how much AUC each simulated change takes."""
    undisputed = [cell for cell in cells if not cell.disputed]
    chosen = np.array([not cell.disputed for cell in cells])
    measurements = []
    for done, change in enumerate(CHANGES):
        after = judge_all(candidates, undisputed, part_of(report, done, len(CHANGES)), change=change)
        for one in candidates:
            before, now = judged[one.name].at(chosen), after[one.name]
            loss = cluster_bootstrap(
                now.patients,
                now.labels,
                lambda places, before=before, now=now: {  # type: ignore[misc]
                    "loss": auc(before.at(places)) - auc(now.at(places))
                },
                rounds=_CHANGE_ROUNDS,
            )["loss"]
            measurements.append(
                Measurement(CHANGED, change.name, one.name, loss.value, "", *loss[1:], Better.LOWER)
            )
    return measurements


def _false_alarms(group: str, candidate: Candidate, judged: Judged) -> list[Measurement]:
    def figures(places: np.ndarray) -> dict[str, float]:
        probabilities = judged.probabilities[places]
        return {
            _AT_FIELD: float(np.mean(probabilities >= candidate.field_threshold)),
            _AT_CELL: float(np.mean(probabilities >= candidate.cell_threshold)),
        }

    found = cluster_bootstrap(judged.patients, judged.labels, figures)
    return [_measured(group, candidate, name, estimate) for name, estimate in found.items()]


def _beside_others(candidates: list[Candidate], measurements: list[Measurement]) -> list[Message]:
    """Say on how many of the figures that both have each of our models is better than each other system's."""
    lines: dict[tuple[str, str], dict[str, Measurement]] = {}
    for one in measurements:
        # The table of changes has its models in columns.
        model, line = (one.figure, one.subject) if one.group == CHANGED else (one.subject, one.figure)
        if one.better and one.unit != "ms":
            lines.setdefault((one.group, line), {})[model] = one
    ours = [one.name for one in candidates if one.model]
    sentences = []
    for other in (one.name for one in candidates if one.model is None):
        for name in ours:
            both = {line: found for line, found in lines.items() if name in found and other in found}
            worse = [
                f"{line} ({group})"
                for (group, line), found in both.items()
                if (found[name].value < found[other].value) == (found[name].better == Better.HIGHER)
                and found[name].value != found[other].value
            ]
            facts: dict[str, Value] = {
                "model": name,
                "other": other,
                "better": len(both) - len(worse),
                "figures": len(both),
                "worse": worse,
            }
            code = BenchCode.BETTER_NOT_ON if worse else BenchCode.BETTER
            sentences.append(Message.choosing(code, facts))
    return sentences
