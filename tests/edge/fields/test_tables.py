"""The tables of an analysis on a disk that fills up."""

import errno
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edge.errors import ImageError, SourceError
from edge.fields import tables
from edge.fields.files import JudgedField
from edge.fields.tables import FieldTables
from edge.messages.codes import Code
from edge.messages.message import Message

_FIELD = JudgedField("a.png", None, None, Message(Code.PICTURE_EMPTY))


class Full:
    """A table whose rows find no room."""

    def writerow(self, _: Any) -> None:
        """Take the names of the columns, which are held."""

    def writerows(self, _: Any) -> None:
        """Refuse all others."""
        raise OSError(errno.ENOSPC, "No space left on device")


def refuse(*_: Any) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize(
    ("name", "stands_in"), [("csv.writer", lambda _: Full()), ("write_atomically", refuse)]
)
def test_a_disk_that_fills_up_is_named_and_leaves_no_half_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, stands_in: Callable[..., Any]
) -> None:
    monkeypatch.setattr(f"{tables.__name__}.{name}", stands_in)
    with (
        pytest.raises(SourceError, match="cannot be written: the disk is full"),
        FieldTables(tmp_path) as table,
    ):
        table.add(_FIELD)
    assert list(tmp_path.iterdir()) == []


def test_what_stopped_an_analysis_is_told_also_where_its_rows_find_no_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = FieldTables(tmp_path).__enter__()
    table._open.callback(refuse)
    error = ImageError(Code.PICTURE_EMPTY)
    table.__exit__(type(error), error, None)
    assert list(tmp_path.iterdir()) == []
