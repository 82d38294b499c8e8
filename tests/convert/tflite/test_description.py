"""Other programs learn from TFLite's own metadata what a model takes and gives; the network stays as it is."""

import shutil
import zipfile
from pathlib import Path

import flatbuffers
import numpy as np
import pytest
from ai_edge_litert.schema_py_generated import Model
from click.testing import CliRunner
from flatbuffers.number_types import UOffsetTFlags

from convert.tflite.description import LABELS_NAME, main, redescribed
from edge.errors import ModelFileError
from edge.inference.classifier import Classifier
from edge.inference.model_file import DESCRIPTION_BYTES, ModelFile, load_model, shipped_models, with_manifest

_NANO, _FLOAT = (shipped_models()[f"plasmolite-{name}.tflite"] for name in ("nano-int8", "standard-float16"))


def _network(model: ModelFile) -> bytes:
    return model.flatbuffer[model.manifest.get(DESCRIPTION_BYTES, 0) :]


@pytest.fixture(scope="module", params=[_NANO, _FLOAT], ids=["int8", "float16"])
def pair(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[ModelFile, ModelFile]:
    """A shipped model, and the same with a description made anew."""
    path = tmp_path_factory.mktemp("described") / "model.tflite"
    before = load_model(request.param)
    path.write_bytes(redescribed(before))
    return before, load_model(path)


def _field(table: flatbuffers.table.Table, slot: int) -> int:
    place = table.Offset(4 + 2 * slot)
    assert place, f"field {slot} is not there"
    return int(table.Pos + place)


def _tables(table: flatbuffers.table.Table, slot: int) -> list[flatbuffers.table.Table]:
    offset = table.Offset(4 + 2 * slot)
    start, number = table.Vector(offset), table.VectorLen(offset)
    places = [table.Indirect(start + 4 * number_) for number_ in range(number)]
    return [flatbuffers.table.Table(table.Bytes, place) for place in places]


def _text(table: flatbuffers.table.Table, slot: int) -> str:
    return bytes(table.String(_field(table, slot))).decode()


def _metadata(flatbuffer: bytes) -> flatbuffers.table.Table:
    root = Model.GetRootAs(flatbuffer, 0)
    entry = next(
        root.Metadata(place)
        for place in range(root.MetadataLength())
        if root.Metadata(place).Name() == b"TFLITE_METADATA"
    )
    content = bytes(root.Buffers(entry.Buffer()).DataAsNumpy())
    assert content[4:8] == b"M001"
    start = int.from_bytes(content[: UOffsetTFlags.bytewidth], "little")
    return flatbuffers.table.Table(content, start)


def test_the_network_stays_as_it_is_and_keeps_its_name(pair: tuple[ModelFile, ModelFile]) -> None:
    before, after = pair
    assert _network(after) == _network(before)
    assert after.sha256 == before.sha256
    assert after.manifest[DESCRIPTION_BYTES] > 0
    assert {**after.parts, LABELS_NAME: b""} == {**before.parts, LABELS_NAME: b""}
    pictures = np.random.default_rng(3).integers(0, 255, (3, *[after.input_size] * 2, 3), np.uint8)
    said, features = Classifier(after, threads=1).with_features(pictures)
    known, seen = Classifier(before, threads=1).with_features(pictures)
    assert said.tolist() == known.tolist()
    assert np.array_equal(features, seen)


def test_it_names_the_class_and_the_scale_of_the_picture(pair: tuple[ModelFile, ModelFile]) -> None:
    whole = _metadata(pair[1].flatbuffer)
    assert _text(whole, 0) == f"Plasmolite {pair[1].manifest['name']}"
    assert _text(whole, 2) == pair[1].manifest["version"]
    (graph,) = _tables(whole, 3)
    (picture,) = _tables(graph, 2)
    (unit,) = _tables(picture, 4)
    options = flatbuffers.table.Table(unit.Bytes, unit.Indirect(_field(unit, 1)))
    mean, std = (
        options.Get(flatbuffers.number_types.Float32Flags, options.Vector(options.Offset(4 + 2 * slot)))
        for slot in (0, 1)
    )
    assert (mean, std) == (0, 1)
    outputs = {_text(one, 0): one for one in _tables(graph, 3)}
    assert set(outputs) == {"probability", "features"}
    (labels,) = _tables(outputs["probability"], 6)
    assert _text(labels, 0) == LABELS_NAME
    assert pair[1].parts[LABELS_NAME].decode().split() == ["Parasitized"]


def test_the_description_of_each_output_stands_in_the_order_of_the_outputs(
    pair: tuple[ModelFile, ModelFile],
) -> None:
    flatbuffer = pair[1].flatbuffer
    graph = Model.GetRootAs(flatbuffer, 0).Subgraphs(0)
    widths = [int(graph.Tensors(graph.Outputs(place)).Shape(1)) for place in range(graph.OutputsLength())]
    names = [_text(one, 0) for one in _tables(_tables(_metadata(flatbuffer), 3)[0], 3)]
    assert names == ["probability" if width == 1 else "features" for width in widths]


def test_what_lies_in_the_archive_is_not_packed(pair: tuple[ModelFile, ModelFile]) -> None:
    # MediaPipe refuses a file in which anything is ("Expected uncompressed zip archive").
    with zipfile.ZipFile(pair[1].path) as archive:
        assert {one.compress_type for one in archive.infolist()} == {zipfile.ZIP_STORED}


def test_described_twice_it_is_the_same_and_the_command_says_so(tmp_path: Path) -> None:
    path = tmp_path / "nano.tflite"
    shutil.copy(_NANO, path)
    for _ in range(2):
        answer = CliRunner().invoke(main, [str(path)])
        assert answer.exit_code == 0, answer.output
        assert "network the same" in answer.output
        once = path.read_bytes()
    assert once == redescribed(load_model(path)) == redescribed(load_model(_NANO))


@pytest.mark.parametrize("place", [64, -1])
def test_a_description_that_was_altered_is_refused(
    tmp_path: Path, pair: tuple[ModelFile, ModelFile], place: int
) -> None:
    model = pair[1]
    length = model.manifest[DESCRIPTION_BYTES]
    spoilt = bytearray(model.path.read_bytes())
    spoilt[place % length] ^= 1
    path = tmp_path / "spoilt.tflite"
    path.write_bytes(spoilt)
    with pytest.raises(ModelFileError, match="altered"):
        load_model(path)


@pytest.mark.parametrize("length", ["1", -1, 10**9, None])
def test_a_length_that_cannot_be_is_refused(
    tmp_path: Path, pair: tuple[ModelFile, ModelFile], length: object
) -> None:
    model = pair[1]
    path = tmp_path / "odd.tflite"
    path.write_bytes(
        with_manifest(model.flatbuffer, {**model.manifest, DESCRIPTION_BYTES: length}, model.parts)
    )
    with pytest.raises(ModelFileError, match="altered"):
        load_model(path)


def test_mediapipe_names_the_class(pair: tuple[ModelFile, ModelFile]) -> None:
    mediapipe = pytest.importorskip("mediapipe", reason="MediaPipe is not installed: pip install mediapipe")
    vision = mediapipe.tasks.vision
    options = vision.ImageClassifierOptions(
        base_options=mediapipe.tasks.BaseOptions(model_asset_buffer=pair[1].path.read_bytes())
    )
    size = pair[1].input_size
    cell = np.random.default_rng(3).integers(0, 255, (size, size, 3), np.uint8)
    with vision.ImageClassifier.create_from_options(options) as classifier:
        answer = classifier.classify(mediapipe.Image(mediapipe.ImageFormat.SRGB, cell))
    (told,) = next(head.categories for head in answer.classifications if head.head_name == "probability")
    assert told.category_name == "Parasitized"
    assert told.score == pytest.approx(
        float(Classifier(pair[1], threads=1).probabilities(cell[None])[0]), abs=0.01
    )
