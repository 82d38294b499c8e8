"""``plasmolite train``: labelled cells in, a measured model and its report out, resumable at any point."""

from __future__ import annotations

import os
import shlex
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from plasmolite import RESEARCH_USE

# The settings load nothing but the standard library; the options' defaults are theirs, written once.
from train.settings import LABEL_POLICIES, TrainingSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import keras
    from rich.console import Console

    from train.results import Results
    from train.run import RunData

_DEFAULTS = TrainingSettings(data="")


@click.command(
    context_settings={"show_default": True},
    epilog="Examples:\n\n  plasmolite train --data cell_images.zip --out runs/first\n\n"
    "  plasmolite train --data cell_images --patients patients.csv --corrections suspect_labels.csv "
    "--weights mobilenet_v2_1.0_224_no_top.h5 --out runs/second\n\n"
    "  plasmolite simulate --out drawn --cells 400 --fields 0 --patients 40 --by-label && plasmolite train "
    "--data drawn --weights none --alpha 0.35 --image-size 32 --out runs/drawn",
)
@click.option(
    "--data",
    required=True,
    metavar="DIR|ZIP",
    help="Cells in folders Parasitized/ and Uninfected/, nested as they may be, or a zip file of them.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="Folder of this run; one that was interrupted goes on from its last epoch.",
)
@click.option(
    "--patients",
    metavar="CSV",
    help="Patient of each cell: columns cell and patient, or the published two columns without header.  "
    "[default: the file name before _IMG]",
)
@click.option(
    "--corrections",
    metavar="CSV",
    help="Columns cell and corrected_label: labels that another reading disputes. The figures are then given "
    "without these cells too.",
)
@click.option(
    "--label-policy",
    type=click.Choice(LABEL_POLICIES),
    default=_DEFAULTS.label_policy,
    help="What to learn of disputed cells: either label, one half (soft), or nothing (exclude).",
)
@click.option(
    "--disputed-target",
    type=click.FloatRange(0, 1),
    default=_DEFAULTS.disputed_target,
    help="What soft means: 1 is the published label, 0 the other reading's.",
)
@click.option(
    "--uninfected-fields",
    multiple=True,
    metavar="DIR",
    help="Fields of uninfected blood from other laboratories, without labels: the cells found in them are "
    "learnt from too. May be given several times.",
)
@click.option(
    "--foreign-share",
    type=click.FloatRange(0, 2, min_open=True),
    default=_DEFAULTS.foreign_share,
    help="Cells of those fields an epoch, for each cell of --data.",
)
@click.option(
    "--graft-share",
    type=click.FloatRange(0, 1),
    default=_DEFAULTS.graft_share,
    help="How many of them receive a parasite cut from a cell of --data.",
)
@click.option(
    "--split",
    metavar="JSON",
    help="Reuse the split.json of another run.  [default: by patient, from --seed]",
)
@click.option(
    "--weights",
    metavar="imagenet|PATH|none",
    default=_DEFAULTS.weights,
    help="Where MobileNetV2 begins: downloaded, a .h5 file without top, or at random.",
)
@click.option(
    "--image-size",
    type=click.IntRange(32, 512),
    default=_DEFAULTS.image_size,
    help="Side of the network's input in pixels, a multiple of 32.",
)
@click.option(
    "--alpha",
    type=click.FloatRange(0.1, 2),
    default=_DEFAULTS.alpha,
    help="Width of MobileNetV2; pre-trained weights are of one width.",
)
@click.option("--batch-size", type=click.IntRange(1), default=_DEFAULTS.batch_size, help="Cells a step.")
@click.option(
    "--head-epochs",
    type=click.IntRange(0),
    default=_DEFAULTS.head_epochs,
    help="Phase 1: the base frozen, the head trained.",
)
@click.option(
    "--head-rate", type=click.FloatRange(0, 1, min_open=True), default=_DEFAULTS.head_rate, help="Its rate."
)
@click.option(
    "--tune-epochs",
    type=click.IntRange(0),
    default=_DEFAULTS.tune_epochs,
    help="Phase 2: the base trained too, batch normalisation fixed.",
)
@click.option(
    "--tune-rate",
    type=click.FloatRange(0, 1, min_open=True),
    default=_DEFAULTS.tune_rate,
    help="Its first rate, falling along a cosine.",
)
@click.option(
    "--tune-from",
    type=click.IntRange(0),
    default=_DEFAULTS.tune_from,
    help="First layer of the base that phase 2 trains; 0 trains all of it.",
)
@click.option(
    "--settle-epochs",
    type=click.IntRange(0),
    default=_DEFAULTS.settle_epochs,
    help="End of phase 2: weights rounded as int8 will round them, so that the export loses nothing.",
)
@click.option(
    "--settle-rate",
    type=click.FloatRange(0, 1, min_open=True),
    default=_DEFAULTS.settle_rate,
    help="Its first rate.",
)
@click.option(
    "--label-smoothing",
    type=click.FloatRange(0, 0.5),
    default=_DEFAULTS.label_smoothing,
    help="How far targets are drawn towards one half; for labels that are wrong now and then.",
)
@click.option(
    "--patience",
    type=click.IntRange(1),
    default=_DEFAULTS.patience,
    help="Epochs without a better validation loss after which a phase ends early.",
)
@click.option(
    "--augmentation/--no-augmentation",
    default=_DEFAULTS.augmentation,
    help="Vary stain, light, focus, noise, JPEG and outline; without it cells are only turned and flipped.",
)
@click.option(
    "--disturbances/--no-disturbances",
    default=_DEFAULTS.disturbances,
    help="Draw crenation, refractile specks and sharp pale centres on some cells.",
)
@click.option(
    "--seed", type=click.IntRange(0), default=_DEFAULTS.seed, help="Of split, head, batches and variations."
)
def command(*, out: Path, **settings: object) -> None:
    """Fine-tune MobileNetV2 on labelled red cells and measure it on patients that it never saw.

    The cells are split by patient into training, validation and test. OUT receives the model (model.keras),
    the learning curves, the split, every setting and version, the figures with intervals, and report.html,
    which opens offline. Interrupted or killed at any point, the same command goes on from the last epoch;
    given for a finished run, it only measures and reports again.

    Any backend of Keras 3 trains (KERAS_BACKEND=jax or torch, on a GPU for instance); plasmolite convert then
    needs TensorFlow.

    Exit code: 0 trained and reported, 2 nothing could start or the run was interrupted.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # read once, when TensorFlow is loaded
    from edge.errors import PlasmoliteError

    try:
        _train(TrainingSettings(**settings), out)  # type: ignore[arg-type]
    except KeyboardInterrupt:
        command_line = shlex.join(["plasmolite", *sys.argv[1:]])
        click.echo(f"\nStopped. The same command goes on from the last epoch:\n  {command_line}", err=True)
        sys.exit(2)
    except PlasmoliteError as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(2)
    except ModuleNotFoundError as error:
        click.echo(
            f"Error: {error.name} is not installed. Training needs the extra train: "
            "pip install 'plasmolite[train]'",
            err=True,
        )
        sys.exit(2)
    except OSError as error:
        click.echo(
            f"Error: {error.filename or out}: {error.strerror or error}. When that is mended, the same "
            "command goes on from the last epoch.",
            err=True,
        )
        sys.exit(2)


def _train(settings: TrainingSettings, out: Path) -> None:
    from rich.console import Console

    console = Console(stderr=True, highlight=False, soft_wrap=True)
    console.print("Loading Keras …")
    with _start_up_notes_left_out():
        from train.run import open_run
    open_run(settings, out)
    run_data = _read(console, settings, out)
    network = _fit(console, settings, run_data, out)
    with console.status("Judging validation and test patients, 1,000 bootstrap draws for the intervals …"):
        from train.report import write_report
        from train.results import finish

        results = finish(network, settings, run_data, out)
        report = write_report(results, settings, run_data, out)
    _print_figures(results)
    click.echo(f"Model: {out / 'model.keras'}\nReport: {report}")
    click.echo(f"Next: plasmolite convert {shlex.quote(str(out))} --out DIR\n{RESEARCH_USE}")


@contextmanager
def _start_up_notes_left_out() -> Iterator[None]:
    """Keep from the terminal what TensorFlow's libraries write as they load, whatever their log level."""
    kept = os.dup(2)
    try:
        with Path(os.devnull).open("wb") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def _read(console: Console, settings: TrainingSettings, out: Path) -> RunData:
    """Read the cells under a progress bar and say what was found."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from train.patients import LABELS
    from train.run import load_run_data

    columns = (TextColumn("reading cells"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("", total=None)
        run_data = load_run_data(
            settings, out, lambda done, total: progress.update(task, completed=done, total=total)
        )
    data = run_data.data
    infected = int(data.labels().sum())
    console.print(
        f"{len(data.samples)} cells of {len({sample.patient for sample in data.samples})} patients: "
        f"{infected} {LABELS[1]}, {len(data.samples) - infected} {LABELS[0]}; {len(data.rejected)} files "
        f"left out{' (the report lists them)' if data.rejected else ''}. "
        + ", ".join(f"{name} {len(part)}" for name, part in run_data.split._asdict().items())
        + "."
    )
    return run_data


def _fit(console: Console, settings: TrainingSettings, run_data: RunData, out: Path) -> keras.Model:
    """Train under a progress bar for each phase, with a line for each epoch."""
    from train.run import fit

    epochs = {"head": settings.head_epochs, "tune": settings.tune_epochs, "settle": settings.settle_epochs}
    with _phase_bars(console) as advance:

        def report(phase: str, done: int, total: int, figures: dict[str, float]) -> None:
            advance(phase, done, total, figures.get("loss", float("nan")))
            if "val_accuracy" in figures:
                epoch = round(done / total * epochs[phase])
                console.print(
                    f"{phase}, epoch {epoch} of {epochs[phase]}: loss {figures['loss']:.4f}, validation loss "
                    f"{figures['val_loss']:.4f}, validation accuracy {figures['val_accuracy']:.4f}"
                )

        return fit(settings, run_data, out, report)


@contextmanager
def _phase_bars(console: Console) -> Iterator[Callable[[str, int, int, float], None]]:
    """Give a function that moves the bar of a phase: its name, steps done, steps in all, loss."""
    from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    columns = (
        TextColumn("phase {task.description}"),
        BarColumn(),
        TextColumn("step {task.completed} of {task.total}, loss {task.fields[loss]:.4f}, left"),
        TimeRemainingColumn(),
        TextColumn("after"),
        TimeElapsedColumn(),
    )
    # Validation stands between the epochs, so the speed is averaged over minutes.
    with Progress(*columns, console=console, transient=True, speed_estimate_period=300) as progress:
        tasks: dict[str, TaskID] = {}

        def advance(phase: str, done: int, total: int, loss: float) -> None:
            if phase not in tasks:
                for earlier in tasks.values():  # a phase that ended early leaves its bar half full
                    progress.update(earlier, visible=False)
                # A run that goes on begins where it stood: its speed must not count what was done before.
                tasks[phase] = progress.add_task(phase, total=total, completed=done - 1, loss=loss)
            progress.update(tasks[phase], completed=done, loss=loss)

        yield advance


def _print_figures(results: Results) -> None:
    from rich.console import Console
    from rich.table import Table

    from train.report import figure_rows

    header, rows = figure_rows(results)
    patients = len(set(results.test.patients))
    table = Table(
        title=f"{len(results.test.labels)} test cells of {patients} patients that the network never saw",
        caption="95 % intervals by bootstrap over patients",
    )
    for number, heading in enumerate(header):
        table.add_column(heading, justify="right" if number else "left")
    for row in rows:
        table.add_row(*row)
    Console().print(table)
