"""A folder as a source: each finished file once, half-written ones waited for, damaged ones named."""

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edge.errors import SourceError
from edge.images.encode import write_png
from edge.live.sources.folder import GIVEN_UP_SECONDS, SETTLED_SECONDS, FolderSource
from tests.support.cameras.live_sources import Clock, picture_of


def names_within(source: FolderSource, clock: Clock, seconds: float) -> list[str]:
    """Read the folder for so long by its clock."""
    end, names = clock.at + seconds, []
    while clock.at < end:
        picture = source.read()
        if picture is not None:
            names.append(picture.name)
    return names


def watch(folder: Path, clock: Clock, **options: object) -> FolderSource:
    return FolderSource(folder, clock=clock, pause=clock.pause, **options)  # type: ignore[arg-type]


def test_each_file_of_a_folder_is_taken_once_and_in_order(tmp_path: Path) -> None:
    clock = Clock()
    source = watch(tmp_path, clock)
    for number in range(3):
        write_png(tmp_path / f"f{number}.png", picture_of(number))
    (tmp_path / "notes.txt").write_text("no picture")
    assert names_within(source, clock, 3) == ["f0.png", "f1.png", "f2.png"]
    write_png(tmp_path / "late.png", picture_of(9))
    assert names_within(source, clock, 3) == ["late.png"]
    # The same picture under another name is the same picture.
    (tmp_path / "copy.png").write_bytes((tmp_path / "f1.png").read_bytes())
    assert names_within(source, clock, 3) == []


def test_a_folders_files_are_not_taken_again_after_a_restart(tmp_path: Path) -> None:
    clock = Clock()
    write_png(tmp_path / "a.png", picture_of(1))
    source = watch(tmp_path, clock)
    taken: list[str | None] = []
    while not taken:
        picture = source.read()
        taken += [picture.sha256] if picture else []
    write_png(tmp_path / "b.png", picture_of(2))
    assert names_within(watch(tmp_path, clock, taken=taken), clock, 3) == ["b.png"]


def test_a_half_written_file_is_waited_for(tmp_path: Path) -> None:
    clock = Clock()
    write_png(tmp_path / "whole.png", np.random.default_rng(0).integers(0, 255, (48, 64, 3)).astype(np.uint8))
    data = (tmp_path / "whole.png").read_bytes()
    (tmp_path / "whole.png").unlink()
    source = watch(tmp_path, clock)
    for part in range(1, 5):
        (tmp_path / "slow.png").write_bytes(data[: part * len(data) // 5])
        assert names_within(source, clock, 2 * SETTLED_SECONDS) == []
    (tmp_path / "slow.png").write_bytes(data)
    assert names_within(source, clock, 3) == ["slow.png"]


def test_a_damaged_file_is_named_once(tmp_path: Path) -> None:
    clock, faults = Clock(), []
    (tmp_path / "bad.png").write_bytes(b"\x89PNG\r\n\x1a\n and no more")
    source = watch(tmp_path, clock, give_up=lambda sha256, fault: faults.append((sha256, fault)))
    assert names_within(source, clock, 3 * GIVEN_UP_SECONDS) == []
    assert len(faults) == 1
    assert "bad.png cannot be read" in str(faults[0][1])


def test_a_folder_that_goes_away_is_lost_and_comes_back(tmp_path: Path) -> None:
    folder, clock = tmp_path / "drop", Clock()
    folder.mkdir()
    write_png(folder / "a.png", picture_of(1))
    source = watch(folder, clock)
    assert names_within(source, clock, 3) == ["a.png"]
    away = tmp_path / "away"
    folder.rename(away)
    with pytest.raises(SourceError, match="cannot be read"):
        source.read()
    with pytest.raises(SourceError, match="no folder"):
        source.open()
    away.rename(folder)
    source.open()
    write_png(folder / "b.png", picture_of(2))
    assert names_within(source, clock, 3) == ["b.png"]


def test_sub_folders_are_watched_but_not_those_of_deleted_files(tmp_path: Path) -> None:
    clock = Clock()
    source = watch(tmp_path, clock)
    for number, name in enumerate(
        ["day1/a.png", "day1/slide2/b.png", ".Trash-1000/files/c.png", "$RECYCLE.BIN/d.png"]
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        write_png(tmp_path / name, picture_of(number))
    assert names_within(source, clock, 3) == ["day1/a.png", "day1/slide2/b.png"]
    (tmp_path / "day2").mkdir()
    write_png(tmp_path / "day2" / "a.png", picture_of(9))
    assert names_within(source, clock, 3) == ["day2/a.png"]


def test_every_page_of_a_file_is_a_picture_and_taken_once(tmp_path: Path) -> None:
    clock = Clock()
    pages = [Image.fromarray(picture_of(number)) for number in range(3)]
    pages[0].save(tmp_path / "a.tif", save_all=True, append_images=pages[1:])
    source = watch(tmp_path, clock)
    taken: list[str | None] = []
    while len(taken) < 2:
        picture = source.read()
        taken += [picture.sha256] if picture else []
    assert names_within(source, clock, 3) == ["a.tif [3]"]
    # A count that was ended between two pages goes on with the next one.
    assert names_within(watch(tmp_path, clock, taken=taken), clock, 3) == ["a.tif [3]"]


def test_kinds_of_files_that_are_not_looked_at_are_told_once(tmp_path: Path) -> None:
    clock, told = Clock(), []
    for name in ("a.gif", "b.GIF", "c.txt", "Thumbs.db"):
        (tmp_path / name).write_bytes(b"GIF89a")
    source = watch(tmp_path, clock, give_up=lambda sha256, fault: told.append((sha256, str(fault))))
    assert names_within(source, clock, 3) == []
    assert [sha256 for sha256, _ in told] == [None, None]
    assert sorted(fault.split(" in the")[0] for _, fault in told) == [
        "Files of the kind .gif",
        "Files of the kind .txt",
    ]


def test_a_name_of_any_bytes_is_told_with_a_replacement_sign(tmp_path: Path) -> None:
    clock = Clock()
    write_png(tmp_path / "plain.png", picture_of(1))
    try:
        (tmp_path / "plain.png").rename(os.fsdecode(os.fsencode(tmp_path) + b"/sang\xe9.png"))
    except OSError:
        pytest.skip("this file system takes no such name")
    assert names_within(watch(tmp_path, clock), clock, 3) == ["sang\N{REPLACEMENT CHARACTER}.png"]
