"""What every format of annotations comes to: for each picture its boxes, and what could not be read."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from edge.errors import PlasmoliteError
from edge.images.inputs import is_made_by_system
from edge.messages.annotation_codes import AnnotationCode
from edge.messages.catalogue import Value
from edge.messages.codes import Code
from edge.messages.message import Message, reason_of
from edge.messages.train_codes import TrainCode


class AnnotationError(PlasmoliteError):
    """Annotations cannot be used as a whole; the message says what is wrong and what to do."""


class Box(NamedTuple):
    """One annotated object. The corner is the upper left one, (x + width, y + height) is outside."""

    label: str
    x: float
    y: float
    width: float
    height: float
    relative: bool = False
    """Whether the four are shares of the picture's width and height; else they are pixels."""

    def in_pixels(self, width: int, height: int) -> "Box":
        """Return the same box in pixels of a picture of this size."""
        if not self.relative:
            return self
        return Box(self.label, self.x * width, self.y * height, self.width * width, self.height * height)


@dataclass
class Annotations:
    """What was read of one file or folder."""

    form: str
    """Name of the format."""
    pictures: dict[str, list[Box]] = field(default_factory=dict)
    """Boxes by picture, as the annotations name it; a picture that was looked at may have none."""
    regions: dict[str, list[Box]] = field(default_factory=dict)
    """Likewise, areas of many objects that nobody told apart: of a cell there, nothing is known."""
    half_read: set[str] = field(default_factory=set)
    """Pictures with an entry that was not read: a cell without a box may be the one that it marks."""
    sizes: dict[str, tuple[float, float]] = field(default_factory=dict)
    """Width and height in pixels that the annotations give a picture, where they do and where it matters."""
    left_out: list[Message] = field(default_factory=list)
    """A sentence for each entry that was not read."""
    entries: Counter[str] = field(default_factory=Counter)
    """How many entries begin a picture, in formats that have one entry a picture."""

    def begin(self, picture: str) -> list[Box]:
        """Begin the entry of a picture, and return the list that takes its boxes."""
        self.entries[picture] += 1
        return self.pictures.setdefault(picture, [])

    def leave_out(self, where: Value, why: Value, hides_cell_of: str | None = None) -> None:
        """Note which entry was not read, and why; and of which picture it may mark a cell, if of any."""
        self.left_out.append(Message(AnnotationCode.ENTRY, where=where, why=why))
        if hides_cell_of is not None:
            self.half_read.add(hides_cell_of)

    def leave_out_unusable(self) -> None:
        """Leave out pictures with several entries, of which nobody says which one counts, and boxes without a name."""
        for picture, count in self.entries.items():
            if count > 1:
                self.leave_out(picture, Message(AnnotationCode.TIMES, count=count))
                for found in (self.pictures, self.regions):
                    found.pop(picture, None)
        for picture, boxes in self.pictures.items():
            for box in [box for box in boxes if not box.label.strip()]:
                boxes.remove(box)
                self.leave_out(picture, Message(AnnotationCode.NO_NAME), picture)

    def labels(self) -> dict[str, int]:
        """Count the boxes by label, the commonest first."""
        counts: dict[str, int] = {}
        for boxes in self.pictures.values():
            for box in boxes:
                counts[box.label] = counts.get(box.label, 0) + 1
        return dict(sorted(counts.items(), key=lambda entry: (-entry[1], entry[0])))


def box_around(label: str, points: Sequence[tuple[float, float]], *, relative: bool = False) -> Box:
    """Make the upright box around the corners of a polygon or of a turned box."""
    xs, ys = [x for x, _ in points], [y for _, y in points]
    return Box(label, min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys), relative)


def turned(
    x: float, y: float, width: float, height: float, degrees: float, *, about: tuple[float, float]
) -> list[tuple[float, float]]:
    """Turn a box clockwise about a point, in pixels; gives its corners."""
    sine, cosine = math.sin(math.radians(degrees)), math.cos(math.radians(degrees))
    corners = [(x, y), (x + width, y), (x + width, y + height), (x, y + height)]
    return [
        (
            about[0] + (left - about[0]) * cosine - (top - about[1]) * sine,
            about[1] + (left - about[0]) * sine + (top - about[1]) * cosine,
        )
        for left, top in corners
    ]


def number_of(name: str, value: object) -> float:
    """Read a number.

    Args:
        name: of the value, to be named where it is none.
        value: as the annotations have it.

    Raises:
        ValueError: it is no number, or none that is finite; its argument is the sentence.
    """
    try:
        number = float(str(value))
    except ValueError:
        number = math.nan
    if math.isfinite(number):
        return number
    if value is None or not str(value).strip():
        raise ValueError(Message(Code.REASON_MISSING_VALUE, name=name))
    raise ValueError(Message(Code.REASON_WRONG_VALUE, name=name, value=str(value)))


def files_of(folder: Path, *suffixes: str) -> list[Path]:
    """List the files below a folder that have one of the suffixes, sorted; not those that a system made for itself."""
    return sorted(
        file
        for file in folder.rglob("*")
        if file.suffix.lower() in suffixes
        and file.is_file()
        and not any(map(is_made_by_system, file.relative_to(folder).parts))
    )


def text_of(path: Path) -> str:
    """Read a text file, whatever marks stand at its beginning.

    Raises:
        AnnotationError: it is missing or no text.
    """
    try:
        return path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise AnnotationError(TrainCode.UNREADABLE, path=path, reason=reason_of(error)) from error
