"""How long a field takes, step by step, from an encoded picture to its JSON."""

import json
from collections.abc import Callable
from typing import NamedTuple

from benchmarks.harness.candidates import leading_model, load_models
from benchmarks.harness.measurement import Chart, Measurement, Section, Series
from benchmarks.harness.settings import BenchSettings
from benchmarks.harness.timing import ProgressCallback, Subject, Timing, distribution, part_of, time_in_turns
from edge.fields.analyser import FieldAnalyser, cut_cells, red_cells
from edge.fields.quality import judge_quality
from edge.images.encode import encode_jpeg
from edge.images.files import read_image
from edge.inference.classifier import Classifier
from edge.messages.bench_codes import BenchCode
from edge.messages.message import Message
from edge.segmentation.finder import CellFinder
from edge.simulation.field import FieldSettings, draw_field

STEPS = ("decoding", "finding cells", "checking quality", "cutting cells", "network", "JSON")
JPEG_QUALITY = 90
"""Of the drawn fields, as of a camera's files."""
_FIELDS = (
    FieldSettings(width=640, height=480, cells=60, cell_width=40),
    FieldSettings(width=1280, height=960, cells=80, cell_width=90),
    FieldSettings(width=1280, height=960, cells=250, cell_width=45),
    FieldSettings(width=2592, height=1944, cells=150, cell_width=150),
)


class EncodedField(NamedTuple):
    """A drawn field as a camera's file."""

    name: str
    jpeg: bytes
    drawn: int
    """Cells drawn."""


def measure_fields(settings: BenchSettings, report: ProgressCallback) -> Section:
    """Time drawn fields of several sizes, each as a whole and step by step, in turns.

    Raises:
        PlasmoliteError: a model cannot be read.
    """
    model = leading_model(load_models(settings.models))
    classifier = Classifier(model, threads=max(settings.threads))
    analyser = FieldAnalyser(classifier)
    measurements: list[Measurement] = []
    shares: dict[str, dict[str, float]] = {step: {} for step in STEPS}
    for done, field_settings in enumerate(_FIELDS):
        field = encode_field(field_settings, settings.seed)
        part = part_of(report, done, len(_FIELDS))
        part(field.name, 0.0)
        timings = time_in_turns(
            field_subjects(field, classifier, analyser), settings.limits, report=part, title=field.name
        )
        found, row = _rows(field, timings)
        measurements += found
        for step, milliseconds in row.items():
            shares[step][field.name] = milliseconds
    chart = Chart(
        "stack",
        "Where a field's time goes",
        "ms a field",
        "",
        tuple(Series(step, tuple(by), tuple(by.values())) for step, by in shares.items() if by),
    )
    note = Message(BenchCode.NOTE_FIELDS, quality=JPEG_QUALITY, model=model.name, threads=classifier.threads)
    return Section("field", "Fields", tuple(measurements), (note,), (), (chart,))


def encode_field(settings: FieldSettings, seed: int) -> EncodedField:
    """Draw a field and encode it as a camera does."""
    field = draw_field(seed, settings)
    name = f"{settings.width} x {settings.height}, {len(field.cells)} cells"
    return EncodedField(name, encode_jpeg(field.rgb, JPEG_QUALITY), len(field.cells))


def field_subjects(field: EncodedField, classifier: Classifier, analyser: FieldAnalyser) -> list[Subject]:
    """Make the whole way of a field and each of its steps subjects, each step on what the one before made."""
    rgb = read_image(field.jpeg)
    finder = CellFinder()
    found = finder.find(rgb)
    red = red_cells(analyser.find(rgb).cells)
    result = analyser.analyse(rgb, field.name)
    inputs = cut_cells(rgb, red, classifier.input_size)

    def whole() -> str:
        return json.dumps(analyser.analyse(read_image(field.jpeg), field.name).to_json())

    calls: dict[str, Callable[[], object]] = {
        "decoding": lambda: read_image(field.jpeg),
        "finding cells": lambda: finder.find(rgb),
        "checking quality": lambda: judge_quality(rgb, found),
        "cutting cells": lambda: cut_cells(rgb, red, classifier.input_size),
        "network": lambda: classifier.probabilities(inputs),
        "JSON": lambda: json.dumps(result.to_json()),
    }
    subjects = [Subject(step, calls[step]) for step in STEPS if len(red) or step not in STEPS[3:5]]
    return [*subjects, Subject("whole", whole)]


def _rows(field: EncodedField, timings: dict[str, Timing]) -> tuple[list[Measurement], dict[str, float]]:
    group, whole = "Fields, ms", timings["whole"]
    measurements = [one._replace(subject=field.name) for one in distribution(group, whole)]
    low, value, high = (1 / seconds for seconds in (whole.high, whole.p50, whole.low))
    measurements.insert(0, Measurement(group, field.name, "fields/s", value, "", low, high))
    steps = {step: timings[step].p50 * 1e3 for step in STEPS if step in timings}
    for step, milliseconds in steps.items():
        measurements += [
            Measurement(
                "Share of each step, of their sum",
                field.name,
                step,
                milliseconds / sum(steps.values()),
                "share",
            ),
            distribution("Steps, ms", timings[step], tail=False)[0]._replace(subject=field.name, figure=step),
        ]
    return measurements, steps
