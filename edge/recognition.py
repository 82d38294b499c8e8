"""Whether what was cut out of a picture is a red cell of a stained smear at all.

A network that knows two kinds of red cell calls everything one of them: a letter, a face, a white cell. Models
may have a second output, a small network beside the first that looks at the whole shape and its colours and
says how much a picture is like a red cell. It was taught on training cells and on drawn pictures of other
things, and the model's manifest states from which value on a picture is judged.
"""

from edge.classifier import CellScores
from edge.modelfile import ModelFile

NOT_A_RED_CELL = (
    "The picture does not look like one red cell of a stained smear, so it is not judged. "
    "Cut it to a single cell, or ask for the bare network's answer (--accept-anything)."
)


def refused(model: ModelFile, scores: CellScores) -> list[bool]:
    """Tell which cells are to be refused with :data:`NOT_A_RED_CELL`.

    Args:
        model: that gave the scores.
        scores: of n cells.

    Returns:
        n answers; all False where the model has no measure of it.
    """
    if scores.red_cell is None or model.least_red_cell is None:
        return [False] * len(scores.probabilities)
    # Written so that a measure that is not a number is refused too.
    return [not value >= model.least_red_cell for value in scores.red_cell]
