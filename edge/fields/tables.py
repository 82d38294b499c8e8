"""The tables of an analysis: one row a field, and one row a cell."""

import csv
import io
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from edge.atomic_file import atomic_file, write_atomically
from edge.errors import SourceError
from edge.fields.files import JudgedField
from edge.messages.codes import Code
from edge.messages.message import system_reason

_CELL_COLUMNS = ("image", "cell", "x", "y", "width", "height", "probability", "label", "counted")
_FIELD_COLUMNS = ("image", "width", "height", "refused", "cell_count", "parasitized_count")


class FieldTables:
    """`cells.csv` and `fields.csv`, filled field by field; they appear whole when all went well.

    Use as a context manager. Rows of cells are written at once, so that memory does not grow with them.

    Args:
        folder: an existing folder.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._open = ExitStack()
        self._fields: list[dict[str, Any]] = []

    def __enter__(self) -> Self:
        """Begin the table of the cells.

        Raises:
            SourceError: the folder cannot be written to.
        """
        with self._refusing():
            part = self._open.enter_context(atomic_file(self._folder / "cells.csv"))
            file = self._open.enter_context(part.open("w", newline="", encoding="utf-8"))
        self._cells = csv.writer(file)
        self._cells.writerow(_CELL_COLUMNS)
        return self

    def add(self, field: JudgedField) -> None:
        """Write one field and its cells.

        Raises:
            SourceError: the disk is full.
        """
        data = field.to_json()
        checks = () if field.result is None else field.result.found.quality.checks
        self._fields.append(
            {
                **{column: data[column] for column in _FIELD_COLUMNS},
                **{check.name: f"{check.value:.6g}" for check in checks},
            }
        )
        with self._refusing():
            self._cells.writerows(
                (field.name, number, *cell["box"], cell["probability"], cell["label"], cell["counted"])
                for number, cell in enumerate(data["cells"], start=1)
            )

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Give the tables their names, or take the part file away after an error."""
        if kind is not None:
            with suppress(OSError):  # of the rows that are thrown away
                self._open.__exit__(kind, error, trace)
            return
        columns = list(dict.fromkeys(key for row in self._fields for key in row)) or list(_FIELD_COLUMNS)
        table = io.StringIO(newline="")
        writer = csv.DictWriter(table, columns)
        writer.writeheader()
        writer.writerows(self._fields)
        with self._refusing(), self._open:
            write_atomically(self._folder / "fields.csv", table.getvalue())

    @contextmanager
    def _refusing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise SourceError(
                Code.FILE_NOT_WRITTEN, path=self._folder, reason=system_reason(error)
            ) from error
