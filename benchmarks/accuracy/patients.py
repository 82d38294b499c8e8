"""Whole patients: whether a slide shows an infection, from how few parasites on, and how near its count is.

Each laboratory is counted twice: as one where nothing was measured, with the error rates of the other laboratories of
this run alone (it is left out of them), and as one that measured its own patients.
"""

import math
from collections.abc import Mapping

from benchmarks.accuracy.judging import judge_all, open_candidates
from benchmarks.accuracy.labelled import read_held_out_cells
from benchmarks.accuracy.patient_rule import (
    CELLS,
    PatientCount,
    apply_rule,
    count_patients,
    rates_of,
    said_of,
    together,
)
from benchmarks.harness.candidates import load_models
from benchmarks.harness.measurement import BenchmarkError, Better, Measurement, Section, Told
from benchmarks.harness.settings import BenchSettings
from benchmarks.harness.timing import ProgressCallback, part_of
from edge.fields.analyser import FieldAnalyser
from edge.inference.classifier import Classifier
from edge.inference.model_file import ModelFile
from edge.messages.bench_codes import BenchCode
from edge.messages.message import Message
from edge.parasitaemia.clustering import field_design_effect
from train.evaluation.laboratories import judge_laboratory

_FEWEST_CELLS = 50
"""Of a patient whose count is compared with the truth."""


def measure_patients(settings: BenchSettings, report: ProgressCallback) -> Section:
    """Tell how the rule and the count hold on patients of each laboratory.

    Raises:
        PlasmoliteError: fewer than two laboratories are named, or one cannot be read.
    """
    if len(settings.laboratories) + (settings.cells is not None) < 2:
        raise BenchmarkError(BenchCode.TWO_LABORATORIES)
    measurements: list[Measurement] = []
    notes: list[Told] = [Message(BenchCode.NOTE_PATIENTS)]
    models = load_models(settings.models)
    counted = _single_cells(settings, models, notes, part_of(report, 0, 2))
    for done, model in enumerate(models):
        laboratories = dict(counted.get(model.name, {}))
        for folder in settings.laboratories:
            report(f"{folder.name}, {model.name}", 0.5 + 0.5 * done / len(models))
            analyser = FieldAnalyser(Classifier(model, threads=max(settings.threads)))
            judged = judge_laboratory(folder, analyser).judged
            found = count_patients(judged, model.operating_point("field").threshold)
            # Where nobody says of whom the fields are, they are no patients: one count is all that there is.
            known = not (folder / "boxes.csv").is_file() or (folder / "patients.csv").is_file()
            laboratories[folder.name] = found if known else [together(folder.name, found)]
        for name, patients in laboratories.items():
            others = [together(other, found) for other, found in laboratories.items() if other != name]
            measurements += _laboratory(name, model, patients, others)
        learnt = {one["folder"] for one in model.manifest.get("data", {}).get("laboratories", ())}
        if flattering := sorted(learnt & set(laboratories)):
            notes.append(Message(BenchCode.FLATTERING, model=model.name, laboratories=flattering))
    return Section("patients", "Patients", tuple(measurements), tuple(notes))


def _single_cells(
    settings: BenchSettings, models: list[ModelFile], notes: list[Told], report: ProgressCallback
) -> Mapping[str, dict[str, list[PatientCount]]]:
    """Judge the labelled single cells of patients that no model learnt from, by model."""
    if settings.cells is None:
        return {}
    cells, _, which = read_held_out_cells(settings.cells, settings, models, report)
    counted = Message(BenchCode.NOTE_SINGLE_CELLS, folder=settings.cells.name, cells=len(cells))
    notes.append(Message.of_all((counted, which)))
    candidates = [one for one in open_candidates(settings)[0] if one.model is not None]
    judged = judge_all(candidates, cells, report)
    return {
        one.name: {settings.cells.name: count_patients(judged[one.name], one.field_threshold)}
        for one in candidates
    }


def _laboratory(
    name: str, model: ModelFile, patients: list[PatientCount], others: list[PatientCount]
) -> list[Measurement]:
    found: list[Measurement] = []
    large = [one for one in patients if one.cells >= _FEWEST_CELLS]
    whole = together(name, patients)
    effect = field_design_effect([one.positive for one in patients], [one.cells for one in patients])
    several = len(patients) > 1
    for where, calibrated in (("elsewhere", False), ("measured", True))[: 2 if several else 1]:
        rates = rates_of(patients, others, calibrated=calibrated)
        subject = f"{model.name}, {where}"
        for cells in CELLS if several else ():
            rule = apply_rule(patients, rates, cells)
            group = f"{name}: {cells:,} cells counted"
            found += [
                Measurement(group, subject, "fewest called for evidence", rule.fewest),
                Measurement(
                    group,
                    subject,
                    "uninfected patients with evidence",
                    rule.false_evidence,
                    "share",
                    better=Better.LOWER,
                ),
            ]
            limits = {
                "limit of detection, per µL": rule.limit_per_ul,
                "with every suspect reviewed, per µL": rule.limit_reviewed,
            }
            found += [
                Measurement(group, subject, figure, limit, better=Better.LOWER)
                for figure, limit in limits.items()
                if math.isfinite(limit)
            ]
        said = said_of(whole, rates, effect=effect)
        group = f"{name} {'left out' if not calibrated else 'with its own rates'}"
        found += [
            Measurement(group, subject, "infected", whole.truth, "share"),
            Measurement(group, subject, "said", said.estimate, "share", said.low, said.high),
            Measurement(group, subject, "the interval holds the truth", float(said.held)),
        ]
        slides = [said_of(one, rates) for one in large]
        infected = [one for one in slides if one.slide.infected]
        if slides:
            share = sum(one.held for one in slides) / len(slides)
            found.append(
                Measurement(
                    group, subject, "patients whose interval holds", share, "share", better=Better.HIGHER
                )
            )
        if infected:
            share = sum(one.competent for one in infected) / len(infected)
            found.append(
                Measurement(
                    group, subject, "patients within 25 % of the truth", share, "share", better=Better.HIGHER
                )
            )
    return found
