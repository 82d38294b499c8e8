"""What is no red cell of a thin smear: how much of it is refused, and how many red cells are refused with it."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.accuracy_groups import REFUSALS
from benchmarks.judging import Candidate
from benchmarks.labelled import LabelledCell
from benchmarks.measurement import BenchmarkError, Measurement
from benchmarks.timing import Report
from edge.errors import ImageError
from edge.imaging import IMAGE_SUFFIXES, read_image
from edge.intervals import clopper_pearson
from edge.isolation import isolate
from train.evaluation import cluster_bootstrap

CROPS_A_PICTURE = 8
_LEAST_SIDE, _LARGEST_SIDE = 60, 240
"""Of a crop, px: as wide as pictures of single cells are."""
_PORTION = 256


class Stranger(NamedTuple):
    """A crop that shows no red cell of a thin smear."""

    picture: str
    """From which it was cut."""
    rgb: NDArray[np.uint8]
    mask: NDArray[np.uint8] | None
    """What ``classify`` takes for the cell; ``None`` where it already sees none."""


def cut_strangers(folder: Path, seed: int, report: Report) -> list[Stranger]:
    """Cut pictures as somebody would who takes something in them for a cell: whole, and squares of chance.

    Args:
        folder: of pictures, none of which shows red cells of a thin smear.
        seed: of the squares' places and sides.
        report: told of the progress.

    Raises:
        BenchmarkError: there are no pictures.
        ImageError: one cannot be read.
    """
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in IMAGE_SUFFIXES)
    if not paths:
        raise BenchmarkError(f"There are no pictures in {folder}.")
    rng = np.random.default_rng(seed)
    strangers = []
    for done, path in enumerate(paths):
        report("cutting what is no cell", done / len(paths))
        rgb = read_image(path)
        crops = [rgb]
        height, width = rgb.shape[:2]
        for _ in range(CROPS_A_PICTURE if min(height, width) > _LEAST_SIDE else 0):
            side = int(rng.integers(_LEAST_SIDE, min(_LARGEST_SIDE, height, width) + 1))
            y, x = int(rng.integers(0, height - side + 1)), int(rng.integers(0, width - side + 1))
            crops.append(np.ascontiguousarray(rgb[y : y + side, x : x + side]))
        strangers += [Stranger(path.name, crop, isolate(crop)) for crop in crops]
    return strangers


def measure_refusals(
    candidates: Sequence[Candidate], strangers: Sequence[Stranger], report: Report
) -> list[Measurement]:
    """Tell which share of the strangers ``classify`` refuses with each of our models."""
    pictures = np.array([one.picture for one in strangers])
    measurements = []
    for candidate in (one for one in candidates if one.model):
        refused = np.ones(len(strangers), bool)
        inputs, places = [], []
        for place, stranger in enumerate(strangers):
            if stranger.mask is not None:
                try:
                    inputs.append(candidate.prepare(stranger.rgb, stranger.mask))
                except ImageError:
                    continue  # too small to be a cell: refused
                places.append(place)
        report(f"refusals, {candidate.name}", 1.0)
        if inputs:
            refused[places] = _refused(candidate, np.stack(inputs))
        found = cluster_bootstrap(
            pictures,
            np.zeros(len(strangers), np.int64),
            lambda at, refused=refused: {"refused": float(refused[at].mean())},  # type: ignore[misc]
        )["refused"]
        measurements += [
            Measurement(
                REFUSALS, candidate.name, "strangers refused", found.value, "share", *found[1:], "higher"
            ),
            Measurement(REFUSALS, candidate.name, "strangers", float(len(strangers))),
        ]
    return measurements


def measure_wrong_refusals(
    candidates: Sequence[Candidate], cells: Sequence[LabelledCell], unread: int
) -> list[Measurement]:
    """Tell which share of real cells is refused.

    Args:
        candidates: of which our models are asked.
        cells: that a cell was found in.
        unread: cells that were refused before any network saw them.
    """
    measurements = []
    for candidate in (one for one in candidates if one.model):
        count = unread
        for start in range(0, len(cells), _PORTION):
            inputs = [candidate.prepare(cell.rgb, cell.mask) for cell in cells[start : start + _PORTION]]
            count += int(_refused(candidate, np.stack(inputs)).sum())
        total = len(cells) + unread
        measurements.append(
            Measurement(
                REFUSALS,
                candidate.name,
                "cells refused",
                count / total,
                "share",
                *clopper_pearson(count, total),
                "lower",
            )
        )
    return measurements


def _refused(candidate: Candidate, inputs: NDArray[np.uint8]) -> NDArray[np.bool_]:
    if candidate.refuses is None:
        return np.zeros(len(inputs), bool)
    return candidate.refuses(inputs)
