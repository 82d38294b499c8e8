"""The map and the store together: a map drawn from what was stored, and regions that meet."""

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np

from edge.live.registration.motion import Thumbnail
from edge.live.registration.picture_check import overlapping, shows_the_same, unpack_thumbnail
from edge.live.registration.point_patterns import Shift
from edge.live.registration.region import SAME_CELL, MapCell
from edge.live.registration.slide_map import Place, SeenField, SlideMap
from edge.live.states import Placement
from edge.slides.joining import join_regions
from edge.slides.records import Slide, StoredCell
from edge.slides.store import SlideStore
from edge.types import Points

_ASKED = 8
"""Fields of a region whose pictures are asked, at most, whether it is on another one."""


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
        size = (field.width, field.height)
        slide_map.region(field.island).cover(
            field.x, field.y, size, field.uncovered, turn=field.turn, judged=field.judged
        )
        place = Place(field.island, field.x, field.y, Placement.FIRST, field.turn)
        slide_map.fields.append(SeenField(stored.number, place, size))
    for cell in store.cells(slide, unjudged=True):
        slide_map.region(cell.island).add_cells([MapCell(cell.x, cell.y, cell.cell_id, cell.strain)])
    return slide_map


def join_if_met(
    store: SlideStore,
    slide: Slide,
    slide_map: SlideMap,
    place: Place,
    *,
    points: Points,
    thumbnail: Thumbnail,
    whole: bool,
) -> tuple[SlideMap, Place] | None:
    """Join the region of a field with another one on which the field, or the whole region, is found too.

    Args:
        store: holds the slide; told of the join before the map is.
        slide: the slide.
        slide_map: its map.
        place: where the field lies.
        points: centres of the field's cells in the field, pixels.
        thumbnail: the field's picture: only what shows the same is joined.
        whole: look also for the whole region, where the field alone is found nowhere.

    Returns:
        The map after the join and the field's place on it; None when there was nothing to join.

    Raises:
        StoreError: the join was not stored; nothing changed.
    """
    thumbnails = partial(store.thumbnails, slide)

    def shows(at: Place) -> bool:
        return shows_the_same(thumbnail, at._replace(turn=place.turn), slide_map.fields, thumbnails)

    def overlay_shows(other: int, moved_by: Shift) -> bool:
        return _overlays(slide_map, place.island, other, moved_by, thumbnails)

    there = slide_map.recognise(points, thumbnail.size, but_for=place.island, shows=shows)
    if there is None and whole:
        met = slide_map.match_regions(place.island, overlay_shows)
        if met is not None:
            number, moved_by = met
            there = Place(number, place.x + moved_by.x, place.y + moved_by.y, Placement.RECOGNISED)
    if there is None:
        return None
    there = there._replace(turn=place.turn)
    # The older region stays; what is moved is the younger.
    kept, moved = sorted((place.island, there.island))
    shift = np.array([there.x - place.x, there.y - place.y])
    if moved == there.island:
        shift = -shift
    cells = store.cells(slide, unjudged=True)
    duplicates = _found_twice(
        [cell for cell in cells if cell.island == kept],
        [cell for cell in cells if cell.island == moved],
        (float(shift[0]), float(shift[1])),
        SAME_CELL * slide_map.cell_width,
    )
    join_regions(
        store,
        slide,
        kept=kept,
        moved=moved,
        shift=(float(shift[0]), float(shift[1])),
        duplicates=duplicates,
    )
    after = map_of(store, slide)
    if after is None:
        raise RuntimeError("a slide lost its fields while two regions were joined")
    at = place if place.island == kept else there
    return after, at


def _overlays(
    slide_map: SlideMap,
    own: int,
    other: int,
    moved_by: Shift,
    thumbnails: Callable[[Sequence[int]], Mapping[int, bytes]],
) -> bool:
    """Whether fields of one region, moved onto another, show what that one's fields show there."""
    theirs = [field for field in slide_map.fields if field.place.island == other]
    asked = 0
    for field in slide_map.fields:
        if field.place.island != own or asked == _ASKED:
            continue
        at = field.place
        moved = at._replace(island=other, x=at.x + moved_by.x, y=at.y + moved_by.y)
        if not overlapping(moved, field.size, theirs):
            continue
        kept = thumbnails([field.number])
        if field.number not in kept:
            continue
        asked += 1
        if shows_the_same(unpack_thumbnail(kept[field.number], field.size), moved, theirs, thumbnails):
            return True
    return not asked


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
