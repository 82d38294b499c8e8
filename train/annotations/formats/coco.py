"""COCO: one JSON object of images, categories and annotations; boxes are ``[x, y, w, h]`` in pixels."""

from typing import Any

from edge.messages.annotation_codes import AnnotationCode
from edge.messages.message import Message, reason_of
from train.annotations.values import Annotations, Box, box_around, number_of


def read_coco(content: dict[str, Any]) -> Annotations:
    """Read the object; an entry that nothing can be made of is left out, with a sentence."""
    found = Annotations("COCO")
    names: dict[Any, str] = {}
    for entry in content.get("categories", ()):
        try:
            names[entry["id"]] = str(entry["name"])
        except (KeyError, TypeError) as error:
            found.leave_out(Message(AnnotationCode.CATEGORY, key=_key(entry)), reason_of(error))
    pictures: dict[Any, str] = {}
    for entry in content["images"]:
        try:
            name = pictures[entry["id"]] = str(entry["file_name"])
        except (KeyError, TypeError) as error:
            found.leave_out(Message(AnnotationCode.IMAGE, key=_key(entry)), reason_of(error))
            continue
        found.begin(name)
        if isinstance(entry.get("width"), int) and isinstance(entry.get("height"), int):
            found.sizes[name] = (entry["width"], entry["height"])
    for entry in content["annotations"]:
        try:
            _take(entry, pictures, names, found)
        except TypeError as error:
            found.leave_out(Message(AnnotationCode.OF_NO_PICTURE, key=_key(entry)), reason_of(error))
    return found


def _key(entry: Any) -> str:
    return str(entry.get("id", "?")) if isinstance(entry, dict) else "?"


def _take(entry: dict[str, Any], pictures: dict[Any, str], names: dict[Any, str], found: Annotations) -> None:
    if not isinstance(entry, dict):
        raise TypeError(Message(AnnotationCode.NO_SHAPE))
    picture, label = pictures.get(entry.get("image_id")), names.get(entry.get("category_id"))
    if picture is None or label is None:
        why = (
            Message(AnnotationCode.NO_IMAGE, key=str(entry.get("image_id")))
            if picture is None
            else Message(AnnotationCode.NO_CATEGORY, key=str(entry.get("category_id")))
        )
        found.leave_out(Message(AnnotationCode.OF_NO_PICTURE, key=_key(entry)), why, picture)
        return
    where = Message(AnnotationCode.OF_PICTURE, key=_key(entry), picture=picture)
    try:
        box = _box(label, entry)
    except (TypeError, ValueError) as error:
        found.leave_out(where, reason_of(error), picture)
        return
    if box is None or entry.get("iscrowd"):
        code = AnnotationCode.CROWD if entry.get("iscrowd") else AnnotationCode.NO_SHAPE
        found.leave_out(where, Message(code), None if box else picture)
        if box:
            found.regions.setdefault(picture, []).append(box)
    else:
        found.pictures[picture].append(box)


def _box(label: str, entry: dict[str, Any]) -> Box | None:
    if len(entry.get("bbox") or ()) == 4:
        x, y, width, height = (number_of("bbox", value) for value in entry["bbox"])
        return Box(label, x, y, width, height)
    outline = entry.get("segmentation")
    if isinstance(outline, list) and outline:
        numbers = [number_of("segmentation", value) for part in outline for value in part]
        if len(numbers) < 6 or len(numbers) % 2:
            raise ValueError(Message(AnnotationCode.NUMBERS, numbers=len(numbers)))
        return box_around(label, list(zip(numbers[::2], numbers[1::2], strict=True)))
    return None
