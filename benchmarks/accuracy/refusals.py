"""What ``classify`` refuses before any network sees it: of what is no red cell, and of red cells."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

from benchmarks.accuracy.groups import REFUSALS
from benchmarks.harness.measurement import BenchmarkError, Better, Measurement
from benchmarks.harness.timing import ProgressCallback
from edge.cells.isolation import isolate
from edge.cells.red_cell_check import check_red_cell
from edge.errors import ImageError
from edge.images.files import IMAGE_SUFFIXES, read_image
from edge.inference.preprocessing import cell_extent
from edge.messages.bench_codes import BenchCode
from edge.messages.codes import Code
from edge.messages.message import Message
from train.evaluation.metrics import cluster_bootstrap

CROPS_A_PICTURE = 20
_LEAST_SIDE, _LARGEST_SIDE = 60, 300
"""Of a crop, px: as wide as pictures of single cells are."""


def measure_refusals(folder: Path, seed: int, report: ProgressCallback) -> list[Measurement]:
    """Tell which share of other pictures ``classify`` refuses, with an interval over the pictures.

    Args:
        folder: of pictures, none of which shows red cells of a thin smear.
        seed: of the squares that are cut from them.
        report: told of the progress.

    Raises:
        BenchmarkError: there are no pictures.
        ImageError: one cannot be read.
    """
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in IMAGE_SUFFIXES)
    if not paths:
        raise BenchmarkError(Code.FILE_NO_PICTURES, paths=str(folder))
    rng = np.random.default_rng(seed)
    pictures, answers = [], []
    for done, path in enumerate(paths):
        report(Message(BenchCode.CUTTING_STRANGERS), done / len(paths))
        for crop in cut_squares_of(read_image(path), rng):
            pictures.append(str(path))
            answers.append(is_refused(crop))
    refused = np.array(answers)
    found = cluster_bootstrap(
        np.array(pictures),
        np.zeros(len(refused), np.int64),
        lambda places: {"refused": float(refused[places].mean())},
    )["refused"]
    return [
        Measurement(
            REFUSALS, "classify", "strangers refused", found.value, "share", *found[1:], Better.HIGHER
        ),
        Measurement(REFUSALS, "classify", "strangers", float(len(refused))),
        Measurement(REFUSALS, "classify", "pictures of strangers", float(len(paths))),
    ]


def cut_squares_of(rgb: NDArray[np.uint8], rng: np.random.Generator) -> list[NDArray[np.uint8]]:
    """Cut a picture as somebody would who takes something in it for a cell: whole, and squares of chance."""
    height, width = rgb.shape[:2]
    crops = [rgb]
    for _ in range(CROPS_A_PICTURE if min(height, width) > _LEAST_SIDE else 0):
        side = int(rng.integers(_LEAST_SIDE, min(_LARGEST_SIDE, height, width) + 1))
        y, x = int(rng.integers(0, height - side + 1)), int(rng.integers(0, width - side + 1))
        crops.append(np.ascontiguousarray(rgb[y : y + side, x : x + side]))
    return crops


def measure_wrong_refusals(refused: int, cells: int) -> list[Measurement]:
    """Tell which share of real cells ``classify`` refuses."""
    interval = binomtest(refused, cells).proportion_ci()
    return [
        Measurement(
            REFUSALS,
            "classify",
            "cells refused",
            refused / cells,
            "share",
            interval.low,
            interval.high,
            Better.LOWER,
        )
    ]


def is_refused(rgb: NDArray[np.uint8]) -> bool:
    """Tell whether ``classify`` refuses a picture, RGB, uint8, (h, w, 3)."""
    mask = isolate(rgb)
    if mask is None:
        return True
    try:
        cell_extent(mask)
        check_red_cell(rgb, mask)
    except ImageError:
        return True  # too small to be a cell, or no red one
    return False
