"""The CSV files of patients and of corrected labels."""

from pathlib import Path

import pytest

from train.data.patients import (
    Correction,
    TableError,
    patient_from_name,
    patient_token,
    read_corrections,
    read_patients,
)


def written(folder: Path, text: str) -> Path:
    path = folder / "table.csv"
    path.write_text(text, "utf-8")
    return path


def test_a_header_names_cell_and_patient_in_any_order(tmp_path: Path) -> None:
    path = written(tmp_path, "patient,label,cell\nA,parasitized,a_1.png\nB,uninfected,folder/b_1\n")
    assert read_patients(path) == {"a_1": "A", "b_1": "B"}


def test_the_published_file_without_header_keeps_its_first_row(tmp_path: Path) -> None:
    path = written(
        tmp_path, "C33P1thinF,C33P1thinF_IMG_1_cell_1.png\nC34P2thinF,C34P2thinF_IMG_1_cell_7.png\n"
    )
    assert read_patients(path) == {
        "C33P1thinF_IMG_1_cell_1": "C33P1thinF",
        "C34P2thinF_IMG_1_cell_7": "C34P2thinF",
    }


def test_the_columns_without_header_may_stand_the_other_way_round(tmp_path: Path) -> None:
    path = written(tmp_path, "C33P1thinF_IMG_1_cell_1.png,C33P1thinF\n")
    assert read_patients(path) == {"C33P1thinF_IMG_1_cell_1": "C33P1thinF"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no rows"),
        ("a,b,c\n1,2,3\n", "neither a header"),
        ("cell,patient\na_1,\n", "row 2"),
        ("cell,patient\na_1\n", "row 2"),
    ],
)
def test_a_table_that_cannot_be_used_says_what_is_wrong(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(TableError, match=words):
        read_patients(written(tmp_path, text))


def test_a_missing_table_is_named(tmp_path: Path) -> None:
    with pytest.raises(TableError, match=r"absent\.csv"):
        read_patients(tmp_path / "absent.csv")


def test_corrections_turn_a_label_or_leave_a_cell_out(tmp_path: Path) -> None:
    path = written(
        tmp_path, "cell,label,corrected_label\na,parasitized,uninfected\nb,uninfected,Parasitized\nc,x,\n"
    )
    assert read_corrections(path) == {"a": Correction(0), "b": Correction(1), "c": Correction(None)}


@pytest.mark.parametrize(
    ("text", "words"),
    [("cell,label\na,parasitized\n", "corrected_label"), ("cell,label,corrected_label\na,x\n", "row 2")],
)
def test_corrections_that_cannot_be_used_say_what_is_wrong(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(TableError, match=words):
        read_corrections(written(tmp_path, text))


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


def test_a_token_stands_for_one_patient_of_one_data_set_and_tells_no_name() -> None:
    tokens = {patient_token(patient, data) for patient in ("Amina", "Bela") for data in ("1", "2")}
    assert len(tokens) == 4
    assert patient_token("Amina", "1") in tokens
    assert not any("Amina" in token for token in tokens)
