"""Single cells cut from pictures whose licence allows training, as optical density: the bricks of scenes."""

from __future__ import annotations

import csv
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.background import estimate_background, lit_area, optical_density
from train.cellfinder.byshape import find_cells_by_shape

# Colour of the glass in the NIH phone's field picture, R, G, B.
NIH_GLASS = np.array([219, 188, 173], np.float32)
# Cut-outs are stored this wide: as wide as the widest cell of a scene.
CUTOUT_WIDTH = 48
# A cut-out from a field must be this convex to be believed to be one cell.
ONE_CELL = 0.93


class Cutout(NamedTuple):
    """One cell.

    Attributes:
        density: float32 (h, w, 3), optical density over its own median, 1 is typical; 0 outside the cell.
        alpha: float32 (h, w), 1 on the cell.
        source: pictures of one source look alike and are mixed within a scene.
        white: a white cell.
    """

    density: NDArray[np.float32]
    alpha: NDArray[np.float32]
    source: str
    white: bool


def nih_cutouts(folder: Path, count: int, rng: np.random.Generator) -> list[Cutout]:
    """Cut-outs of NIH cells (public domain), half of them parasitised.

    Args:
        folder: `cell_images`, with `Parasitized` and `Uninfected`.
        count: how many.
        rng: picks them.
    """
    found: list[Cutout] = []
    for label in ("Parasitized", "Uninfected"):
        names = sorted(p for p in (folder / label).iterdir() if p.suffix in {".png", ".webp"})
        for index in rng.choice(len(names), min(count // 2, len(names)), replace=False):
            bgr = cv2.imread(str(names[index]))
            if bgr is None:
                continue
            rgb = cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB).astype(np.float32)
            # The outermost ring of the published masks is glass.
            alpha = cv2.erode((rgb.max(axis=2) > 0).astype(np.float32), np.ones((5, 5), np.uint8))
            if alpha.sum() < 400:
                continue
            # The brightest pixel of a cell is hardly darker than its glass.
            glass = np.maximum(NIH_GLASS, np.percentile(rgb[alpha > 0], 99, axis=0))
            density = np.log(glass / np.maximum(rgb, 2))
            cutout = _normalised(density, alpha, names[index].name.split("_IMG")[0][:8], white=False)
            if cutout is not None:
                found.append(cutout)
    return found


def chula_cutouts(folder: Path) -> list[Cutout]:
    """Cut-outs of lone cells of the Chula RBC-12 fields (MIT): regions with exactly one point."""
    points: dict[str, list[tuple[int, int]]] = defaultdict(list)
    with (folder / "points.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            points[row["image"]].append((int(row["x"]), int(row["y"])))
    found: list[Cutout] = []
    for name in sorted(points):
        found += _lone_cells(folder / "images" / name, points[name], f"chula {name}")
    return found


def txl_cutouts(folder: Path) -> list[Cutout]:
    """Cut-outs of lone red cells and of white cells of the TXL-PBC fields (MIT)."""
    found: list[Cutout] = []
    for label_file in sorted((folder / "labels").glob("*.txt")):
        image = folder / "images" / f"{label_file.stem}.jpg"
        bgr = cv2.imread(str(image))
        if bgr is None:
            continue
        height, width = bgr.shape[:2]
        rows = [line.split() for line in label_file.read_text().splitlines() if line.strip()]
        boxes = [(int(r[0]), *(float(v) for v in r[1:5])) for r in rows]
        red = [(int(x * width), int(y * height)) for kind, x, y, _, _ in boxes if kind == 1]
        found += _lone_cells(image, red, f"txl {label_file.stem}")
        rgb = cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)
        for kind, x, y, w, h in boxes:
            if kind == 0:
                found += _white_cell(rgb, (x * width, y * height, w * width, h * height), label_file.stem)
    return found


def _white_cell(rgb: NDArray[np.uint8], box: tuple[float, float, float, float], name: str) -> list[Cutout]:
    """The ellipse in a white cell's box, if the whole box lies in the picture."""
    x, y, w, h = box
    left, top, right, bottom = round(x - w / 2), round(y - h / 2), round(x + w / 2), round(y + h / 2)
    if left < 2 or top < 2 or right > rgb.shape[1] - 2 or bottom > rgb.shape[0] - 2:
        return []
    density = optical_density(rgb, estimate_background(rgb))[top:bottom, left:right]
    alpha = np.zeros(density.shape[:2], np.float32)
    cv2.ellipse(alpha, ((w / 2, h / 2), (w * 0.98, h * 0.98), 0), 1.0, cv2.FILLED)
    cutout = _normalised(density, alpha, f"white {name}", white=True)
    return [] if cutout is None else [cutout]


def _lone_cells(image: Path, points: list[tuple[int, int]], source: str) -> list[Cutout]:
    bgr = cv2.imread(str(image))
    if bgr is None:
        return []
    rgb = cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)
    field = find_cells_by_shape(rgb)
    density = optical_density(rgb, estimate_background(rgb, lit_area(rgb)))
    found: list[Cutout] = []
    for box, mask in field:
        x, y, w, h = box
        if x <= 1 or y <= 1 or x + w >= rgb.shape[1] - 1 or y + h >= rgb.shape[0] - 1:
            continue
        inside = sum(1 for px, py in points if x <= px < x + w and y <= py < y + h and mask[py - y, px - x])
        contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        outline = max(contours, key=cv2.contourArea)
        convexity = cv2.contourArea(outline) / max(cv2.contourArea(cv2.convexHull(outline)), 1)
        if inside != 1 or convexity < ONE_CELL or min(w, h) < 12:
            continue
        cutout = _normalised(
            density[y : y + h, x : x + w], (mask > 0).astype(np.float32), source, white=False
        )
        if cutout is not None:
            found.append(cutout)
    return found


def _normalised(
    density: NDArray[np.float32], alpha: NDArray[np.float32], source: str, *, white: bool
) -> Cutout | None:
    """Scale to CUTOUT_WIDTH and to a mean density of one."""
    scale = CUTOUT_WIDTH / max(alpha.shape)
    mode = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    density = cv2.resize(
        np.ascontiguousarray(density) * alpha[..., None], None, fx=scale, fy=scale, interpolation=mode
    )
    alpha = cv2.resize(alpha, None, fx=scale, fy=scale, interpolation=mode)
    inside = alpha > 0.5
    if inside.sum() < 100:
        return None
    mean = float(np.median(density.mean(axis=2)[inside]))
    if mean < 0.02:
        return None
    density = np.clip(density / mean, 0, 6)
    return Cutout(density.astype(np.float32), alpha.astype(np.float32), source, white)
