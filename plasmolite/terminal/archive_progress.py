"""How far a run over an archive is: fields done, of how many, and the time left."""

import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import click

from archive.run import Tally
from archive.sources import list_fields
from edge.errors import PlasmoliteError
from plasmolite.terminal.language import spoken
from plasmolite.terminal.progress import progress_bar


@contextmanager
def archive_progress(sources: Sequence[str], dashboard: str) -> Iterator[Callable[[Tally], None]]:
    """Show progress on a terminal, and where Dask's own dashboard is.

    The list is counted beside the run, from its sources: the run itself never holds it.

    Args:
        sources: what the run reads.
        dashboard: address of Dask's dashboard; empty where it has none.

    Yields:
        What to call with how far the run is.
    """
    words = spoken()
    if dashboard:
        click.echo(words.text("archive.dashboard", address=dashboard), err=True)
    ended, total = threading.Event(), None

    def count() -> None:
        nonlocal total
        found = 0
        try:
            for _ in list_fields(sources):
                found += 1
                if ended.is_set():
                    return
        except PlasmoliteError:
            return  # the run says it
        total = found

    if sys.stderr.isatty():
        threading.Thread(target=count, daemon=True).start()
    with progress_bar() as bar:
        try:
            yield lambda tally: bar.show(
                words.text("archive.progress"),
                tally.seen,
                total,
                words.text("archive.progress-failed", failed=tally.failed) if tally.failed else "",
            )
        finally:
            ended.set()
