"""CVAT for images 1.1: ``annotations.xml``; corners in pixels, counted from 0."""

from contextlib import suppress
from pathlib import Path
from xml.etree.ElementTree import Element

from edge.messages.annotation_codes import AnnotationCode
from edge.messages.message import Message, reason_of
from train.annotations.formats.xml_text import parse_xml
from train.annotations.values import AnnotationError, Annotations, Box, box_around, number_of, turned

CVAT_FILE = "annotations.xml"


def read_cvat(path: Path) -> Annotations:
    """Read an export.

    Raises:
        AnnotationError: it cannot be read, or is the format for videos.
    """
    root = parse_xml(path)
    if root.find("track") is not None:
        raise AnnotationError(AnnotationCode.OF_VIDEOS, path=path)
    found = Annotations("CVAT for images")
    for image in root.iter("image"):
        name = image.get("name", "")
        boxes = found.begin(name)
        with suppress(ValueError):
            found.sizes[name] = (
                number_of("width", image.get("width")),
                number_of("height", image.get("height")),
            )
        for shape in image:
            try:
                box = _box(shape)
            except (KeyError, ValueError) as error:
                found.leave_out(
                    name,
                    Message(AnnotationCode.SHAPE_NOT_READ, shape=shape.tag, reason=reason_of(error)),
                    hides_cell_of=name,
                )
                continue
            if box is None:
                # A tag is of the whole picture.
                hides = None if shape.tag == "tag" else name
                found.leave_out(name, Message(AnnotationCode.OTHER_SHAPE, shape=shape.tag), hides)
            else:
                boxes.append(box)
    return found


def _box(shape: Element) -> Box | None:
    label = shape.attrib["label"]
    value = {name: number_of(name, text) for name, text in shape.attrib.items() if name in _NUMBERS}
    if shape.tag == "box":
        x, y, right, lower = (value[name] for name in ("xtl", "ytl", "xbr", "ybr"))
        if value.get("rotation"):
            centre = ((x + right) / 2, (y + lower) / 2)
            return box_around(label, turned(x, y, right - x, lower - y, value["rotation"], about=centre))
        return Box(label, x, y, right - x, lower - y)
    if shape.tag == "ellipse":
        across, along = value["rx"], value["ry"]
        return Box(label, value["cx"] - across, value["cy"] - along, 2 * across, 2 * along)
    if shape.tag == "mask":
        return Box(label, value["left"], value["top"], value["width"], value["height"])
    if shape.tag in {"polygon", "polyline"}:
        points = [point.split(",") for point in shape.attrib["points"].split(";")]
        return box_around(label, [(number_of("points", x), number_of("points", y)) for x, y in points])
    return None


_NUMBERS = frozenset(
    ("xtl", "ytl", "xbr", "ybr", "rotation", "cx", "cy", "rx", "ry", "left", "top", "width", "height")
)
