"""Writes into a released model what it did at laboratories: what the interval of every estimate rests on.

``python -m convert.seal_laboratories MODEL --laboratory FIELDS --left-out FIELDS MODEL_WITHOUT``

The rates at a laboratory that a model learnt from say little of the next one. So a laboratory is either one that MODEL
learnt nothing from, or is measured by another model of the same recipe that was trained without it, which is named.
The patients of the labelled set that were held out of the training stand beside them.
"""

from pathlib import Path
from typing import Any

import click
import numpy as np

from convert.card import write_card
from edge.atomic_file import write_atomically
from edge.errors import PlasmoliteError
from edge.fields.analyser import FieldAnalyser
from edge.inference.classifier import Classifier
from edge.inference.model_file import LaboratoryCount, ModelFile, load_model, with_manifest
from edge.messages.catalogue import Catalogue
from edge.messages.codes import Code
from edge.messages.train_codes import ConvertCode
from train.evaluation.laboratories import LaboratoryCells, judge_laboratory
from train.new_file import NEW_FILE, writing
from train.options import language_option

HOME = "patients held out of the labelled set"


class LearntLaboratoryError(PlasmoliteError):
    """The model learnt from the laboratory that it is to be measured at."""


def count_laboratory(model: ModelFile, folder: Path, *, uninfected: bool = False) -> LaboratoryCount:
    """Count what a model says, at its own field threshold, in whole fields of a laboratory that it never saw.

    Args:
        model: a released one.
        folder: its fields.
        uninfected: none of its cells is infected, and nobody marked any.

    Raises:
        LearntLaboratoryError: the model learnt from it, by its manifest.
        PlasmoliteError: the folder or the model cannot be used.
    """
    data = model.manifest["data"]
    learnt = {one["folder"] for one in data.get("laboratories", ())}
    if folder.name in learnt | set((data.get("uninfected_fields") or {}).get("folders", ())):
        raise LearntLaboratoryError(ConvertCode.LEARNT_LABORATORY, model=model.name, laboratory=folder.name)
    analyser = FieldAnalyser(Classifier(model))
    found = judge_laboratory(folder, analyser, uninfected=uninfected)
    return _counted(folder.name, found, analyser.threshold)


def _counted(name: str, found: LaboratoryCells, threshold: float) -> LaboratoryCount:
    infected, called = found.judged.labels == 1, found.judged.probabilities >= threshold
    return LaboratoryCount(
        name,
        called=int(np.sum(called & infected)),
        infected=int(np.sum(infected)),
        false_alarms=int(np.sum(called & ~infected)),
        uninfected=int(np.sum(~infected)),
        fields=found.fields - sum(found.refused.values()),
        patients=len(np.unique(found.judged.patients)),
    )


def home_count(model: ModelFile) -> LaboratoryCount:
    """What the model did on its own held-out patients, single cells, by its manifest."""
    point = model.manifest["operating_points"]["field"]["undisputed"]
    return LaboratoryCount(
        HOME,
        called=point["true_positives"],
        infected=point["infected"],
        false_alarms=point["uninfected"] - point["true_negatives"],
        uninfected=point["uninfected"],
        fields=0,
        patients=len(model.manifest["data"]["split"]["test"]),
    )


_FOLDER = click.Path(path_type=Path, exists=True, file_okay=False)
_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.command()
@click.argument("model", type=_FILE)
@click.option(
    "--laboratory",
    "unseen",
    type=_FOLDER,
    multiple=True,
    help="Marked fields that MODEL learnt nothing from.",
)
@click.option(
    "--uninfected",
    type=_FOLDER,
    multiple=True,
    help="Fields of blood without malaria that MODEL learnt nothing from: they tell its false alarms.",
)
@click.option(
    "--left-out",
    "left_out",
    type=(_FOLDER, _FILE),
    multiple=True,
    help="Marked fields that MODEL learnt from, and a model of the same recipe that was trained without them.",
)
@click.option("--out", type=NEW_FILE, help="File to write.  [default: MODEL]")
@language_option
def main(
    *,
    model: Path,
    unseen: tuple[Path, ...],
    uninfected: tuple[Path, ...],
    left_out: tuple[tuple[Path, Path], ...],
    out: Path | None,
    words: Catalogue,
) -> None:
    """Measure MODEL at laboratories and write the counts into its manifest, and its card anew beside it.

    Exit code: 0 written, 2 the model or a laboratory cannot be used.
    """
    try:
        released = load_model(model)
        rows: list[dict[str, Any]] = [home_count(released)._asdict()]
        measured = [(released, folder, folder in uninfected) for folder in (*unseen, *uninfected)]
        measured += [(load_model(path), folder, False) for folder, path in left_out]
        for by, folder, healthy in measured:
            told = by.name if by is released else f"{by.name}, trained without it"
            counts = count_laboratory(by, folder, uninfected=healthy)._asdict()
            rows.append(counts | {"by": told})
            key = "seal.counted" if by is released else "seal.counted-without"
            click.echo(words.text(key, by=by.name, **counts))
        target = out or model
        manifest = {**released.manifest, "laboratories": rows}
        with writing(target):
            write_atomically(target, with_manifest(released.flatbuffer, manifest, released.parts))
            write_card(target)
    except PlasmoliteError as error:
        click.echo(words.text(Code.COMMAND_ERROR, reason=error.message), err=True)
        raise SystemExit(2) from error


if __name__ == "__main__":
    main()
