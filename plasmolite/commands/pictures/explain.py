"""``plasmolite explain``: one suspect cell in, a picture of where the evidence lies out."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edge.messages.codes import Code
from edge.messages.message import system_reason
from plasmolite.commands.options.model import model_option
from plasmolite.commands.options.numbers import FloatRange
from plasmolite.commands.options.paths import ANY_PATH, FILE
from plasmolite.commands.options.threads import threads_option
from plasmolite.terminal.language import refuse, spoken

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@click.command(
    epilog="Examples:\n\n  plasmolite explain suspect.png --out why.png\n\n"
    "  plasmolite explain field.jpg --box 310 225 104 98 --out why.png\n\n"
    "The boxes of a field's cells stand in cells.csv of a report and in the output of analyze --json.",
)
@click.argument("image", type=ANY_PATH)
@click.option("--out", type=FILE, required=True, help="PNG file to draw.")
@click.option(
    "--box",
    type=click.IntRange(0),
    nargs=4,
    metavar="X Y W H",
    help="Cell to look at in a whole field, pixels.",
)
@model_option
@click.option(
    "--threshold", type=FloatRange(0, 1), help="Call the cell parasitised from this probability on."
)
@threads_option
def command(
    *,
    image: Path,
    out: Path,
    box: tuple[int, int, int, int] | None,
    model: str | None,
    threshold: float | None,
    threads: int | None,
) -> None:
    """Show where in one red cell the network sees a parasite.

    IMAGE is a picture of one cell, or a field with --box. Every place of the cell is covered in turn with the
    cell's own colour; where covering it lowers the odds of parasitised, the evidence lies.

    Exit code: 0 the picture was written, 1 there is no cell to explain, 2 invalid input; nothing was processed.
    """
    from edge.drawing.explanation import draw_explanation
    from edge.errors import ImageError, PlasmoliteError
    from edge.images.encode import write_png
    from edge.inference.classifier import Classifier
    from edge.inference.occlusion import explain

    try:
        classifier = Classifier.open(model, threads=threads)
        point = "cell" if box is None else "field"
        cutoff = classifier.model.operating_point(point).threshold if threshold is None else threshold
    except PlasmoliteError as error:
        refuse(error)
    try:
        rgb, mask = _cell(image, box)
        explanation = explain(classifier, rgb, mask)
    except ImageError as error:
        click.echo(f"{image}: {spoken().message(error.message)}", err=True)
        sys.exit(1)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        write_png(out, draw_explanation(rgb, explanation, cutoff))
    except OSError as error:
        refuse(ImageError(Code.FILE_NOT_WRITTEN, path=out, reason=system_reason(error)))
    words = spoken()
    click.echo(words.text("explained", probability=explanation.probability, threshold=cutoff, picture=out))
    click.echo(words.text("research"))


def _cell(image: Path, box: tuple[int, int, int, int] | None) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Read the picture, or the part of it in the box, and find its cell."""
    from edge.cells.isolation import isolate
    from edge.cells.red_cell_check import check_single_cell
    from edge.errors import ImageError, NotACellError
    from edge.images.files import read_image

    rgb = read_image(image)
    if box is not None:
        x, y, w, h = box
        # A little glass round the cell is what tells the cell from it.
        margin = max(w, h) // 5
        height, width = rgb.shape[:2]
        rgb = rgb[max(y - margin, 0) : y + h + margin, max(x - margin, 0) : x + w + margin]
        if x >= width or y >= height or w == 0 or h == 0:
            raise ImageError(Code.COMMAND_EMPTY_BOX, x=x, y=y, w=w, h=h, width=width, height=height)
    mask = isolate(rgb)
    if mask is None:
        raise NotACellError(Code.COMMAND_NO_CELL_HERE)
    # In a box that a person drew in a field, what is there is for the person to say.
    if box is None:
        check_single_cell(rgb, mask)
    return rgb, mask
