"""``plasmolite cut``: annotated fields in, a folder of labelled cells out."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edge.errors import PlasmoliteError
from edge.messages.annotation_codes import AnnotationCode
from edge.messages.message import Message
from plasmolite.commands.options.paths import FOLDER, PRESENT, PRESENT_FILE, PRESENT_FOLDER
from plasmolite.terminal.language import end_without_package, refuse, spoken

if TYPE_CHECKING:
    from train.annotations.cutting import Cut
    from train.annotations.values import Annotations


@click.command(
    epilog="Examples:\n\n  plasmolite cut slides/ --annotations boxes.json --positive ring,trophozoite "
    '--negative "red blood cell" --ignore leukocyte --out cells\n\n'
    "  plasmolite train --data cells --patients cells/patients.csv --out runs/mine"
)
@click.argument("pictures", type=PRESENT_FOLDER)
@click.option(
    "--annotations",
    "file",
    type=PRESENT,
    required=True,
    help="A COCO, Label Studio, CVAT or CSV file, or the folder of the label files of YOLO or Pascal VOC.",
)
@click.option(
    "--positive", required=True, metavar="NAMES", help="What infected cells are called: ring,schizont."
)
@click.option("--negative", metavar="NAMES", help="What uninfected red cells are called.")
@click.option("--ignore", metavar="NAMES", help="What is neither, or is not to be learnt from.")
@click.option(
    "--unannotated",
    type=click.Choice(["uninfected", "leave-out"]),
    help="What a found cell without a box is.  [default: uninfected where parasites alone were marked, that is, "
    "without --negative; else leave-out]",
)
@click.option(
    "--patients",
    type=PRESENT_FILE,
    help="CSV: columns image and patient.",
)
@click.option("--out", type=FOLDER, required=True, help="Folder of cells to write.")
@click.option("--json", "json_wanted", is_flag=True, help="Print one JSON object on standard output.")
def command(
    *,
    pictures: Path,
    file: Path,
    positive: str,
    negative: str | None,
    ignore: str | None,
    unannotated: str | None,
    patients: Path | None,
    out: Path,
    json_wanted: bool,
) -> None:
    """Cut the red cells of annotated fields into a folder that train, convert and adapt read.

    The device's own finder finds and cuts the cells of PICTURES, so that what is learnt from is what will be judged;
    of a box nothing counts but its middle and its name. OUT receives Parasitized/ and Uninfected/, patients.csv, and
    left-out.csv with the cells that nobody annotated or of which the boxes say no one thing.

    Exit code: 0 written, 1 something was left out, 2 invalid input; nothing was processed.
    """
    from rich.console import Console

    from train.annotations.cutting import cut_fields
    from train.annotations.meaning import Meaning, Names
    from train.annotations.reading import read_annotations

    console, words = Console(stderr=True), spoken()
    try:
        annotations = read_annotations(file)
        names = Names.of(_names(positive), _names(negative), _names(ignore))
        taken = unannotated == Meaning.UNINFECTED if unannotated else not names.negative
        with console.status(words.text("cut.cutting")) as status:
            cut = cut_fields(
                annotations,
                pictures,
                names,
                out,
                patients=patients,
                unannotated_uninfected=taken,
                progress=lambda done, total: status.update(words.text("cut.field", done=done, total=total)),
            )
    except (PlasmoliteError, OSError) as error:
        refuse(error)
    except ImportError as error:
        end_without_package(error, "train")
    if json_wanted:
        click.echo(json.dumps(_as_json(annotations, cut, out)))
    else:
        _print(annotations, cut, out, taken=taken)
    sys.exit(1 if cut.left_out else 0)


def _names(text: str | None) -> list[str]:
    return [name for name in (part.strip() for part in (text or "").split(",")) if name]


def _as_json(annotations: Annotations, cut: Cut, out: Path) -> dict[str, Any]:
    return {
        "format": annotations.form,
        "fields": cut.fields,
        "cells": {str(label): number for label, number in cut.cells.items()},
        "patients": cut.patients,
        "patients_by": str(cut.patients_told),
        "boxes": dict(cut.boxes),
        "boxes_without_cell": dict(cut.homeless),
        "cells_not_annotated": cut.not_annotated,
        "cells_in_doubt": cut.in_doubt,
        "cells_ignored": cut.ignored,
        "left_out": [str(sentence) for sentence in cut.left_out],
        "left_out_messages": [sentence.to_json() for sentence in cut.left_out],
        "folder": str(out),
    }


def _print(annotations: Annotations, cut: Cut, out: Path, *, taken: bool) -> None:
    from rich.console import Console
    from rich.table import Table

    from edge.types import Label

    words = spoken()
    table = Table(title=words.text("cut.title", form=annotations.form, fields=cut.fields))
    for column in ("name", "boxes", "alone"):
        table.add_column(words.text(f"cut.column.{column}"), justify="left" if column == "name" else "right")
    for name, number in cut.boxes.most_common():
        table.add_row(name, words.count(number), words.count(cut.homeless[name]))
    Console().print(table)
    written = {str(label).lower(): cut.cells.get(label, 0) for label in (Label.PARASITIZED, Label.UNINFECTED)}
    patients = Message(AnnotationCode.PATIENTS, patients=cut.patients, told=cut.patients_told)
    click.echo(words.text("cut.written", patients=patients, **written))
    left = {"cells": cut.not_annotated, "doubt": cut.in_doubt, "ignored": cut.ignored}
    click.echo(words.text("cut.taken" if taken else "cut.not-taken", **left))
    for sentence in cut.left_out:
        click.echo(words.text("cut.left-out", sentence=sentence), err=True)
    if cut.patients_told.code is AnnotationCode.FIELDS_APART:
        click.echo(words.text("cut.fields-apart"), err=True)
    click.echo(words.text("cut.next", folder=out, patients=out / "patients.csv"))
