"""When a released model does not answer: the probabilities at which it is inconclusive, and what is no red cell.

Both limits are chosen on validation patients and measured on test patients, by the export itself in the
device's runtime.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from convert.noncells import draw_non_cells
from edge.classifier import Classifier
from edge.verdict import INCONCLUSIVE, PARASITIZED, UNINFECTED, UndecidedRange, judge
from train.evaluation import Judged
from train.pipeline import network_inputs
from train.run import RunData

ERROR_RATE = 0.002
"""Share of each class that may get the other class's verdict: a quarter of what one threshold errs by."""
REFUSED_SHARE = 0.003
"""Of the validation patients' cells: the rate at which the limit for red cells is set."""
_HELD_SEED = 1_000_003
_OTHER_THINGS = 500


class HeldCells(NamedTuple):
    """What the limits are chosen on."""

    inputs: NDArray[np.uint8]
    """The validation patients' cells, shape (v, size, size, 3)."""
    labels: NDArray[np.int64]
    patients: NDArray[np.str_]
    disputed: NDArray[np.bool_]
    other_things: NDArray[np.uint8]
    """Drawn pictures of what is no red cell, others than were learnt from, shape (m, size, size, 3)."""


def held_cells(run_data: RunData, size: int, seed: int, *, other_things: bool) -> HeldCells:
    """Gather the validation patients' cells of a run, and draw other things.

    Args:
        run_data: of the run.
        size: side of the network's input, px.
        seed: of the run.
        other_things: whether to draw any; only exports with a recogniser are measured on them.
    """
    samples = [run_data.data.samples[i] for i in run_data.split.validation]
    pictures = [sample.image for sample in samples]
    return HeldCells(
        network_inputs(samples, size),
        np.array([sample.label for sample in samples], np.int64),
        np.array([sample.patient for sample in samples]),
        run_data.disputed(run_data.split.validation),
        draw_non_cells(pictures, _OTHER_THINGS if other_things else 0, size, seed + _HELD_SEED),
    )


def describe_doubts(
    classifier: Classifier,
    held: HeldCells,
    inputs: NDArray[np.uint8],
    judged: Judged,
    *,
    disputed: NDArray[np.bool_],
    threshold: float,
) -> dict[str, object]:
    """Choose an export's limits, measure them, and describe both for the manifest.

    Args:
        classifier: the export.
        held: cells to choose on.
        inputs: the test cells, uint8, shape (n, size, size, 3).
        judged: what the export says of them.
        disputed: which of them another reading disputes, bool, shape (n,).
        threshold: the operating point for single cells.

    Returns:
        The manifest's ``inconclusive``, and its ``recognition`` where the export tells red cells.
    """
    said = classifier.scores(held.inputs)
    validation = Judged(held.labels, said.probabilities.astype(np.float64), held.patients).at(~held.disputed)
    undecided = choose_undecided_range(validation, threshold)
    populations = {"undisputed": judged.at(~disputed), "original": judged}
    doubts: dict[str, object] = {
        "inconclusive": {
            **undecided._asdict(),
            "chosen": f"at most {ERROR_RATE:.1%} of either class called the other, on the undisputed cells of "
            "the validation patients",
            **{name: _outcomes(cells, undecided) for name, cells in populations.items()},
        }
    }
    if said.red_cell is None:
        return doubts
    test, other = classifier.scores(inputs).red_cell, classifier.scores(held.other_things).red_cell
    if test is not None and other is not None:
        least = float(np.quantile(said.red_cell, REFUSED_SHARE))
        doubts["recognition"] = {
            "least": least,
            "chosen": f"refuses {REFUSED_SHARE:.1%} of the validation patients' cells",
            "refused": {
                "infected": _share_below(least, test[judged.labels == 1]),
                "uninfected": _share_below(least, test[judged.labels == 0]),
                "drawn_other_things": _share_below(least, other),
            },
        }
    return doubts


def choose_undecided_range(validation: Judged, threshold: float) -> UndecidedRange:
    """Choose the narrowest range beyond which verdicts err at most at :data:`ERROR_RATE` on the cells given.

    Each end is chosen on one class alone, so the rates hold whatever the share of infected cells.

    Args:
        validation: cells of both classes that the network did not learn from.
        threshold: the operating point for single cells; it always lies within the range, so that being
            inconclusive only ever takes a verdict back.
    """
    infected = np.sort(validation.probabilities[validation.labels == 1])
    uninfected = np.sort(validation.probabilities[validation.labels == 0])[::-1]
    low = float(infected[int(ERROR_RATE * len(infected))])
    # Just above the first uninfected cell that may not be called parasitised.
    high = float(np.nextafter(uninfected[int(ERROR_RATE * len(uninfected))], 2.0))
    return UndecidedRange(min(low, threshold), max(high, threshold))


def _outcomes(judged: Judged, undecided: UndecidedRange) -> Mapping[str, Any]:
    labels = np.array([judge(float(p), undecided.low, undecided).label for p in judged.probabilities])
    return {
        truth: _counts(labels[judged.labels == number])
        for number, truth in enumerate(("uninfected", "infected"))
    }


def _counts(labels: NDArray[np.str_]) -> dict[str, int]:
    return {
        "called_parasitized": int((labels == PARASITIZED).sum()),
        "inconclusive": int((labels == INCONCLUSIVE).sum()),
        "called_uninfected": int((labels == UNINFECTED).sum()),
    }


def _share_below(least: float, values: NDArray[np.float32]) -> list[int]:
    return [int((values < least).sum()), len(values)]
