"""What a folder stands for: every picture in it once, and all else counted."""

import io
import os
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from edge.errors import ImageError
from edge.images.encode import encode_png
from edge.images.files import read_image
from edge.images.inputs import CellFile, list_inputs, split_pages
from edge.messages.codes import Code
from edge.messages.message import Message

_COLOURS = np.random.default_rng(0).integers(0, 256, (60, 80, 3)).astype(np.uint8)


def _put(folder: Path, *names: str | bytes) -> None:
    for name in names:
        path = os.path.join(os.fsencode(folder), os.fsencode(name))  # noqa: PTH118 - bytes
        Path(os.fsdecode(path)).parent.mkdir(parents=True, exist_ok=True)
        Path(os.fsdecode(path)).write_bytes(encode_png(_COLOURS))


@pytest.mark.parametrize("suffix", [".jfif", ".JPE", ".jif", ".btf", ".PNG"])
def test_a_folder_is_searched_for_every_suffix_that_pictures_have(tmp_path: Path, suffix: str) -> None:
    _put(tmp_path, f"a{suffix}")
    assert [file.name for file in list_inputs([tmp_path]).files] == [str(tmp_path / f"a{suffix}")]


def test_what_is_no_picture_is_counted_and_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge.images.heif.find_spec", lambda _: None)
    _put(tmp_path, "a.png", "b.HEIC", "c/d.heic", "e.gif", "notes")
    files, left_out = list_inputs([tmp_path])
    assert [Path(file.name).name for file in files] == ["a.png"]
    assert left_out.to_json() == {"files": {".gif": 1, ".heic": 2, "none": 1}, "folders": []}
    (said,) = left_out.messages()
    assert str(said).startswith("4 files were not looked at")
    assert ".heic (2)" in str(said)


@pytest.mark.parametrize(
    "folder",
    [".Trash-1000/files", "$RECYCLE.BIN", "__MACOSX", "System Volume Information", ".ipynb_checkpoints"],
)
def test_folders_that_systems_make_for_themselves_are_named_and_not_searched(
    tmp_path: Path, folder: str
) -> None:
    _put(tmp_path, "a.png", f"{folder}/deleted.png", "._a.png", "Thumbs.db")
    files, left_out = list_inputs([tmp_path])
    assert [Path(file.name).name for file in files] == ["a.png"]
    assert left_out.to_json() == {"files": {}, "folders": [folder.split("/", maxsplit=1)[0]]}
    # Who names it wants it.
    assert len(list_inputs([tmp_path / folder]).files) == 1


def test_a_name_of_any_bytes_is_shown_with_a_replacement_sign_and_still_opened(tmp_path: Path) -> None:
    try:
        _put(tmp_path, b"sang\xe9\x1b[31m.png")
    except OSError:
        pytest.skip("this file system takes no such name")
    (file,) = list_inputs([tmp_path]).files
    assert file.name.endswith("sang\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}[31m.png")
    assert isinstance(file.source, Path)
    assert read_image(file.source).shape == _COLOURS.shape
    assert Message(Code.FILE_NOT_WRITTEN, path=file.source, reason="").values["path"] == file.name


def test_every_page_of_a_file_is_a_picture_with_a_name_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "slide.tif"
    Image.fromarray(_COLOURS).save(path, save_all=True, append_images=[Image.fromarray(255 - _COLOURS)])
    for source in (path, path.read_bytes()):
        pages = list(split_pages([CellFile("slide.tif", source)]))
        assert [page.name for page in pages] == ["slide.tif [1]", "slide.tif [2]"]
        np.testing.assert_array_equal(read_image(pages[1].source), 255 - _COLOURS)  # type: ignore[arg-type]


def test_a_file_that_cannot_be_split_keeps_its_place_with_the_reason(tmp_path: Path) -> None:
    out = io.BytesIO()
    stack = "ImageJ=1.53\nslices=2\n"
    other = Image.fromarray(255 - _COLOURS)
    Image.fromarray(_COLOURS).save(out, "TIFF", save_all=True, append_images=[other], description=stack)
    good = cv2.imencode(".png", _COLOURS)[1].tobytes()
    first, second = split_pages([CellFile("stack.tif", out.getvalue()), CellFile("good.png", good)])
    assert isinstance(first.source, Message)
    assert "stack of 2" in str(first.source)
    assert second.source == good
    with pytest.raises(ImageError):
        read_image(out.getvalue())


def test_a_webp_that_ends_before_its_flags_is_one_file_that_cannot_be_read(tmp_path: Path) -> None:
    path = tmp_path / "cut.webp"
    path.write_bytes(b"RIFF\x08\x00\x00\x00WEBPVP8X")
    (file,) = split_pages(list_inputs([path]).files)
    with pytest.raises(ImageError, match="truncated"):
        read_image(path)
    assert file.source == path


def test_a_path_that_cannot_be_looked_up_is_named_and_the_rest_goes_on(tmp_path: Path) -> None:
    _put(tmp_path, "a.png")
    (tmp_path / "loop").symlink_to("loop")
    paths = [
        Path("a" * 300),
        tmp_path / "loop",
        Path("no\0name"),
        tmp_path / "a.png" / "b",
        tmp_path / "a.png",
    ]
    reasons = [file.source for file in list_inputs(paths).files]
    assert list(map(str, reasons[:4])) == [
        "The file cannot be opened: its name is too long.",
        "The file cannot be opened: its links form a loop.",
        "There is no such file or folder.",
        "There is no such file or folder.",
    ]
    assert reasons[4] == tmp_path / "a.png"
