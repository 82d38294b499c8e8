"""Cells found and judged together, against the same cells cut by the annotators' boxes and masks."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest
from sklearn.metrics import roc_auc_score

from benchmarks.accuracy.labelled import largest_piece
from edge.calibration.threshold import choose_threshold
from edge.fields.analyser import FieldAnalyser, cut_cell
from edge.images.files import read_image
from edge.inference.classifier import Classifier
from edge.inference.preprocessing import network_input
from edge.segmentation.finder import CellFinder, FoundCell
from edge.segmentation.outlines import CellKind
from train.data.field_annotations import (
    WHITE_LABEL,
    Box,
    LabelledBox,
    annotated_boxes,
    annotated_mask,
    is_whole,
    match_by_overlap,
)

# The false-alarm rate that a site is calibrated for in the trial.
SITE_RATE = 0.005


class JudgedPair(NamedTuple):
    """An annotated cell that was found: the field, whether it is infected, and P by either cut."""

    field: str
    infected: bool
    found: float
    boxed: float


class Judging(NamedTuple):
    """Everything judged.

    Attributes:
        pairs: whole annotated red cells that were found.
        infected: whole annotated infected cells, found or not.
        infected_lost: of those, how many no counted detection matches.
        infected_white: of those, how many are called white cells.
        red_white: uninfected red cells called white cells.
        white: annotated white cells.
        white_told: of those, how many are told as such.
    """

    pairs: list[JudgedPair]
    infected: int
    infected_lost: int
    infected_white: int
    red_white: int
    white: int
    white_told: int


def judge_annotated(
    folder: Path, finder: CellFinder, classifier: Classifier, tell: Callable[[str], None], every: int = 1
) -> Judging:
    """Find and judge the cells of annotated fields.

    Args:
        folder: bbbc041.
        finder: finds the cells.
        classifier: judges them.
        tell: told of each field.
        every: takes every n-th field.
    """
    total = Judging([], 0, 0, 0, 0, 0, 0)
    boxes = annotated_boxes(folder)
    analyser = FieldAnalyser(classifier, finder=finder)
    for name in sorted(boxes)[::every]:
        tell(name)
        rgb = read_image(folder / "images" / name)
        cells = analyser.find(rgb).cells
        truth = (annotated_mask(folder, name), boxes[name])
        total = _plus(total, _of_field((name, rgb), truth, cells, classifier))
    return total


def _plus(one: Judging, other: Judging) -> Judging:
    return Judging(one.pairs + other.pairs, *(a + b for a, b in zip(one[1:], other[1:], strict=True)))


def _of_field(
    field: tuple[str, NDArray[np.uint8]],
    truth: tuple[NDArray[np.uint8], list[LabelledBox]],
    cells: tuple[FoundCell, ...],
    classifier: Classifier,
) -> Judging:
    (name, rgb), (mask, boxes) = field, truth
    height, width = mask.shape
    red = [box for box in boxes if box.label != WHITE_LABEL and is_whole(box.box, width, height)]
    counted = [cell for cell in cells if cell.counted]
    size = classifier.input_size
    matched, cuts = [], []
    pairs = match_by_overlap([box.box for box in red], [cell.box for cell in counted])
    for row, column in pairs:
        x, y, w, h = (int(v) for v in red[row].box)
        piece = largest_piece(mask[y : y + h, x : x + w])
        if piece is not None:
            matched.append((row, column))
            cuts.append(cut_cell(rgb, counted[column], size))
            cuts.append(network_input(rgb[y : y + h, x : x + w], piece, size=size))
    judged = classifier.probabilities(np.stack(cuts)) if cuts else np.zeros(0)
    white: list[Box] = [cell.box for cell in cells if cell.kind == CellKind.WHITE]
    called_white = {row for row, _ in match_by_overlap([box.box for box in red], white, 0.3)}
    marked_white = [box.box for box in boxes if box.label == WHITE_LABEL]
    found_rows = {row for row, _ in pairs}
    infected = {row for row, box in enumerate(red) if box.infected}
    return Judging(
        [
            JudgedPair(name, row in infected, float(judged[2 * k]), float(judged[2 * k + 1]))
            for k, (row, _) in enumerate(matched)
        ],
        len(infected),
        len(infected - found_rows),
        len(infected & called_white),
        len(called_white - infected),
        len(marked_white),
        len(match_by_overlap(marked_white, white, 0.3)),
    )


def figures_of(judging: Judging, threshold: float) -> dict[str, Any]:
    """AUC, sensitivity and false alarms of either cut at the model's threshold for fields, and white cells."""
    infected = np.array([pair.infected for pair in judging.pairs])
    figures: dict[str, Any] = {"threshold": threshold, "cells": len(infected)}
    for cut in ("found", "boxed"):
        p = np.array([getattr(pair, cut) for pair in judging.pairs])
        alarm = p >= threshold
        figures[cut] = {
            "auc": float(roc_auc_score(infected, p)),
            "sensitivity": float(alarm[infected].mean()),
            "false_alarms": float(alarm[~infected].mean()),
        }
    figures["lost_by_cutting"] = {
        key: (figures["boxed"][key] - figures["found"][key]) * (-1 if key == "false_alarms" else 1)
        for key in figures["found"]
    }
    found, boxed = (
        np.array([getattr(pair, cut) >= threshold for pair in judging.pairs]) for cut in ("found", "boxed")
    )
    lost, gained = (int(np.count_nonzero(infected & change)) for change in (boxed & ~found, found & ~boxed))
    # McNemar's exact test: whether as many would be lost if the two cuts were alike.
    chance = binomtest(lost, lost + gained).pvalue if lost + gained else 1.0
    figures["infected_cells_by_one_cut_alone"] = {"boxed": lost, "found": gained, "p": float(chance)}
    return figures | {name: getattr(judging, name) for name in Judging._fields if name != "pairs"}


def site_trial(judging: Judging, rate: float = SITE_RATE) -> dict[str, Any]:
    """Calibrate on the uninfected cells of every other field, and count the other fields' false alarms."""
    by_field: dict[str, list[float]] = {}
    for pair in judging.pairs:
        if not pair.infected:
            by_field.setdefault(pair.field, []).append(pair.found)
    halves = [[np.array(by_field[name]) for name in sorted(by_field)[start::2]] for start in (0, 1)]
    chosen = choose_threshold(halves[0], rate)
    other = np.concatenate(halves[1])
    alarms = int(np.count_nonzero(other >= chosen.threshold))
    # The interval is stated for as many cells as were calibrated on.
    low, high = chosen.interval
    return {
        "rate_asked": rate,
        "threshold": chosen.threshold,
        "cells": chosen.cells,
        "interval": [low, high],
        "other_half_cells": len(other),
        "other_half_rate": alarms / len(other),
        "within_interval": bool(low <= alarms / len(other) <= high),
    }
