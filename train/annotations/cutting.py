"""From annotated fields to a folder of labelled cells: found and cut by the device's own finder."""

import csv
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from edge.cells.folder import CellFolder
from edge.cells.tables import path_parts, patients_of, same_end
from edge.errors import ImageError
from edge.images.files import IMAGE_SUFFIXES, read_image
from edge.inference.preprocessing import MIN_CELL_SIDE
from edge.messages.annotation_codes import AnnotationCode
from edge.messages.message import Message, reason_of
from edge.messages.train_codes import TrainCode
from edge.segmentation.finder import CellFinder
from edge.types import Label
from train.annotations.formats.label_studio import name_before_upload
from train.annotations.matching import IN_DOUBT, NOT_ANNOTATED, match
from train.annotations.meaning import Meaning, Names
from train.annotations.values import AnnotationError, Annotations

LEFT_OUT_FILE = "left-out.csv"
_LABELS = {Meaning.INFECTED: Label.PARASITIZED, Meaning.UNINFECTED: Label.UNINFECTED}


@dataclass
class Cut:
    """What came of it."""

    fields: int = 0
    cells: dict[Label, int] = field(default_factory=dict)
    not_annotated: int = 0
    """Found cells that nobody annotated."""
    in_doubt: int = 0
    """Found cells of which the boxes say no one thing, or that an entry that was not read may mark."""
    ignored: int = 0
    """Found cells whose name means neither."""
    boxes: Counter[str] = field(default_factory=Counter)
    """By name, in the pictures that were read."""
    homeless: Counter[str] = field(default_factory=Counter)
    """Those of them that meet no found cell."""
    left_out: list[Message] = field(default_factory=list)
    """A sentence for each picture or entry that was not used."""
    patients: int = 0
    patients_told: Message = field(default_factory=lambda: Message(AnnotationCode.FIELDS_APART))
    """By what: a table, folders, or each field its own."""


def cut_fields(
    annotations: Annotations,
    pictures: Path,
    names: Names,
    out: Path,
    *,
    patients: Path | None = None,
    unannotated_uninfected: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Cut:
    """Find the cells of annotated fields and write those of which the annotations say what they are.

    Args:
        annotations: of `read_annotations`.
        pictures: folder of the fields, at any depth.
        names: what the annotated names mean.
        out: folder to write; must not hold anything.
        patients: CSV file with the columns image and patient; without it the picture's folder is the patient, or the
            picture where all lie in one folder.
        unannotated_uninfected: whether a cell without a box is taken for uninfected, as where parasites alone were
            marked; otherwise it is listed and left out.
        progress: called with (fields done, fields in all).

    Raises:
        AnnotationError: names are without a meaning, or no annotated picture is in the folder.
        PlasmoliteError: the table of patients cannot be applied, or the folder cannot be written.
    """
    names.check(annotations.labels())
    cut = Cut(left_out=list(annotations.left_out))
    places = _places(annotations, pictures, cut)
    whose, cut.patients_told = _whose(list(places.values()), patients)
    folder, finder = CellFolder(out), CellFinder()
    rows: list[Sequence[object]] = []
    for done, (name, file) in enumerate(places.items(), 1):
        try:
            rgb = read_image(pictures / file)
        except (ImageError, OSError) as error:
            reason = error.message if isinstance(error, ImageError) else reason_of(error)
            cut.left_out.append(Message(AnnotationCode.FILE, path=file, reason=reason))
            continue
        size = annotations.sizes.get(name, (0, 0))
        if min(size) > 0 and size != (rgb.shape[1], rgb.shape[0]):
            why = Message(AnnotationCode.OTHER_SIZE, width=int(size[0]), height=int(size[1]))
            cut.left_out.append(Message(AnnotationCode.ENTRY, where=file, why=why))
            continue
        cells = [
            cell for cell in finder.find(rgb).cells if cell.counted and min(cell.box[2:]) >= MIN_CELL_SIDE
        ]
        boxes, regions = (
            [box.in_pixels(rgb.shape[1], rgb.shape[0]) for box in found.get(name, ())]
            for found in (annotations.pictures, annotations.regions)
        )
        matched = match(cells, boxes, names, regions=regions, all_read=name not in annotations.half_read)
        cut.fields += 1
        cut.boxes.update(box.label for box in boxes)
        cut.homeless.update(box.label for box in matched.homeless)
        for number, (cell, told) in enumerate(zip(cells, matched.told, strict=True)):
            x, y, width, height = cell.box
            meaning = told.meaning
            if told.why == NOT_ANNOTATED:
                cut.not_annotated += 1
                meaning = Meaning.UNINFECTED if unannotated_uninfected else None
            cut.in_doubt += told.why == IN_DOUBT
            cut.ignored += meaning is Meaning.IGNORED
            if meaning in _LABELS:
                stem = "-".join(path_parts(file))
                folder.add(
                    f"{stem}_{number:04d}",
                    _LABELS[meaning],
                    whose[file],
                    rgb[y : y + height, x : x + width],
                    cell.mask,
                )
            else:
                rows.append((file, *cell.box, told.why))
        if progress:
            progress(done, len(places))
    infected, alone = (
        sum(count for name, count in boxes.items() if names.meaning(name) is Meaning.INFECTED)
        for boxes in (cut.boxes, cut.homeless)
    )
    if 2 * alone > infected:
        cut.left_out.append(Message(AnnotationCode.MOSTLY_ALONE, boxes=infected, alone=alone))
    folder.close()
    _write_left_out(out / LEFT_OUT_FILE, rows)
    cut.cells = dict(folder.counts)
    cut.patients = len({whose[file] for file in places.values()})
    return cut


def _places(annotations: Annotations, folder: Path, cut: Cut) -> dict[str, str]:
    """Find the file of each annotated picture; names those without file and the files without annotation."""
    if not folder.is_dir():
        raise AnnotationError(AnnotationCode.NO_PICTURE_FOLDER, folder=folder)
    files = sorted(
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and path.suffix.lower() in IMAGE_SUFFIXES
    )
    by_stem: dict[str, list[str]] = {}
    for file in files:
        by_stem.setdefault(path_parts(file)[-1], []).append(file)
    places: dict[str, str] = {}
    entries: dict[str, list[str]] = {}
    for name in annotations.pictures:
        stem = path_parts(name)[-1]
        same_name = by_stem.get(stem) or by_stem.get(name_before_upload(stem), [])
        fitting = [file for file in same_name if same_end(file, name)] or same_name
        exact = [file for file in fitting if file == name]
        if len(exact or fitting) == 1:
            entries.setdefault((exact or fitting)[0], []).append(name)
        else:
            why = Message(AnnotationCode.NOT_AMONG_PICTURES)
            if fitting:
                why = Message(AnnotationCode.COULD_BE, first=fitting[0], second=fitting[1])
            cut.left_out.append(Message(AnnotationCode.ENTRY, where=name, why=why))
    for file, found in entries.items():
        own = [name for name in found if path_parts(name) == path_parts(file)]
        if len(own or found) == 1:
            places[(own or found)[0]] = file
        why = Message(AnnotationCode.SEVERAL_ENTRIES, path=file)
        cut.left_out += [
            Message(AnnotationCode.ENTRY, where=name, why=why) for name in found if name not in places
        ]
    if not places:
        seen = (
            Message(AnnotationCode.FIRST_THERE, first=files[0])
            if files
            else Message(AnnotationCode.NOTHING_THERE)
        )
        raise AnnotationError(
            AnnotationCode.NONE_IN_FOLDER,
            annotated=len(annotations.pictures),
            example=next(iter(annotations.pictures)),
            folder=folder,
            seen=seen,
        )
    nobody = Message(AnnotationCode.BY_NOBODY)
    cut.left_out += [
        Message(AnnotationCode.ENTRY, where=file, why=nobody) for file in files if file not in entries
    ]
    return dict(sorted(places.items(), key=lambda entry: entry[1]))


def _whose(files: list[str], table: Path | None) -> tuple[Mapping[str, str], Message]:
    if table is not None:
        found = patients_of(table, files)
        return {file: found[file].value for file in files}, Message(TrainCode.BY_TABLE_NAMED, path=table.name)
    folders = {file: "/".join(path_parts(file)[:-1]) for file in files}
    if len(set(folders.values())) > 1:
        return {file: folders[file] or path_parts(file)[-1] for file in files}, Message(
            AnnotationCode.BY_FOLDERS
        )
    return {file: path_parts(file)[-1] for file in files}, Message(AnnotationCode.FIELDS_APART)


def _write_left_out(path: Path, rows: Iterable[Sequence[object]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(["image", "x", "y", "w", "h", "why"])
        writer.writerows(rows)
