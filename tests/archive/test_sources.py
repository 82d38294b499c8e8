"""Where fields lie: folders, lists, zips; and what is said of those that cannot be had."""

import os
import struct
import zipfile
from pathlib import Path

import pytest

from archive.reading import FieldReading, NotReadError
from archive.sources import FieldAddress, list_fields
from archive.trouble import ArchiveError
from edge.errors import ImageError
from edge.messages.archive_codes import ArchiveCode
from edge.messages.codes import Code


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = tmp_path / "lab"
    for name in (
        "s1/b.png",
        "s1/a.jpg",
        "s1/deep/c.tif",
        "s2/d.bmp",
        "s1/.hidden.png",
        "s1/notes.md",
        "top.png",
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(name.encode())
    return folder


def names(*sources: object) -> list[tuple[str, str]]:
    return [(Path(one.source).name, one.slide) for one in list_fields([str(source) for source in sources])]


def test_a_folder_gives_its_pictures_and_each_folder_is_a_slide(pictures) -> None:
    assert names(pictures) == [
        ("top.png", "lab"),
        ("a.jpg", "lab/s1"),
        ("b.png", "lab/s1"),
        ("c.tif", "lab/s1/deep"),
        ("d.bmp", "lab/s2"),
    ]


def test_a_list_names_pictures_beside_it_and_their_slides(pictures) -> None:
    listing = pictures / "list.tsv"
    listing.write_text(f"# a comment\ns1/a.jpg\n{pictures}/s2/d.bmp\tK-9\tsome reason\n\n")
    assert names(listing) == [("a.jpg", "s1"), ("d.bmp", "K-9")]
    assert FieldReading(0).read(next(list_fields([str(listing)]))) == b"s1/a.jpg"


def test_a_zip_gives_its_pictures(pictures, tmp_path) -> None:
    with zipfile.ZipFile(tmp_path / "day.zip", "w") as file:
        file.write(pictures / "s1/a.jpg", "k1/a.jpg")
        file.write(pictures / "s1/notes.md", "k1/notes.md")
    (address,) = list_fields([str(tmp_path / "day.zip")])
    assert address.slide == "day/k1"
    assert FieldReading(0).read(address) == b"s1/a.jpg"


def test_a_zip_that_lies_about_a_size_is_named(pictures, tmp_path) -> None:
    path = tmp_path / "day.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("k1/a.png", b"x" * 50_000)
        file.writestr("k1/b.png", b"y" * 10)
    data = bytearray(path.read_bytes())
    sizes = data.index(b"PK\x01\x02") + 24  # of the first entry of the directory
    data[sizes : sizes + 4] = struct.pack("<I", 100)
    path.write_bytes(data)
    lying, right = list_fields([str(path)])
    with pytest.raises(ImageError) as refused:
        FieldReading(0).read(lying)
    assert refused.value.code is ArchiveCode.ZIP_LIES
    assert FieldReading(0).read(right) == b"y" * 10
    data[sizes : sizes + 4] = struct.pack("<I", 2**31)
    path.write_bytes(data)
    with pytest.raises(ImageError) as refused:
        FieldReading(0).read(next(list_fields([str(path)])))
    assert refused.value.code is Code.PICTURE_FILE_TOO_LARGE


@pytest.mark.parametrize("source", ["nowhere", "nowhere.zip", "nowhere.txt", "unknown://bucket/x"])
def test_a_source_that_is_not_there_is_a_sentence(source, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ArchiveError) as refused:
        list(list_fields([source]))
    assert refused.value.code is ArchiveCode.SOURCE_NOT_LISTED


def test_a_zip_of_a_version_to_come_is_a_sentence(tmp_path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("a.png", b"x")
    data = bytearray(path.read_bytes())
    data[data.index(b"PK\x01\x02") + 6] = 200  # the version that is needed to unpack it
    path.write_bytes(data)
    with pytest.raises(ArchiveError) as refused:
        list(list_fields([str(path)]))
    assert refused.value.code is ArchiveCode.SOURCE_NOT_LISTED


def test_a_name_that_is_no_text_can_be_stored_and_is_told(tmp_path) -> None:
    folder = tmp_path / os.fsdecode(b"th\xe9")
    folder.mkdir()
    (folder / "a.jpg").write_bytes(b"x")
    (address,) = list_fields([str(tmp_path)])
    assert (Path(address.source).parent.name, address.slide) == ("th\ufffd", f"{tmp_path.name}/th\ufffd")
    with pytest.raises(NotReadError) as refused:
        FieldReading(60).read(address)
    assert refused.value.reason.code is ArchiveCode.NAME_NOT_TEXT


def test_a_damaged_zip_is_a_sentence(tmp_path) -> None:
    (tmp_path / "a.zip").write_bytes(b"PK and no more")
    with pytest.raises(ArchiveError) as refused:
        list(list_fields([str(tmp_path / "a.zip")]))
    assert refused.value.values["reason"].code is Code.REASON_NOT_UNPACKED


def test_a_storage_that_goes_away_is_waited_for(pictures) -> None:
    address = next(list_fields([str(pictures)]))
    gone = pictures.with_name("gone")
    pictures.rename(gone)
    pauses = []

    def sleep(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 3:
            gone.rename(pictures)

    assert FieldReading(60, sleep).read(address) == b"top.png"
    assert pauses == [0.5, 1.0, 2.0]


def test_a_storage_that_stays_away_and_a_file_that_is_missing_are_told_apart(pictures) -> None:
    pauses: list[float] = []
    missing = FieldAddress(str(pictures / "s1/none.png"), "s1", str(pictures))
    with pytest.raises(NotReadError) as refused:
        FieldReading(60, pauses.append).read(missing)
    assert refused.value.reason.code is Code.SYSTEM_NOT_FOUND
    assert pauses == []
    with pytest.raises(NotReadError):
        FieldReading(5, pauses.append).read(missing._replace(root=str(pictures / "away")))
    assert sum(pauses) >= 5
