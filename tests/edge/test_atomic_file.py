"""Files that appear whole or not at all."""

import os
from contextlib import suppress
from pathlib import Path

from edge.atomic_file import atomic_file, write_atomically


def test_a_write_that_ends_midway_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("whole")
    with suppress(RuntimeError), atomic_file(path) as part:
        part.write_text("ha")
        raise RuntimeError
    assert path.read_text() == "whole"
    assert [file.name for file in tmp_path.iterdir()] == ["table.csv"]


def test_what_a_link_names_is_replaced_and_the_link_stays(tmp_path: Path) -> None:
    (tmp_path / "stick").mkdir()
    link = tmp_path / "table.csv"
    link.symlink_to(tmp_path / "stick/table.csv")
    for text in ("first", "second"):
        write_atomically(link, text)
        assert (tmp_path / "stick/table.csv").read_text() == text
    assert link.is_symlink()


def test_a_pipe_is_written_to_and_stays_a_pipe(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    write_atomically(pipe, "told")
    assert os.read(reader, 10) == b"told"
    os.close(reader)
    assert pipe.is_fifo()
