"""What the second look at a field's cells leaves out, against all of its cells in all of their turns.

`python -m benchmarks.fields.second_look DATA/fields/bbbc041 DATA/fields/mpidb` prints a row for each laboratory: its
cells, how often one of them is judged, and how many come to lie on the other side of the threshold, or become doubtful
or cease to be, since they were looked at once or not in all turns.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import click
import numpy as np
from numpy.typing import NDArray

from edge.fields.analyser import FieldAnalyser, cut_cells, red_cells, smoothed
from edge.images.files import read_image
from edge.images.inputs import list_cell_files
from edge.inference.classifier import Classifier
from edge.inference.levelling import level, typical_logit
from edge.inference.model_file import load_model
from edge.inference.model_store import find_model
from edge.inference.second_look import in_doubt, look_again, mean_over_turns
from edge.inference.verdicts import doubtful
from edge.messages.message import Message
from edge.types import Rgb


class Row(NamedTuple):
    """What the second look did at the cells of one laboratory.

    Attributes:
        cells: red cells of fields that were not refused.
        again: of these, looked at again.
        looks: at all of them together.
        sides: on another side of the threshold than in all turns.
        doubt: told as doubtful here and not in all turns, or the reverse.
    """

    cells: int
    again: int
    looks: int
    sides: int
    doubt: int

    def plus(self, other: Row) -> Row:
        """Add the figures of another field."""
        return Row(*(one + two for one, two in zip(self, other, strict=True)))


def compare(analyser: FieldAnalyser, classifier: Classifier, rgb: Rgb) -> Row:
    """Judge a field's cells as the device does, and all of them in all turns.

    Args:
        analyser: with the classifier.
        classifier: its model states a second look.
        rgb: the field, uint8 (h, w, 3).
    """
    found = analyser.find(rgb)
    cells = red_cells(found.cells) if found.quality.refused is None else []
    if not cells:
        return Row(0, 0, 0, 0, 0)
    grainy = found.quality.grainy
    inputs = cut_cells(smoothed(rgb, cells) if grainy else rgb, cells, classifier.input_size)
    said = classifier.probabilities(inputs)
    typical = typical_logit(said[[cell.counted for cell in cells]])
    model, threshold = classifier.model, analyser.threshold
    judged_again: list[int] = []

    def judge(again: NDArray[np.uint8]) -> NDArray[np.floating]:
        judged_again.append(len(again))
        return classifier.probabilities(again)

    doubt = in_doubt(model.second_look, threshold)
    here = look_again(judge, inputs, said, levelling=model.levelling, typical=typical, doubt=doubt)
    everywhere = level(mean_over_turns(classifier.probabilities, inputs, said), model.levelling, typical)
    first = level(said, model.levelling, typical)
    return Row(
        len(cells),
        0 if doubt is None else int(((first >= doubt.least) & (first <= doubt.most)).sum()),
        len(cells) + sum(judged_again),
        int(((here >= threshold) != (everywhere >= threshold)).sum()),
        sum(
            doubtful(one, threshold) != doubtful(other, threshold)
            for one, other in zip(here, everywhere, strict=True)
        ),
    )


@click.command()
@click.argument("laboratories", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--model", default="standard", show_default=True, help="Model: nano, standard or a file.")
def main(laboratories: tuple[Path, ...], *, model: str) -> None:
    """Compare the second look with all cells in all turns, over LABORATORIES: folders of fields.

    Example: python -m benchmarks.fields.second_look DATA/fields/bbbc041 DATA/fields/mpidb
    """
    classifier = Classifier(load_model(find_model(model)), threads=1)
    analyser = FieldAnalyser(classifier)
    click.echo("| laboratory | cells | looked at again | looks a cell | other side | doubtful or not |")
    click.echo("|---" * 6 + "|")
    for folder in laboratories:
        row = Row(0, 0, 0, 0, 0)
        images = folder / "images"
        for file in list_cell_files([images if images.is_dir() else folder]):
            if not isinstance(file.source, Message):
                row = row.plus(compare(analyser, classifier, read_image(file.source)))
        share, looks = row.again / max(row.cells, 1), row.looks / max(row.cells, 1)
        click.echo(
            f"| {folder.name} | {row.cells:,} | {share:.1%} | {looks:.2f} | {row.sides} | {row.doubt} |"
        )


if __name__ == "__main__":
    main()
