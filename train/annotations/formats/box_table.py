"""CSV files of boxes. The header tells which of the known layouts it is."""

import csv
import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from edge.cells.tables import csv_rows
from edge.messages.annotation_codes import AnnotationCode
from edge.messages.message import Message, reason_of
from edge.messages.train_codes import TrainCode
from train.annotations.values import AnnotationError, Annotations, Box, box_around, number_of

_Row = dict[str, str]


def read_box_table(path: Path) -> Annotations:
    """Read a table of boxes.

    Raises:
        AnnotationError: no layout is known that has these columns, or shares stand where pixels belong.
    """
    try:
        rows = [row for _, row in csv_rows(path, numbers=True)]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise AnnotationError(TrainCode.UNREADABLE, path=path, reason=reason_of(error)) from error
    if not rows:
        raise AnnotationError(TrainCode.TABLE_EMPTY, path=path)
    head = [column.strip().lower().lstrip("#") for column in rows[0]]
    for name, columns, make in _LAYOUTS:
        if set(columns) <= set(head):
            places = {column: head.index(column) for column in head}
            found = Annotations(f"CSV ({name})")
            for number, row in enumerate(rows[1:], 2):
                try:
                    picture, box = make({column: row[place].strip() for column, place in places.items()})
                except (IndexError, KeyError, TypeError, ValueError) as error:
                    where = Message(AnnotationCode.ROW, path=path.name, row=number)
                    found.leave_out(where, reason_of(error), "".join(row[places[columns[0]] :][:1]).strip())
                    continue
                boxes = found.pictures.setdefault(picture, [])
                if box is not None:
                    boxes.append(box)
                _note_size(found, picture, row, places)
            return _checked(found, path)
    if len(rows[0]) == 6 and not _is_number(rows[0][5]) and (rows[0][1] == "" or _is_number(rows[0][1])):
        return _checked(_without_header(rows, path), path)
    raise AnnotationError(AnnotationCode.UNKNOWN_COLUMNS, path=path, columns=head)


def _note_size(found: Annotations, picture: str, row: list[str], places: dict[str, int]) -> None:
    """Keep how large the picture was, where the table has columns for it."""
    with suppress(IndexError, KeyError, ValueError):
        width, height = (number_of(name, row[places[name]]) for name in ("width", "height"))
        found.sizes[picture] = (width, height)


def _corner_and_size(row: _Row) -> tuple[str, Box]:
    x, y, width, height = (number_of(name, row[name]) for name in ("x", "y", "w", "h"))
    return row["image"], Box(row["label"], x, y, width, height)


def _corners(row: _Row) -> tuple[str, Box]:
    return row["filename"], _from_corners(
        row["class"], *(row[name] for name in ("xmin", "ymin", "xmax", "ymax"))
    )


def _open_images(row: _Row) -> tuple[str, Box]:
    x, right, y, lower = (number_of(name, row[name]) for name in ("xmin", "xmax", "ymin", "ymax"))
    return row["imageid"], Box(row["labelname"], x, y, right - x, lower - y, relative=True)


def _via(row: _Row) -> tuple[str, Box | None]:
    shape, attributes = json.loads(row["region_shape_attributes"]), json.loads(row["region_attributes"])
    if not shape:
        return row["filename"], None
    labels = [value for value in attributes.values() if isinstance(value, str)]
    # Of boxes to tick, those that are.
    labels += [
        name
        for value in attributes.values()
        if isinstance(value, dict)
        for name, ticked in value.items()
        if ticked
    ]
    if len(labels) != 1:
        raise ValueError(Message(AnnotationCode.NO_LABEL))
    return row["filename"], _via_box(labels[0], shape)


def _via_box(label: str, shape: dict[str, Any]) -> Box:
    if "all_points_x" in shape:
        xs, ys = (
            [number_of(name, value) for value in shape[name]] for name in ("all_points_x", "all_points_y")
        )
        return box_around(label, list(zip(xs, ys, strict=True)))
    value = {name: number_of(name, value) for name, value in shape.items() if name != "name"}
    if shape.get("name") == "rect":
        return Box(label, value["x"], value["y"], value["width"], value["height"])
    if shape.get("name") in {"circle", "ellipse"}:
        across, along = (value[name] if name in value else value["r"] for name in ("rx", "ry"))
        return Box(label, value["cx"] - across, value["cy"] - along, 2 * across, 2 * along)
    raise ValueError(Message(AnnotationCode.SHAPE_NO_BOX, shape=str(shape.get("name"))))


_LAYOUTS: tuple[tuple[str, tuple[str, ...], Callable[[_Row], tuple[str, Box | None]]], ...] = (
    ("image, label, x, y, w, h", ("image", "label", "x", "y", "w", "h"), _corner_and_size),
    ("TensorFlow, Roboflow", ("filename", "class", "xmin", "ymin", "xmax", "ymax"), _corners),
    ("VIA", ("filename", "region_shape_attributes", "region_attributes"), _via),
    ("Open Images", ("imageid", "labelname", "xmin", "xmax", "ymin", "ymax"), _open_images),
)


def _without_header(rows: list[list[str]], path: Path) -> Annotations:
    """Path, x1, y1, x2, y2, class, as keras-retinanet has them; a path with nothing behind it holds no cell."""
    found = Annotations("CSV (path, x1, y1, x2, y2, class)")
    for number, row in enumerate(rows, 1):
        name = row[0].strip()
        boxes = found.pictures.setdefault(name, [])
        if any(row[1:]):
            try:
                boxes.append(_from_corners(row[5].strip(), *row[1:5]))
            except (IndexError, ValueError, TypeError) as error:
                where = Message(AnnotationCode.ROW, path=path.name, row=number)
                found.leave_out(where, reason_of(error), name)
    return found


def _from_corners(label: str, *corners: str) -> Box:
    names = ("xmin", "ymin", "xmax", "ymax")
    x, y, right, lower = (number_of(name, corner) for name, corner in zip(names, corners, strict=True))
    return Box(label, x, y, right - x, lower - y)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _checked(found: Annotations, path: Path) -> Annotations:
    boxes = [box for boxes in found.pictures.values() for box in boxes if not box.relative]
    if boxes and all(max(box.x + box.width, box.y + box.height) <= 1 for box in boxes):
        raise AnnotationError(AnnotationCode.SHARES, path=path)
    return found
