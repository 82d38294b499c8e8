"""Pictures of what is no single red cell: drawn, cut beside the cells of fields, or made of spoilt cells."""

from collections.abc import Callable, Iterator, Sequence

import cv2
import numpy as np

from edge.cells.isolation import isolate
from edge.segmentation.outlines import CellKind
from edge.types import Box, Rgb
from train.finder.annotations import AnnotatedField
from train.red_cell.drawn_negatives import draw_negative
from train.red_cell.positives import framed, other_laboratory, overlap

_LEAST_SIDE, _LARGEST_SIDE = 36, 110
_ONE_CELL = 0.5
"""Overlap of a cell's box and that of what the device sees, from which on it is that cell."""
_BY_CHANCE = 0.5
"""Share of the things on black that are cut by an outline of chance, not as the device cuts."""


def other_things_on_glass(
    fields: Sequence[tuple[AnnotatedField, list[Box]]],
    cut: Sequence[Rgb],
    number: int,
    rng: np.random.Generator,
) -> Iterator[Rgb]:
    """Give pictures that are not cut out: three of five drawn, the rest from fields and spoilt cells.

    Args:
        fields: with the boxes of their red cells.
        cut: RGB, uint8, (h, w, 3), cells that were cut out, black outside.
        number: how many to give.
        rng: source of all chance.
    """
    with_bystanders = [field for field, _ in fields if any(mark.kind in _BYSTANDERS for mark in field.marks)]
    for turn in range(number):
        kind = turn % 10
        if kind < 6:
            side = int(np.exp(rng.uniform(np.log(_LEAST_SIDE), np.log(_LARGEST_SIDE))))
            yield draw_negative(side, rng)
        elif kind < 8:
            field, boxes = fields[int(rng.integers(len(fields)))]
            yield other_laboratory(_beside_cells(field.rgb, boxes, rng), rng)
        elif kind == 8:
            field = with_bystanders[int(rng.integers(len(with_bystanders)))]
            yield other_laboratory(_bystander(field, rng), rng)
        else:
            yield _within(cut[int(rng.integers(len(cut)))], rng)


_BYSTANDERS = frozenset({CellKind.WHITE, CellKind.FRAGMENT})


def _beside_cells(rgb: Rgb, boxes: list[Box], rng: np.random.Generator) -> Rgb:
    """A square that frames no cell: glass, borders, or a heap of them at the wrong scale."""
    height, width = rgb.shape[:2]
    usual = float(np.median([max(box[2:]) for box in boxes])) if boxes else 40.0
    centres = np.array([(x + w / 2, y + h / 2) for x, y, w, h in boxes] or [(-1e4, -1e4)])
    while True:
        side = int(min(usual * np.exp(rng.uniform(np.log(0.4), np.log(6.0))), height, width))
        side = max(side, 16)
        x, y = int(rng.integers(0, width - side + 1)), int(rng.integers(0, height - side + 1))
        away = np.hypot(*(centres - (x + side / 2, y + side / 2)).T).min()
        # A cell in the middle of a square is what people hand in; half a cell is not.
        if side > 3 * usual or side < 0.6 * usual or away > 0.3 * max(side, usual):
            square = np.ascontiguousarray(rgb[y : y + side, x : x + side])
            if not _shows_a_cell(square, [(bx - x, by - y, w, h) for bx, by, w, h in boxes]):
                return square


def _shows_a_cell(square: Rgb, boxes: list[Box]) -> bool:
    """Tell whether the device would take one whole cell of those in a square for its cell."""
    mask = isolate(square)
    return mask is not None and any(overlap(cv2.boundingRect(mask), box) > _ONE_CELL for box in boxes)


def _bystander(field: AnnotatedField, rng: np.random.Generator) -> Rgb:
    """A white cell or a platelet in its frame."""
    marks = [mark for mark in field.marks if mark.kind in _BYSTANDERS]
    mark = marks[int(rng.integers(len(marks)))]
    reach = (0.5 + rng.uniform(0.0, 0.3)) * max(mark.w, mark.h)
    top, left = max(0, round(mark.y - reach)), max(0, round(mark.x - reach))
    crop = field.rgb[top : round(mark.y + reach), left : round(mark.x + reach)]
    return np.ascontiguousarray(crop)


def _within(cell: Rgb, rng: np.random.Generator) -> Rgb:
    """A piece of a cell that fills the picture, or a cell's squares in another order, on no black."""
    height, width = cell.shape[:2]
    side = max(8, int(rng.uniform(0.3, 0.65) * min(height, width)))
    y, x = (height - side) // 2, (width - side) // 2
    inner = np.ascontiguousarray(cell[y : y + side, x : x + side])
    if rng.random() < 0.5:
        inner = _shuffled(inner, rng)
    return cv2.resize(inner, (80, 80), interpolation=cv2.INTER_LINEAR)


def other_things_on_black(
    fields: Sequence[tuple[AnnotatedField, list[Box]]],
    cut: Sequence[Rgb],
    number: int,
    rng: np.random.Generator,
) -> Iterator[Rgb]:
    """Give pictures that are black round something: other things cut out, spoilt cells, white on black."""
    others = other_things_on_glass(fields, cut, 10**9, rng)
    given = 0
    while given < number:
        if given % 4 == 0:
            picture = _SPOILT[int(rng.integers(len(_SPOILT)))](cut[int(rng.integers(len(cut)))], rng)
        else:
            rgb = next(others)
            by_chance = rng.random() < _BY_CHANCE
            mask = _outline_of_chance(rgb.shape[:2], rng) if by_chance else isolate(rgb)
            if mask is None or not mask.any():
                continue
            picture = cv2.copyTo(rgb, mask)
        given += 1
        yield framed(picture)


def _outline_of_chance(shape: tuple[int, ...], rng: np.random.Generator) -> Rgb:
    """A ragged blob, an ellipse or a polygon about the middle, uint8 0/255."""
    height, width = shape
    mask = np.zeros((height, width), np.uint8)
    if rng.random() < 0.4:
        axes = (float(rng.uniform(0.5, 1.0) * width), float(rng.uniform(0.5, 1.0) * height))
        return cv2.ellipse(mask, ((width / 2, height / 2), axes, float(rng.uniform(0, 180))), 255, cv2.FILLED)
    number = int(rng.integers(3, 40))
    around = np.sort(rng.uniform(0, 2 * np.pi, number))
    reach = rng.uniform(0.2, 0.5, number)
    points = np.stack([np.cos(around) * width, np.sin(around) * height], 1) * reach[:, None]
    return cv2.fillPoly(mask, [(points + np.array([width, height]) / 2).astype(np.int32)], 255)


def _shuffled(cell: Rgb, rng: np.random.Generator) -> Rgb:
    """A cell cut into squares that change places."""
    number = int(rng.integers(2, 6))
    cell = cv2.resize(cell, (24 * number, 24 * number), interpolation=cv2.INTER_AREA)
    pieces = cell.reshape(number, 24, number, 24, 3).swapaxes(1, 2).reshape(-1, 24, 24, 3)
    order = pieces[rng.permutation(len(pieces))].reshape(number, number, 24, 24, 3).swapaxes(1, 2)
    return np.ascontiguousarray(order.reshape(24 * number, 24 * number, 3))


def _shuffled_within(cell: Rgb, rng: np.random.Generator) -> Rgb:
    """The same, inside the cell's outline."""
    inside = (cell.max(axis=2) > 12).astype(np.uint8) * 255
    return cv2.copyTo(cv2.resize(_shuffled(cell, rng), inside.shape[::-1]), inside)


def _strange_colours(cell: Rgb, rng: np.random.Generator) -> Rgb:
    """A cell in its negative, or in green, yellow or orange, which no stain for blood gives."""
    inside = (cell.max(axis=2, keepdims=True) > 12).astype(np.uint8)
    if rng.random() < 0.3:
        return np.asarray((255 - cell) * inside, np.uint8)
    hsv = cv2.cvtColor(cell, cv2.COLOR_RGB2HSV)
    hsv[..., 0] = int(rng.integers(25, 85))  # OpenCV's hue, of 180: yellow to green
    hsv[..., 1] = np.clip(hsv[..., 1].astype(np.int64) * rng.uniform(1.0, 3.0), 90, 255)
    return np.asarray(cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB) * inside, np.uint8)


_SPOILT: tuple[Callable[[Rgb, np.random.Generator], Rgb], ...] = (
    _shuffled,
    _shuffled_within,
    _strange_colours,
)
