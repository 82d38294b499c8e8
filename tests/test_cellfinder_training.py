"""What the cell finder learns from: simulated scenes, pieces of marked fields, and batches of both."""

import numpy as np
import pytest

from edge.cellfinding import CellFinder
from edge.cellnetwork import CELL_WIDTH, STRIDE
from edge.simulated_field import FieldSettings, draw_field
from train.cellfinder.choose import score
from train.cellfinder.cutouts import cutouts_of
from train.cellfinder.marked import WHITE, Mark, MarkedField
from train.cellfinder.pieces import real_pieces
from train.cellfinder.scenes import SIDE, TARGETS, Scene, SceneMaker

HALF = SIDE // STRIDE


def marked_field(boxes: bool, seed: int = 3) -> MarkedField:
    settings = FieldSettings(width=640, height=480, cells=40, cell_width=60, white_cells=1, platelets=2)
    drawn = draw_field(seed, settings)
    marks = []
    for cell in drawn.cells:
        x, y, w, h = cell.box
        marks.append(Mark(x + w / 2, y + h / 2, w, h) if boxes else Mark(cell.x, cell.y))
    for thing in drawn.bystanders:
        if thing.kind == WHITE:
            marks.append(Mark(thing.x, thing.y, thing.width, thing.width, WHITE))
    return MarkedField("drawn", drawn.rgb, tuple(marks), False)


@pytest.fixture(scope="module")
def scenes() -> list[Scene]:
    rng = np.random.default_rng(1)
    maker = SceneMaker(cutouts_of([marked_field(boxes=True)]))
    return [maker.make(rng) for _ in range(12)]


def pointing(scene: Scene) -> tuple[np.ndarray, np.ndarray]:
    """Where each cell pixel of full weight points to, and the height of the centre map there."""
    target = scene.target.astype(np.float32)
    rows, columns = np.nonzero((target[..., 0] > 0.99) & (target[..., 4] > 0))
    x = columns + target[rows, columns, 2] * CELL_WIDTH / STRIDE
    y = rows + target[rows, columns, 3] * CELL_WIDTH / STRIDE
    inside = (x > 0) & (y > 0) & (x < HALF - 1) & (y < HALF - 1)
    near = target[np.rint(y[inside]).astype(int), np.rint(x[inside]).astype(int), 1]
    return np.column_stack((x, y))[inside], near


def test_every_pixel_of_a_scenes_cells_points_at_a_centre(scenes: list[Scene]) -> None:
    for scene in scenes:
        assert scene.picture.shape == (SIDE, SIDE, 3)
        assert scene.target.shape == (HALF, HALF, TARGETS)
        assert pointing(scene)[1].min(initial=1) > 0.3


def test_scenes_hold_white_cells_that_are_marked_as_such(scenes: list[Scene]) -> None:
    white = [scene for scene in scenes if scene.target[..., 5].any()]
    assert 0 < len(white) < len(scenes)
    for scene in white:
        assert scene.target[..., 0][scene.target[..., 5] > 0].min() > 0


@pytest.mark.parametrize("boxes", [True, False])
def test_pieces_of_a_marked_field_point_at_its_marks(boxes: bool) -> None:
    pieces = real_pieces([marked_field(boxes)], 4, np.random.default_rng(2))
    assert len(pieces) == 4
    near = np.concatenate([pointing(piece)[1] for piece in pieces])
    assert near.size > 1000
    assert np.mean(near > 0.3) > 0.95


def test_stain_without_a_mark_has_no_say() -> None:
    field = marked_field(boxes=True)
    half = field._replace(marks=tuple(mark for mark in field.marks if mark.x < field.rgb.shape[1] / 2))
    weights = [
        np.mean([piece.target[..., 4].mean() for piece in real_pieces([f], 6, np.random.default_rng(4))])
        for f in (field, half)
    ]
    assert weights[1] < weights[0] - 0.05


def test_a_turned_batch_still_points_at_its_centres(scenes: list[Scene]) -> None:
    fit = pytest.importorskip("train.cellfinder.fit", reason="training needs TensorFlow")
    rng = np.random.default_rng(3)
    pictures = np.stack([scene.picture for scene in scenes]).astype(np.float32)
    targets = np.stack([scene.target for scene in scenes]).astype(np.float32)
    for _ in range(8):
        turned, aims = fit.turned(pictures, targets, rng)
        for picture, target in zip(turned, aims, strict=True):
            assert pointing(Scene(picture, target))[1].min(initial=1) > 0.3


def test_the_manifest_says_what_the_network_was_made_of() -> None:
    training = pytest.importorskip("train.cellfinder.__main__", reason="training needs TensorFlow")
    fields = [marked_field(True)._replace(name="txl a"), marked_field(False)._replace(name="chula b")]
    recipe = training.Recipe(scenes=5, chula_pieces=1, txl_pieces=2, steps=3, seed=4)
    manifest = training.describe(recipe, fields, ["marks", "offset"])
    assert "--txl-pieces 2" in manifest["training"]["command"]
    assert {source["licence"] for source in manifest["sources"]} == {"MIT", manifest["licence"]}
    other = training.describe(recipe, fields[::-1], ["marks", "offset"])
    assert manifest["training"]["data_fingerprint"] != other["training"]["data_fingerprint"]


def test_a_mark_in_one_cell_is_found_and_an_empty_cell_is_extra() -> None:
    field = marked_field(boxes=False)
    found = CellFinder().find(field.rgb)
    whole = score(field, found, None)
    without = score(field._replace(marks=()), found, None)
    assert whole.f1 > 0.9
    assert without.matched == 0
    assert without.extra == sum(cell.counted for cell in found.cells)
