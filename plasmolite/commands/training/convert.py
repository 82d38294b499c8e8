"""``plasmolite convert``: a finished training run in, released TFLite models out, or a refusal."""

from __future__ import annotations

import json
import sys
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import click

from convert.elsewhere.pixels import Channels, Pixels
from edge.errors import PlasmoliteError
from edge.inference.precision import Precision
from edge.messages.message import Message
from edge.messages.train_codes import ConvertCode, TrainCode
from plasmolite.commands.options.numbers import FloatRange
from plasmolite.commands.options.paths import ANY_PATH, FOLDER
from plasmolite.terminal.language import end_without_package, refuse, spoken
from train.settings import SplitBy

if TYPE_CHECKING:
    from typing import TextIO

    from convert.elsewhere.run import MadeElsewhere
    from convert.release import Release


@click.command(
    epilog="Examples:\n\n  plasmolite convert runs/standard --out models --name standard\n\n"
    "  plasmolite convert own.keras --data cell_images --out models --name own"
)
@click.argument("run", type=ANY_PATH)
@click.option("--out", type=FOLDER, required=True, help="Folder to write to.")
@click.option("--name", default="standard", show_default=True, help="Name of the model.")
@click.option("--release", "version", default="1.0", show_default=True, help="Version of the release.")
@click.option(
    "--sources",
    help="What the model learnt from and under what licences, for its manifest and card.",
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
    type=ANY_PATH,
    help="The run's cells, where they are no longer where they were; for a Keras model, the cells to judge it on.",
)
@click.option(
    "--patients",
    type=ANY_PATH,
    help="CSV file of the patients of these cells, where it is no longer where it was.",
)
@click.option(
    "--corrections",
    type=ANY_PATH,
    help="CSV file of their disputed labels, where it is no longer where it was.",
)
@click.option(
    "--split-by",
    type=click.Choice([by.value for by in SplitBy]),
    help="For a Keras model: what tells the patients of its cells, as for plasmolite train.",
)
@click.option(
    "--pixels",
    type=click.Choice([pixels.value for pixels in Pixels]),
    help="For a Keras model: how it wants its pixels scaled. Found by trying where it is not said, as the next two.",
)
@click.option(
    "--channels",
    type=click.Choice([order.value for order in Channels]),
    help="For a Keras model: order of its colours.",
)
@click.option(
    "--classes",
    metavar="NAME,NAME",
    help="For a Keras model: its classes in the order of its outputs, or what 0 and 1 of its one output stand for.",
)
@click.option(
    "--positive",
    metavar="NAMES",
    help="For a Keras model: what its infected class, or the folder of infected cells, is called, if not Parasitized.",
)
@click.option(
    "--negative", metavar="NAMES", help="Likewise for uninfected cells: healthy,normal, if not Uninfected."
)
@click.option(
    "--threads",
    type=click.IntRange(1, 64),
    default=2,
    show_default=True,
    help="Inference threads of the comparison.",
)
@click.option(
    "--max-flips",
    type=FloatRange(0, 1),
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
    "--add-noise",
    "--spoil",
    "spoil",
    type=FloatRange(0, 10),
    help="Add noise of this share of each kernel's spread before exporting, to see the gate refuse.",
)
def command(*, run: Path, out: Path, json_wanted: bool, **options: Any) -> None:
    """Export a finished training run, or a Keras model made elsewhere, to TFLite, through a gate.

    RUN is the folder of a run of plasmolite train, or a .keras or .h5 file of a classifier of two classes, which is
    calibrated and judged on the cells of --data.

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
    except ImportError as error:
        end_without_package(error, "convert")
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
    **elsewhere: str | None,
) -> Release:
    """Convert a run, and tell on a stream what is done."""
    from rich.console import Console
    from rich.markup import escape

    from convert.elsewhere.run import take_in
    from convert.fault_injection import add_noise
    from convert.finished_run import MovedFiles, RunError
    from convert.gate import DEFAULT_LIMITS
    from convert.release import SOURCES_NOT_STATED, Allowed, Identity, convert_run

    if not run.exists():
        raise RunError(TrainCode.DATA_MISSING, path=run)
    limits = dict(DEFAULT_LIMITS)
    if max_flips is not None:
        limits = {key: limit._replace(flips=min(limit.flips, max_flips)) for key, limit in limits.items()}
    console, words = Console(file=stream), spoken()
    with console.status(words.text("convert.starting")) as status, ExitStack() as kept:
        # A spinner in a file is nothing: there each step is a line.
        show = status.update if console.is_terminal else console.print
        if run.is_file() or (run / "saved_model.pb").is_file():
            made = _made_elsewhere(run, data, patients, corrections, **elsewhere)
            show(escape(words.text("convert.judging", model=run.name, folder=str(data))))
            folder = Path(kept.enter_context(TemporaryDirectory()))
            found = take_in(made, folder)
            console.print(
                words.text(
                    "convert.wants",
                    colours=found.reading.channels,
                    scale=found.reading.pixels,
                    first=found.classes[0],
                    second=found.classes[1],
                    cells=found.cells,
                    tried=[
                        Message(ConvertCode.WAY_TRIED, way=way, auc=auc) for way, auc in found.tried.items()
                    ],
                )
            )
            if found.as_good:
                console.print(words.text("convert.as-good", ways=found.as_good))
            run = folder
        elif any(elsewhere.values()):
            raise RunError(ConvertCode.KNOWN_BY_ITSELF, path=run, options=_options(elsewhere))
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
            report=lambda message: show(escape(words.message(message))),
        )


def _options(elsewhere: dict[str, str | None]) -> list[str]:
    return [f"--{name.replace('_', '-')}" for name, value in elsewhere.items() if value]


def _made_elsewhere(
    file: Path,
    data: Path | None,
    patients: Path | None,
    corrections: Path | None,
    *,
    split_by: str | None,
    pixels: str | None,
    channels: str | None,
    classes: str | None,
    positive: str | None,
    negative: str | None,
) -> MadeElsewhere:
    from convert.elsewhere.network import ElsewhereError
    from convert.elsewhere.reading import Stated
    from convert.elsewhere.run import MadeElsewhere
    from train.data.class_names import ClassNames

    if data is None:
        raise ElsewhereError(ConvertCode.WITHOUT_CELLS, path=file)
    names = [name.strip() for name in classes.split(",")] if classes else None
    if names is not None and len(names) != 2:
        raise ElsewhereError(ConvertCode.CLASSES, classes=names)
    stated = Stated(
        Pixels(pixels) if pixels else None,
        Channels(channels) if channels else None,
        (names[0], names[1]) if names else None,
        ClassNames.of(positive, negative),
    )
    return MadeElsewhere(file, data, patients, corrections, split_by, positive, negative, stated)
