"""Pictures damaged by a fuzzer, what the program says of each, and what their own decoders say."""

import io
import os
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import cv2
import numpy as np
from PIL import Image

from edge.cells.files import judge_files
from edge.fields.analyser import FieldAnalyser
from edge.fields.files import analyse_file
from edge.images.heif import can_read_heif, decode_heif, is_heif
from edge.images.inputs import CellFile, split_pages
from edge.inference.classifier import Classifier
from edge.types import Rgb

# What webcams leave behind, with all pixels right (`edge.images.jpeg`), what a TIFF says beside its
# pixels, and what a PNG has after its last row.
HARMLESS = ("extraneous bytes before marker", "TIFF_Warning", "Extra compressed data")
DAMAGE = (
    "Corrupt JPEG",
    "Premature end",
    "bogus",
    "Invalid",
    "CRC error",
    "libpng",
    "TIFF",
    "Unsupported marker",
)
"""What OpenCV's decoders write to standard error of pictures that they nevertheless hand over."""


class Outcome(NamedTuple):
    """What became of one damaged file.

    Attributes:
        judged: the program gave a verdict or cells.
        refused: its sentence, in place of one.
        complaint: what the picture's own decoders say of it; None where they find nothing.
    """

    judged: bool
    refused: str | None
    complaint: str | None


def written_in_every_way(rgb: Rgb) -> dict[str, bytes]:
    """The picture in every format and compression that is read, by the name of a file."""
    picture, written = Image.fromarray(rgb), {}

    def save(name: str, **options: object) -> None:
        file = io.BytesIO()
        picture.save(file, name.rpartition(".")[2].replace("jpg", "jpeg").replace("tif", "tiff"), **options)
        written[name] = file.getvalue()

    save("plain.jpg", quality=90)
    save("progressive.jpg", quality=90, progressive=True)
    save("restarts.jpg", quality=90, restart_marker_rows=1)
    save("plain.png")
    save("plain.bmp")
    save("lossy.webp", quality=90)
    save("lossless.webp", lossless=True)
    for compression in ("raw", "tiff_lzw", "tiff_adobe_deflate", "jpeg", "packbits"):
        save(f"{compression}.tif", compression=compression)
    save("pages.tif", save_all=True, append_images=[picture.rotate(180)])
    save("animated.webp", save_all=True, append_images=[picture.rotate(180)], lossless=True)
    save("animated.png", save_all=True, append_images=[picture.rotate(180)])
    if can_read_heif():
        import pillow_heif  # noqa: PLC0415 - an extra

        written["telephone.heic"] = _heic(pillow_heif, picture)
    return written


def _heic(pillow_heif: object, picture: Image.Image) -> bytes:
    file = io.BytesIO()
    pillow_heif.from_pillow(picture).save(file, quality=90)  # type: ignore[attr-defined]
    return file.getvalue()


def judge_cell(classifier: Classifier, data: bytes) -> Outcome:
    """Classify a damaged picture of a cell, every page of it."""
    said = list(judge_files(classifier, 0.5, [CellFile("x", data)], accept_anything=True, workers=1))
    judged = any(one.error is None for one in said)
    refused = next((str(one.error) for one in said if one.error is not None), None)
    return Outcome(judged, refused, complaint(data, [one.error is None for one in said]) if judged else None)


def judge_field(analyser: FieldAnalyser, data: bytes) -> Outcome:
    """Analyse a damaged picture of a field, every page of it."""
    fields = [analyse_file(analyser, file) for file in split_pages([CellFile("x", data)])]
    read = [field.result is not None for field in fields]
    refused = next((str(field.error) for field in fields if field.error is not None), None)
    return Outcome(any(read), refused, complaint(data, read) if any(read) else None)


def complaint(data: bytes, judged: list[bool]) -> str | None:
    """What Pillow raises and OpenCV writes of a file's judged pictures; None where both are content.

    Args:
        data: the file.
        judged: for each of its pictures, whether it was judged.
    """
    try:
        if is_heif(data):
            decode_heif(data)
            return None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(data)) as picture:
                for number in np.flatnonzero(judged).tolist():
                    picture.seek(number)
                    picture.load()
    except Exception as error:
        return f"Pillow: {type(error).__name__}: {error}"
    with standard_error() as written:
        cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    for line in written():
        if any(word in line for word in DAMAGE) and not any(word in line for word in HARMLESS):
            return f"OpenCV: {line}"
    return None


@contextmanager
def standard_error() -> Iterator[object]:
    """Catch what libraries write to standard error; yields a function that gives its lines."""
    kept, lines = os.dup(2), []
    with tempfile.TemporaryFile() as file:
        os.dup2(file.fileno(), 2)
        try:
            yield lambda: lines
        finally:
            os.dup2(kept, 2)
            os.close(kept)
            file.seek(0)
            lines += file.read().decode("utf-8", "replace").splitlines()
