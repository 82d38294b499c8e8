"""``plasmolite convert``: a finished training run in, released TFLite models out, or a refusal."""

import os
import sys
from pathlib import Path

import click

from edge.inference.precision import Precision
from plasmolite.terminal.language import refuse


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
    "--spoil",
    type=click.FloatRange(0, 10),
    help="To see the gate refuse: add noise of this share of each kernel's spread before exporting.",
)
def command(
    *,
    run: Path,
    out: Path,
    name: str,
    version: str,
    sources: str | None,
    precisions: tuple[str, ...],
    data: Path | None,
    patients: Path | None,
    corrections: Path | None,
    threads: int,
    max_flips: float | None,
    spoil: float | None,
) -> None:
    """Export a finished training run to TFLite, through a gate.

    Each export judges the run's test patients in the device's runtime and is compared with the Keras model. One
    that differs by more than the gate allows is not written. What is written is one file a precision with its
    manifest inside, a model card and a chart.

    Exit code: 0 all passed, 1 an export was refused, 2 nothing could start.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    from rich.console import Console
    from rich.table import Table

    from convert.fault_injection import add_noise
    from convert.gate import DEFAULT_LIMITS
    from convert.release import SOURCES_NOT_STATED, MovedFiles, convert_run
    from edge.errors import PlasmoliteError

    console = Console(stderr=True)
    limits = dict(DEFAULT_LIMITS)
    if max_flips is not None:
        limits = {key: limit._replace(flips=min(limit.flips, max_flips)) for key, limit in limits.items()}
    try:
        with console.status("Starting") as status:
            release = convert_run(
                run,
                out,
                name=name,
                version=version,
                sources=sources or SOURCES_NOT_STATED,
                precisions=[Precision(name) for name in precisions] or [*Precision],
                threads=threads,
                limits=limits,
                spoil=None if spoil is None else lambda model: add_noise(model, spoil),
                moved=MovedFiles(data, patients, corrections),
                report=status.update,
            )
    except (PlasmoliteError, OSError) as error:
        refuse(error)
    table = Table(title="Exports beside the Keras model, on the test patients (changes in points)")
    for column in ("", "accuracy", "change", "sens.", "spec.", "AUC", "flips", "mean |dP|", "MB", "ms/cell"):
        table.add_column(column, justify="right")
    for c in release.comparisons:
        table.add_row(
            c.precision,
            f"{c.accuracy:.2%}",
            f"{c.accuracy_change * 100:+.3f}",
            f"{c.sensitivity_change * 100:+.3f}",
            f"{c.specificity_change * 100:+.3f}",
            f"{c.auc_change * 100:+.4f}",
            f"{c.flips:.3%}",
            f"{c.mean_difference:.5f}",
            f"{c.size / 1e6:.2f}",
            f"{c.latency:.2f}",
        )
    # Where the output is a file, eighty columns would cut the figures off.
    out_console = Console()
    (out_console if out_console.is_terminal else Console(width=120)).print(table)
    for path in release.written:
        click.echo(f"Released: {path}")
    for sentence in release.refused:
        click.echo(f"Refused. {sentence}", err=True)
    sys.exit(1 if release.refused else 0)
