"""Chooses a released model's threshold for fields anew, by the rule of now; its network stays as it is.

``python -m convert.rethreshold MODEL --data CELLS --uninfected-fields DIR --laboratory DIR --release 4.1 --out FILE``
needs the data that the model was trained on, and judges them with the released file, in the device's runtime: the
validation patients, whom its manifest names by tokens, to choose by, and the test patients to measure what comes of it.
"""

import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click
import numpy as np

from convert.card import write_card
from convert.manifest import rates
from edge.atomic_file import write_atomically
from edge.errors import PlasmoliteError
from edge.inference.classifier import Classifier
from edge.inference.model_file import load_model, with_manifest
from edge.inference.second_look import TURNS, mean_over_turns
from edge.inference.verdicts import LABELS
from edge.messages.catalogue import Catalogue
from edge.messages.codes import Code
from edge.messages.train_codes import ConvertCode
from train.data.annotated_laboratories import read_laboratory
from train.data.dataset import DataSet, Sample, load_dataset
from train.data.other_laboratories import read_other_cells
from train.data.patients import PatientSource, patient_token, read_corrections
from train.evaluation.metrics import Judged
from train.evaluation.thresholds import (
    LABORATORY_SPECIFICITY,
    SECOND_LOOK_FROM,
    SaidOfField,
    choose_levelled,
    choose_thresholds,
    describe_field_threshold,
    describe_levelled_threshold,
)
from train.model.batches import network_inputs
from train.new_file import NEW_FILE, writing
from train.options import language_option
from train.run_folder import describe_environment


class OtherDataError(PlasmoliteError):
    """The cells are not those that the model was trained and measured on."""


def rethreshold(
    model: Path,
    *,
    data: Path,
    patients: Path | None,
    corrections: Path | None,
    uninfected_fields: tuple[Path, ...],
    laboratories: tuple[Path, ...] = (),
    version: str,
    specificity: float = LABORATORY_SPECIFICITY,
) -> tuple[bytes, dict[str, Any]]:
    """Choose and measure the threshold for fields anew.

    Args:
        model: a released file.
        data: the cells of its training.
        patients: of each cell, as for training.
        corrections: labels that another reading disputes, as for training.
        uninfected_fields: folders of fields of other laboratories, as for training.
        laboratories: folders of their marked fields, as for training; with any, fields are levelled.
        version: of the new release.
        specificity: of each laboratory, where there are any, that the threshold is chosen for, 0 to 1.

    Returns:
        The flatbuffer and its new manifest.

    Raises:
        OtherDataError: the cells are others than those of the training.
        PlasmoliteError: model or data cannot be read.
    """
    released = load_model(model)
    manifest: dict[str, Any] = dict(released.manifest)
    classifier = Classifier(released)
    size = classifier.input_size
    source = PatientSource.of(manifest["training"]["settings"].get("split_by"), patients)
    cells = load_dataset(data, source, size=size)
    known = manifest["data"]
    _check_same(cells, known, data, model.name)
    files = [one.file for one in cells.samples]
    disputed = set(read_corrections(corrections, files)) if corrections else set()

    def part(name: str) -> list[Sample]:
        tokens = set(known["split"][name])
        return [one for one in cells.samples if patient_token(one.patient, known["fingerprint"]) in tokens]

    def undisputed(samples: list[Sample]) -> list[Sample]:
        return [one for one in samples if one.file not in disputed]

    def judged(samples: list[Sample]) -> Judged:
        return Judged(
            np.array([one.label for one in samples], np.int64),
            classifier.cell_probabilities(network_inputs(samples, size)),
            np.array([one.patient for one in samples]),
        )

    def by_group(samples: Sequence[Sample]) -> list[SaidOfField]:
        """What the model says of cells, by patient, smear or field."""
        groups: dict[str, list[Sample]] = defaultdict(list)
        for one in samples:
            groups[one.patient].append(one)
        inputs = [network_inputs(group, size) for group in groups.values()]
        judge = classifier.probabilities
        said = [judge(cells) for cells in inputs]
        return [
            SaidOfField(once, mean_over_turns(judge, cells, once))
            for cells, once in zip(inputs, said, strict=True)
        ]

    validation, test = undisputed(part("validation")), part("test")
    others = read_other_cells(uninfected_fields, size=size).held if uninfected_fields else ()
    if laboratories:
        said = {"home": by_group([one for one in validation if not one.label])}
        if others:
            said["fields of uninfected blood held out"] = by_group(others)
        said |= {path.name: by_group(read_laboratory(path, size=size).uninfected) for path in laboratories}
        # A laboratory of infected cells alone says nothing of false alarms.
        said = {name: groups for name, groups in said.items() if groups}
        levelling, threshold = choose_levelled(said, specificity)
        manifest["levelling"] = levelling._asdict()
        manifest["second_look"] = {"above": SECOND_LOOK_FROM, "turns": TURNS}
        chosen = describe_levelled_threshold(specificity)
        manifest["chosen_by_laboratories"] = list(said)
    else:
        threshold = choose_thresholds(
            lambda inputs: classifier.probabilities(inputs).astype(np.float64),
            judged(validation),
            [one for one in validation if not one.label],
            others,
            size=size,
            seed=manifest["training"]["settings"]["seed"],
        )["field"]
        chosen = describe_field_threshold(threshold, others=bool(others))
    manifest["version"] = version
    manifest["operating_points"] = dict(manifest["operating_points"]) | {
        "field": {
            "threshold": threshold,
            "chosen": chosen,
            "undisputed": rates(judged(undisputed(test)), threshold),
            "original": rates(judged(test), threshold),
            "chosen_by": describe_environment()
            | {"command": ["python", "-m", "convert.rethreshold", *sys.argv[1:]]},
        }
    }
    return released.flatbuffer, manifest


def _check_same(cells: DataSet, known: Mapping[str, Any], path: Path, model: str) -> None:
    """Make sure that the cells are those of the training, though a later version may prepare them otherwise.

    Raises:
        OtherDataError: patients or counts of some part are others.
    """
    if cells.fingerprint == known["fingerprint"]:
        return
    for part, tokens in known["split"].items():
        own = [
            one for one in cells.samples if patient_token(one.patient, known["fingerprint"]) in set(tokens)
        ]
        counts = {name: sum(one.label == number for one in own) for number, name in enumerate(LABELS)}
        patients = {one.patient for one in own}
        if counts != known["cells"][part] or len(patients) != len(tokens):
            raise OtherDataError(
                ConvertCode.OTHER_CELLS,
                path=path,
                model=model,
                part=part,
                found=str(counts),
                count=len(patients),
                known=str(known["cells"][part]),
                meant=len(tokens),
            )


_FOLDER = click.Path(path_type=Path, exists=True)


@click.command()
@click.argument("model", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--data", type=_FOLDER, required=True, help="The cells of its training.")
@click.option("--patients", type=_FOLDER, help="Patient of each cell, as for training.")
@click.option("--corrections", type=_FOLDER, help="Disputed labels, as for training.")
@click.option("--uninfected-fields", type=_FOLDER, multiple=True, help="Fields, as for training.")
@click.option(
    "--laboratory", "laboratories", type=_FOLDER, multiple=True, help="Marked fields, as for training."
)
@click.option(
    "--specificity",
    type=click.FloatRange(0.5, 1, max_open=True),
    default=LABORATORY_SPECIFICITY,
    show_default=True,
    help="Of the uninfected cells of each laboratory.",
)
@click.option("--release", "version", required=True, help="Version of the new release.")
@click.option("--out", type=NEW_FILE, required=True, help="File to write.")
@language_option
def main(*, model: Path, out: Path, words: Catalogue, **options: Any) -> None:
    """Choose the threshold for fields of a released MODEL anew; writes the file, and its card beside it.

    Exit code: 0 written, 2 the model or the data cannot be used.
    """
    try:
        flatbuffer, manifest = rethreshold(model, **options)
        with writing(out):
            write_atomically(out, with_manifest(flatbuffer, manifest, load_model(model).parts))
            write_card(out)
    except PlasmoliteError as error:
        click.echo(words.text(Code.COMMAND_ERROR, reason=error.message), err=True)
        raise SystemExit(2) from error
    point = manifest["operating_points"]["field"]
    click.echo(
        words.text("rethreshold.written", path=out, threshold=point["threshold"], **point["undisputed"])
    )


if __name__ == "__main__":
    main()
