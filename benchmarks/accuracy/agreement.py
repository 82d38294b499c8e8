"""How far an export's verdicts are from those of the Keras model and of the float exports."""

import numpy as np
from scipy.stats import binomtest

from benchmarks.accuracy.groups import AGREEMENT
from benchmarks.accuracy.judging import Candidate
from benchmarks.harness.measurement import Better, Measurement
from train.evaluation.metrics import Judged, accuracy, sensitivity, specificity


def measure_agreement(candidates: list[Candidate], judged: dict[str, Judged]) -> list[Measurement]:
    """Compare each of our models with Keras (where it was opened) and with its float files.

    Args:
        candidates: all that judged.
        judged: what each said of the same cells.

    Returns:
        For each pair the share of verdicts that flip, with its interval by Clopper and Pearson, and by how
        much accuracy, sensitivity and specificity differ.
    """
    measurements: list[Measurement] = []
    exact = {"Keras": 0, "float32": 1, "float16": 2, "int8": 3}
    for one in candidates:
        if one.model is None:
            continue
        network = one.name.rpartition(" ")[0]
        for other in candidates:
            kin = other.name == "Keras" or other.name.rpartition(" ")[0] == network
            if kin and one.preparation == other.preparation and _rank(exact, other) < _rank(exact, one):
                measurements += _beside(one, other, judged[one.name], judged[other.name])
    return measurements


def _rank(exact: dict[str, int], candidate: Candidate) -> int:
    return exact.get(candidate.name.rpartition(" ")[2], len(exact))


def _beside(one: Candidate, other: Candidate, ours: Judged, theirs: Judged) -> list[Measurement]:
    # The same threshold for both: the question is what the export changed.
    threshold = one.cell_threshold
    flipped = (ours.probabilities >= threshold) != (theirs.probabilities >= threshold)
    flips, count = int(flipped.sum()), len(flipped)
    subject = f"{one.name} beside {other.name if other.name == 'Keras' else other.name.split()[-1]}"
    interval = binomtest(flips, count).proportion_ci()
    measurements = [
        Measurement(
            AGREEMENT,
            subject,
            "verdicts that flip",
            flips / count,
            "share",
            interval.low,
            interval.high,
            Better.LOWER,
        )
    ]
    for name, figure in (("accuracy", accuracy), ("sensitivity", sensitivity), ("specificity", specificity)):
        change = figure(ours, threshold) - figure(theirs, threshold)
        measurements.append(Measurement(AGREEMENT, subject, f"{name}, points", 100 * change))
    largest = float(np.abs(ours.probabilities - theirs.probabilities).max())
    return [*measurements, Measurement(AGREEMENT, subject, "largest difference of P", largest)]
