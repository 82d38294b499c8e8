"""Label Studio: a JSON list of tasks. Boxes are per cent of the picture, and may be turned about their corner.

Pictures that several people annotated are left out, since nobody says whose word counts; so are tasks that nobody
annotated. What a program predicted is no annotation.
"""

import re
from collections import Counter
from typing import Any
from urllib.parse import unquote

from edge.messages.annotation_codes import AnnotationCode
from edge.messages.message import Message
from train.annotations.values import Annotations, Box, box_around, turned

_UPLOADED = re.compile(r"^[0-9a-f]{8}-(?!(?:[0-9a-f]{4}-){3}[0-9a-f]{12})")
"""What an upload puts before a name, unless it is the beginning of a name that is a UUID."""
_IN_A_PLACE = {"x", "points", "vertices", "rle"}
"""What a mark has that lies somewhere in the picture; choices and texts are of the whole of it."""


def read_label_studio(tasks: list[dict[str, Any]]) -> Annotations:
    """Read an export as JSON, or as JSON_MIN, in which the results stand flat in the task."""
    found = Annotations("Label Studio")
    paths = [picture_path(task) for task in tasks]
    # Pictures of one name that were uploaded from two folders keep what tells them apart.
    alike = Counter(_as_it_was(path) for path in set(paths) if path is not None)
    for place, (task, path) in enumerate(zip(tasks, paths, strict=True), 1):
        if path is None:
            found.leave_out(
                Message(AnnotationCode.TASK, key=str(task.get("id", place))),
                Message(AnnotationCode.TASK_WITHOUT_PICTURE),
            )
            continue
        picture = _as_it_was(path)
        if alike[picture] > 1:
            picture = path
        if "annotations" in task or "completions" in task:
            given = task.get("annotations") or task.get("completions") or []
            given = [one for one in given if not one.get("was_cancelled")]
            if len(given) != 1:
                found.leave_out(picture, Message(AnnotationCode.TIMES, count=len(given)))
                continue
            results = [
                (entry.get("type"), entry, entry.get("value", {})) for entry in given[0].get("result", ())
            ]
        else:  # JSON_MIN
            flat = [entry for value in task.values() if isinstance(value, list) for entry in value]
            results = [("rectanglelabels", one, one) for one in flat if isinstance(one, dict)]
        boxes = found.begin(picture)
        labelled = {entry["id"] for _, entry, value in results if "id" in entry and _labels(value)}
        for kind, entry, value in results:
            if kind == "relation" or (not _labels(value) and entry.get("id") in labelled):
                continue  # an arrow between boxes; the bare shape of a label that is in an entry of its own
            box = _box(kind, entry, value)
            if isinstance(box, Message):
                found.leave_out(picture, box, picture if _IN_A_PLACE & set(value) else None)
            else:
                boxes.append(box)
    return found


def picture_path(task: dict[str, Any]) -> str | None:
    """The path or address of a task's picture; ``None`` where it has none."""
    data = task.get("data", task)
    if not isinstance(data, dict):
        return None
    path = data.get("image") or next(
        (value for value in data.values() if isinstance(value, str) and re.search(r"\.\w{3,4}$", value)), None
    )
    if path is None:
        return None
    path = unquote(str(path)).partition("?d=")[2] or unquote(str(path))
    # Behind the path of an address may stand who may read it, and until when.
    return path.partition("?")[0] if "://" in path else path


def name_before_upload(name: str) -> str:
    """A picture's name without the eight digits that an upload to Label Studio puts before it."""
    return _UPLOADED.sub("", name)


def _as_it_was(path: str) -> str:
    folder, _, name = path.rpartition("/")
    return name_before_upload(name) if "upload" in folder else path


def _labels(value: dict[str, Any]) -> list[Any]:
    return next((value[key] for key in value if key.endswith("labels") and value[key]), [])


def _box(kind: Any, entry: dict[str, Any], value: dict[str, Any]) -> Box | Message:
    """Make the box of one result, or say what it is instead."""
    labels = _labels(value)
    if not labels:
        return Message(AnnotationCode.SHAPE_UNLABELLED, shape=str(kind or "mark"))
    if len(labels) > 1:
        return Message(AnnotationCode.SEVERAL_LABELS, labels=[str(label) for label in labels])
    return _shape(str(labels[0]), kind, entry, value)


def _shape(label: str, kind: Any, entry: dict[str, Any], value: dict[str, Any]) -> Box | Message:
    wide, high = entry.get("original_width"), entry.get("original_height")
    if "points" in value:
        return box_around(label, [(x / 100, y / 100) for x, y in value["points"]], relative=True)
    if "radiusX" in value:
        x, y, across, along = (value[key] / 100 for key in ("x", "y", "radiusX", "radiusY"))
        return Box(label, x - across, y - along, 2 * across, 2 * along, relative=True)
    if not all(key in value for key in ("x", "y", "width", "height")):
        return Message(AnnotationCode.SHAPE_NO_BOX, shape=str(kind or "mark"))
    x, y, width, height = (value[key] / 100 for key in ("x", "y", "width", "height"))
    degrees = value.get("rotation") or 0
    if not degrees:
        return Box(label, x, y, width, height, relative=True)
    if not wide or not high:
        return Message(AnnotationCode.TURNED)
    corner = (x * wide, y * high)
    return box_around(label, turned(*corner, width * wide, height * high, degrees, about=corner))
