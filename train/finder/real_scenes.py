"""Pieces of real fields as training scenes: the stained mask, found classically, is shared out among the marks.

Where mask and marks disagree (a mark on no stain, stain without a mark, a cell much too small or large) the pixels
have no say in training. Small stain without a mark is a platelet or a speck: not a cell.
"""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.segmentation.background import channel_mean, estimate_background, lit_area, optical_density
from edge.segmentation.foreground import cell_width_in, find_stain, typical_density
from edge.segmentation.network import CELL_WIDTH, STRIDE, network_picture
from edge.segmentation.outlines import CellKind
from train.finder.annotations import AnnotatedField, Mark
from train.finder.scenes import SIDE, TARGETS, LaidCell, Scene, mark_cell

# Stain without a mark below this share of a cell's area is taken for a speck.
SPECK_SHARE = 0.2
# A cell's pixels lie at most this far from its mark, in half widths, for annotators' boxes are loose; what is
# nearer than the second is cell whatever its stain.
REACH = 1.8
INSIDE = 0.55
# Less of a boxed cell being stained, the mask has missed it.
STAINED = 0.6
# Least and largest area of a red cell in typical ones; outside, mask and mark do not mean the same.
RED_AREAS = (0.35, 2.0)


def cut_real_scenes(
    fields: Iterable[AnnotatedField], pieces_each: int, rng: np.random.Generator
) -> list[Scene]:
    """Cut pieces from fields.

    Args:
        fields: what training may see.
        pieces_each: pieces a field, each at its own random scale and place.
        rng: draws them.
    """
    return [piece for field in fields for piece in _scenes_of(field, pieces_each, rng)]


def _scenes_of(field: AnnotatedField, count: int, rng: np.random.Generator) -> list[Scene]:
    lit = lit_area(field.rgb)
    density = optical_density(field.rgb, estimate_background(field.rgb, lit))
    boxes = [mark for mark in field.marks if mark.kind == CellKind.RED and mark.w]
    # As the device sees it: where a white cell fills much of a small field, its red cells look pale.
    seen = typical_density(density, lit)
    if boxes:
        cell_width = float(np.median([np.sqrt(mark.w * mark.h) for mark in boxes]))
        mask = find_stain(density, lit, cell_width, _density_within(density, boxes))
    else:
        mask = find_stain(density, lit, cell_width_in(find_stain(density, lit, 36)))
        cell_width = cell_width_in(mask)
    pieces: list[Scene] = []
    for _ in range(count):
        scale = CELL_WIDTH / cell_width * float(np.exp(rng.normal(0, 0.15)))
        size = (round(field.rgb.shape[1] * scale), round(field.rgb.shape[0] * scale))
        smaller = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        work = cv2.resize(density, size, interpolation=smaller)
        here = cv2.resize(mask, size, interpolation=smaller)
        marks = [Mark(m.x * scale, m.y * scale, m.w * scale, m.h * scale, m.kind) for m in field.marks]
        target = _target(here, marks, cell_width * scale)
        picture = network_picture(work, seen * float(np.exp(rng.normal(0, 0.2))))
        pieces.append(_piece(*_padded(picture, target), rng))
    return pieces


def _density_within(density: NDArray[np.float32], boxes: list[Mark]) -> float:
    """Median over boxes of the density at a third of their width: between rim and pale centre."""
    mean = channel_mean(density)
    height, width = mean.shape
    rings: list[float] = []
    for mark in boxes:
        turn = np.linspace(0, 2 * np.pi, 24, endpoint=False)
        x = np.clip(mark.x + 0.32 * mark.w * np.cos(turn), 0, width - 1).astype(int)
        y = np.clip(mark.y + 0.32 * mark.h * np.sin(turn), 0, height - 1).astype(int)
        rings.append(float(np.median(mean[y, x])))
    return max(float(np.median(rings)), 1e-3)


def _padded(
    picture: NDArray[np.uint8], target: NDArray[np.float32]
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Widen what is smaller than a scene as the device does, without a say in training."""
    down, right = (max(0, SIDE - n) for n in picture.shape[:2])
    picture = cv2.copyMakeBorder(picture, 0, down, 0, right, cv2.BORDER_REPLICATE)
    missing = [(0, max(0, SIDE // STRIDE - n)) for n in target.shape[:2]]
    return picture, np.pad(target, [*missing, (0, 0)])


def _piece(picture: NDArray[np.uint8], target: NDArray[np.float32], rng: np.random.Generator) -> Scene:
    half = SIDE // STRIDE
    top, left = (int(rng.integers(0, n - half + 1)) for n in target.shape[:2])
    y, x = top * STRIDE, left * STRIDE
    return Scene(
        np.ascontiguousarray(picture[y : y + SIDE, x : x + SIDE]),
        target[top : top + half, left : left + half].astype(np.float16),
    )


def _target(mask: NDArray[np.uint8], marks: list[Mark], cell_width: float) -> NDArray[np.float32]:
    """Targets of a whole field at the network's stride; see `scenes.Scene`."""
    height, width = mask.shape[0] // STRIDE, mask.shape[1] // STRIDE
    small = cv2.resize(mask, (width, height), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    xx, yy = ((np.mgrid[:height, :width].astype(np.float32) + np.float32(0.5)) * STRIDE)[::-1]
    stained = small > 0.5
    owner, away = _owners((xx, yy), marks, cell_width)
    _, components = cv2.connectedComponents(stained.astype(np.uint8), connectivity=4)
    target = np.zeros((height, width, TARGETS), np.float32)
    target[..., 0], target[..., 4] = small, 1
    usual = np.pi / 4 * (cell_width / STRIDE) ** 2
    owned = stained & (away < REACH)
    pointed = np.zeros(int(components.max()) + 1, bool)
    for index, mark in enumerate(marks):
        # The glass within a white cell's box is its pale cytoplasm.
        mine = (owner == index) & (away < 1) if mark.kind == CellKind.WHITE else owned & (owner == index)
        row, column = (int(np.clip(v / STRIDE, 0, n - 1)) for v, n in ((mark.y, height), (mark.x, width)))
        if mark.kind == CellKind.RED and not mark.w:
            mine &= components == components[row, column]
        elif mark.kind == CellKind.RED:
            # Pale centres that are open to the glass: what lies well within a box is cell.
            mine |= (owner == index) & (away < INSIDE)
        pointed[components[mine & stained]] = True
        if mark.kind == CellKind.FRAGMENT:
            target[..., 0][mine] = 0
            continue
        rows, columns = np.nonzero(mine)
        area = rows.size / usual
        cut = area > 0 and (
            rows.min() == 0 or columns.min() == 0 or rows.max() == height - 1 or columns.max() == width - 1
        )
        missed = mark.w > 0 and np.count_nonzero(mine & stained) < STAINED * rows.size
        strange = missed or area > RED_AREAS[1] or (area < RED_AREAS[0] and not cut)
        if area == 0 or (mark.kind == CellKind.RED and strange):
            target[..., 4][(away < 1.3) & (owner == index) | mine] = 0
            continue
        if mark.w:
            target[..., 0][mine & ~stained] = 1
        size = float(np.sqrt(4 * rows.size / np.pi)) * STRIDE if mark.kind == CellKind.WHITE else cell_width
        cell = LaidCell(
            (float(columns.mean()) + 0.5) * STRIDE,
            (float(rows.mean()) + 0.5) * STRIDE,
            size,
            mark.kind == CellKind.WHITE,
        )
        mark_cell(target, mine, cell, (xx, yy))
    pointed[0] = False
    stray = stained & (~pointed[components] | ~owned)
    specks = (
        stray & ~pointed[components] & (np.bincount(components.ravel())[components] < SPECK_SHARE * usual)
    )
    target[..., 0][specks] = 0
    target[..., 4][stray & ~specks] = 0
    return target


def _owners(
    places: tuple[NDArray[np.float32], NDArray[np.float32]], marks: list[Mark], cell_width: float
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """The nearest mark of each pixel and how far it is, in half widths of the mark's box."""
    xx, yy = places
    owner = np.full(xx.shape, -1, np.int32)
    away = np.full(xx.shape, np.inf, np.float32)
    for index, mark in enumerate(marks):
        across, down = (max(side or cell_width, 1.0) / 2 for side in (mark.w, mark.h))
        far = np.hypot((xx - mark.x) / across, (yy - mark.y) / down)
        nearer = far < away
        owner[nearer], away[nearer] = index, far[nearer]
    return owner, away
