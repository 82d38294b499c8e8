"""Nineteen things that are handed to a classifier and are no picture of a cell."""

import os
import struct
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.images.encode import encode_png, write_png
from edge.simulation.single_cell import draw_cell


def write_bad_pictures(folder: Path) -> list[Path]:
    """Write one file of each kind; all of them must be named as not judged."""
    cell = _cell()
    png = encode_png(cell)
    jpeg = cv2.imencode(".jpg", cell)[1].tobytes()
    webp = cv2.imencode(".webp", cell)[1].tobytes()
    tiff = cv2.imencode(".tiff", cell)[1].tobytes()
    bomb = bytearray(png)
    bomb[16:24] = struct.pack(">II", 60_000, 60_000)
    colourless = np.zeros((64, 64, 3), np.uint8)
    contents = {
        "01-empty.png": b"",
        "02-text.png": b"not a picture at all\n" * 20,
        "03-truncated.png": png[: len(png) // 2],
        "04-truncated.jpg": jpeg[: len(jpeg) // 2],
        "05-truncated.webp": webp[: len(webp) // 2],
        "06-truncated.tif": tiff[: len(tiff) // 2],
        "07-header-only.jpg": jpeg[:4],
        "08-bomb.png": bytes(bomb),
        "09-damaged.png": png[:60] + os.urandom(len(png) - 80) + png[-20:],
        "10-html.jpg": b"<html><body>404</body></html>",
        "11-gif.png": b"GIF89a" + bytes(40),
        "12-random.bmp": b"BM" + bytes(range(200)),
        "13-black.png": encode_png(colourless),
        "14-one-pixel.png": encode_png(colourless[:1, :1] + 200),
        "15-tiny-cell.png": encode_png(cv2.resize(cell, (5, 5))),
        "16-blank-glass.png": encode_png(np.full((120, 120, 3), 200, np.uint8)),
        "17-no-size.png": png[:16] + bytes(8) + png[24:],
        "18-one-tint.png": encode_png((cell[:, :, 1:2] * np.array([1, 0.85, 0.7])).astype(np.uint8)),
        "19-damaged.jpg": jpeg[: len(jpeg) // 2] + b"\xff\xd9",
    }
    paths = []
    for name, data in contents.items():
        path = folder / name
        path.write_bytes(data)
        paths.append(path)
    return paths


def write_good_pictures(folder: Path) -> list[Path]:
    """Write one cell as every kind of picture that is read; all of them must be judged."""
    cell = _cell()
    bgr = cv2.cvtColor(cell, cv2.COLOR_RGB2BGR)
    inside = (cell.max(axis=2) > 0).astype(np.uint8) * 255
    variants = {
        "a-rgb.png": bgr,
        "b-sixteen-bits.png": bgr.astype(np.uint16) * 257,
        "c-twelve-bits.tif": bgr.astype(np.uint16) * 16,
        "d-transparent.png": np.dstack([np.where(inside[:, :, None] > 0, bgr, 255), inside]),
        "e-photo.jpg": bgr,
        "f-lossy.webp": bgr,
        "g-plain.bmp": bgr,
    }
    paths = []
    for name, pixels in variants.items():
        path = folder / name
        assert cv2.imwrite(str(path), pixels)
        paths.append(path)
    write_png(folder / "h-grey.png", np.repeat(cell[:, :, 1:2], 3, axis=2))
    return [*paths, folder / "h-grey.png"]


def _cell() -> NDArray[np.uint8]:
    return draw_cell(7, infected=True).rgb
