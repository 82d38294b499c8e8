"""Labelled folders of cells: labels, patients, disputed labels, pictures that cannot be read."""

from pathlib import Path

import pytest

from benchmarks.accuracy.labelled import read_labelled_cells
from benchmarks.harness.measurement import BenchmarkError


@pytest.mark.slow
def test_labels_come_from_folders_patients_from_names_and_disputes_from_the_file(drawn: Path) -> None:
    cells, refused = read_labelled_cells(drawn / "cells", corrections=drawn / "corrections.csv")
    assert len(cells) == 24
    assert not refused
    assert sum(cell.label for cell in cells) == 12
    assert {cell.patient for cell in cells} == {"P0", "P1", "P2", "P3"}
    assert [cell.name for cell in cells if cell.disputed] == ["P0_IMG0_cell"]


def test_a_picture_that_cannot_be_read_is_named_and_the_rest_judged(drawn: Path, tmp_path: Path) -> None:
    for label in ("Parasitized", "Uninfected"):
        (tmp_path / label).mkdir()
        source = next((drawn / "cells" / label).iterdir())
        (tmp_path / label / source.name).write_bytes(source.read_bytes())
    (tmp_path / "Uninfected" / "torn.png").write_bytes(b"torn")
    cells, refused = read_labelled_cells(tmp_path)
    assert len(cells) == 2
    assert str(refused[0]).startswith("torn.png")


def test_one_class_alone_is_refused(drawn: Path) -> None:
    with pytest.raises(BenchmarkError, match="both"):
        read_labelled_cells(drawn / "cells" / "Parasitized")
