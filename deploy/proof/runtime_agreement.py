"""Do the TFLite runtimes give the same verdicts? Scores of many cells under each, compared.

No Python can hold all runtimes at once (tflite-runtime needs numpy 1 and Python 3.11 or lower), so each runs in an
environment of its own and writes its scores; then any Python compares them::

    litert/bin/python -m deploy.proof.runtime_agreement score --runtime ai-edge-litert --cells 3000 --out litert.json
    legacy/bin/python -m deploy.proof.runtime_agreement score --runtime tflite-runtime --cells 3000 --out legacy.json
    litert/bin/python -m deploy.proof.runtime_agreement compare litert.json legacy.json

The cells are the simulator's, the same under each by their seed, or the pictures in a folder (``--folder``). The cells
that are found in a few drawn fields are compared as well. `nox --session agreement` does all of this under every
combination that a machine can install.
"""

import argparse
import hashlib
import json
import platform
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.cells.isolation import isolate
from edge.images.files import IMAGE_SUFFIXES, read_image
from edge.inference.classifier import Classifier
from edge.inference.model_file import load_model, shipped_models
from edge.inference.preprocessing import network_input
from edge.inference.runtime import Runtime, find_runtime
from edge.segmentation.finder import CellFinder
from edge.segmentation.network import CellNetwork
from edge.simulation.field import FieldSettings, draw_field
from edge.simulation.single_cell import draw_cell

VERDICT_FLIPS_ALLOWED = 0.002
"""Share of verdicts that may differ between runtimes: those of cells that lie on the threshold anyway."""
_CHUNK = 256
_FIELDS = 12


def main(arguments: Sequence[str] | None = None) -> int:
    """Score cells, or compare scores; return the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    steps = parser.add_subparsers(required=True, dest="step")
    scoring = steps.add_parser("score", help="score cells with one runtime")
    scoring.add_argument("--runtime", required=True)
    scoring.add_argument("--cells", type=int, default=3000)
    scoring.add_argument("--folder", type=Path, help="pictures of cells, instead of drawn ones")
    scoring.add_argument("--threads", type=int, default=1)
    scoring.add_argument("--batch", type=int, default=32)
    scoring.add_argument("--out", type=Path, required=True)
    comparing = steps.add_parser("compare", help="compare files of scores with the first one")
    comparing.add_argument("files", type=Path, nargs="+")
    options = parser.parse_args(arguments)
    if options.step == "score":
        cells = folder_cells(options.folder, options.cells) if options.folder else drawn_cells(options.cells)
        record = score(cells, options.runtime, threads=options.threads, batch=options.batch)
        options.out.write_text(json.dumps(record))
        return 0
    records = [json.loads(path.read_text()) for path in options.files]
    rows = [row for other in records[1:] for row in compare(records[0], other)]
    print(table(records[0], rows))  # noqa: T201 - a script's own output
    print(f"\n{fields_table(records[0], records[1:])}")  # noqa: T201
    return int(any(row["flips"] > VERDICT_FLIPS_ALLOWED for row in rows))


class Cell(NamedTuple):
    """A picture, RGB uint8 (h, w, 3), and the mask of the cell in it, uint8 (h, w)."""

    rgb: NDArray[np.uint8]
    mask: NDArray[np.uint8]


def drawn_cells(count: int) -> list[Cell]:
    """Draw cells with the project's simulator; the seed makes them the same everywhere."""
    drawn = (draw_cell(seed, seed % 2 == 1) for seed in range(count))
    return [Cell(cell.rgb, cell.mask) for cell in drawn]


def folder_cells(folder: Path, count: int) -> list[Cell]:
    """Read pictures of cells, evenly chosen by name; the folder may have folders."""
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in IMAGE_SUFFIXES)
    step = max(1, len(paths) // count)
    pictures = [read_image(path) for path in paths[::step][:count]]
    return [Cell(rgb, mask) for rgb in pictures if (mask := isolate(rgb)) is not None]


def score(cells: Sequence[Cell], name: str, *, threads: int, batch: int) -> dict[str, Any]:
    """Score cells under one runtime with every shipped model.

    Args:
        cells: of any size.
        name: of the runtime's distribution.
        threads: of the interpreter.
        batch: cells an inference.

    Returns:
        What was used, a hash of the network's inputs (another OpenCV may resize otherwise), the scores, and the
        boxes of the cells found in the drawn fields.
    """
    runtime = find_runtime(name)
    record: dict[str, Any] = {
        "runtime": f"{runtime.name} {runtime.version}",
        "python": platform.python_version(),
        "machine": platform.machine(),
        "numpy": np.__version__,
        "opencv": cv2.__version__,
        "models": {},
        "fields": found_boxes(runtime),
    }
    for file_name, path in shipped_models().items():
        model = load_model(path)
        classifier = Classifier(model, threads=threads, batch_size=batch, runtime=runtime)
        scores: list[float] = []
        inputs_digest = hashlib.sha256()
        for start in range(0, len(cells), _CHUNK):
            inputs = np.stack(
                [network_input(*cell, size=model.input_size) for cell in cells[start : start + _CHUNK]]
            )
            inputs_digest.update(inputs.tobytes())
            scores += [float(value) for value in classifier.probabilities(inputs)]
        record["models"][file_name] = {
            "sha256": model.sha256,
            "inputs": inputs_digest.hexdigest(),
            "threshold": model.operating_point("cell").threshold,
            "scores": scores,
        }
    return record


def found_boxes(runtime: Runtime) -> list[dict[str, Any]]:
    """Find the cells of drawn fields, sparse to touching, large cells and small.

    Returns:
        A field each: a hash of its picture (another OpenCV may draw otherwise), and the boxes found, (x, y, w, h) px.
    """
    finder = CellFinder(CellNetwork(threads=1, runtime=runtime))
    found = []
    for seed in range(_FIELDS):
        settings = FieldSettings(cells=40 + 15 * seed, cell_width=120 - 7 * seed, overlap=0.02 * seed)
        rgb = draw_field(seed, settings).rgb
        boxes = sorted([int(side) for side in cell.box] for cell in finder.find(rgb).cells)
        found.append({"picture": hashlib.sha256(rgb.tobytes()).hexdigest(), "boxes": boxes})
    return found


def compare(first: dict[str, Any], other: dict[str, Any]) -> list[dict[str, Any]]:
    """Compare two files of scores, model by model."""
    rows = []
    for name, expected in first["models"].items():
        found = other["models"][name]
        if (expected["sha256"], len(expected["scores"])) != (found["sha256"], len(found["scores"])):
            raise SystemExit(f"{name} was another model, or judged other cells, under {other['runtime']}.")
        one, two = np.array(expected["scores"]), np.array(found["scores"])
        flipped = (one >= expected["threshold"]) != (two >= expected["threshold"])
        rows.append(
            {
                "model": name,
                "runtime": _names(other),
                "inputs": expected["inputs"] == found["inputs"],
                "same": float(np.mean(one == two)),
                "largest": float(np.abs(one - two).max()),
                "flips": float(np.mean(flipped)),
                "flipped": int(flipped.sum()),
            }
        )
    return rows


def table(first: dict[str, Any], rows: Sequence[dict[str, Any]]) -> str:
    """Write comparisons as a Markdown table."""
    lines = [
        f"Compared with {_names(first)}, over {len(next(iter(first['models'].values()))['scores']):,} cells:",
        "",
        "| model | runtime | same inputs | same score, bit for bit | largest difference | verdicts flipped |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {row['model']} | {row['runtime']} | {'yes' if row['inputs'] else 'no'} | "
        f"{row['same']:.2%} | {row['largest']:.1g} | {row['flipped']} ({row['flips']:.3%}) |"
        for row in rows
    ]
    return "\n".join(lines)


def fields_table(first: dict[str, Any], others: Sequence[dict[str, Any]]) -> str:
    """Compare the cells found in the drawn fields with the first file's, as a Markdown table."""
    expected = [{tuple(box) for box in field["boxes"]} for field in first["fields"]]
    lines = [
        f"Cells found in {len(expected)} drawn fields, {sum(map(len, expected)):,} there:",
        "",
        "| runtime | same pictures | cells found | of them in the same box, to the pixel |",
        "|---|---|---|---|",
    ]
    for other in others:
        found = [{tuple(box) for box in field["boxes"]} for field in other["fields"]]
        pictures = [field["picture"] for field in other["fields"]]
        same = sum(len(one & two) for one, two in zip(expected, found, strict=True))
        drawn_alike = pictures == [field["picture"] for field in first["fields"]]
        lines.append(
            f"| {_names(other)} | {'yes' if drawn_alike else 'no'} | {sum(map(len, found)):,} | {same:,} |"
        )
    return "\n".join(lines)


def _names(record: dict[str, Any]) -> str:
    return f"{record['runtime']}, {record['machine']}, Python {record['python']}, OpenCV {record['opencv']}"


if __name__ == "__main__":
    sys.exit(main())
