"""Which cells of a field are new, which are seen better than before, and which prove to be none."""

from collections.abc import Sequence
from math import hypot
from typing import NamedTuple

from edge.live.registration.region import EDGE, MapCell, Region
from edge.segmentation.outlines import FoundCell
from edge.slides.records import NewField

CLEARLY_BETTER = 0.25
"""A counted cell is judged again in a view whose strain (`QualityReport.strain`) is less by this or more."""


class Seen(NamedTuple):
    """What a field shows against what is counted.

    Attributes:
        new: cells that no field has counted.
        better: counted cells that the field shows clearly better, each with itself in the field.
        gone: counted cells that were never judged, and are no single cells in this field, that can be judged.
    """

    new: list[FoundCell]
    better: list[tuple[MapCell, FoundCell]]
    gone: list[MapCell]


def compare(region: Region, field: NewField, cells: Sequence[FoundCell]) -> Seen:
    """Compare a field with the region that it is on.

    Args:
        region: the region.
        field: its place and checks.
        cells: found in it.
    """
    strain = field.quality.strain
    new: list[FoundCell] = []
    better: list[tuple[MapCell, FoundCell]] = []
    met: set[MapCell] = set()
    for cell in cells:
        if not cell.counted:
            continue
        x, y = field.on_slide(cell.centre)
        counted = region.cell_at(x, y)
        if counted is None:
            if not region.is_covered(x, y, judged=field.judged):
                new.append(cell)
        elif counted not in met:
            met.add(counted)
            if field.judged and (not counted.judged or counted.strain - strain >= CLEARLY_BETTER):
                better.append((counted, cell))
    return Seen(new, better, _gone(region, field, met) if field.judged else [])


def _gone(region: Region, field: NewField, met: set[MapCell]) -> list[MapCell]:
    """Cells that wait to be judged, lie well within the field, and were not found in it."""
    margin = 2 * EDGE * region.cell_width
    reach = hypot(field.width, field.height) / 2
    middle_x, middle_y = field.x + field.width / 2, field.y + field.height / 2
    return [
        cell
        for cell in region.map_cells(middle_x - reach, middle_y - reach, 2 * reach, 2 * reach)
        if not cell.judged and cell not in met and field.holds((cell.x, cell.y), margin)
    ]


def put_on_map(region: Region, field: NewField, seen: Seen, ids: Sequence[int]) -> None:
    """Note on the map what the store has taken.

    Args:
        region: the region.
        field: the stored field.
        seen: what was compared.
        ids: of the new cells in the store, in their order.
    """
    strain = field.quality.strain
    size = (field.width, field.height)
    region.cover(field.x, field.y, size, field.uncovered, turn=field.turn, judged=field.judged)
    for before, _ in seen.better:
        region.replace(before, before._replace(strain=strain))
    for cell in seen.gone:
        region.replace(cell, None)
    region.add_cells(
        MapCell(*field.on_slide(cell.centre), cell_id, strain)
        for cell, cell_id in zip(seen.new, ids, strict=True)
    )
