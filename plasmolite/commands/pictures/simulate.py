"""``plasmolite simulate``: draw cells and fields with known truth, to try the rest of the program on."""

from pathlib import Path

import click

from plasmolite.commands.options.numbers import FloatRange
from plasmolite.commands.options.paths import FOLDER
from plasmolite.terminal.language import refuse, spoken
from plasmolite.terminal.progress import progress_bar


@click.command(
    context_settings={"show_default": True},
    epilog="Example:\n\n  plasmolite simulate --out drawn --cells 40 --fields 3 --seed 7 --parasitaemia 0.02",
)
@click.option("--out", type=FOLDER, required=True, help="Folder to write to.")
@click.option("--cells", type=click.IntRange(0, 100_000), default=24, help="Single cells to draw.")
@click.option("--fields", type=click.IntRange(0, 100_000), default=2, help="Whole fields to draw.")
@click.option(
    "--seed", type=click.IntRange(0), default=0, help="Random seed: the same seed draws the same pictures."
)
@click.option(
    "--parasitaemia", type=FloatRange(0, 1), default=0.05, help="Share of infected cells in the fields."
)
@click.option("--infected-share", type=FloatRange(0, 1), default=0.5, help="Share of infected single cells.")
@click.option(
    "--patients", type=click.IntRange(1, 100_000), default=8, help="Smears that the pictures come from."
)
@click.option("--width", type=click.IntRange(64, 20000), default=1280, help="Width of a field, px.")
@click.option("--height", type=click.IntRange(64, 20000), default=960, help="Height of a field, px.")
@click.option(
    "--cell-width", type=FloatRange(25, 250), default=100.0, help="Mean width of a cell in a field, px."
)
@click.option(
    "--cells-per-field",
    type=click.IntRange(0, 100_000),
    default=60,
    help="Red cells in a field, room permitting.",
)
@click.option("--overlap", type=FloatRange(0, 0.6), default=0.0, help="How far cells of a field may overlap.")
@click.option("--blur", type=FloatRange(0, 200), default=0.0, help="Sigma of the fields' defocus, px.")
@click.option("--eyepiece", is_flag=True, help="Draw fields as the round image of an eyepiece on black.")
@click.option(
    "--by-label", is_flag=True, help="Sort cells into Parasitized/ and Uninfected/, to try training on."
)
@click.option("--bundled", is_flag=True, help="Draw the samples that ship with Plasmolite, and nothing else.")
def command(
    *,
    out: Path,
    cells: int,
    fields: int,
    seed: int,
    parasitaemia: float,
    infected_share: float,
    patients: int,
    width: int,
    height: int,
    cell_width: float,
    cells_per_field: int,
    overlap: float,
    blur: float,
    eyepiece: bool,
    by_label: bool,
    bundled: bool,
) -> None:
    """Draw Giemsa-stained cells and fields, with the truth in a CSV beside them.

    Nothing in the pictures is real: they show that a program works, never how well it finds malaria.
    """
    from edge.errors import PlasmoliteError, SourceError
    from edge.messages.codes import Code
    from edge.messages.message import system_reason
    from edge.simulation.field import FieldSettings
    from edge.simulation.sets import SetPlan, write_bundled, write_set

    plan = SetPlan(
        cells=cells,
        fields=fields,
        parasitaemia=parasitaemia,
        infected_share=infected_share,
        patients=patients,
        seed=seed,
        by_label=by_label,
        field=FieldSettings(
            width=width,
            height=height,
            cells=cells_per_field,
            cell_width=cell_width,
            parasitaemia=parasitaemia,
            overlap=overlap,
            blur=blur,
            eyepiece=eyepiece,
        ),
    )
    pictures = write_bundled(out) if bundled else write_set(out, plan)
    written, drawing = 0, spoken().text("simulate.drawing")
    try:
        with progress_bar() as bar:
            for _ in pictures:
                written += 1
                bar.show(drawing, written, 26 if bundled else cells + fields)
    except PlasmoliteError as error:
        refuse(error)
    except OSError as error:
        refuse(SourceError(Code.FILE_NOT_WRITTEN, path=out, reason=system_reason(error)))
    click.echo(spoken().text("simulate.drawn", pictures=written, folder=out))
