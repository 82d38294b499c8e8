"""Tells which format annotations are of, and reads them."""

import json
import zipfile
import zlib
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from edge.messages.annotation_codes import AnnotationCode
from edge.messages.message import Message, reason_of
from edge.messages.train_codes import TrainCode
from train.annotations.formats.box_table import read_box_table
from train.annotations.formats.coco import read_coco
from train.annotations.formats.cvat import CVAT_FILE, read_cvat
from train.annotations.formats.label_studio import picture_path, read_label_studio
from train.annotations.formats.voc import read_voc
from train.annotations.formats.xml_text import parse_xml
from train.annotations.formats.yolo import label_files, read_yolo
from train.annotations.values import AnnotationError, Annotations, files_of, text_of

MOST_UNPACKED = 2**30
"""Bytes that the annotations in a zip file may unpack to: those of a hundred thousand pictures are a tenth of it, and a
zip file of a megabyte can be made that fills a disk."""


def read_annotations(path: Path) -> Annotations:
    """Read annotations of any known format; one bad entry is left out, with a sentence.

    Args:
        path: a file, a zip file of one or of a folder, or for YOLO and Pascal VOC the folder of their label files.

    Raises:
        AnnotationError: they are of no known format or cannot be read.
    """
    if not path.exists():
        raise AnnotationError(TrainCode.DATA_MISSING, path=path)
    with ExitStack() as kept:
        place = path
        if path.suffix.lower() == ".zip" and path.is_file():
            place = Path(kept.enter_context(TemporaryDirectory()), path.stem)
            _unpack(path, place)
        try:
            found = _reader(place)(place)
        except AnnotationError as error:
            raise AnnotationError(_as_named(error.message, place, path)) from error
    found.leave_out_unusable()
    if not any(found.pictures.values()):
        missing = Message(AnnotationCode.NO_BOX, path=path, form=found.form)
        if found.left_out:
            raise AnnotationError(AnnotationCode.NO_BOX_BUT, missing=missing, entry=found.left_out[0])
        raise AnnotationError(missing)
    return found


def _unpack(path: Path, folder: Path) -> None:
    """Unpack what may be annotations, without the pictures beside them."""
    try:
        with zipfile.ZipFile(path) as archive:
            kept = [entry for entry in archive.infolist() if Path(entry.filename).suffix.lower() in _PACKED]
            # What an entry says of its size binds the unpacking: one that is longer does not fit its checksum.
            size = sum(entry.file_size for entry in kept)
            if size > MOST_UNPACKED:
                mebibytes = {"size": size / 2**20, "most": MOST_UNPACKED / 2**20}
                raise AnnotationError(AnnotationCode.TOO_LARGE, path=path, **mebibytes)
            for entry in kept:
                archive.extract(entry, folder)
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, zipfile.BadZipFile, zlib.error, RuntimeError) as error:
        # A RuntimeError is one that is encrypted, or packed by a method that Python cannot unpack.
        raise AnnotationError(TrainCode.UNREADABLE, path=path, reason=reason_of(error)) from error


def _as_named(message: Message, unpacked: Path, path: Path) -> Message:
    """Say it of the zip file, not of the folder that it was unpacked into."""
    values = {
        name: value.replace(str(unpacked), str(path))
        for name, value in message.values.items()
        if isinstance(value, str)
    }
    return message.replaced(**values)


def _reader(path: Path) -> Callable[[Path], Annotations]:
    if not path.is_dir():
        if path.suffix.lower() not in _FILES:
            raise AnnotationError(AnnotationCode.UNKNOWN_FORMAT, path=path)
        return _FILES[path.suffix.lower()]
    if (path / CVAT_FILE).is_file():
        return lambda folder: read_cvat(folder / CVAT_FILE)
    single = files_of(path, ".xml")
    if len(single) > 1 or (single and parse_xml(single[0]).tag == "annotation"):
        return read_voc
    if not single:
        if label_files(path):
            return read_yolo
        single = files_of(path, ".json", ".csv")
    if len(single) != 1:
        raise AnnotationError(AnnotationCode.EMPTY_FOLDER, path=path)
    return lambda _: _reader(single[0])(single[0])


def _read_xml(path: Path) -> Annotations:
    return read_voc(path) if parse_xml(path).tag == "annotation" else read_cvat(path)


def _read_json(path: Path) -> Annotations:
    try:
        content = json.loads(text_of(path))
        if isinstance(content, dict) and {"images", "annotations"} <= set(content):
            return read_coco(content)
        if (
            isinstance(content, list)
            and all(isinstance(task, dict) for task in content)
            and any(map(picture_path, content))
        ):
            return read_label_studio(content)
    except json.JSONDecodeError as error:
        raise AnnotationError(AnnotationCode.NO_JSON, path=path, reason=str(error)) from error
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise AnnotationError(
            AnnotationCode.DAMAGED, path=path, reason=f"{type(error).__name__} {error}"
        ) from error
    raise AnnotationError(AnnotationCode.OTHER_JSON, path=path)


_FILES: dict[str, Callable[[Path], Annotations]] = {
    ".yaml": read_yolo,
    ".yml": read_yolo,
    ".csv": read_box_table,
    ".xml": _read_xml,
    ".json": _read_json,
}
_PACKED = {*_FILES, ".txt", ".names", ".labels"}
