"""The progress bar of every command: on standard error, gone when the work is done."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress, TaskID

Item = TypeVar("Item")


class ProgressBar:
    """A bar that is drawn from its first step on; a step with another name begins another bar in its place."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._name: str | None = None
        self._task: TaskID | None = None

    def show(self, name: str, done: int, total: int | None, detail: str = "") -> None:
        """Move the bar.

        Args:
            name: what is being done.
            done: steps done.
            total: steps in all; None while they are not known.
            detail: shown behind the steps.
        """
        if self._task is None or name != self._name:
            if self._task is not None:
                self._progress.remove_task(self._task)
            # What goes on begins where it was: its speed must not count what was done before.
            self._task = self._progress.add_task(name, total=total, completed=max(0, done - 1), detail=detail)
            self._name = name
        self._progress.update(self._task, completed=done, total=total, detail=detail)


@contextmanager
def progress_bar(console: Console | None = None) -> Iterator[ProgressBar]:
    """Show a bar on a terminal while a block runs: name, bar, steps done of all, time left.

    Args:
        console: what else is printed on, so that lines and bar do not mix; by default standard error.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[detail]}"),
        TimeRemainingColumn(),
    )
    # Between the epochs of a training stands the validation, so the speed is averaged over minutes.
    console = console or Console(stderr=True)
    with Progress(
        *columns,
        console=console,
        transient=True,
        speed_estimate_period=300,
        disable=not console.is_terminal,
    ) as progress:
        yield ProgressBar(progress)


def with_progress(items: Collection[Item], name: str) -> Iterator[Item]:
    """Yield the items, and show on a terminal how many are done.

    Args:
        items: what is worked on.
        name: of the work.
    """
    with progress_bar() as bar:
        for done, item in enumerate(items, 1):
            yield item
            bar.show(name, done, len(items))
