"""The two classes under names of somebody's own."""

import shutil
import unicodedata
from pathlib import Path

import pytest

from edge.images.encode import write_png
from edge.simulation.single_cell import draw_cell
from train.data.class_names import ClassNameError, ClassNames
from train.data.dataset import DataError, load_dataset
from train.data.patients import PatientSource, tell_patients
from train.run import read_cells
from train.settings import TrainingSettings


@pytest.mark.parametrize(
    ("positive", "negative", "names", "numbers"),
    [
        (None, None, ["Parasitized", "uninfected", "healthy"], [1, 0, None]),
        ("infected", "healthy", ["Healthy ", "INFECTED", "Parasitized"], [0, 1, 1]),
        ("ring, trophozoite", "normal", ["trophozoite", "ring", "normal", "other"], [1, 1, 0, None]),
        ("parasité", "sain", [unicodedata.normalize("NFD", "Parasité"), "sain"], [1, 0]),
        ("positive", None, ["positive", "negative"], [1, None]),
    ],
)
def test_a_name_means_what_was_said_of_it(
    positive: str | None, negative: str | None, names: list[str], numbers: list[int | None]
) -> None:
    classes = ClassNames.of(positive, negative)
    assert [classes.number(name) for name in names] == numbers


@pytest.mark.parametrize(
    ("positive", "negative"), [("cell", "Cell"), ("uninfected", None), (None, "Parasitized")]
)
def test_a_name_that_would_mean_both_is_refused(positive: str | None, negative: str | None) -> None:
    with pytest.raises(ClassNameError, match="cannot stand for infected and for uninfected"):
        ClassNames.of(positive, negative)


def test_folders_of_other_names_are_read_and_are_no_patients(tmp_path: Path) -> None:
    for number in range(8):
        infected = number < 4
        folder = tmp_path / f"P{number % 2}" / ("Infected" if infected else "healthy")
        folder.mkdir(parents=True, exist_ok=True)
        write_png(folder / f"{number}.png", draw_cell(number, infected=infected).rgb)
    with pytest.raises(DataError, match="say with --positive and --negative which is which"):
        load_dataset(tmp_path, PatientSource.of("folder", None), size=32)
    settings = TrainingSettings(
        data=str(tmp_path), split_by="folder", image_size=32, positive="infected", negative="healthy"
    )
    data, _ = read_cells(settings, None)
    assert {(one.name, one.label, one.patient) for one in data.samples} == {
        (str(number), int(number < 4), f"P{number % 2}") for number in range(8)
    }
    # The class is said of the folder, so a folder of a third name is left out and named.
    shutil.copytree(tmp_path / "P0" / "healthy", tmp_path / "P0" / "artefact")
    assert any(one.file == "P0/artefact" for one in read_cells(settings, None)[0].rejected)


def test_a_class_folder_of_another_name_is_taken_for_a_patient_unless_it_is_said() -> None:
    files = [f"P{p}/{c}/{k}.png" for p in range(12) for c in ("sick", "well") for k in range(3)]
    by_folder = PatientSource.of("folder", None)
    assert len(set(tell_patients(files, by_folder).patients)) == 24
    assert len(set(tell_patients(files, by_folder, ClassNames.of("sick", "well")).patients)) == 12
