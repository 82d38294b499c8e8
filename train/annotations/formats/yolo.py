"""YOLO (Darknet, Ultralytics): a text file a picture, ``class cx cy w h`` a line, as shares of the picture.

A line of more numbers is an outline (``class x1 y1 x2 y2 ...``). Names stand in ``data.yaml``, ``classes.txt`` or
``obj.names`` beside the labels or above them. A picture with an empty file was looked at and holds nothing.
"""

import re
from pathlib import Path

from edge.images.inputs import is_made_by_system
from edge.messages.annotation_codes import AnnotationCode
from edge.messages.message import Message, reason_of
from train.annotations.values import AnnotationError, Annotations, Box, box_around, number_of, text_of

_NAME_FILES = ("data.yaml", "data.yml", "dataset.yaml", "classes.txt", "obj.names", "_darknet.labels")
_HOW_FAR_UP = 3
_NO_LABELS = re.compile(r"readme.*|(train|val|valid|validation|test)\.txt", re.IGNORECASE)
"""Text files that programs put beside the labels: what the set is (Roboflow), and lists of pictures (Darknet, CVAT)."""


def read_yolo(path: Path) -> Annotations:
    """Read a folder of label files, or the ``data.yaml`` beside it.

    Raises:
        AnnotationError: nothing names the classes, or there is no label file.
    """
    folder = path if path.is_dir() else path.parent
    files = sorted(
        file
        for file in folder.rglob("*.txt")
        if file.name not in _NAME_FILES
        and not _NO_LABELS.fullmatch(file.name)
        and not any(map(is_made_by_system, file.relative_to(folder).parts))
    )
    if not files:
        raise AnnotationError(AnnotationCode.NO_LABEL_FILES, folder=folder)
    names = _names(path if path.is_file() else _name_file(folder))
    found = Annotations("YOLO")
    for file in files:
        # "labels/" of the path to a label file stands where "images/" is in that to its picture.
        name = re.sub(r"(^|/)labels/", r"\1", file.relative_to(folder).with_suffix("").as_posix())
        boxes = found.pictures.setdefault(name, [])
        for number, line in enumerate(text_of(file).splitlines(), 1):
            if not line.strip():
                continue
            try:
                boxes.append(_box(line, names))
            except ValueError as error:
                where = Message(AnnotationCode.LINE, path=file.name, row=number)
                found.leave_out(where, reason_of(error), name)
    return found


def _box(line: str, names: dict[int, str]) -> Box:
    number, *values = line.split()
    if not number.isdecimal() or int(number) not in names:
        raise ValueError(Message(AnnotationCode.CLASS_WITHOUT_NAME, key=number))
    label, numbers = names[int(number)], [number_of("x, y", value) for value in values]
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


def _names(path: Path) -> dict[int, str]:
    text = text_of(path)
    if path.suffix.lower() not in {".yaml", ".yml"}:
        return dict(enumerate(line.strip() for line in text.splitlines() if line.strip()))
    # Of YAML no more than the four ways in which the names are written.
    text = re.sub(r"(?m)(^|[ \t])#.*$", "", text)
    inline = re.search(r"^names:[ \t]*\[(.*?)\]", text, re.MULTILINE | re.DOTALL)
    if inline:
        return dict(enumerate(_plain(name) for name in inline[1].split(",") if name.strip()))
    block = re.search(
        r"^names:[ \t]*\r?\n((?:[ \t]*(?:-|\d+:).*\r?\n|[ \t]*\r?\n)+)", f"{text}\n", re.MULTILINE
    )
    numbered = block or re.search(r"^names:[ \t]*\{(.*?)\}", text, re.MULTILINE | re.DOTALL)
    if numbered is None:
        raise AnnotationError(AnnotationCode.NO_LIST_OF_NAMES, path=path)
    names: dict[int, str] = {}
    for line in numbered[1].splitlines() if block else numbered[1].split(","):
        key, _, name = line.strip().partition(":" if re.match(r"\s*\d+:", line) else "-")
        if name.strip():
            names[int(key) if key else len(names)] = _plain(name)
    return names


def _plain(name: str) -> str:
    return name.strip().strip("'\"")
