"""The report of a training run: one HTML file with every chart and picture inside it, which opens offline."""

import base64
import json
import shlex
from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge.images.encode import encode_png
from edge.inference.verdicts import LABELS
from edge.messages.catalogue import Catalogue, catalogue
from edge.messages.language import Language
from edge.reports import rendering
from train.data.patients import describe_patients
from train.data.split import PARTS
from train.evaluation.metrics import (
    CALIBRATION_BINS,
    FIGURES,
    Estimate,
    Judged,
    sensitivity_at_specificity,
)
from train.model.fit import read_history
from train.reporting import charts
from train.reporting.results import STATED_SPECIFICITY, Results
from train.run import RunData
from train.run_folder import DATA_FILE, read_environment
from train.settings import TrainingSettings

WORST_SHOWN = 24
_REJECTED_SHOWN = 500

POPULATIONS = {
    "original": "figure.original",
    "undisputed": "figure.undisputed",
    "baseline": "figure.baseline",
    "baseline undisputed": "figure.baseline-undisputed",
}
"""Labels of the figures' columns, in their order, by the key in :class:`train.reporting.results.Results`."""

_SHARES = {"accuracy", "sensitivity", "specificity"}


class Mistake(NamedTuple):
    """A test cell that was called other than it is labelled, as the page shows it."""

    picture: str
    """Data URL of a PNG."""
    name: str
    patient: str
    labelled: str
    reading: str
    """What another reading says: a label, that it is no cell to judge, or empty where none disputes the label."""
    probability: float


def write_report(
    results: Results, settings: TrainingSettings, run_data: RunData, out: Path, language: Language
) -> Path:
    """Write ``report.html`` into the run folder, whole or not at all.

    Args:
        results: of :func:`train.reporting.results.finish`.
        settings: of the run.
        run_data: of the run.
        out: the run folder, with history, data record and environment in it.
        language: of the page.

    Returns:
        The path of the report.

    Raises:
        OSError: the folder cannot be read.
        SettingsError: the record of the environment is damaged.
        SourceError: the folder cannot be written to.
    """
    words = catalogue(language)
    header, rows = figure_rows(results, words)
    data = json.loads((out / DATA_FILE).read_text("utf-8"))
    environment = read_environment(out)
    history = read_history(out)
    undisputed = results.test.at(~results.disputed)
    title = words.text("run.title", name=out.resolve().name)
    version = environment["versions"].get("plasmolite") or words.text("run.from-source")
    page = rendering.render(
        "training_report.html.j2",
        language,
        package="train.reporting",
        title=title,
        subtitle=words.text("run.subtitle", version=version, backend=environment["backend"]),
        identity=title,
        header=header,
        rows=rows,
        results=results,
        stated_specificity=STATED_SPECIFICITY,
        stated_sensitivity=sensitivity_at_specificity(undisputed, STATED_SPECIFICITY),
        bins=CALIBRATION_BINS,
        patients=len(np.unique(results.test.patients)),
        told=describe_patients(
            (one.patient for one in run_data.data.samples), run_data.data.patients_by, settings.patients
        ),
        doubt=run_data.data.doubt,
        charts=_charts(results, history, words),
        history=history,
        worst_undisputed=worst_mistakes(results, run_data, ~results.disputed, words),
        worst_disputed=worst_mistakes(results, run_data, results.disputed, words),
        data=data,
        parts=PARTS,
        labels=LABELS,
        rejected=run_data.data.rejected[:_REJECTED_SHOWN],
        settings=asdict(settings),
        environment=environment,
        command=shlex.join(environment["command"]),
    )
    return rendering.write_report(page, out)


def figure_rows(results: Results, words: Catalogue) -> tuple[list[str], list[list[str]]]:
    """Lay the figures out as a table of words: a row a figure, a column for each judge and population.

    Args:
        results: of the run.
        words: of the language.

    Returns:
        The headings, and the rows with the figure's name first.
    """
    present = [population for population in POPULATIONS if population in results.figures]
    header = [words.text("figure.figure"), *(words.text(POPULATIONS[population]) for population in present)]
    rows = [
        [
            words.text(f"figure.{name}"),
            *(_interval(results.figures[population][name], name in _SHARES, words) for population in present),
        ]
        for name in FIGURES
    ]
    return header, rows


def worst_mistakes(
    results: Results,
    run_data: RunData,
    among: NDArray[np.bool_],
    words: Catalogue,
    most: int = WORST_SHOWN,
) -> list[Mistake]:
    """Pick the test cells that were called wrong with the most confidence, the worst first.

    Args:
        results: of the run.
        run_data: of the run.
        among: which test cells to look at, bool, shape (n,).
        words: of the language.
        most: how many at most.
    """
    test, threshold = results.test, results.thresholds["cell"]
    wrong = ((test.probabilities >= threshold) != (test.labels == 1)) & among
    distance = np.abs(test.probabilities - test.labels)
    chosen = sorted(np.flatnonzero(wrong), key=lambda place: -distance[place])[:most]
    mistakes = []
    for place in chosen:
        sample = results.test_samples[place]
        correction = run_data.corrections.get(sample.name)
        reading = ""
        if correction is not None:
            reading = words.text("run.no-cell") if correction.label is None else LABELS[correction.label]
        picture = "data:image/png;base64," + base64.b64encode(encode_png(sample.image)).decode("ascii")
        probability = float(test.probabilities[place])
        mistakes.append(
            Mistake(picture, sample.name, sample.patient, LABELS[sample.label], reading, probability)
        )
    return mistakes


def _charts(results: Results, history: list[dict[str, str]], words: Catalogue) -> dict[str, str]:
    test, disputed, threshold = results.test, results.disputed, results.thresholds["cell"]
    judges: dict[str, Judged] = {words.text("folds.original"): test}
    if disputed.any():
        judges[words.text("folds.undisputed")] = test.at(~disputed)
    # The left end of the curves is where a field is judged; the baseline's place there says the most.
    with_baseline = judges
    if results.baseline:
        with_baseline = {**judges, words.text("chart.two-features"): results.baseline}
    return {
        "learning": charts.learning_curves(history, words) if history else "",
        "curves": charts.roc_and_precision_recall(with_baseline, words),
        "confusion": charts.confusion(judges, threshold, words),
        "calibration": charts.calibration_curve(judges, words),
        "scores": charts.score_histogram(test, results.thresholds, words),
        "patients": charts.patient_accuracy(test, disputed, threshold, words),
    }


def _interval(estimate: Estimate, share: bool, words: Catalogue) -> str:
    if share:
        return words.text("figure.share", **{name: 100 * end for name, end in estimate._asdict().items()})
    return words.text("figure.plain", **estimate._asdict())
