"""Cell classifiers of other systems, put beside ours with their preprocessing stated in one line.

For example NLM's thin-smear network: ``NLM=nlm_thin_smear_44px.tflite,size=44,scale=1/255,resize=cubic,
fit=stretch,output=0``.
"""

from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.harness.candidates import Judge, open_model
from benchmarks.harness.measurement import BenchmarkError
from edge.inference.preprocessing import cell_extent
from edge.inference.runtime import Runtime
from edge.messages.bench_codes import BenchCode
from edge.messages.message import Message

_RESIZE = {
    "nearest": cv2.INTER_NEAREST,
    "linear": cv2.INTER_LINEAR,
    "cubic": cv2.INTER_CUBIC,
    "area": cv2.INTER_AREA,
}
_FITS = ("stretch", "letterbox")
_HOW = "NAME=FILE.tflite,size=44,scale=1/255,offset=0,resize=cubic,fit=stretch,output=0,logit=no"


class OtherModel(NamedTuple):
    """Another system's network and how a cell is made ready for it."""

    name: str
    path: Path
    size: int
    """Side of its square input, px."""
    scale: float
    """A pixel value 0 to 255 is multiplied by this ..."""
    offset: float
    """... and then this is added."""
    resize: str
    """Interpolation: nearest, linear, cubic or area."""
    fit: str
    """``stretch`` the cell's box to the square, or ``letterbox`` it with its proportions kept."""
    output: int
    """Column of the output that holds *parasitised*."""
    logit: bool
    """Whether that is a logit rather than a probability."""

    def describe(self) -> Message:
        """State the preprocessing, for a table's foot."""
        return Message(
            BenchCode.OTHER_SYSTEM_LOGIT if self.logit else BenchCode.OTHER_SYSTEM,
            name=self.name,
            file=self.path.name,
            factor=self.scale,
            offset=self.offset,
            resize=self.resize,
            fit=self.fit,
            size=self.size,
            output=self.output,
        )

    def prepare(self, rgb: NDArray[np.uint8], mask: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Make one cell ready: its box, black outside the mask, scaled as the network wants it.

        Args:
            rgb: RGB, uint8, (h, w, 3).
            mask: uint8, (h, w), non-zero on the cell.

        Returns:
            float32, shape (size, size, 3).
        """
        x, y, width, height = cell_extent(mask)
        cell = cv2.copyTo(rgb[y : y + height, x : x + width], mask[y : y + height, x : x + width])
        if self.fit == "letterbox":
            side = max(width, height)
            top, left = (side - height) // 2, (side - width) // 2
            cell = cv2.copyMakeBorder(
                cell, top, side - height - top, left, side - width - left, cv2.BORDER_CONSTANT
            )
        resized = cv2.resize(cell, (self.size, self.size), interpolation=_RESIZE[self.resize])
        return resized.astype(np.float32) * np.float32(self.scale) + np.float32(self.offset)

    def open(self, runtime: Runtime, threads: int, cells: int) -> Judge:
        """Open it for batches of ``cells``.

        Raises:
            ModelFileError: the runtime cannot load it.
        """
        shape = (cells, self.size, self.size, 3)
        return open_model(self.path.read_bytes(), runtime=runtime, threads=threads, shape=shape)

    def probabilities(
        self, inputs: NDArray[np.float32], runtime: Runtime, threads: int, batch: int = 32
    ) -> NDArray[np.float32]:
        """Judge prepared cells (n, size, size, 3): probability of *parasitised*, float32, shape (n,)."""
        judge = self.open(runtime, threads, batch)
        found = []
        for start in range(0, len(inputs), batch):
            part = inputs[start : start + batch]
            padded = np.concatenate([part, np.zeros((batch - len(part), *part.shape[1:]), np.float32)])
            found.append(judge(padded)[: len(part), self.output])
        values = np.concatenate(found).astype(np.float32)
        return np.asarray(1 / (1 + np.exp(-values)), np.float32) if self.logit else values


def parse_system(text: str) -> OtherModel:
    """Read another system's model from one line of the command line.

    Raises:
        BenchmarkError: something is missing or unknown; the message shows a whole example.
    """
    head, *rest = text.split(",")
    name, equals, file = head.partition("=")
    given = dict(part.partition("=")[::2] for part in rest)
    known = {"size", "scale", "offset", "resize", "fit", "output", "logit"}
    unknown = sorted(set(given) - known)
    if not equals or unknown or "size" not in given:
        why = Message(BenchCode.UNKNOWN_NAMES, names=unknown) if unknown else Message(BenchCode.NAMES_NEEDED)
        raise BenchmarkError(BenchCode.NOT_DESCRIBED, model=text, why=why, example=_HOW)
    path = Path(file)
    if not path.is_file():
        raise BenchmarkError(BenchCode.SYSTEM_MISSING, path=path)
    try:
        model = OtherModel(
            name,
            path,
            int(given["size"]),
            float(Fraction(given.get("scale", "1/255"))),
            float(Fraction(given.get("offset", "0"))),
            given.get("resize", "linear"),
            given.get("fit", "stretch"),
            int(given.get("output", "0")),
            given.get("logit", "no") == "yes",
        )
    except (ValueError, ZeroDivisionError) as error:
        raise BenchmarkError(BenchCode.NOT_DESCRIBED, model=text, why=str(error), example=_HOW) from error
    if model.resize not in _RESIZE or model.fit not in _FITS:
        raise BenchmarkError(
            BenchCode.RESIZE_OR_FIT, model=text, resizes=list(_RESIZE), fits=_FITS, example=_HOW
        )
    return model
