"""The small network that sees cells: is a pixel a cell's, is it a centre, and where is its cell's centre."""

from __future__ import annotations

import hashlib
import io
import json
import threading
import zipfile
from importlib import resources
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.errors import ModelFileError
from edge.inference.model_file import MANIFEST_NAME
from edge.inference.runtime import Runtime, allocate, default_threads, find_runtime, open_interpreter
from edge.messages.codes import Code
from edge.messages.message import reason_of

# The network answers for every second pixel of its picture in each direction.
STRIDE = 2
# It halves its picture four times.
MULTIPLE = 16
# Its picture: glass and a typical cell, in grey levels.
GLASS_LEVEL, CELL_LEVEL = 32.0, 112.0
# Offsets are told in units of the width that cells have in its picture, px.
CELL_WIDTH = 32.0
# Larger pictures are seen in tiles, which keeps memory flat: an interpreter takes about 110 bytes a pixel. Neighbours
# see this far into each other.
TILE_PIXELS, OVERLAP = 270_000, 64
FINDER_MODEL = "cellfinder-int8.tflite"
# To give an interpreter another size of picture takes nearly as long as to see one, and the cells of one slide call for
# two or three sizes: interpreters are kept for the latest, of so many pixels together.
KEPT_PIXELS = 700_000
# Where memory is short, those of one size.
KEPT_PIXELS_SPARING = 250_000


class SegmentationMaps(NamedTuple):
    """What the network says of a picture of (h, w), on a grid of half its size, rounded up.

    Attributes:
        cell: float16 (h/2, w/2), logit that the pixel is a cell's.
        centre: float16 (h/2, w/2), logit that a cell's centre is here.
        offset: float16 (h/2, w/2, 2), x and y from here to the centre of the pixel's cell, in grid pixels.
        white: float16 (h/2, w/2), logit that the pixel's cell is a white one.
    """

    cell: NDArray[np.float16]
    centre: NDArray[np.float16]
    offset: NDArray[np.float16]
    white: NDArray[np.float16]


def chances(logits: NDArray[np.float16]) -> NDArray[np.float32]:
    """Probabilities of logits, float32 of the same shape."""
    return np.asarray(1 / (1 + cv2.exp(-logits.astype(np.float32))), np.float32)


def picture_scaling(typical: float) -> tuple[float, float]:
    """How `density_levels` makes the network's picture of optical density: stain and lamp no longer matter.

    Args:
        typical: optical density of a typical cell of the field.

    Returns:
        Levels per unit of density, and the level of glass, 32; a typical cell is at 112.
    """
    return (CELL_LEVEL - GLASS_LEVEL) / max(typical, 1e-3), GLASS_LEVEL


def network_picture(density: NDArray[np.float32], typical: float) -> NDArray[np.uint8]:
    """What the network looks at, of a field whose optical density is known already.

    Args:
        density: float32 (h, w, 3) from `optical_density`, sized so that cells are about 32 px wide.
        typical: optical density of a typical cell of the field.

    Returns:
        uint8 (h, w, 3), 32 on glass, about 112 on a typical cell.
    """
    gain, glass = picture_scaling(typical)
    return np.clip(density * np.float32(gain) + np.float32(glass + 0.5), 0, 255).astype(np.uint8)


def read_finder(path: Path) -> tuple[bytes, dict[str, Any]]:
    """Read the finder's model file and verify it against its own manifest.

    Returns:
        The flatbuffer and the manifest.

    Raises:
        ModelFileError: missing, truncated or altered.
    """
    try:
        data = path.read_bytes()
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            manifest = json.loads(archive.read(MANIFEST_NAME))
            start = min(entry.header_offset for entry in archive.infolist())
    except (OSError, zipfile.BadZipFile, KeyError, ValueError) as error:
        raise ModelFileError(Code.MODEL_FINDER_DAMAGED, path=path, reason=reason_of(error)) from error
    if hashlib.sha256(data[:start]).hexdigest() != manifest.get("sha256"):
        raise ModelFileError(Code.MODEL_FINDER_ALTERED, path=path)
    return data[:start], manifest


class CellNetwork:
    """The network in an interpreter; may be shared by threads, whose calls wait for each other.

    Args:
        path: model file; by default the shipped one.
        threads: of one inference; by default the cores at hand, four at most.
        runtime: by default the best one that is installed.
        sparing: keep less for the next pictures.

    Raises:
        ModelFileError: the model file is missing or damaged.
        RuntimeMissingError: no TFLite runtime is installed.
    """

    def __init__(
        self,
        path: Path | None = None,
        *,
        threads: int | None = None,
        runtime: Runtime | None = None,
        sparing: bool = False,
    ) -> None:
        self._path = path or Path(str(resources.files("edge.models"))) / FINDER_MODEL
        self._runtime = runtime or find_runtime()
        self._flatbuffer, manifest = read_finder(self._path)
        self._threads = threads or default_threads()
        self._kept_pixels = KEPT_PIXELS_SPARING if sparing else KEPT_PIXELS
        self._lock = threading.Lock()
        self._interpreters: dict[tuple[int, int], Any] = {}
        self._heads: list[str] = manifest["outputs"]
        self._interpreter_for((MULTIPLE, MULTIPLE))  # a runtime that cannot load it says so now

    def worker(self, *, sparing: bool = False) -> CellNetwork:
        """The same network in an interpreter of its own, of one thread."""
        return CellNetwork(self._path, threads=1, runtime=self._runtime, sparing=sparing)

    def give_up_buffers(self) -> None:
        """Let go of the interpreters that are kept for the next pictures; to be called where memory is short."""
        with self._lock:
            self._interpreters.clear()

    def predict(self, picture: NDArray[np.uint8]) -> SegmentationMaps:
        """Look at a picture.

        Args:
            picture: uint8 (h, w, 3) from `network_picture`, any size.

        Returns:
            Its maps.
        """
        height, width = picture.shape[:2]
        down, across = _tiling(height, width, TILE_PIXELS)
        if len(down) == len(across) == 1:
            return self._predict_tile(picture)
        rows, columns = -(-height // STRIDE), -(-width // STRIDE)
        cell, centre, white = (np.empty((rows, columns), np.float16) for _ in range(3))
        offset = np.empty((rows, columns, 2), np.float16)
        whole = SegmentationMaps(cell, centre, offset, white)
        for row in down:
            for column in across:
                tile = picture[row.start : row.end, column.start : column.end]
                maps = self._predict_tile(np.ascontiguousarray(tile))
                for target, part in zip(whole, maps, strict=True):
                    target[row.kept(), column.kept()] = part[row.kept(row.start), column.kept(column.start)]
        return whole

    def _predict_tile(self, picture: NDArray[np.uint8]) -> SegmentationMaps:
        height, width = picture.shape[:2]
        padded_height, padded_width = (-(-n // MULTIPLE) * MULTIPLE for n in (height, width))
        # Beyond the border lies what is at it: a black or glassy frame would look like an edge.
        padded = cv2.copyMakeBorder(
            picture, 0, padded_height - height, 0, padded_width - width, cv2.BORDER_REPLICATE
        )
        with self._lock:
            interpreter = self._interpreter_for((padded_height, padded_width))
            details = interpreter.get_input_details()[0]
            if details["dtype"] == np.int8:
                # The model's int8 scale is 1/80 from -128 up: the picture's levels themselves, shifted.
                values = (padded ^ np.uint8(0x80)).view(np.int8)
            else:
                values = (padded.astype(np.float32) - np.float32(GLASS_LEVEL)) / np.float32(80)
            interpreter.set_tensor(details["index"], values[None])
            interpreter.invoke()
            answers = {
                head: _float_values(output, interpreter.get_tensor(output["index"])[0])
                for head, output in zip(self._heads, interpreter.get_output_details(), strict=True)
            }
        rows, columns = -(-height // STRIDE), -(-width // STRIDE)
        marks, offset = (answers[head][:rows, :columns] for head in ("marks", "offset"))
        return SegmentationMaps(
            marks[..., 0], marks[..., 1], offset * np.float16(CELL_WIDTH / STRIDE), marks[..., 2]
        )

    def _interpreter_for(self, shape: tuple[int, int]) -> Any:
        """The interpreter of pictures of a height and width; those used longest ago make room."""
        interpreter = self._interpreters.pop(shape, None)
        if interpreter is None:
            kept = sum(height * width for height, width in self._interpreters)
            while self._interpreters and kept + shape[0] * shape[1] > self._kept_pixels:
                height, width = next(iter(self._interpreters))
                del self._interpreters[height, width]
                kept -= height * width
            interpreter = open_interpreter(self._flatbuffer, threads=self._threads, runtime=self._runtime)
            index = interpreter.get_input_details()[0]["index"]
            interpreter.resize_tensor_input(index, [1, *shape, 3], strict=False)
            allocate(interpreter)
        self._interpreters[shape] = interpreter
        return interpreter


class _Span(NamedTuple):
    """What a tile sees of one side of the picture, from start to end, and what of it is believed; px."""

    start: int
    end: int
    first: int
    last: int

    def kept(self, origin: int = 0) -> slice:
        """What is believed, on the maps' grid, from an origin on."""
        return slice((self.first - origin) // STRIDE, -(-(self.last - origin) // STRIDE))


def _tiling(height: int, width: int, most: int) -> tuple[list[_Span], list[_Span]]:
    """The fewest pixels in tiles of one size, at most so many a tile, that cover a picture; down and across."""
    counts = range(1, 2 + max(height, width) // (2 * OVERLAP))
    tilings = [
        (rows * columns * _side(height, rows) * _side(width, columns), rows, columns)
        for rows in counts
        for columns in counts
        if _side(height, rows) * _side(width, columns) <= most
    ]
    _, rows, columns = min(tilings)
    return _spans(height, rows), _spans(width, columns)


def _side(length: int, count: int) -> int:
    """Side of so many tiles along a length, whose neighbours see into each other; a multiple of `MULTIPLE`."""
    seen_twice = 2 * OVERLAP + STRIDE  # a place on the grid may lie a step off
    return -(-(length + seen_twice * (count - 1)) // (count * MULTIPLE)) * MULTIPLE


def _spans(length: int, count: int) -> list[_Span]:
    side = _side(length, count)
    steps = max(0, -(-(length - side) // STRIDE))
    starts = [round(number * steps / max(count - 1, 1)) * STRIDE for number in range(count)]
    middles = [(before + side + after) // (2 * STRIDE) * STRIDE for before, after in pairwise(starts)]
    ends = [min(start + side, length) for start in starts]
    return list(map(_Span, starts, ends, [0, *middles], [*middles, length]))


def _float_values(output: dict[str, Any], values: NDArray[Any]) -> NDArray[np.float16]:
    """An output tensor's values, (h, w, c), out of its quantisation if it has one."""
    scale, zero = output["quantization"]
    if not scale:
        return values.astype(np.float16)
    table = ((np.arange(-128, 128) - zero) * scale).astype(np.float16)
    return table[values.view(np.uint8) ^ np.uint8(0x80)]
