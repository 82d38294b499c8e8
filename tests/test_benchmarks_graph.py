"""Reading a graph: multiply-adds, single operators cut out, matrix products built."""

import numpy as np
import pytest

from benchmarks.ceiling import dense_layer
from benchmarks.graph import cut_out, multiply_adds, operators_of, read_graph
from benchmarks.harness.candidates import open_model, sample_inputs
from edge.inference.model_file import ModelFile, load_model, shipped_models
from edge.inference.runtime import find_runtime


@pytest.fixture(scope="module")
def model() -> ModelFile:
    path = shipped_models().get("plasmolite-standard-int8.tflite")
    if path is None:
        pytest.skip("the package has no model of cells in this tree")
    return load_model(path)


def test_a_matrix_product_has_rows_times_inputs_times_outputs() -> None:
    assert multiply_adds(dense_layer(5, 7, 3, integer=False)) == 5 * 7 * 3


def test_a_built_float_layer_multiplies() -> None:
    flatbuffer = dense_layer(2, 4, 3, integer=False)
    judge = open_model(flatbuffer, runtime=find_runtime(), threads=1, shape=(2, 4)).judge
    one, two = judge(np.ones((2, 4), np.float32)), judge(np.full((2, 4), 2, np.float32))
    np.testing.assert_allclose(two, 2 * one, rtol=1e-6)


def test_a_built_int8_layer_runs() -> None:
    flatbuffer = dense_layer(2, 4, 3, integer=True)
    judge = open_model(flatbuffer, runtime=find_runtime(), threads=1, shape=(2, 4)).judge
    assert judge(np.zeros((2, 4), np.int8)).tolist() == [[0, 0, 0], [0, 0, 0]]


def test_mobilenet_at_96_pixels_has_its_published_multiply_adds(model: ModelFile) -> None:
    # 300 million at 224 px (Sandler et al. 2018, table 4), so (96 / 224)^2 of them, with another head.
    assert multiply_adds(model.flatbuffer) == pytest.approx(300e6 * (96 / 224) ** 2, rel=0.03)


def test_an_operator_cut_out_does_what_it_did_in_the_whole(model: ModelFile) -> None:
    graph = read_graph(model.flatbuffer)
    place = next(one.place for one in operators_of(graph) if one.kind == "FULLY_CONNECTED")
    interpreter = find_runtime().interpreter_class(
        model_content=model.flatbuffer, num_threads=1, experimental_preserve_all_tensors=True
    )
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], sample_inputs(1, model.input_size))
    interpreter.invoke()
    operator = graph.subgraphs[0].operators[place]
    inside, expected = (
        interpreter.get_tensor(int(index)) for index in (operator.inputs[0], operator.outputs[0])
    )
    alone = open_model(cut_out(graph, place), runtime=find_runtime(), threads=1, shape=inside.shape)
    assert np.abs(alone.judge(inside).astype(int) - expected.astype(int)).max() <= 1


def test_the_graph_is_left_as_it_was(model: ModelFile) -> None:
    graph = read_graph(model.flatbuffer)
    before = [one.what for one in operators_of(graph)]
    cut_out(graph, 5)
    assert [one.what for one in operators_of(graph)] == before
