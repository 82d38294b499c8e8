"""``plasmolite convert``: a finished training run in, released TFLite models out, or a refusal."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edge.errors import PlasmoliteError
from edge.inference.precision import Precision
from plasmolite.terminal.language import refuse

if TYPE_CHECKING:
    from typing import TextIO

    from convert.release import Release


@click.command(epilog="Example: plasmolite convert runs/standard --out models --name standard")
@click.argument("run", type=click.Path(path_type=Path))
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), required=True, help="Folder to write to."
)
@click.option("--name", default="standard", show_default=True, help="Name of the model.")
@click.option("--release", "version", default="1.0", show_default=True, help="Version of the release.")
@click.option(
    "--sources",
    help="What the model learnt from and under what licences, in words: stands in its manifest and card.",
)
@click.option(
    "--precision",
    "precisions",
    multiple=True,
    type=click.Choice([precision.value for precision in Precision]),
    help="What to export; may be given several times. By default all three.",
)
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    help="The run's cells, where they are no longer where they were.",
)
@click.option("--patients", type=click.Path(path_type=Path), help="Its table of patients, likewise.")
@click.option("--corrections", type=click.Path(path_type=Path), help="Its table of corrections, likewise.")
@click.option("--threads", type=click.IntRange(1, 64), default=2, show_default=True, help="While comparing.")
@click.option(
    "--max-flips",
    type=click.FloatRange(0, 1),
    help="Tighten the gate: largest share of verdicts that may differ from the Keras model's.",
)
@click.option(
    "--release-undecided",
    is_flag=True,
    help="Release exports of which the test cells are too few to tell whether the gate's limits hold.",
)
@click.option(
    "--release-weak",
    is_flag=True,
    help="Release a model that finds next to nothing, or ranks cells no better than two hand-made features do.",
)
@click.option("--json", "json_wanted", is_flag=True, help="Print one JSON object on standard output.")
@click.option(
    "--spoil",
    type=click.FloatRange(0, 10),
    help="To see the gate refuse: add noise of this share of each kernel's spread before exporting.",
)
def command(*, run: Path, out: Path, json_wanted: bool, **options: Any) -> None:
    """Export a finished training run to TFLite, through a gate.

    Each export judges the files of the run's test patients as plasmolite classify does, and is compared with the
    Keras model. One that is shown to differ by more than the gate allows is not written. One of which too few test
    cells tell it, and a model that finds next to nothing, are written only where that is asked for. What is written
    is one file a precision with its manifest inside, a model card and a chart.

    Exit code: 0 all released, 1 an export was not released, 2 invalid input; nothing was processed.
    """
    from plasmolite.terminal.conversion import as_json, print_release
    from plasmolite.terminal.quiet import library_notes_left_out

    try:
        with library_notes_left_out() as stream:
            release = _convert(run, out, stream, **options)
    except (PlasmoliteError, OSError) as error:
        refuse(error)
    if json_wanted:
        click.echo(json.dumps(as_json(release)))
    else:
        print_release(release)
    sys.exit(0 if all(one.released for one in release.outcomes) else 1)


def _convert(
    run: Path,
    out: Path,
    stream: TextIO,
    *,
    name: str,
    version: str,
    sources: str | None,
    precisions: tuple[str, ...],
    data: Path | None,
    patients: Path | None,
    corrections: Path | None,
    threads: int,
    max_flips: float | None,
    release_undecided: bool,
    release_weak: bool,
    spoil: float | None,
) -> Release:
    """Convert a run, and tell on a stream what is done."""
    from rich.console import Console

    from convert.fault_injection import add_noise
    from convert.finished_run import MovedFiles
    from convert.gate import DEFAULT_LIMITS
    from convert.release import SOURCES_NOT_STATED, Allowed, Identity, convert_run

    limits = dict(DEFAULT_LIMITS)
    if max_flips is not None:
        limits = {key: limit._replace(flips=min(limit.flips, max_flips)) for key, limit in limits.items()}
    console = Console(file=stream)
    with console.status("Starting") as status:
        # A spinner in a file is nothing: there each step is a line.
        report = status.update if console.is_terminal else console.print
        return convert_run(
            run,
            out,
            Identity(name, version, sources or SOURCES_NOT_STATED),
            precisions=[Precision(name) for name in precisions] or [*Precision],
            threads=threads,
            limits=limits,
            allowed=Allowed(release_undecided, release_weak),
            spoil=None if spoil is None else lambda model: add_noise(model, spoil),
            moved=MovedFiles(data, patients, corrections),
            report=report,
        )
