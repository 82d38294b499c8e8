"""The map and the store together: a map drawn from what was stored, and stretches that meet."""

import math

import numpy as np

from edge.live.registration.slide_map import SAME_CELL, Place, SlideMap
from edge.live.states import Placement
from edge.slides.joining import join_islands
from edge.slides.records import Slide, StoredCell
from edge.slides.store import SlideStore
from edge.types import Points


def map_of(store: SlideStore, slide: Slide) -> SlideMap | None:
    """Draw the map of a slide from its record; None for a slide without a field.

    Raises:
        StoreError: the store cannot be read.
    """
    fields = store.fields(slide)
    if not fields:
        return None
    slide_map = SlideMap(fields[0].field.cell_width)
    for stored in fields:
        field = stored.field
        slide_map.island(field.island).cover(field.x, field.y, (field.width, field.height), field.uncovered)
    for cell in store.cells(slide):
        slide_map.island(cell.island).add_cells([(cell.x, cell.y)])
    return slide_map


def join_if_met(
    store: SlideStore,
    slide: Slide,
    slide_map: SlideMap,
    place: Place,
    *,
    points: Points,
    size: tuple[int, int],
    whole: bool,
) -> tuple[SlideMap, Place] | None:
    """Join the stretch of a field with another one on which the field, or the whole stretch, is found too.

    Args:
        store: holds the slide; told of the join before the map is.
        slide: the slide.
        slide_map: its map.
        place: where the field lies.
        points: centres of the field's cells in the field, pixels.
        size: width and height of the field, pixels.
        whole: look also for the whole stretch, where the field alone is found nowhere.

    Returns:
        The map after the join and the field's place on it; None when there was nothing to join.

    Raises:
        StoreError: the join was not stored; nothing changed.
    """
    there = slide_map.recognise(points, size, but_for=place.island)
    if there is None and whole:
        met = slide_map.meet(place.island)
        if met is not None:
            number, moved_by = met
            there = Place(number, place.x + moved_by.x, place.y + moved_by.y, Placement.RECOGNISED)
    if there is None:
        return None
    # The older stretch stays; what is moved is the younger.
    kept, moved = sorted((place.island, there.island))
    shift = np.array([there.x - place.x, there.y - place.y])
    if moved == there.island:
        shift = -shift
    cells = store.cells(slide)
    duplicates = _found_twice(
        [cell for cell in cells if cell.island == kept],
        [cell for cell in cells if cell.island == moved],
        (float(shift[0]), float(shift[1])),
        SAME_CELL * slide_map.cell_width,
    )
    join_islands(
        store,
        slide,
        kept=kept,
        moved=moved,
        shift=(float(shift[0]), float(shift[1])),
        duplicates=duplicates,
    )
    after = map_of(store, slide)
    if after is None:
        raise RuntimeError("a slide lost its fields while two stretches were joined")
    at = place if place.island == kept else there
    return after, at


def _found_twice(
    stays: list[StoredCell], moves: list[StoredCell], shift: tuple[float, float], reach: float
) -> dict[int, int]:
    """By the id of each cell that moves on top of one that stays, that one's id."""
    buckets: dict[tuple[int, int], list[StoredCell]] = {}
    for cell in stays:
        buckets.setdefault((int(cell.x // reach), int(cell.y // reach)), []).append(cell)
    twice: dict[int, int] = {}
    for cell in moves:
        x, y = cell.x + shift[0], cell.y + shift[1]
        column, row = int(x // reach), int(y // reach)
        near = [
            (math.hypot(other.x - x, other.y - y), other.cell_id)
            for across in (column - 1, column, column + 1)
            for down in (row - 1, row, row + 1)
            for other in buckets.get((across, down), ())
        ]
        distance, original = min(near, default=(math.inf, 0))
        if distance < reach:
            twice[cell.cell_id] = original
    return twice
