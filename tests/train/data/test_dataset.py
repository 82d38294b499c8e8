"""Reading labelled cells: what is used, what is left out and why. The cells are drawn by the simulator."""

import errno
import os
import shutil
import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.images.encode import write_png
from edge.messages.language import Language
from edge.simulation.single_cell import draw_cell
from train.data.class_names import ClassNames
from train.data.dataset import DataError, DataSet, Rejected, load_dataset
from train.data.patients import PatientSource

SIZE = 32
BY_NAME = PatientSource.of("name", None)
NAMES = [f"P{number % 3}_IMG_1_cell_{number}" for number in range(6)]


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three parasitised and three uninfected cells of three patients, in the published layout."""
    folder = tmp_path_factory.mktemp("drawn")
    for number in range(6):
        label = "Parasitized" if number < 3 else "Uninfected"
        cell = draw_cell(np.random.SeedSequence(number), number < 3)
        (folder / label).mkdir(exist_ok=True)
        write_png(folder / label / f"P{number % 3}_IMG_1_cell_{number}.png", cell.rgb)
    return folder


@pytest.fixture
def cells(drawn: Path, tmp_path: Path) -> Path:
    """A copy that a test may change."""
    return Path(shutil.copytree(drawn, tmp_path / "cells"))


def reason_of(data: DataSet, file: str) -> str:
    return str(rejection(data, file).reason)


def rejection(data: DataSet, file: str) -> Rejected:
    return next(entry for entry in data.rejected if entry.file == file)


def test_every_cell_of_a_good_folder_is_used(cells: Path) -> None:
    data = load_dataset(cells, BY_NAME, size=SIZE)
    assert [sample.name for sample in data.samples] == sorted(
        path.stem for path in cells.rglob("*.png") if path.is_file()
    )
    assert data.labels().sum() == 3
    assert {sample.patient for sample in data.samples} == {"P0", "P1", "P2"}
    assert data.rejected == ()


def test_a_cell_is_cut_out_on_black(cells: Path) -> None:
    for sample in load_dataset(cells, BY_NAME, size=SIZE).samples:
        rows = sample.mask.any(axis=1)
        assert rows[0]
        assert rows[-1]
        assert not sample.image[sample.mask == 0].any()
        assert not sample.mask[0, 0]  # a round cell leaves its box's corner empty


def test_an_unreadable_file_is_left_out_and_named(cells: Path) -> None:
    (cells / "Uninfected/torn.png").write_bytes(b"\x89PNG\r\n\x1a\n and then nothing")
    data = load_dataset(cells, BY_NAME, size=SIZE)
    assert len(data.samples) == 6
    assert reason_of(data, "Uninfected/torn.png")


def test_an_empty_file_is_left_out_and_named(cells: Path) -> None:
    (cells / "Parasitized/empty.png").touch()
    assert "empty" in reason_of(load_dataset(cells, BY_NAME, size=SIZE), "Parasitized/empty.png")


def test_a_folder_that_cannot_be_listed_is_named_and_the_rest_is_read(
    cells: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shut, listed = cells / "Uninfected" / "shut", os.scandir
    shut.mkdir()
    shutil.copy(cells / "Uninfected/P0_IMG_1_cell_3.png", shut / "P0_IMG_1_cell_9.png")

    def scandir(path: str) -> object:
        if Path(path) == shut:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return listed(path)

    monkeypatch.setattr(os, "scandir", scandir)  # no mode of a folder keeps root out
    data = load_dataset(cells, BY_NAME, size=SIZE)
    assert len(data.samples) == 6
    assert [entry.file for entry in data.rejected] == ["Uninfected/shut"]
    assert "ermission" in reason_of(data, "Uninfected/shut")


def test_a_black_picture_is_left_out(cells: Path) -> None:
    write_png(cells / "Uninfected/black.png", np.zeros((90, 90, 3), np.uint8))
    assert reason_of(load_dataset(cells, BY_NAME, size=SIZE), "Uninfected/black.png")


def test_copies_are_used_once(cells: Path) -> None:
    original = next((cells / "Uninfected").iterdir())
    shutil.copy(original, cells / "Uninfected/zz_copy.png")
    data = load_dataset(cells, BY_NAME, size=SIZE)
    assert len(data.samples) == 6
    copy = rejection(data, "Uninfected/zz_copy.png")
    assert copy.reason.text(Language.FRENCH) == f"Les mêmes pixels que Uninfected/{original.name}."
    assert copy.to_json() == {
        "file": "Uninfected/zz_copy.png",
        "reason": f"The same pixels as Uninfected/{original.name}.",
        "reason_message": copy.reason.to_json(),
    }


def test_pixels_under_both_labels_are_left_out_on_both_sides(cells: Path) -> None:
    original = next((cells / "Uninfected").iterdir())
    shutil.copy(original, cells / "Parasitized/other.png")
    data = load_dataset(cells, BY_NAME, size=SIZE)
    assert len(data.samples) == 5
    for file in (f"Uninfected/{original.name}", "Parasitized/other.png"):
        assert "both labels" in reason_of(data, file)


def test_the_popular_nested_copy_gives_each_cell_once(cells: Path) -> None:
    shutil.copytree(cells, cells.parent / "copy")
    shutil.move(cells.parent / "copy", cells / "cell_images")
    data = load_dataset(cells, BY_NAME, size=SIZE)
    assert len(data.samples) == 6
    assert len(data.rejected) == 6


def test_a_zip_is_read_in_place_like_the_folder(cells: Path, tmp_path: Path) -> None:
    archive = Path(shutil.make_archive(str(tmp_path / "cell_images"), "zip", cells.parent, "cells"))
    before = sorted(tmp_path.rglob("*"))
    assert (
        load_dataset(archive, BY_NAME, size=SIZE).fingerprint
        == load_dataset(cells, BY_NAME, size=SIZE).fingerprint
    )
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    ("written", "meant"), [("set/InfectXX/", "set/Infecté/"), ("set/InfectXX/", "set\\Infecté\\")]
)
def test_a_zip_of_a_mac_or_an_old_windows_is_read_like_any(
    cells: Path, tmp_path: Path, written: str, meant: str
) -> None:
    archive = tmp_path / "cells.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr(written, b"")
        for path in sorted(cells.rglob("*.png")):
            folder = written if path.parent.name == "Parasitized" else "Uninfected/"
            packed.write(path, f"{folder}{path.name}")
    # Names as they stand in the file: as many bytes, and no flag that says what letters they are.
    archive.write_bytes(archive.read_bytes().replace(written.encode(), meant.encode()))
    names = ClassNames.of("infecté", None)
    whole = load_dataset(cells, BY_NAME, size=SIZE)
    found = load_dataset(archive, BY_NAME, size=SIZE, classes=names)
    assert [(one.name, one.label) for one in found.samples] == [
        (one.name, one.label) for one in whole.samples
    ]
    assert any("Infecté/" in one.file for one in found.samples)


def test_a_damaged_file_in_a_zip_is_left_out(cells: Path, tmp_path: Path) -> None:
    archive = tmp_path / "cells.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        for path in sorted(cells.rglob("*.png")):
            packed.write(path, path.relative_to(cells))
        packed.writestr("Uninfected/bad.png", b"plain text that deflate can shrink " * 40)
        offset = packed.getinfo("Uninfected/bad.png").header_offset
    data = bytearray(archive.read_bytes())
    data[offset + 50 : offset + 60] = b"\xff" * 10
    archive.write_bytes(data)
    loaded = load_dataset(archive, BY_NAME, size=SIZE)
    assert len(loaded.samples) == 6
    assert "unpacked" in reason_of(loaded, "Uninfected/bad.png")


@pytest.mark.slow
def test_webp_jpeg_tiff_and_bmp_are_read(cells: Path) -> None:
    for suffix, path in zip(("webp", "jpg", "tiff", "bmp"), sorted(cells.rglob("*.png")), strict=False):
        cv2.imwrite(str(path.with_suffix(f".{suffix}")), cv2.imread(str(path)))
        path.unlink()
    assert len(load_dataset(cells, BY_NAME, size=SIZE).samples) == 6


def test_pictures_of_neither_class_are_told(cells: Path) -> None:
    (cells / "Suspicious").mkdir()
    for number, path in enumerate(sorted((cells / "Parasitized").iterdir())[:2]):
        shutil.copy(path, cells / "Suspicious" / f"{number}.png")
    data = load_dataset(cells, BY_NAME, size=SIZE)
    assert len(data.samples) == 6
    assert reason_of(data, "Suspicious").startswith("2 pictures, under no folder")


def test_an_archive_that_has_to_be_unpacked_first_is_named(cells: Path, tmp_path: Path) -> None:
    inner = shutil.make_archive(str(tmp_path / "cell_images"), "zip", cells)
    with zipfile.ZipFile(tmp_path / "outer.zip", "w") as outer:
        outer.write(inner, "cell_images.zip")
    with pytest.raises(DataError, match=r"Unpack cell_images\.zip"):
        load_dataset(tmp_path / "outer.zip", BY_NAME, size=SIZE)
    packed = Path(shutil.make_archive(str(tmp_path / "cells"), "gztar", cells))
    with pytest.raises(DataError, match="tar archive: unpack it"):
        load_dataset(packed, BY_NAME, size=SIZE)


def test_a_missing_class_is_refused_with_what_was_found(cells: Path) -> None:
    shutil.rmtree(cells / "Parasitized")
    with pytest.raises(DataError, match=r"Images found in Parasitized: 0, in Uninfected: 3"):
        load_dataset(cells, BY_NAME, size=SIZE)


def test_a_folder_without_pictures_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="Images found in Parasitized: 0, in Uninfected: 0"):
        load_dataset(tmp_path, BY_NAME, size=SIZE)


def test_a_class_of_nothing_but_rubbish_is_refused(cells: Path) -> None:
    for path in (cells / "Parasitized").iterdir():
        path.write_bytes(b"")
    with pytest.raises(DataError, match="no image left"):
        load_dataset(cells, BY_NAME, size=SIZE)


@pytest.mark.parametrize("content", [None, b"no zip file"])
def test_a_source_that_is_no_folder_or_zip_is_refused(tmp_path: Path, content: bytes | None) -> None:
    source = tmp_path / "cells.zip"
    if content is not None:
        source.write_bytes(content)
    with pytest.raises(DataError, match=r"cells\.zip"):
        load_dataset(source, BY_NAME, size=SIZE)


def test_the_fingerprint_changes_with_a_pixel_a_label_and_a_patient(cells: Path) -> None:
    before = load_dataset(cells, BY_NAME, size=SIZE).fingerprint
    table = cells / "patients.csv"
    table.write_text("cell,patient\n" + "".join(f"{name},someone else\n" for name in NAMES))
    others = load_dataset(cells, PatientSource.of("table", table), size=SIZE)
    assert others.fingerprint != before
    assert {sample.patient for sample in others.samples} == {"someone else"}
    path = cells / "Parasitized/P0_IMG_1_cell_0.png"
    rgb = cv2.imread(str(path))
    rgb[rgb.shape[0] // 2, rgb.shape[1] // 2] ^= 1
    cv2.imwrite(str(path), rgb)
    assert load_dataset(cells, BY_NAME, size=SIZE).fingerprint != before


def test_progress_counts_every_file(cells: Path) -> None:
    told: list[tuple[int, int]] = []
    load_dataset(cells, BY_NAME, progress=lambda done, total: told.append((done, total)), size=SIZE)
    assert told == [(number, 6) for number in range(1, 7)]
