"""Pascal VOC: an XML file a picture; corners in pixels, counted from 1, the last one inside.

So says its standard, and so labelImg and Roboflow write. Other programs count from 0 and leave the last pixel out; a
corner at 0 proves it, and then the whole folder is read so.
"""

from contextlib import suppress
from pathlib import Path
from xml.etree.ElementTree import Element

from edge.messages.annotation_codes import AnnotationCode
from edge.messages.message import Message, reason_of
from train.annotations.formats.xml_text import number, parse_xml
from train.annotations.values import AnnotationError, Annotations, Box, files_of


def read_voc(path: Path) -> Annotations:
    """Read one XML file, or a folder of them.

    Raises:
        AnnotationError: a file is no XML.
    """
    files = files_of(path, ".xml") if path.is_dir() else [path]
    found = Annotations("Pascal VOC")
    corners: dict[str, list[tuple[str, float, float, float, float]]] = {}
    for file in files:
        root = _root(file, found)
        if root is None:
            continue
        # The name of the file is that of the picture; the name inside is often that of an earlier folder.
        picture = (file.relative_to(path) if path.is_dir() else Path(file.name)).with_suffix("").as_posix()
        rows = corners.setdefault(picture, [])
        with suppress(AttributeError, ValueError):  # many programs leave the size out
            size = root.find("size")
            found.sizes[picture] = (number(size, "width"), number(size, "height"))  # type: ignore[arg-type]
        for place, entry in enumerate(root.iter("object"), 1):
            where = Message(AnnotationCode.OBJECT, path=file.name, row=place)
            box = entry.find("bndbox")
            if box is None:
                found.leave_out(where, Message(AnnotationCode.NO_BNDBOX), picture)
                continue
            try:
                x, y, right, lower = (number(box, name) for name in ("xmin", "ymin", "xmax", "ymax"))
            except ValueError as error:
                found.leave_out(where, reason_of(error), picture)
                continue
            rows.append(((entry.findtext("name") or "").strip(), x, y, right, lower))
    from_zero = any(x < 1 or y < 1 for rows in corners.values() for _, x, y, _, _ in rows)
    shift, inside = (0, 0) if from_zero else (1, 1)
    found.form = f"Pascal VOC, corners counted from {shift}"
    for picture, rows in corners.items():
        found.pictures[picture] = [
            Box(label, x - shift, y - shift, right - x + inside, lower - y + inside)
            for label, x, y, right, lower in rows
        ]
    return found


def _root(file: Path, found: Annotations) -> Element | None:
    try:
        root = parse_xml(file)
    except AnnotationError as error:
        found.left_out.append(error.message)
        return None
    if root.tag != "annotation":
        found.leave_out(file.name, Message(AnnotationCode.OTHER_ROOT, tag=root.tag))
        return None
    return root
