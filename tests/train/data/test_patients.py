"""Whose each cell is: by table, folder or name, said with what is doubtful in it."""

from pathlib import Path

import pytest

from edge.cells.tables import TableError
from edge.messages.language import Language
from train.data.patients import (
    Correction,
    PatientError,
    PatientSource,
    SplitBy,
    describe_patients,
    patient_from_name,
    patient_token,
    read_corrections,
    read_patients,
    tell_patients,
)

BY_NAME, BY_FOLDER = PatientSource.of("name", None), PatientSource.of("folder", None)
_BOTH = ("Parasitized", "Uninfected")


def numbered(people: int = 15, cells: int = 12) -> list[str]:
    """Cell number k of everybody has the same name."""
    return [f"Patient{p:02}/{c}/{k}.webp" for p in range(people) for c in _BOTH for k in range(cells)]


def written(folder: Path, *rows: str) -> Path:
    path = folder / "patients.csv"
    path.write_text("\n".join(("cell,patient", *rows)) + "\n", "utf-8")
    return path


@pytest.mark.parametrize(
    ("name", "patient"),
    [
        ("C100P61ThinF_IMG_20150918_144104_cell_162", "C100P61ThinF"),
        ("smear_7_13", "smear_7"),
        ("alone", "alone"),
    ],
)
def test_the_patient_is_read_from_the_file_name(name: str, patient: str) -> None:
    assert patient_from_name(name) == patient


@pytest.mark.parametrize(
    ("split_by", "table", "expected"),
    [
        (None, None, PatientSource(SplitBy.NAME, None, False)),
        (None, Path("t.csv"), PatientSource(SplitBy.TABLE, Path("t.csv"), False)),
        ("folder", None, PatientSource(SplitBy.FOLDER, None, True)),
        ("table", Path("t.csv"), PatientSource(SplitBy.TABLE, Path("t.csv"), True)),
    ],
)
def test_a_table_goes_before_the_names_unless_something_is_asked_for(
    split_by: str | None, table: Path | None, expected: PatientSource
) -> None:
    assert PatientSource.of(split_by, table) == expected


@pytest.mark.parametrize(
    "layout",
    ["P{p}/{c}/cell_{k}.png", "{c}/P{p}/cell_{k}.png", "cells/{c}/P{p}/{k}.png", "train/P{p}/{c}/{k}.png"],
)
def test_the_folder_that_is_no_class_and_no_part_is_the_patient(layout: str) -> None:
    files = [layout.format(p=p, c=c, k=k) for p in range(12) for c in _BOTH for k in range(3)]
    told = tell_patients(files, BY_FOLDER)
    assert list(told.patients) == [f"P{p}" for p in range(12) for _ in range(6)]
    assert told.note is None


def test_folders_of_one_name_at_two_sites_are_two_patients() -> None:
    files = [f"{site}/P1/{c}/{k}.png" for site in ("a", "b") for c in _BOTH for k in range(3)]
    assert set(tell_patients(files, BY_FOLDER).patients) == {"a/P1", "b/P1"}


def test_a_cell_in_no_patients_folder_is_named() -> None:
    with pytest.raises(PatientError, match=r"^Parasitized/7\.png lies in no folder"):
        tell_patients([*numbered(), "Parasitized/7.png"], BY_FOLDER)


def test_names_that_make_each_cell_a_patient_are_refused_with_what_to_do() -> None:
    files = [f"{c}/{k:08x}.webp" for k in range(240) for c in _BOTH]
    with pytest.raises(PatientError, match=r"480 cells are of 240 patients .*--patients.*--split-by folder"):
        tell_patients(files, PatientSource())
    told = tell_patients(files, BY_NAME)  # somebody says that it is so
    assert "nearly every cell" in str(told.note)
    assert len(set(told.patients)) == 240


def test_names_that_cut_across_folders_are_refused_and_the_folders_named() -> None:
    with pytest.raises(PatientError, match=r"15 folders \(Patient00, Patient01, Patient02, …\)"):
        tell_patients(numbered(), PatientSource())
    assert "lie in several" in str(tell_patients(numbered(), BY_NAME).note)
    assert len(set(tell_patients(numbered(), BY_FOLDER).patients)) == 15


def test_somebody_elses_split_into_train_and_test_is_no_row_of_patients() -> None:
    files = [
        f"{part}/{c}/P{p}_IMG_{k}.png"
        for part in ("train", "test")
        for c in _BOTH
        for p in range(12)
        for k in range(3)
    ]
    told = tell_patients(files, PatientSource())
    assert set(told.patients) == {f"P{p}" for p in range(12)}
    assert told.note is None


def test_a_table_is_applied_by_path(tmp_path: Path) -> None:
    files = numbered()
    table = written(tmp_path, *(f"{file},{file.split('/')[0]}" for file in files), "gone/1.png,X")
    told = tell_patients(files, PatientSource.of(None, table))
    assert list(told.patients) == [file.split("/")[0] for file in files]
    assert str(told.note) == "1 row of patients.csv speaks of no cell that is used."


def test_a_table_that_lacks_cells_is_refused_with_the_first(tmp_path: Path) -> None:
    table = written(tmp_path, *(f"{file},{file.split('/')[0]}" for file in numbered()[:-2]))
    with pytest.raises(
        TableError, match=r"no patient for 2 of 360 files, the first of them Patient14/Uninfected/10"
    ):
        tell_patients(numbered(), PatientSource.of(None, table))


def test_a_table_that_makes_each_cell_a_patient_is_applied_and_noted(tmp_path: Path) -> None:
    files = [f"{c}/{k}.png" for c, k in zip(_BOTH * 10, range(20), strict=True)]
    table = written(tmp_path, *(f"{file},p{k}" for k, file in enumerate(files)))
    told = tell_patients(files, PatientSource.of(None, table))
    assert "20 cells are of 20 patients by the table" in str(told.note)


def test_how_patients_were_told_is_said_with_examples() -> None:
    names = [f"P{number:02}" for number in range(15)] * 3
    by_table = describe_patients(names, "table", "data/p.csv")
    assert str(by_table) == "15 patients by the table p.csv (P00, P01, P02, …)"
    assert by_table.text(Language.FRENCH) == "15 patients d'après le tableau p.csv (P00, P01, P02, …)"
    assert str(describe_patients(names[:2], "folder")) == "2 patients by their folders (P00, P01)"
    assert str(describe_patients(["a", "a"], "name")) == "1 patient by their file names (a)"
    assert str(describe_patients(names, "cell")) == "15 patients, as if each cell were of another one"


def test_patients_by_unique_name_refuse_a_contradiction(tmp_path: Path) -> None:
    assert read_patients(written(tmp_path, "x/a_1.png,A", "b_1,B")) == {"a_1": "A", "b_1": "B"}
    with pytest.raises(TableError, match="row 3"):
        read_patients(written(tmp_path, "x/1.png,A", "y/1.png,B"))


def test_corrections_turn_a_label_or_leave_a_cell_out(tmp_path: Path) -> None:
    path = tmp_path / "corrections.csv"
    path.write_text(
        "cell,label,corrected_label\na,parasitized,uninfected\nx/b.png,x,Parasitized\nc,x,\nd,x,\n"
    )
    assert read_corrections(path, ["U/a.png", "x/b.png", "y/b.png", "c.png"]) == {
        "U/a.png": Correction(0),
        "x/b.png": Correction(1),
        "c.png": Correction(None),
    }


def test_a_correction_that_fits_several_cells_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "corrections.csv"
    path.write_text("cell,corrected_label\nb.png,Parasitized\n")
    with pytest.raises(TableError, match=r"row 2: b\.png fits 2 cells"):
        read_corrections(path, ["x/b.png", "y/b.png"])


def test_a_token_stands_for_one_patient_of_one_data_set_and_tells_no_name() -> None:
    tokens = {patient_token(patient, data) for patient in ("Amina", "Bela") for data in ("1", "2")}
    assert len(tokens) == 4
    assert patient_token("Amina", "1") in tokens
    assert not any("Amina" in token for token in tokens)
