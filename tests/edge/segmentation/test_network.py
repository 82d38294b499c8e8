"""What the network is shown and what is kept of its answer."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

import edge.segmentation.network
from edge.segmentation.background import density_levels, estimate_background, optical_density
from edge.segmentation.network import (
    CELL_WIDTH,
    MULTIPLE,
    OVERLAP,
    TILE_PIXELS,
    CellNetwork,
    SegmentationMaps,
    _tiling,
    chances,
    network_picture,
    picture_scaling,
)
from edge.segmentation.outlines import measure_labels
from edge.segmentation.settings import FinderSettings
from tests.support.plain_field import draw, grid


def picture_of(size: tuple[int, int]) -> NDArray[np.uint8]:
    """A drawn field as the network sees it."""
    rgb = draw(grid(size, CELL_WIDTH), CELL_WIDTH, size)
    return density_levels(rgb, estimate_background(rgb), picture_scaling(0.35))


def test_training_and_device_show_the_network_the_same_picture() -> None:
    rgb = draw(grid((320, 240), CELL_WIDTH), CELL_WIDTH, (320, 240))
    background = estimate_background(rgb)
    in_training = network_picture(optical_density(rgb, background), 0.35)
    on_device = density_levels(rgb, background, picture_scaling(0.35))
    assert in_training.std() > 20
    assert np.abs(in_training.astype(int) - on_device).max() <= 1


def test_a_large_picture_is_seen_in_tiles_as_in_one_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    # No whole number of tiles, and odd: the grid is rounded up.
    picture = picture_of((701, 463))
    whole = CellNetwork(threads=1).predict(picture)
    monkeypatch.setattr(edge.segmentation.network, "TILE_PIXELS", 320 * 256)
    tiled = CellNetwork(threads=1).predict(picture)
    assert chances(whole.cell).max() > 0.9
    for one, other in zip(whole[:2], tiled[:2], strict=True):
        assert one.shape == other.shape == (232, 351)
        assert np.mean(np.abs(chances(one) - chances(other)) > 0.1) < 0.002
    on_cell = chances(whole.cell) > 0.9
    assert np.abs(whole.offset - tiled.offset)[on_cell].mean() < 0.1


@pytest.mark.parametrize("most", [TILE_PIXELS, 700_000])
@pytest.mark.parametrize(
    "size", [(300, 240), (683, 512), (853, 641), (1601, 1201), (4001, 333), (2309, 1731)]
)
def test_tiles_are_alike_small_enough_and_see_into_each_other(size: tuple[int, int], most: int) -> None:
    down, across = _tiling(size[1], size[0], most)
    pixels = 1
    for length, spans in zip(size, (across, down), strict=True):
        assert [spans[0].first, spans[-1].last] == [0, length]
        assert [span.last for span in spans[:-1]] == [span.first for span in spans[1:]]
        for span in spans:
            assert max(0, span.first - OVERLAP) >= span.start
            assert min(length, span.last + OVERLAP) <= span.end
        sides = {-(-(span.end - span.start) // MULTIPLE) * MULTIPLE for span in spans}
        assert len(sides) == 1
        pixels *= sides.pop()
    assert pixels <= most
    assert (len(down) * len(across) == 1) is (size[0] * size[1] < most)


def maps_of(labels: NDArray[np.int32], white: NDArray[np.float16]) -> SegmentationMaps:
    """Maps that are sure of their cells."""
    sure = np.full(labels.shape, 5, np.float16)
    return SegmentationMaps(sure, sure, np.zeros((*labels.shape, 2), np.float16), white)


def test_white_cells_are_large_ones_that_the_network_tells_by_the_mean_of_their_pixels() -> None:
    labels = np.zeros((24, 160), np.int32)
    for number in range(5):
        labels[5:15, 5 + 20 * number : 15 + 20 * number] = number + 1
    labels[2:22, 110:130], labels[2:22, 135:155] = 6, 7
    told = np.full(labels.shape, -5, np.float16)
    # One of usual size, one large, and one large of which only a part looks so.
    told[(labels == 2) | (labels == 6)] = 5
    told[2:8, 135:155] = 5
    is_white = measure_labels(maps_of(labels, told), labels, FinderSettings()).is_white
    assert np.flatnonzero(is_white).tolist() == [6]


def test_interpreters_are_kept_for_the_latest_sizes_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[bool] = []
    real = edge.segmentation.network.open_interpreter

    def counting(*args: object, **options: object) -> object:
        opened.append(True)
        return real(*args, **options)  # type: ignore[arg-type]

    sizes = ((160, 120), (176, 128), (320, 240))
    pictures = [picture_of(size) for size in sizes]
    alone = [CellNetwork(threads=1).predict(picture) for picture in pictures]
    # Room for the two small ones together, or for the large one by itself.
    monkeypatch.setattr(edge.segmentation.network, "KEPT_PIXELS", 320 * 240)
    network = CellNetwork(threads=1)
    monkeypatch.setattr(edge.segmentation.network, "open_interpreter", counting)
    for turn, opens in ((0, True), (1, True), (0, False), (1, False), (2, True), (2, False), (0, True)):
        before = len(opened)
        seen = network.predict(pictures[turn])
        assert (len(opened) > before) is opens
        for part, expected in zip(seen, alone[turn], strict=True):
            np.testing.assert_array_equal(part, expected)
