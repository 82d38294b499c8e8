"""What a site gains by teaching the model some of its fields.

``python -m benchmarks.accuracy.teaching MODEL LABORATORY``: the laboratory's patients are dealt; fields of some are
reviewed, cell by cell, and teach; all fields of the others judge. The model must not have learnt from the laboratory,
or the table says nothing.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import click
import numpy as np
from numpy.typing import NDArray

from edge.fields.analyser import cut_cells
from edge.inference.bank import Bank
from edge.inference.classifier import Classifier
from edge.inference.levelling import level, logits_of, typical_logit
from edge.inference.model_file import load_model
from edge.inference.model_store import find_model
from edge.inference.second_look import features_over_turns
from edge.messages.catalogue import Catalogue
from edge.messages.codes import Code
from edge.messages.message import Message
from edge.segmentation.finder import CellFinder
from edge.segmentation.outlines import CellKind
from edge.teaching.gate import measure, refusal
from edge.teaching.labelled_cells import LEAST_PATIENTS
from edge.teaching.retention import area
from edge.teaching.teach import Examples, teach
from train.data.parasite_marks import INFECTED, LEFT_OUT
from train.evaluation.laboratories import labelled_fields_of
from train.options import language_option

SPECIFICITY = 0.995
_TRIES = 2000


class Fields(NamedTuple):
    """A laboratory's cells as a model sees them, and the field that each is of."""

    examples: Examples
    """Grouped by patient."""
    field: NDArray[np.str_]


def read_fields(classifier: Classifier, folder: Path) -> Fields:
    """Find the cells of a laboratory's fields and let a model judge them; cells in doubt are left out.

    As the product does it in a field: levelled by its typical cell, and looked at in all turns.
    """
    finder, size = CellFinder(), classifier.input_size
    said, features, infected, patients, fields = [], [], [], [], []
    for field in labelled_fields_of(folder):
        cells = [
            cell
            for cell in finder.find(field.rgb).cells
            if cell.kind == CellKind.RED and min(cell.box[2:]) >= 8
        ]
        labels = field.label(cells)
        counted = [cell.counted for cell in cells]
        known = np.array([label for label, whole in zip(labels, counted, strict=True) if whole])
        kept = known != LEFT_OUT
        if not kept.any():
            continue
        pictures = cut_cells(field.rgb, [cell for cell in cells if cell.counted], size)
        typical = typical_logit(classifier.probabilities(pictures))
        answers = features_over_turns(classifier.with_features, pictures[kept])
        said.append(level(answers[0], classifier.model.levelling, typical).astype(np.float32))
        features.append(answers[1])
        infected += (known[kept] == INFECTED).tolist()
        patients += [field.group] * int(kept.sum())
        fields += [field.name] * int(kept.sum())
    examples = Examples(
        np.concatenate(said), np.concatenate(features), np.array(infected), np.array(patients)
    )
    return Fields(examples, np.array(fields))


def dealt_by_field(fields: Fields) -> Fields:
    """Let each field be dealt by itself: a patient's fields may lie on both sides."""
    return fields._replace(examples=fields.examples._replace(group=fields.field))


def draws(fields: Fields, number: int, count: int) -> Iterator[tuple[NDArray[np.bool_], NDArray[np.bool_]]]:
    """Deal patients: yields which cells teach and which judge; nothing where the laboratory is too small.

    Each side gets at least a tenth of the infected cells.
    """
    examples, made = fields.examples, 0
    names = np.unique(examples.group)
    for seed in range(_TRIES):
        rng = np.random.default_rng(seed)
        order, teaching = rng.permutation(names), np.zeros(len(fields.field), bool)
        while len(np.unique(fields.field[teaching])) < number and len(order):
            teaching |= examples.group == order[0]
            order = order[1:]
        share = examples.infected[teaching].sum() / examples.infected.sum()
        pool = np.unique(fields.field[teaching])
        if len(pool) < number or not 0.1 <= share <= 0.9:
            continue
        yield teaching & np.isin(fields.field, rng.choice(pool, number, replace=False)), ~teaching
        made += 1
        if made == count:
            return


def sensitivity(logits: NDArray[np.floating], infected: NDArray[np.bool_]) -> float:
    """Share of the infected cells above all but 1 - `SPECIFICITY` of the uninfected ones."""
    limit = np.quantile(logits[~infected], SPECIFICITY, method="higher")
    return float(np.mean(logits[infected] > limit))


def row(fields: Fields, bank: Bank, number: int, count: int, cell_threshold: float) -> str | None:
    """One row of the table, means over the draws; None where the laboratory is too small."""
    figures, passed = [], 0
    for teaching, judging in draws(fields, number, count):
        examples = fields.examples.at(teaching)
        if len(np.unique(examples.group)) < LEAST_PATIENTS:
            examples = examples._replace(group=fields.field[teaching])
        taught = teach(examples, bank, cell_threshold)
        others = fields.examples.at(judging)
        before, after = logits_of(others.said), taught.head.logits(others.said, others.features)
        uninfected = int((~examples.infected).sum())
        own = measure(taught, examples, bank, cell_threshold=cell_threshold, counted=uninfected)
        passed += refusal(own) is None
        values = [value(one, others.infected) for value in (sensitivity, area) for one in (before, after)]
        figures.append([own.infected, len(examples.said), *values, own.home_after - own.home_before])
    if not figures:
        return None
    mean = np.mean(figures, axis=0)
    gone = (mean[3] - mean[2]) / (1 - mean[2])
    return (
        f"| {number} | {len(figures)} | {mean[0]:.0f} of {mean[1]:.0f} | {mean[2]:.2f} → {mean[3]:.2f} | {gone:.0%} | "
        f"{mean[4]:.3f} → {mean[5]:.3f} | {mean[6] * 100:+.2f} | {passed} |"
    )


@click.command()
@click.argument("model")
@click.argument("laboratory", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--fields", "numbers", default="5,10,20,40", show_default=True, help="Reviewed fields.")
@click.option("--draws", "count", default=5, show_default=True, help="Deals of the patients.")
@click.option(
    "--same-patients", is_flag=True, help="Deal fields instead: a patient's other fields judge too."
)
@language_option
def main(
    *, model: str, laboratory: Path, numbers: str, count: int, same_patients: bool, words: Catalogue
) -> None:
    """Print the table of LABORATORY, a folder of marked fields, for a MODEL that did not learn from it."""
    loaded = load_model(find_model(model))
    classifier = Classifier(loaded)
    bank = classifier.bank()
    if bank is None:
        click.echo(
            words.text(Code.COMMAND_ERROR, reason=Message(Code.TEACH_NO_BANK, model=loaded.name)), err=True
        )
        raise SystemExit(2)
    fields = read_fields(classifier, laboratory)
    if same_patients:
        fields = dealt_by_field(fields)
    click.echo(
        "| fields | draws | infected of cells | sensitivity at 99.5 % | misses gone | AUC | home, points | passed |"
    )
    click.echo("|---|---|---|---|---|---|---|---|")
    for number in map(int, numbers.split(",")):
        line = row(fields, bank, number, count, loaded.operating_point("cell").threshold)
        click.echo(line or f"| {number} | too few fields | | | | | | |")


if __name__ == "__main__":
    main()
