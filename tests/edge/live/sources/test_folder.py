"""A folder as a source: each finished file once, half-written ones waited for, damaged ones named."""

import os
import socket
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edge.errors import SourceError
from edge.images.encode import write_png
from edge.images.files import MAX_FILE_BYTES
from edge.live.sources.base import EndOfSourceError
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


def until_it_ends(source: FolderSource, most: int = 1000) -> tuple[list[str], str]:
    """Read the folder until it says that there is no more: the names, and what it says."""
    names = []
    for _ in range(most):
        try:
            picture = source.read()
        except EndOfSourceError as end:
            return names, str(end)
        names += [picture.name] if picture else []
    raise AssertionError(f"it does not end after {names}")


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


def test_a_folder_to_be_read_once_ends_when_every_file_was_taken_or_given_up(tmp_path: Path) -> None:
    clock, faults = Clock(), []
    write_png(tmp_path / "a.png", picture_of(1))
    (tmp_path / "copy.png").write_bytes((tmp_path / "a.png").read_bytes())
    pages = [Image.fromarray(picture_of(number)) for number in (2, 3)]
    pages[0].save(tmp_path / "b.tif", save_all=True, append_images=pages[1:])
    (tmp_path / "bad.png").write_bytes(b"\x89PNG\r\n\x1a\n and no more")
    (tmp_path / "empty.png").write_bytes(b"")
    source = watch(tmp_path, clock, once=True, give_up=lambda _, fault: faults.append(str(fault)))
    taken, said = until_it_ends(source)
    assert said == f"Every picture that was in {source.name} has been looked at."
    assert len(taken) == 3
    assert {"b.tif [1]", "b.tif [2]"} < set(taken)
    assert sorted(fault.split(" cannot")[0] for fault in faults) == ["bad.png", "empty.png"]


def test_what_cannot_be_opened_is_given_up_and_never_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, faults = Clock(), []
    monkeypatch.chdir(tmp_path)  # the name of a socket has at most 108 bytes
    (tmp_path / "loop.png").symlink_to("loop.png")
    os.mkfifo(tmp_path / "pipe.png")
    with (tmp_path / "huge.tif").open("wb") as file:
        file.truncate(MAX_FILE_BYTES + 1)
    with socket.socket(socket.AF_UNIX) as held:
        held.bind("socket.png")
        source = watch(tmp_path, clock, once=True, give_up=lambda _, fault: faults.append(str(fault)))
        assert until_it_ends(source)[0] == []
    assert sorted(fault.split(" cannot")[0] for fault in faults) == [
        "huge.tif",
        "loop.png",
        "pipe.png",
        "socket.png",
    ]


def test_a_folder_to_be_read_once_waits_for_a_file_that_is_being_written(tmp_path: Path) -> None:
    clock = Clock()
    write_png(tmp_path / "a.png", picture_of(1))
    write_png(tmp_path / "b.png", picture_of(2))
    whole = (tmp_path / "b.png").read_bytes()
    (tmp_path / "b.png").write_bytes(whole[:-9])
    source = watch(tmp_path, clock, once=True)
    assert names_within(source, clock, GIVEN_UP_SECONDS / 2) == ["a.png"]
    (tmp_path / "b.png").write_bytes(whole)
    assert until_it_ends(source)[0] == ["b.png"]


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


def test_a_sub_folder_that_cannot_be_read_is_named_once_and_the_rest_is_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # No system lists a folder whose path is that long, not even for root.
    monkeypatch.chdir(tmp_path)
    for _ in range(25):
        Path("n" * 200).mkdir()
        monkeypatch.chdir("n" * 200)
    write_png(tmp_path / "a.png", picture_of(1))
    clock, told = Clock(), []
    source = watch(tmp_path, clock, give_up=lambda sha256, fault: told.append((sha256, fault)))
    assert names_within(source, clock, 3) == ["a.png"]
    ((sha256, fault),) = told
    assert sha256 is None
    assert str(fault).startswith(f"{'n' * 200}/")
    assert str(fault).endswith("n cannot be read: The folder cannot be read: its name is too long.")
