"""Pictures of single red cells, as people hand them in: cut out on black, or with glass and neighbours round them."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np

from edge.cells.isolation import BLACK_LEVEL, isolate, whole_picture
from edge.segmentation.finder import CellFinder
from edge.segmentation.outlines import CellKind
from edge.simulation.field import FieldSettings, draw_field
from edge.simulation.single_cell import draw_cell
from edge.simulation.stain import expose
from edge.types import Box, Rgb
from train.augmentation.artefacts import add_artefact
from train.augmentation.stain_and_camera import Strength, augment
from train.finder.annotations import AnnotatedField, read_chula, read_txl

_MOST_MARGIN = 0.4
"""Glass left round a cell's box, on either side, as a share of its width: as a person crops."""
_LEAST_WIDTH = 12
"""Of a cell that is cut out of a field, px."""
_SEEN = 0.7
"""Least overlap of a cell's box and that of what the device takes for the cell."""
_GLASS = np.array([219, 188, 173], np.float32)
"""Colour of the clear plasma round the NIH cells, RGB."""
_JPEG = 0.3
"""Share of the cells that go through JPEG, with the black or the glass round them."""
_GREY = 0.05
"""Share of the cells that are shown without their colours: grey pictures are judged too."""


def cells_on_black(cut: Sequence[Rgb], number: int, rng: np.random.Generator) -> Iterator[Rgb]:
    """Give cells that were cut out, every second as another microscope would show it.

    Args:
        cut: RGB, uint8, (h, w, 3), black outside.
        number: how many to give.
        rng: source of all chance.
    """
    strength = Strength(plain=0.0)
    for turn in range(number):
        cell = cut[int(rng.integers(len(cut)))]
        shown = framed(augment(cell, _mask_of(cell), rng, strength)[0] if turn % 2 else cell)
        if rng.random() < _JPEG:
            shown = _through_jpeg(shown, rng)
        yield _grey(shown) if rng.random() < _GREY else shown


def _mask_of(cell: Rgb) -> Rgb:
    """The mask of a cell on black, uint8 (h, w), 255 on it; all of the picture where none stands out."""
    mask = isolate(cell)
    return whole_picture(cell) if mask is None else mask


def _grey(rgb: Rgb) -> Rgb:
    """The green channel, as the cameras of old read it out."""
    return np.ascontiguousarray(np.repeat(rgb[:, :, 1:2], 3, axis=2))


def cut_out(pictures: Iterable[Rgb]) -> Iterator[Rgb]:
    """Cut the cells of pictures out as the device does, black outside."""
    for rgb in pictures:
        mask = isolate(rgb)
        if mask is not None:
            x, y, w, h = cv2.boundingRect(mask)
            yield framed(cv2.copyTo(rgb, mask)[y : y + h, x : x + w])


def framed(cell: Rgb) -> Rgb:
    """A cut-out cell with the black pixel round it that the published ones have."""
    return np.asarray(cv2.copyMakeBorder(cell, 1, 1, 1, 1, cv2.BORDER_CONSTANT), np.uint8)


def simulated_cells(number: int, seed: int) -> Iterator[Rgb]:
    """Draw cells on black, every second one infected."""
    for place in range(number):
        yield draw_cell(np.random.SeedSequence([seed, place]), infected=place % 2 == 1).rgb


def boxes_of(field: AnnotatedField, finder: CellFinder) -> list[Box]:
    """Boxes of a field's red cells: those marked, or those found about the marked points."""
    marked = [mark for mark in field.marks if mark.kind == CellKind.RED and mark.w > 0]
    if marked:
        return [_box(mark.x - mark.w / 2, mark.y - mark.h / 2, mark.w, mark.h) for mark in marked]
    found = [cell.box for cell in finder.find(field.rgb).cells if cell.counted]
    points = np.array([(mark.x, mark.y) for mark in field.marks] or [(-1.0, -1.0)])
    return [
        box
        for box in found
        if ((points >= box[:2]) & (points < (box[0] + box[2], box[1] + box[3]))).all(axis=1).any()
    ]


def _box(*values: float) -> Box:
    x, y, w, h = (round(value) for value in values)
    return x, y, w, h


def cells_on_glass(
    fields: Sequence[tuple[Rgb, list[Box]]], number: int, rng: np.random.Generator
) -> Iterator[Rgb]:
    """Cut cells with glass round them out of fields, two of three as another laboratory would show them.

    Crops of which the device takes something else for the cell teach nothing of red cells, and are left out.
    """
    given = 0
    with_cells = [(rgb, boxes) for rgb, boxes in fields if boxes]
    while given < number:
        rgb, boxes = with_cells[int(rng.integers(len(with_cells)))]
        x, y, w, h = boxes[int(rng.integers(len(boxes)))]
        wide = max(w, h)
        # Before and behind the cell, across and down.
        margin = (rng.uniform(0.0, _MOST_MARGIN) + rng.uniform(-0.03, 0.1, 4)) * wide
        left, top = round(x - margin[0]), round(y - margin[1])
        right, bottom = round(x + w + margin[2]), round(y + h + margin[3])
        if min(left, top) < 0 or right > rgb.shape[1] or bottom > rgb.shape[0] or wide < _LEAST_WIDTH:
            continue
        crop = np.ascontiguousarray(rgb[top:bottom, left:right])
        shown = other_laboratory(crop, rng) if given % 3 else crop
        if is_seen(shown, (x - left, y - top, w, h), crop.shape[1]):
            given += 1
            yield shown


def is_seen(rgb: Rgb, box: Box, width: int) -> bool:
    """Tell whether the device takes what is in a box for the cell of a picture.

    Args:
        rgb: RGB, uint8, (h, w, 3).
        box: x, y, w, h, px of a picture ``width`` wide that shows the same.
        width: px.
    """
    mask = isolate(rgb)
    if mask is None:
        return False
    return overlap(cv2.boundingRect(mask), box, rgb.shape[1] / width) >= _SEEN


def overlap(one: Sequence[float], other: Sequence[float], scale: float = 1.0) -> float:
    """Share of two boxes' union that both cover, the other one scaled."""
    a, b = np.array(one, np.float64), np.array(other, np.float64) * scale
    inner = np.minimum(a[:2] + a[2:], b[:2] + b[2:]) - np.maximum(a[:2], b[:2])
    both = float(np.prod(np.maximum(inner, 0)))
    return both / max(float(a[2] * a[3] + b[2] * b[3]) - both, 1e-9)


def cells_laid_on_glass(cut: Sequence[Rgb], number: int, rng: np.random.Generator) -> Iterator[Rgb]:
    """Lay cut-out cells on glass, every second one with neighbours at its side."""
    given = 0
    while given < number:
        field, box = _lay_on_glass(cut, rng)
        shown = other_laboratory(field, rng)
        if is_seen(shown, box, field.shape[1]):
            given += 1
            yield shown


def _lay_on_glass(cut: Sequence[Rgb], rng: np.random.Generator) -> tuple[Rgb, Box]:
    cell = _with_artefact(cut[int(rng.integers(len(cut)))], rng)
    height, width = cell.shape[:2]
    glass = _GLASS * np.exp(rng.normal(0, 0.05)) * np.exp(rng.normal(0, 0.03, 3))
    margin = [int(value * max(height, width)) for value in rng.uniform(0.03, _MOST_MARGIN, 4)]
    shape = (height + margin[0] + margin[1], width + margin[2] + margin[3], 3)
    field = np.full(shape, np.clip(glass, 0, 255), np.uint8)
    for _ in range(int(rng.integers(1, 4)) if rng.random() < 0.5 else 0):
        around = rng.uniform(0, 2 * np.pi)
        away = rng.uniform(0.95, 1.3) * np.array([np.sin(around) * height, np.cos(around) * width])
        _lay(field, cut[int(rng.integers(len(cut)))], margin[0] + int(away[0]), margin[2] + int(away[1]))
    _lay(field, cell, margin[0], margin[2])
    return cv2.GaussianBlur(field, (0, 0), 1.0), (margin[2], margin[0], width, height)


def _with_artefact(cell: Rgb, rng: np.random.Generator) -> Rgb:
    """Draw some cut-out cells crenated, folded, with specks or with a sharp pale centre, as training does."""
    mask = _mask_of(cell)
    darkness = np.log(_GLASS) - np.log(np.maximum(cell, 3).astype(np.float32))
    darkness, mask = add_artefact(darkness.astype(np.float32), mask, rng)
    return cv2.copyTo(expose((_GLASS * np.exp(-darkness)).astype(np.float32)), mask)


def _lay(field: Rgb, cell: Rgb, top: int, left: int) -> None:
    """Lay a cut-out cell with its corner at (top, left), clipped to the field."""
    y0, x0 = max(top, 0), max(left, 0)
    y1, x1 = min(top + cell.shape[0], field.shape[0]), min(left + cell.shape[1], field.shape[1])
    if y0 < y1 and x0 < x1:
        part = cell[y0 - top : y1 - top, x0 - left : x1 - left]
        place = field[y0:y1, x0:x1]
        place[:] = np.where(part.max(axis=2, keepdims=True) > BLACK_LEVEL, part, place)


def other_laboratory(rgb: Rgb, rng: np.random.Generator) -> Rgb:
    """Show a crop with its glass as another stain, lamp, lens and camera would."""
    light = np.maximum(rgb.astype(np.float32), 3)
    glass = np.percentile(light.reshape(-1, 3), 90, axis=0).astype(np.float32)
    density = np.log(glass / light)
    saturation = float(rng.uniform(0.3, 1.3))
    gain = np.exp(rng.uniform(-0.7, 1.6) + rng.normal(0, 0.15, 3))
    matrix = gain[:, None] * (saturation * np.eye(3) + (1 - saturation) / 3)
    lamp = np.clip(rng.uniform(130, 250) * np.exp(rng.normal(0, 0.06, 3)), 60, 254).astype(np.float32)
    shown = lamp * np.exp(-cv2.transform(density, matrix.astype(np.float32)))
    scale = float(rng.uniform(0.5, 1.3))
    shown = cv2.resize(shown, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    shown = cv2.GaussianBlur(shown, (0, 0), 0.1 + float(rng.uniform(0, 0.02)) * max(shown.shape[:2]))
    picture = expose(shown, rng, float(rng.uniform(0, 4)))
    if rng.random() < _JPEG:
        picture = _through_jpeg(picture, rng)
    return _grey(picture) if rng.random() < _GREY else picture


def _through_jpeg(rgb: Rgb, rng: np.random.Generator) -> Rgb:
    _, encoded = cv2.imencode(".jpg", rgb, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(60, 96))])
    return np.asarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR), np.uint8)


def simulated_fields(number: int, seed: int) -> list[tuple[Rgb, list[Box]]]:
    """Draw small fields and give the boxes of their whole cells."""
    drawn = []
    for place in range(number):
        settings = FieldSettings(width=640, height=480, cells=25, parasitaemia=0.3)
        field = draw_field(np.random.SeedSequence([seed, 1, place]), settings)
        boxes = [cell.box for cell in field.cells if not field.cut_by_border(cell)]
        drawn.append((field.rgb, boxes))
    return drawn


def read_fields(data: Path) -> list[AnnotatedField]:
    """Read the fields whose licence lets us learn from them."""
    return [*read_chula(data / "chula_rbc12"), *read_txl(data / "txl_pbc")]
