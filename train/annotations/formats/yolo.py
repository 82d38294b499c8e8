"""YOLO (Darknet, Ultralytics): a text file a picture, ``class cx cy w h`` a line, as shares of the picture.

A line of more numbers is an outline (``class x1 y1 x2 y2 ...``), or a box with points where ``data.yaml`` states
``kpt_shape``. Names stand in ``data.yaml``, ``classes.txt`` or ``obj.names`` beside the labels or above them. A picture
with an empty file was looked at and holds nothing.
"""

import math
import re
from pathlib import Path
from typing import Any

from edge.messages.annotation_codes import AnnotationCode
from edge.messages.message import Message, reason_of
from train.annotations.values import (
    AnnotationError,
    Annotations,
    Box,
    box_around,
    files_of,
    number_of,
    text_of,
)

_NAME_FILES = ("data.yaml", "data.yml", "dataset.yaml", "classes.txt", "obj.names", "_darknet.labels")
_HOW_FAR_UP = 3
_NO_LABELS = re.compile(r"readme.*|classes\.txt|(train|val|valid|validation|test)\.txt", re.IGNORECASE)
"""Text files that programs put beside the labels: names, what the set is, and lists of pictures."""


def label_files(folder: Path) -> list[Path]:
    """List the files below a folder that may hold the boxes of a picture each."""
    return [file for file in files_of(folder, ".txt") if not _NO_LABELS.fullmatch(file.name)]


def read_yolo(path: Path) -> Annotations:
    """Read a folder of label files, or the ``data.yaml`` beside it.

    Raises:
        AnnotationError: nothing names the classes, or there is no label file.
    """
    folder = path if path.is_dir() else path.parent
    files = label_files(folder)
    if not files:
        raise AnnotationError(AnnotationCode.NO_LABEL_FILES, folder=folder)
    names, points = _classes(path if path.is_file() else _name_file(folder))
    found = Annotations("YOLO")
    for file in files:
        # "labels/" of the path to a label file stands where "images/" is in that to its picture.
        name = re.sub(r"(^|/)labels/", r"\1", file.relative_to(folder).with_suffix("").as_posix())
        try:
            lines = text_of(file).splitlines()
        except AnnotationError as error:
            found.left_out.append(error.message)
            continue
        boxes = found.pictures.setdefault(name, [])
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                boxes.append(_box(line, names, points))
            except ValueError as error:
                where = Message(AnnotationCode.LINE, path=file.name, row=number)
                found.leave_out(where, reason_of(error), name)
    return found


def _box(line: str, names: dict[int, str], points: int) -> Box:
    """Read a line; ``points`` are the numbers of keypoints that follow each box."""
    word, *values = line.split()
    number = re.fullmatch(r"(\d+)(\.0+)?", word)  # NumPy writes 1.0
    if not number or int(number[1]) not in names:
        raise ValueError(Message(AnnotationCode.CLASS_WITHOUT_NAME, key=word))
    label, numbers = names[int(number[1])], [number_of("x, y", value) for value in values]
    if points and len(numbers) in {4 + points, 5 + points}:
        numbers = numbers[:4]
    if len(numbers) in {4, 5}:  # a fifth is how sure a program was
        x, y, width, height = numbers[:4]
        return Box(label, x - width / 2, y - height / 2, width, height, relative=True)
    if len(numbers) < 6 or len(numbers) % 2:
        raise ValueError(Message(AnnotationCode.NUMBERS, numbers=len(numbers)))
    return box_around(label, list(zip(numbers[::2], numbers[1::2], strict=True)), relative=True)


def _name_file(folder: Path) -> Path:
    for place in [folder, *folder.resolve().parents[:_HOW_FAR_UP]]:
        for name in _NAME_FILES:
            if (place / name).is_file():
                return place / name
    raise AnnotationError(AnnotationCode.NO_CLASS_NAMES, folder=folder)


def _classes(path: Path) -> tuple[dict[int, str], int]:
    """Read the names by number, and of how many numbers the keypoints of a box are."""
    text = text_of(path)
    if path.suffix.lower() not in {".yaml", ".yml"}:
        return dict(enumerate(line.strip() for line in text.splitlines() if line.strip())), 0
    import yaml  # noqa: PLC0415 - a device that cuts cells of other formats need not have it

    try:
        content: Any = yaml.load(text, yaml.BaseLoader)  # noqa: S506 - it makes text, lists and maps of text alone
        names = content["names"]
        if isinstance(names, list):
            names = dict(enumerate(names))
        points = math.prod(map(int, content["kpt_shape"])) if "kpt_shape" in content else 0
        return {int(number): str(name).strip() for number, name in names.items()}, points
    except (yaml.YAMLError, AttributeError, KeyError, RecursionError, TypeError, ValueError) as error:
        raise AnnotationError(AnnotationCode.NO_LIST_OF_NAMES, path=path) from error
