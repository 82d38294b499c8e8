"""Uploads that no client should send: truncated, wrong, swollen, forged. The same seed gives the same ones."""

import random
import struct
import zlib
from collections.abc import Iterator
from typing import NamedTuple

import cv2
import numpy as np

BOUNDARY = "plasmolite-test-boundary"


class Malformed(NamedTuple):
    """One request body that is not what it says."""

    kind: str
    body: bytes
    content_type: str


def malformed_uploads(count: int, seed: int = 0) -> Iterator[Malformed]:
    """Draw so many malformed uploads, the kinds in turn."""
    rng = random.Random(seed)
    picture = np.random.default_rng(seed).integers(0, 255, (60, 60, 3)).astype(np.uint8)
    whole = {
        "image/png": cv2.imencode(".png", picture)[1].tobytes(),
        "image/jpeg": cv2.imencode(".jpg", picture)[1].tobytes(),
        "image/webp": cv2.imencode(".webp", picture)[1].tobytes(),
        "image/bmp": cv2.imencode(".bmp", picture)[1].tobytes(),
        "image/tiff": cv2.imencode(".tif", picture)[1].tobytes(),
    }
    makers = (_truncated, _wrong, _bomb, _empty, _polyglot, _wide, _forged_size, _multipart, _noise, _scans)
    for number in range(count):
        make = makers[number % len(makers)]
        body, content_type = make(rng, whole)
        yield Malformed(make.__name__.strip("_"), body, content_type)


Whole = dict[str, bytes]


def _in_form(data: bytes, name: str = "cell.png") -> tuple[bytes, str]:
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
    return (
        head.encode() + data + f"\r\n--{BOUNDARY}--\r\n".encode(),
        f"multipart/form-data; boundary={BOUNDARY}",
    )


def _truncated(rng: random.Random, whole: Whole) -> tuple[bytes, str]:
    kind, data = rng.choice(sorted(whole.items()))
    part = data[: rng.randrange(1, len(data) * 4 // 5)]
    return (part, kind) if rng.random() < 0.5 else _in_form(part)


def _wrong(rng: random.Random, _: Whole) -> tuple[bytes, str]:
    body = rng.choice(
        [b"GIF89a" + bytes(50), b"%PDF-1.7\n", b"PK\x03\x04" + bytes(60), b"<svg/>", b"\x7fELF"]
    )
    kind = rng.choice(
        ["image/png", "application/octet-stream", "text/plain", "application/json", "image/svg+xml"]
    )
    return body, kind


def _bomb(rng: random.Random, _: Whole) -> tuple[bytes, str]:
    """A PNG of a few kilobytes that claims thousands of millions of pixels, and has the zeros for some."""
    width, height = rng.choice([(50000, 50000), (30000, 65535), (2**31 - 1, 2**31 - 1), (60000, 1000)])
    return _in_form(_png(width, height, zlib.compress(bytes(3_000_000), 9)))


def _empty(rng: random.Random, _: Whole) -> tuple[bytes, str]:
    return rng.choice([(b"", "image/png"), _in_form(b""), (b"", "multipart/form-data"), (b"", "")])


def _polyglot(rng: random.Random, whole: Whole) -> tuple[bytes, str]:
    """A picture's signature before something else, or a script in a picture's comment and no picture."""
    signature = rng.choice(
        [b"\x89PNG\r\n\x1a\r", b"\xff\xd8\xff", b"RIFF\x10\x00\x00\x00WEBP", b"BM", b"II*\x00"]
    )
    rest = rng.choice([b"<script>alert(1)</script>" * 9, b"#!/bin/sh\nid\n" * 9, whole["image/png"][8:]])
    return _in_form(signature + rest, rng.choice(["../../x.png", "x.php", "{{7*7}}.png", "a\\b.png"]))


def _wide(rng: random.Random, _: Whole) -> tuple[bytes, str]:
    width = rng.choice([60000, 65000])
    bmp = b"BM" + struct.pack(
        "<IIIIiiHHIIiiII", 54 + width * 300, 0, 54, 40, width, 100, 1, 24, 0, 0, 0, 0, 0, 0
    )
    jpeg = (
        b"\xff\xd8\xff\xc0\x00\x11\x08" + struct.pack(">HH", 60000, width) + b"\x03" + bytes(10) + b"\xff\xd9"
    )
    return rng.choice([bmp, jpeg, _png(width, 60000, zlib.compress(bytes(1000)))]), "application/octet-stream"


def _forged_size(rng: random.Random, whole: Whole) -> tuple[bytes, str]:
    """A good picture whose header was given another size; the pixels that it claims are not there."""
    data = bytearray(whole["image/png"])
    data[16:24] = struct.pack(">II", rng.choice([0, 3, 3000]), rng.choice([0, 2, 70000]))
    return bytes(data), "image/png"


def _multipart(rng: random.Random, whole: Whole) -> tuple[bytes, str]:
    body, kind = _in_form(whole["image/png"])
    return rng.choice(
        [
            (body, "multipart/form-data"),
            (body, "multipart/form-data; boundary="),
            (body, "multipart/form-data; boundary=" + "x" * 5000),
            (body.replace(b'name="file"', b'name="other"'), kind),
            (body.replace(b'name="file"', b""), kind),
            (body[: len(body) // 2].replace(b"\r\n\r\n", b"\r\n"), kind),
            (b"".join(f"--{BOUNDARY}\r\n{n}: {n}\r\n".encode() for n in range(3000)), kind),
            (
                (f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="a"\r\n\r\nx\r\n' * 3000).encode(),
                kind,
            ),
            (b"\x00" * 20000, kind),
        ]
    )


def _noise(rng: random.Random, whole: Whole) -> tuple[bytes, str]:
    """A picture with its inside overwritten: what still decodes is no cell, what does not is damaged."""
    data = bytearray(whole["image/png"])
    at = rng.randrange(8, len(data) - 40)
    data[at : at + 30] = rng.randbytes(30)
    return _in_form(bytes(data[: len(data) * 2 // 3]))


def _scans(_: random.Random, __: Whole) -> tuple[bytes, str]:
    frame = b"\xff\xd8\xff\xc2\x00\x11\x08\x07\xd0\x07\xd0\x03\x01\x22\x00\x02\x11\x01\x03\x11\x01"
    return frame + b"\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00\x00" * 5000 + b"\xff\xd9", "image/jpeg"


def _png(width: int, height: int, pixels: bytes) -> bytes:
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + _chunk(b"IDAT", pixels) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
