"""How ``analyze`` tells what it finds: JSON lines or a table, the estimate in words."""

import json
from collections import deque

import click

from edge.calibration.setup import SlideSetup
from edge.fields.files import JudgedField, SlideCount
from edge.images.inputs import LeftOut
from edge.messages.stored import known_phrase
from edge.parasitaemia.estimate import Parasitaemia
from edge.reports.summary import summary
from edge.types import FieldOutcome
from plasmolite.terminal.language import spoken

_ROWS_SHOWN = 60


class JsonLines:
    """One object a line, each as soon as it is known."""

    def add(self, field: JudgedField) -> None:
        """Print one field."""
        click.echo(json.dumps(field.to_json()))

    def finish(
        self, setup: SlideSetup, count: SlideCount, parasitaemia: Parasitaemia, left_out: LeftOut
    ) -> None:
        """Print the summary."""
        whole = {**summary(setup, count, parasitaemia), "not_looked_at": left_out.to_json()}
        click.echo(json.dumps({"summary": whole}))


class TableLines:
    """A table of the fields and the estimate in words."""

    def __init__(self) -> None:
        """Start with no rows."""
        self._rows: deque[tuple[str, str, str, str]] = deque(maxlen=_ROWS_SHOWN)
        self._more = 0

    def add(self, field: JudgedField) -> None:
        """Keep one field's row; those that cannot be read are named at once."""
        self._more += len(self._rows) == _ROWS_SHOWN
        if field.result is None:
            reason = "" if field.error is None else spoken().message(field.error)
            click.echo(f"{field.name}: {reason}", err=True)
            self._rows.append((field.name, "-", "-", spoken().text("table.unreadable")))
        elif field.refused is not None:
            self._rows.append((field.name, "-", "-", spoken().text("table.refused", reason=field.refused)))
        else:
            cells, parasitized = str(field.result.cell_count), str(field.result.parasitized_count)
            self._rows.append((field.name, cells, parasitized, FieldOutcome.COUNTED))

    def finish(
        self, setup: SlideSetup, count: SlideCount, parasitaemia: Parasitaemia, left_out: LeftOut
    ) -> None:
        """Print the table and what it means."""
        from rich.console import Console  # noqa: PLC0415 - only where a table is drawn
        from rich.table import Table  # noqa: PLC0415
        from rich.text import Text  # noqa: PLC0415

        words = spoken()
        key = "table.last-fields" if self._more else "table.fields"
        title = words.text(key, count=len(self._rows))
        table = Table(title=title)
        table.add_column(words.text("table.field"), overflow="fold")
        table.add_column(words.text("table.red-cells"), justify="right")
        table.add_column(words.text("table.parasitised"), justify="right")
        table.add_column(words.text("table.outcome"), overflow="fold")
        for name, cells, parasitized, outcome in self._rows:
            counted = outcome == FieldOutcome.COUNTED
            told = Text(words.text("table.counted") if counted else outcome, "" if counted else "yellow")
            table.add_row(Text(name), cells, parasitized, told)
        console = Console()
        console.print(table)
        lines = [
            words.message(count.words),
            *map(words.message, left_out.messages()),
            "",
            *map(words.message, parasitaemia.words),
            "",
            words.text(
                "table.model",
                model=setup.classifier.model.name,
                threshold=setup.threshold,
                chosen=known_phrase(setup.threshold_source),
            ),
            words.text("research"),
        ]
        console.print("\n".join(lines), highlight=False, markup=False)
