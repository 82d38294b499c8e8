"""Sets of drawn pictures on disk, each with its truth in a CSV beside it; among them the bundled samples.

Names do not tell the truth: whoever judges these pictures has to look at them. ``cells.csv`` has a row a
cell (``image,label,stage``), ``fields.csv`` a row a red cell of a field (``image,label,stage,x,y,w,h,cut``).
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from edge.errors import ImageError
from edge.images.encode import encode_jpeg, encode_png
from edge.images.files import MAX_PIXELS
from edge.memory import available_memory
from edge.messages.codes import Code
from edge.simulation.field import FieldSettings, SimulatedField, draw_field
from edge.simulation.parasite import GAMETOCYTE, RING, SCHIZONT, TROPHOZOITE
from edge.simulation.single_cell import Smear, draw_cell, sample_smear
from edge.simulation.stain import PALETTES, stain_of
from edge.types import Label

CELLS_FOLDER = "cells"
FIELDS_FOLDER = "fields"
CELLS_CSV = "cells.csv"
FIELDS_CSV = "fields.csv"
PATIENTS_CSV = "patients.csv"
JPEG_QUALITY = 90
MOST = 100_000
"""Cells, fields and patients of a set: the rows of their tables are held until the end."""

# The bundled cells' parasites: mostly rings, as in peripheral blood.
_BUNDLED_STAGES = (RING,) * 7 + (TROPHOZOITE,) * 3 + (SCHIZONT, GAMETOCYTE)
_BUNDLED_SEED = 1880  # Laveran saw the parasite in November 1880


class SetPlan(NamedTuple):
    """What a set of drawn pictures consists of.

    Attributes:
        cells: number of single cells.
        fields: number of fields.
        parasitaemia: share of infected cells in the fields, 0..1.
        infected_share: share of infected ones among the single cells, 0..1.
        patients: number of smears that the pictures are spread over.
        seed: decides all the rest.
        by_label: put cells into ``Parasitized/`` and ``Uninfected/`` with a ``patients.csv``, as the
            published NIH set is laid out, for trying the training on.
        field: settings of every field; its parasitaemia is replaced by the one above.
    """

    cells: int = 24
    fields: int = 2
    parasitaemia: float = 0.05
    infected_share: float = 0.5
    patients: int = 8
    seed: int = 0
    by_label: bool = False
    field: FieldSettings = FieldSettings()


def write_set(folder: Path, plan: SetPlan) -> Iterator[Path]:
    """Draw and write a set, yielding each picture's path when it is on disk.

    Args:
        folder: made if absent; files of the same names are replaced.
        plan: what to draw; the same plan gives the same pixels.

    Raises:
        ValueError: a number of the plan is out of range.
        ImageError: a field would have more pixels than are read back, or more than there is memory for.
        OSError: the folder cannot be written to.
    """
    _check(plan)
    cells_seed, fields_seed, smears_seed = np.random.SeedSequence(plan.seed).spawn(3)
    smears = [sample_smear(np.random.default_rng(seed)) for seed in smears_seed.spawn(plan.patients)]
    if plan.cells:
        yield from _write_cells(folder, plan, smears, cells_seed)
    if plan.fields:
        yield from _write_fields(folder, plan, smears, fields_seed)


def write_bundled(folder: Path) -> Iterator[Path]:
    """Draw and write the samples that ship with the project: 24 cells and 2 fields, always the same."""
    order = np.random.default_rng(_BUNDLED_SEED).permutation(2 * len(_BUNDLED_STAGES)).tolist()
    seeds = np.random.SeedSequence(_BUNDLED_SEED).spawn(len(order))
    stages = (*_BUNDLED_STAGES, *(None for _ in _BUNDLED_STAGES))
    rows: list[list[object]] = []
    for number, (which, seed) in enumerate(zip(order, seeds, strict=True), start=1):
        stage = stages[which]
        cell = draw_cell(seed, stage is not None, stage=stage)
        rows.append([f"{CELLS_FOLDER}/cell_{number:02d}.png", cell.label, cell.stage or ""])
        yield _write(folder / str(rows[-1][0]), encode_png(cell.rgb))
    _write_csv(folder / CELLS_CSV, ["image", "label", "stage"], rows)
    table: list[list[object]] = []
    for name, field in _bundled_fields():
        table += _field_rows(name, field)
        yield _write(folder / name, encode_jpeg(field.rgb, JPEG_QUALITY))
    _write_csv(folder / FIELDS_CSV, _FIELD_COLUMNS, table)


def _bundled_fields() -> Iterator[tuple[str, SimulatedField]]:
    """Two fields of 1280x960: few large cells in a rose stain, many small ones that touch in a slate one."""
    large = FieldSettings(cells=52, cell_width=108, parasitaemia=0.12, white_cells=1, platelets=5)
    small = FieldSettings(cells=130, cell_width=66, parasitaemia=0.05, overlap=0.2, white_cells=1)
    for name, settings, palette, seed in (
        ("field_01.jpg", large, "phone", _BUNDLED_SEED),
        ("field_02.jpg", small, "slate", _BUNDLED_SEED + 1),
    ):
        blur = 0.015 * settings.cell_width
        smear = Smear(stain_of(PALETTES[palette]), settings.cell_width, pallor=0.5, blur=blur, noise=1.0)
        yield f"{FIELDS_FOLDER}/{name}", draw_field(seed, settings, smear)


def _check(plan: SetPlan) -> None:
    faults = plan.field._replace(parasitaemia=plan.parasitaemia).faults()
    for name, number, least in (
        ("cells", plan.cells, 0),
        ("fields", plan.fields, 0),
        ("patients", plan.patients, 1),
    ):
        if not least <= number <= MOST:
            faults.append(f"{name} is {number}, but must lie between {least} and {MOST}.")
    if not 0 <= plan.infected_share <= 1:
        faults.append(f"infected_share is {plan.infected_share}, but must lie between 0 and 1.")
    if faults:
        raise ValueError(" ".join(faults))
    field, available = plan.field, available_memory()
    most = MAX_PIXELS if available is None else min(MAX_PIXELS, field.pixels_within(available))
    if plan.fields and field.width * field.height > most:
        raise ImageError(
            Code.PICTURE_TOO_LARGE, width=field.width, height=field.height, megapixels=most / 1e6
        )


def _write_cells(
    folder: Path, plan: SetPlan, smears: list[Smear], seed: np.random.SeedSequence
) -> Iterator[Path]:
    chooser, *seeds = seed.spawn(plan.cells + 1)
    infected = np.random.default_rng(chooser).permutation(plan.cells) < round(
        plan.infected_share * plan.cells
    )
    rows: list[list[object]] = []
    patients: list[list[object]] = []
    for number, own in enumerate(seeds):
        patient = number % plan.patients
        cell = draw_cell(own, bool(infected[number]), smear=smears[patient])
        # The part before _IMG is the patient, as in the published names.
        stem = f"S{patient + 1:03d}_IMG_0001_cell_{number + 1:05d}"
        name = f"{cell.label}/{stem}.png" if plan.by_label else f"{CELLS_FOLDER}/{stem}.png"
        rows.append([name, cell.label, cell.stage or ""])
        patients.append([stem, cell.label.lower(), f"S{patient + 1:03d}"])
        yield _write(folder / name, encode_png(cell.rgb))
    _write_csv(folder / CELLS_CSV, ["image", "label", "stage"], rows)
    if plan.by_label:
        _write_csv(folder / PATIENTS_CSV, ["cell", "label", "patient"], patients)


def _write_fields(
    folder: Path, plan: SetPlan, smears: list[Smear], seed: np.random.SeedSequence
) -> Iterator[Path]:
    settings = plan.field._replace(parasitaemia=plan.parasitaemia)
    table: list[list[object]] = []
    for number, own in enumerate(seed.spawn(plan.fields)):
        patient = number % plan.patients
        smear = smears[patient]
        # The lens resolves a share of the cell, whatever the camera's scale.
        smear = smear._replace(blur=smear.blur * settings.cell_width / smear.cell_width)
        field = draw_field(own, settings, smear)
        name = f"{FIELDS_FOLDER}/S{patient + 1:03d}_IMG_{number + 1:04d}.png"
        table += _field_rows(name, field)
        yield _write(folder / name, encode_png(field.rgb))
    _write_csv(folder / FIELDS_CSV, _FIELD_COLUMNS, table)


_FIELD_COLUMNS = ["image", "label", "stage", "x", "y", "w", "h", "cut"]


def _field_rows(name: str, field: SimulatedField) -> list[list[object]]:
    return [
        [
            name,
            Label.PARASITIZED if cell.infected else Label.UNINFECTED,
            cell.stage or "",
            *cell.box,
            int(field.cut_by_border(cell)),
        ]
        for cell in field.cells
    ]


def _write(path: Path, data: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def _write_csv(path: Path, columns: list[str], rows: list[list[object]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)
