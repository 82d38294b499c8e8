"""A folder of labelled cells teaches by its patients, or is refused: no cell passes for a patient of its own."""

from pathlib import Path

import pytest

from edge.cells.folder import CellFolder
from edge.cells.tables import TableError
from edge.teaching.labelled_folder import labelled_cells
from edge.types import Label
from tests.support.slides.strange_slides import strange_cell


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Four cells of two patients, ``1`` and ``2``."""
    cells = CellFolder(tmp_path / "cells")
    for number in range(4):
        label = (Label.UNINFECTED, Label.PARASITIZED)[number % 2]
        cells.add(f"{number}", label, f"{1 + number // 2}", *strange_cell(number, label == Label.PARASITIZED))
    cells.close()
    return tmp_path / "cells"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("head", "row"),
    [
        ("cell,patient", "{label}/{number}.png,{patient}"),
        ("patient,cell", "{patient},{label}/{number}.png"),
        ("cell,patient,note", "{label}/{number}.png,{patient},seen {number}"),
        ("image,patient", "{number}.png,{patient}"),
        ("cell;patient", "{label}/{number}.png;{patient}"),
        ("cell\tpatient", "{number}\t{patient}"),
    ],
)
def test_the_table_of_patients_is_read_as_in_training(folder: Path, head: str, row: str) -> None:
    rows = [
        row.format(number=number, label=("Uninfected", "Parasitized")[number % 2], patient=1 + number // 2)
        for number in range(4)
    ]
    (folder / "patients.csv").write_text("\n".join([head, *rows]))
    found = {(cell.field, cell.patient) for cell in labelled_cells(folder, 64).cells}
    assert found == {
        ("Uninfected/0.png", "1"),
        ("Parasitized/1.png", "1"),
        ("Uninfected/2.png", "2"),
        ("Parasitized/3.png", "2"),
    }


def test_a_table_that_lacks_a_cell_is_refused(folder: Path) -> None:
    (folder / "patients.csv").write_text("cell,patient\n0,1\n1,1\n2,2\n")
    with pytest.raises(
        TableError, match=r"no patient for 1 of 4 files, the first of them Parasitized/3\.png"
    ):
        labelled_cells(folder, 64)


def test_without_a_table_each_cell_is_its_own_patient(folder: Path) -> None:
    assert labelled_cells(folder, 64).patients_known
    (folder / "patients.csv").unlink()
    assert not labelled_cells(folder, 64).patients_known
    assert len({cell.patient for cell in labelled_cells(folder, 64).cells}) == 4


def test_files_that_show_no_cell_are_named(folder: Path) -> None:
    (folder / "Uninfected" / "0.png").write_bytes(b"no picture")
    found = labelled_cells(folder, 64)
    assert len(found.cells) == 3
    assert [name for name, _ in found.left_out] == ["Uninfected/0.png"]
