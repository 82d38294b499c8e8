"""The CSV files of patients and of corrected labels, and which cell each of their rows speaks of."""

from pathlib import Path

import pytest

from edge.cells.tables import TableError, TableRow, match_rows, read_correction_rows, read_patient_rows
from edge.messages.language import Language

FILES = ["P01/Parasitized/1.png", "P01/Uninfected/2.png", "P02/Parasitized/1.png", "P02/Uninfected/3.webp"]


def written(folder: Path, text: str) -> Path:
    path = folder / "table.csv"
    path.write_text(text, "utf-8")
    return path


def matched(tmp_path: Path, *rows: str) -> dict[str, str]:
    """Apply rows ``cell,patient`` to the files; the patient of each file that a row fits."""
    path = written(tmp_path, "cell,patient\n" + "".join(f"{row}\n" for row in rows))
    return {file: row.value for file, row in match_rows(path, read_patient_rows(path), FILES).items()}


def test_a_header_names_cell_and_patient_in_any_order(tmp_path: Path) -> None:
    path = written(tmp_path, "patient,label,cell\nA,parasitized,a_1.png\n\nB,uninfected,folder/b_1 \n")
    assert read_patient_rows(path) == [TableRow(2, "a_1.png", "A"), TableRow(4, "folder/b_1", "B")]


def test_the_published_file_without_header_keeps_its_first_row(tmp_path: Path) -> None:
    path = written(tmp_path, "C33P1thinF,C33P1thinF_IMG_1_cell_1.png\nC34,C34_IMG_1_cell_7.png\n")
    assert [row.value for row in read_patient_rows(path)] == ["C33P1thinF", "C34"]


def test_the_columns_without_header_may_stand_the_other_way_round(tmp_path: Path) -> None:
    path = written(tmp_path, "C33P1thinF_IMG_1_cell_1.png,C33P1thinF\n")
    assert read_patient_rows(path) == [TableRow(1, "C33P1thinF_IMG_1_cell_1.png", "C33P1thinF")]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no rows"),
        ("a,b,c\n1,2,3\n", "neither a header.*a, b, c"),
        ("cell,patient\na_1,\n", "row 2"),
        ("cell,patient\na_1\n", "row 2"),
        ("cell,patient\na_1,A\n,B\n", "row 3"),
    ],
)
def test_a_table_that_cannot_be_used_says_what_is_wrong(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(TableError, match=words):
        read_patient_rows(written(tmp_path, text))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_table_is_read_as_whichever_spreadsheet_wrote_it(
    tmp_path: Path, encoding: str, delimiter: str, end: str
) -> None:
    lines = [delimiter.join(row) for row in (("cell", "patient"), ("zoé_1.png", "Zoé"), ("", ""))]
    path = tmp_path / "table.csv"
    path.write_bytes(end.join(lines).encode(encoding))
    assert read_patient_rows(path) == [TableRow(2, "zoé_1.png", "Zoé")]


def test_a_table_that_is_no_text_is_told_in_the_reader_s_language(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_bytes(b"PK\x03\x04\x81\x8d")
    with pytest.raises(TableError) as refused:
        read_patient_rows(path)
    assert refused.value.message.text(Language.FRENCH).endswith("Enregistrez-le comme fichier CSV en UTF-8.")


@pytest.mark.parametrize(
    ("text", "words"),
    [("cell,label\na,parasitized\n", "corrected_label"), ("cell,label,corrected_label\na,x\n", "row 2")],
)
def test_corrections_that_cannot_be_used_say_what_is_wrong(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(TableError, match=words):
        read_correction_rows(written(tmp_path, text))


def test_a_missing_table_is_named(tmp_path: Path) -> None:
    with pytest.raises(TableError, match=r"absent\.csv"):
        read_patient_rows(tmp_path / "absent.csv")


@pytest.mark.parametrize(
    "cell",
    [
        "P01/Parasitized/1.png",
        "./P01/Parasitized/1.png",
        "P01\\Parasitized\\1.png",
        "P01/Parasitized/1",
        "P01/Parasitized/1.webp",
        "/data/cells/P01/Parasitized/1.png",
    ],
)
def test_a_path_fits_one_cell_however_it_is_written(tmp_path: Path, cell: str) -> None:
    assert matched(tmp_path, f"{cell},A") == {FILES[0]: "A"}


def test_an_accent_fits_whether_a_system_stores_it_as_one_sign_or_two(tmp_path: Path) -> None:
    path = written(tmp_path, "cell,patient\n\u00e9cran 1.png,A\nscho\u0308n,B\n")
    files = ["Uninfected/e\u0301cran 1.png", "Uninfected/sch\u00f6n.png"]
    assert [row.value for row in match_rows(path, read_patient_rows(path), files).values()] == ["A", "B"]


def test_a_name_fits_where_only_one_cell_has_it(tmp_path: Path) -> None:
    assert matched(tmp_path, "2.png,A", "3,B") == {FILES[1]: "A", FILES[3]: "B"}


@pytest.mark.parametrize("cell", ["1.png", "Parasitized/1.png"])
def test_a_row_that_fits_several_cells_is_refused_with_both(tmp_path: Path, cell: str) -> None:
    with pytest.raises(TableError, match=r"row 3: .* fits 2 cells, such as P01/\S+ and P02/"):
        matched(tmp_path, "2.png,A", f"{cell},B")


def test_rows_that_contradict_each_other_are_refused_with_both_numbers(tmp_path: Path) -> None:
    with pytest.raises(TableError, match=r"row 4: .* is B here and A in row 2"):
        matched(tmp_path, "2.png,A", "3,C", "P01/Uninfected/2.png,B")


def test_the_same_row_twice_is_no_contradiction(tmp_path: Path) -> None:
    assert matched(tmp_path, "2.png,A", "P01/Uninfected/2.png,A") == {FILES[1]: "A"}


def test_a_table_of_other_cells_is_refused_with_an_example_of_both(tmp_path: Path) -> None:
    with pytest.raises(TableError, match=r"row 2 names x/9\.png, and a cell is P01/Parasitized/1\.png"):
        matched(tmp_path, "x/9.png,A")


def test_a_suffix_decides_between_two_files_of_one_name(tmp_path: Path) -> None:
    path = written(tmp_path, "cell,patient\na.png,A\na.jpg,B\n")
    found = match_rows(path, read_patient_rows(path), ["a.png", "a.jpg"])
    assert {file: row.value for file, row in found.items()} == {"a.png": "A", "a.jpg": "B"}


def test_a_dot_in_a_name_is_no_suffix(tmp_path: Path) -> None:
    path = written(tmp_path, "cell,patient\nslide.7,A\nslide.8,B\n")
    found = match_rows(path, read_patient_rows(path), ["slide.7.png", "slide.8.png"])
    assert [row.value for row in found.values()] == ["A", "B"]
