"""Exports say what the Keras model says, and the gate refuses those that do not."""

from pathlib import Path

import keras
import numpy as np
import pytest

from convert.comparison import compare, judge_with
from convert.fault_injection import add_noise
from convert.gate import DEFAULT_LIMITS, Decision, GateResult, judge_export
from convert.tflite.export import _convert, export
from edge.cells.files import CellFile
from edge.errors import ModelFileError
from edge.inference.classifier import Classifier
from edge.inference.model_file import ModelFile, load_model, shipped_models, with_manifest
from edge.inference.precision import Precision
from edge.inference.preprocessing import PREPROCESSING_VERSION, network_input
from edge.simulation.single_cell import draw_cell
from train.evaluation.metrics import Judged
from train.model.network import WeightsError, base_of, build_network

pytestmark = pytest.mark.slow  # exports networks in every precision

_SIZE = 32


# Mean differences: float exports agree to rounding; the activations of a network that began with random
# weights spread far wider than ImageNet's, so in int8 single cells of it may come out otherwise.
@pytest.mark.parametrize(
    ("precision", "bound"), [(Precision.FLOAT32, 1e-5), (Precision.FLOAT16, 0.003), (Precision.INT8, 0.1)]
)
def test_an_export_takes_bytes_and_says_what_keras_says(
    exports: dict[Precision, bytes], cells: np.ndarray, said: np.ndarray, precision: Precision, bound: float
) -> None:
    exported, classifier = judge_with(exports[precision], cells, threads=1)
    assert np.abs(exported - said).mean() < bound
    assert classifier.probabilities(cells[:7]).shape == (7,)


def test_the_shipped_int8_judges_drawn_cells_as_the_shipped_float16_does() -> None:
    drawn = [draw_cell(seed, infected=seed % 2 == 1) for seed in range(200)]
    models = shipped_models()
    float16, int8 = (
        Classifier.open(models[f"plasmolite-standard-{precision}.tflite"], threads=1)
        for precision in (Precision.FLOAT16, Precision.INT8)
    )
    threshold = int8.model.operating_point("cell").threshold
    inputs = np.stack([network_input(cell.rgb, cell.mask, size=int8.input_size) for cell in drawn])
    fine, coarse = float16.probabilities(inputs), int8.probabilities(inputs)
    assert np.abs(fine - coarse).mean() < DEFAULT_LIMITS["int8"].mean_difference
    assert np.mean((fine >= threshold) != (coarse >= threshold)) <= DEFAULT_LIMITS["int8"].flips


def test_int8_is_smaller_than_float32_and_its_probability_is_finer_than_a_byte(
    exports: dict[Precision, bytes], cells: np.ndarray
) -> None:
    sizes = {precision: len(exports[precision]) for precision in Precision}
    # The head stays in float: of so narrow a network it is half of the int8 file.
    assert sizes["int8"] < sizes["float32"]
    assert sizes["float16"] < sizes["float32"]
    exported, _ = judge_with(exports[Precision.INT8], cells, threads=1)
    steps = exported * 256
    assert np.abs(steps - np.round(steps)).max() > 0.01


def test_int8_adds_nothing_on_average_to_what_the_head_sees(
    exports: dict[Precision, bytes], cells: np.ndarray
) -> None:
    seen = {
        precision: judge_with(exports[precision], cells, threads=1)[1].with_features(cells)[1]
        for precision in (Precision.FLOAT32, Precision.INT8)
    }
    error = seen[Precision.INT8] - seen[Precision.FLOAT32]
    # Single cells are rounded one way or the other; were the mean not taken off, a hundredth of that would be left.
    assert np.abs(error.mean(axis=0)).max() < 0.01 * np.abs(error).max()


@pytest.fixture(scope="module")
def spoilt(model: keras.Model, cells: np.ndarray) -> bytes:
    """The export of a network whose weights were shaken."""
    shaken = keras.models.clone_model(model)
    shaken.set_weights(model.get_weights())
    add_noise(shaken, 0.2)
    return export(shaken, Precision.FLOAT32, cells)


@pytest.mark.parametrize("count", [12, 30, 60])
def test_the_gate_passes_an_equal_export_and_refuses_a_spoilt_one_at_every_size(
    *,
    exports: dict[Precision, bytes],
    spoilt: bytes,
    files: list[CellFile],
    cells: np.ndarray,
    said: np.ndarray,
    count: int,
) -> None:
    said = said[:count]
    before = Judged(np.arange(count) % 2, said, np.array([f"p{i % 6}" for i in range(count)]))
    threshold = float(np.median(said))

    def gated(exported: bytes) -> GateResult:
        some = files[:count], cells[:count]
        _, judged = compare(Precision.FLOAT32, exported, *some, before, threshold=threshold, threads=1)
        limits = DEFAULT_LIMITS[Precision.FLOAT32]
        return judge_export(Precision.FLOAT32, judged, before, threshold=threshold, limits=limits)

    assert gated(exports[Precision.FLOAT32]).decision is Decision.PASSED
    refused = gated(spoilt)
    assert refused.decision is Decision.REFUSED
    assert all("points" in str(sentence) for sentence in refused.sentences())


def test_the_manifest_makes_the_same_bytes_twice_and_is_refused_when_incomplete(
    exports: dict[Precision, bytes], tmp_path: Path
) -> None:
    flatbuffer = exports[Precision.FLOAT16]
    assert with_manifest(flatbuffer, {"name": "x"}) == with_manifest(flatbuffer, {"name": "x"})
    (tmp_path / "x.tflite").write_bytes(with_manifest(flatbuffer, {"name": "x"}))
    with pytest.raises(ModelFileError, match="lacks"):
        load_model(tmp_path / "x.tflite")


def _released(flatbuffer: bytes, precision: Precision, folder: Path) -> Path:
    """A file as the gate would release it."""
    path = folder / f"plasmolite-drawn-{precision}.tflite"
    manifest = {
        "name": "drawn",
        "version": "1",
        "precision": precision,
        "labels": ["Uninfected", "Parasitized"],
        "input": {"size": _SIZE, "preprocessing": PREPROCESSING_VERSION},
        "operating_points": {},
        "licence": "none",
    }
    path.write_bytes(with_manifest(flatbuffer, manifest))
    return path


@pytest.mark.parametrize("precision", [Precision.FLOAT32, Precision.INT8])
def test_a_training_can_begin_where_a_released_model_ended(
    model: keras.Model, exports: dict[Precision, bytes], tmp_path: Path, precision: Precision
) -> None:
    path = _released(exports[precision], precision, tmp_path)
    begun = build_network(size=_SIZE, alpha=0.35, weights=str(path), seed=9)
    for mine, other in zip(base_of(begun).get_weights(), base_of(model).get_weights(), strict=True):
        # A bias in int8 is a whole number of steps of its input's scale times its kernel's.
        np.testing.assert_allclose(mine, other, atol=2e-3 * max(1.0, np.abs(other).max()))


def test_a_training_cannot_begin_with_a_released_model_of_another_width(
    exports: dict[Precision, bytes], tmp_path: Path
) -> None:
    path = _released(exports[Precision.FLOAT32], Precision.FLOAT32, tmp_path)
    with pytest.raises(WeightsError, match="width"):
        build_network(size=_SIZE, alpha=1.0, weights=str(path), seed=9)


def test_an_export_gives_what_its_head_saw_beside_the_same_probability(
    model: keras.Model, exports: dict[Precision, bytes], cells: np.ndarray, tmp_path: Path
) -> None:
    path = _released(exports[Precision.INT8], Precision.INT8, tmp_path)
    classifier = Classifier.open(path, threads=1)
    said, features = classifier.with_features(cells)
    np.testing.assert_array_equal(said, classifier.probabilities(cells))
    saw = keras.Model(model.input, model.get_layer("head_features").output)
    expected = np.asarray(saw(cells.astype(np.float32), training=False))
    assert features.shape == expected.shape
    assert np.corrcoef(features.ravel(), expected.ravel())[0, 1] > 0.97


def test_a_model_of_an_earlier_version_says_that_it_gives_no_features(cells: np.ndarray) -> None:
    classifier = Classifier(_of_probability_alone(), threads=1)
    assert not classifier.gives_features
    with pytest.raises(ModelFileError, match="no features"):
        classifier.with_features(cells)


def _of_probability_alone() -> ModelFile:
    """A network that gives one probability a cell and nothing else, as those before version 4 do."""
    pixels = keras.Input((_SIZE, _SIZE, 3), dtype="uint8")
    mean = keras.layers.GlobalAveragePooling2D()(keras.ops.cast(pixels, "float32"))
    said = keras.layers.Dense(1, activation="sigmoid")(mean)
    network = keras.Model(pixels, said)
    manifest = {"name": "old", "version": "3", "precision": "float32", "input": {"size": _SIZE}}
    return ModelFile(Path("old.tflite"), _convert(network), manifest)
