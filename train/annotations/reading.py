"""Tells which format annotations are of, and reads them."""

import json
from collections.abc import Callable
from pathlib import Path

from edge.messages.annotation_codes import AnnotationCode
from edge.messages.message import Message
from edge.messages.train_codes import TrainCode
from train.annotations.formats.box_table import read_box_table
from train.annotations.formats.coco import read_coco
from train.annotations.formats.cvat import CVAT_FILE, read_cvat
from train.annotations.formats.label_studio import read_label_studio
from train.annotations.formats.voc import read_voc
from train.annotations.formats.xml_text import parse_xml
from train.annotations.formats.yolo import read_yolo
from train.annotations.values import AnnotationError, Annotations, text_of


def read_annotations(path: Path) -> Annotations:
    """Read annotations of any known format; one bad entry is left out, with a sentence.

    Args:
        path: a file, or for YOLO and Pascal VOC the folder of their label files.

    Raises:
        AnnotationError: they are of no known format or cannot be read.
    """
    if not path.exists():
        raise AnnotationError(TrainCode.DATA_MISSING, path=path)
    found = _reader(path)(path)
    if not any(found.pictures.values()):
        missing = Message(AnnotationCode.NO_BOX, path=path, form=found.form)
        if found.left_out:
            raise AnnotationError(AnnotationCode.NO_BOX_BUT, missing=missing, entry=found.left_out[0])
        raise AnnotationError(missing)
    return found


def _reader(path: Path) -> Callable[[Path], Annotations]:
    if path.is_dir():
        if (path / CVAT_FILE).is_file():
            return lambda folder: read_cvat(folder / CVAT_FILE)
        suffix = next((suffix for suffix in _IN_FOLDERS if any(path.rglob(f"*{suffix}"))), None)
        if suffix is None:
            raise AnnotationError(AnnotationCode.EMPTY_FOLDER, path=path)
        return _IN_FOLDERS[suffix]
    if path.suffix.lower() not in _FILES:
        raise AnnotationError(AnnotationCode.UNKNOWN_FORMAT, path=path)
    return _FILES[path.suffix.lower()]


def _read_xml(path: Path) -> Annotations:
    one_picture = parse_xml(path.read_bytes(), path.name).tag == "annotation"
    return read_voc(path) if one_picture else read_cvat(path)


def _read_json(path: Path) -> Annotations:
    try:
        content = json.loads(text_of(path))
        if isinstance(content, dict) and {"images", "annotations"} <= set(content):
            return read_coco(content)
        if isinstance(content, list) and all(isinstance(task, dict) for task in content):
            return read_label_studio(content)
    except json.JSONDecodeError as error:
        raise AnnotationError(AnnotationCode.NO_JSON, path=path, reason=str(error)) from error
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise AnnotationError(
            AnnotationCode.DAMAGED, path=path, reason=f"{type(error).__name__} {error}"
        ) from error
    raise AnnotationError(AnnotationCode.OTHER_JSON, path=path)


_IN_FOLDERS: dict[str, Callable[[Path], Annotations]] = {".xml": read_voc, ".txt": read_yolo}
_FILES: dict[str, Callable[[Path], Annotations]] = {
    ".yaml": read_yolo,
    ".yml": read_yolo,
    ".csv": read_box_table,
    ".zip": read_cvat,
    ".xml": _read_xml,
    ".json": _read_json,
}
