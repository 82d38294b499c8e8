"""Draws the cells of a model's bank, and writes down what the exported network makes of them.

Cells of home are of validation patients, which the network has not learnt from: on those it is as unsure as on a new
slide. Of each laboratory's cells it has learnt. What decides whether a taught model forgets are the cells near the
threshold: those of home that the network is least sure of are all taken, and a draw of the others stands for the
rest.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from convert.comparison import open_export
from convert.finished_run import FinishedRun
from edge.inference.bank import HOME, Bank
from edge.messages.message import Message
from edge.messages.train_codes import ConvertCode
from train.data.annotated_laboratories import read_laboratory
from train.data.dataset import Sample
from train.data.other_laboratories import read_other_cells
from train.model.batches import network_inputs

_UNSURE, _DRAWN, _OF_A_LABORATORY = 120, 120, 100
"""Cells of each class: of home the least sure and a draw of the others; and of each laboratory."""
_FEATURES = 900
"""A model of more features has so many fewer cells in its bank: in the file count bytes."""
_UNINFECTED_EVERY, _MARKED_EVERY = 8, 3
"""One of so many fields of uninfected blood, and of those of a laboratory, is read: they hold more cells than are
drawn."""


class Candidates(NamedTuple):
    """Cells that a bank may hold; all of one laboratory."""

    laboratory: str
    samples: tuple[Sample, ...]


def read_candidates(finished: FinishedRun, report: Callable[[Message], None]) -> list[Candidates]:
    """Read the cells that a bank is drawn from; a laboratory whose folder is gone is left out, and said.

    Args:
        finished: the run.
        report: told what is read, and what cannot be.

    Raises:
        PlasmoliteError: a folder holds no cells any more.
    """
    run_data, size = finished.run_data, finished.settings.image_size
    validation = run_data.split.validation[~run_data.disputed(run_data.split.validation)]
    found = [Candidates(HOME, tuple(run_data.data.samples[i] for i in validation))]
    for folder in map(Path, finished.settings.uninfected_fields):
        if _is_there(folder, report):
            cells = read_other_cells([folder], size=size, every=_UNINFECTED_EVERY)
            found.append(Candidates(folder.name, cells.samples + cells.held))
    left_out = frozenset(finished.settings.left_out)
    for folder in map(Path, finished.settings.laboratories):
        if _is_there(folder, report):
            laboratory = read_laboratory(folder, left_out, size=size, every=_MARKED_EVERY)
            found.append(Candidates(folder.name, laboratory.infected + laboratory.uninfected))
    return found


def _is_there(folder: Path, report: Callable[[Message], None]) -> bool:
    there = folder.is_dir()
    report(
        Message(ConvertCode.READING_FOR_BANK, folder=folder.name)
        if there
        else Message(ConvertCode.FOLDER_GONE, folder=folder)
    )
    return there


def make_bank(
    flatbuffer: bytes, candidates: Sequence[Candidates], *, size: int, seed: int, threads: int
) -> Bank | None:
    """Draw a bank, and let an export judge its cells.

    Args:
        flatbuffer: the export.
        candidates: of `read_candidates`.
        size: side of the network's input, px.
        seed: of the draw.
        threads: of the interpreter.

    Returns:
        The bank; None where the export gives no features.
    """
    classifier = open_export(flatbuffer, size, threads)
    if not classifier.gives_features:
        return None
    rng = np.random.default_rng((seed, size))
    parts: list[Bank] = []
    groups: dict[str, int] = {}
    for laboratory, samples in candidates:
        said, features = classifier.with_features(network_inputs(samples, size))
        whole = Bank(
            features,
            said,
            np.array([sample.label == 1 for sample in samples]),
            np.full(len(samples), laboratory),
            np.array([groups.setdefault(sample.patient, len(groups)) for sample in samples], np.int64),
            np.ones(len(samples), np.float32),
        )
        share = min(1.0, _FEATURES / features.shape[1])
        unsure, drawn, of_a_laboratory = (
            round(share * cells) for cells in (_UNSURE, _DRAWN, _OF_A_LABORATORY)
        )
        for infected in (True, False):
            cells = np.flatnonzero(whole.infected == infected)
            if laboratory == HOME:
                least_sure = cells[np.argsort(np.abs(said[cells] - infected))[::-1]][:unsure]
                parts += [whole.at(least_sure), _draw(whole, np.setdiff1d(cells, least_sure), drawn, rng)]
            else:
                parts.append(_draw(whole, cells, of_a_laboratory, rng))
    columns = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Bank._make(columns)


def _draw(bank: Bank, cells: NDArray[np.int64], number: int, rng: np.random.Generator) -> Bank:
    """Draw some of the cells, each standing for as many as it was drawn from."""
    if len(cells) <= number:
        return bank.at(cells)
    drawn = bank.at(np.sort(rng.choice(cells, number, replace=False)))
    return drawn._replace(weight=np.full(number, len(cells) / number, np.float32))


def describe_bank(bank: Bank) -> dict[str, object]:
    """Say in the manifest what the bank holds: cells by laboratory, infected and uninfected."""
    return {
        "cells": {
            str(name): {
                "Uninfected": int(np.sum(~bank.infected[bank.laboratory == name])),
                "Parasitized": int(np.sum(bank.infected[bank.laboratory == name])),
            }
            for name in dict.fromkeys(bank.laboratory.tolist())
        },
        "of": "home: validation patients, those that the model is least sure of all the more; laboratories: cells "
        "that it learnt from",
    }
