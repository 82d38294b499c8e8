"""What the cell finder learns from: simulated scenes, pieces of marked fields, and batches of both."""

from pathlib import Path

import numpy as np
import pytest

from edge.inference.model_file import with_manifest
from edge.inference.runtime import find_runtime, open_interpreter
from edge.segmentation.finder import CellFinder
from edge.segmentation.network import CELL_WIDTH, GLASS_LEVEL, STRIDE, CellNetwork
from edge.segmentation.outlines import CellKind
from edge.simulation.field import FieldSettings, draw_field
from edge.simulation.scene import BystanderKind
from train.finder.annotations import AnnotatedField, Mark
from train.finder.choose_settings import score
from train.finder.cutouts import cutouts_of
from train.finder.real_scenes import cut_real_scenes
from train.finder.scenes import SIDE, TARGETS, Scene, SceneMaker

HALF = SIDE // STRIDE


def marked_field(boxes: bool, seed: int = 3) -> AnnotatedField:
    settings = FieldSettings(width=640, height=480, cells=40, cell_width=60, white_cells=1, platelets=2)
    drawn = draw_field(seed, settings)
    marks = []
    for cell in drawn.cells:
        x, y, w, h = cell.box
        marks.append(Mark(x + w / 2, y + h / 2, w, h) if boxes else Mark(cell.x, cell.y))
    for thing in drawn.bystanders:
        if thing.kind == BystanderKind.WHITE:
            marks.append(Mark(thing.x, thing.y, thing.width, thing.width, CellKind.WHITE))
    return AnnotatedField("drawn", drawn.rgb, tuple(marks), False)


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


@pytest.mark.slow
def test_every_pixel_of_a_scenes_cells_points_at_a_centre(scenes: list[Scene]) -> None:
    for scene in scenes:
        assert scene.picture.shape == (SIDE, SIDE, 3)
        assert scene.target.shape == (HALF, HALF, TARGETS)
    near = np.concatenate([pointing(scene)[1] for scene in scenes])
    assert near.size > 10_000
    assert near.min() > 0.3


def test_scenes_hold_white_cells_that_are_marked_as_such(scenes: list[Scene]) -> None:
    white = [scene for scene in scenes if scene.target[..., 5].any()]
    assert 0 < len(white) < len(scenes)
    for scene in white:
        assert scene.target[..., 0][scene.target[..., 5] > 0].min() > 0


@pytest.mark.slow
@pytest.mark.parametrize("boxes", [True, False])
def test_pieces_of_a_marked_field_point_at_its_marks(boxes: bool) -> None:
    pieces = cut_real_scenes([marked_field(boxes)], 4, np.random.default_rng(2))
    assert len(pieces) == 4
    near = np.concatenate([pointing(piece)[1] for piece in pieces])
    assert near.size > 1000
    assert np.mean(near > 0.3) > 0.95


@pytest.mark.slow
def test_stain_without_a_mark_has_no_say() -> None:
    field = marked_field(boxes=True)
    half = field._replace(marks=tuple(mark for mark in field.marks if mark.x < field.rgb.shape[1] / 2))
    weights = [
        np.mean([piece.target[..., 4].mean() for piece in cut_real_scenes([f], 6, np.random.default_rng(4))])
        for f in (field, half)
    ]
    assert weights[1] < weights[0] - 0.05


def test_a_turned_batch_still_points_at_its_centres(scenes: list[Scene]) -> None:
    fit = pytest.importorskip("train.finder.fit", reason="training needs TensorFlow")
    rng = np.random.default_rng(3)
    pictures = np.stack([scene.picture for scene in scenes]).astype(np.float32)
    targets = np.stack([scene.target for scene in scenes]).astype(np.float32)
    for _ in range(8):
        turned, aims = fit.turned(pictures, targets, rng)
        near = np.concatenate([pointing(Scene(*pair))[1] for pair in zip(turned, aims, strict=True)])
        assert near.size > 10_000
        assert near.min() > 0.3


@pytest.mark.slow
def test_an_exported_network_tells_the_device_what_keras_says(scenes: list[Scene], tmp_path: Path) -> None:
    made = pytest.importorskip("train.finder.export", reason="training needs TensorFlow")
    network = pytest.importorskip("train.finder.network", reason="training needs TensorFlow")
    made.tf.keras.utils.set_random_seed(1)
    model = network.build_network(made.EXPORT_SIDE)
    # Not all levels: the exported input must have room for all of them nevertheless.
    pictures = np.clip([scene.picture for scene in scenes], 10, 200).astype(np.uint8)
    # One pass, so that the normalisation fits these pictures.
    model(made.network_values(pictures), training=True)
    flatbuffer, heads = made.export(model, pictures, int8=True)
    entry = open_interpreter(flatbuffer, threads=1, runtime=find_runtime()).get_input_details()[0]
    # The device hands its levels on as they are, 128 less.
    assert entry["quantization"] == pytest.approx((1 / 80, GLASS_LEVEL - 128), rel=1e-4)
    path = tmp_path / "finder.tflite"
    path.write_bytes(with_manifest(flatbuffer, {"name": "cellfinder", "outputs": heads}))
    maps = CellNetwork(path, threads=1).predict(pictures[0])
    marks, offset = (np.asarray(head)[0] for head in model(made.network_values(pictures[:1])))
    shown = np.stack([maps.cell, maps.centre, maps.white], axis=-1).astype(np.float32)
    for seen, truth in ((shown, marks), (maps.offset * STRIDE / CELL_WIDTH, offset)):
        for channel in range(truth.shape[-1]):
            assert np.corrcoef(seen[..., channel].ravel(), truth[..., channel].ravel())[0, 1] > 0.95


def test_the_manifest_says_what_the_network_was_made_of() -> None:
    training = pytest.importorskip("train.finder.__main__", reason="training needs TensorFlow")
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
