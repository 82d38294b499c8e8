"""Cells of a field that may be infected are judged in all their turns."""

import numpy as np
import pytest

from edge.fields.analyser import FieldAnalyser, cut_cells
from edge.inference.classifier import Classifier
from edge.inference.levelling import Levelling, logits_of
from edge.inference.model_file import ModelFile, load_model, shipped_models
from edge.inference.second_look import STAGES, TURNS, Doubt, in_doubt, look_again, mean_over_turns
from edge.inference.verdicts import doubtful
from edge.simulation.field import FieldSettings, draw_field


@pytest.fixture(scope="module")
def nano() -> ModelFile:
    return load_model(shipped_models()["plasmolite-nano-int8.tflite"])


@pytest.fixture(scope="module")
def field() -> np.ndarray:
    return draw_field(
        3, FieldSettings(width=640, height=480, cells=45, cell_width=60.0, parasitaemia=0.2)
    ).rgb


def with_second_look(model: ModelFile, above: float | None) -> ModelFile:
    manifest = {
        key: value for key, value in model.manifest.items() if key not in {"levelling", "second_look"}
    }
    if above is not None:
        manifest["second_look"] = {"above": above, "turns": 8}
    return ModelFile(model.path, model.flatbuffer, manifest)


def test_only_cells_near_the_threshold_are_looked_at_again(nano: ModelFile, field: np.ndarray) -> None:
    once = FieldAnalyser(Classifier(with_second_look(nano, None), threads=1))
    found = once.analyse(field, "drawn")
    first = np.array([cell.probability for cell in found.cells])
    inputs = cut_cells(field, [cell.cell for cell in found.cells], nano.input_size)
    # Drawn cells are clear ones: the threshold is what all turns say of one, so that it is near on every processor.
    turned = mean_over_turns(Classifier(nano, threads=1).probabilities, inputs, first)
    middle, threshold = float(np.median(first)), float(turned[np.argsort(first)[len(first) * 7 // 10]])
    twice = FieldAnalyser(Classifier(with_second_look(nano, middle), threads=1), threshold).analyse(
        field, "drawn"
    )
    second = np.array([cell.probability for cell in twice.cells])
    doubt = in_doubt(middle, threshold)
    assert doubt is not None
    seen_again = (first >= middle) & (first <= doubt.most)
    np.testing.assert_array_equal(second[~seen_again], first[~seen_again])
    again = turned[seen_again]
    # Those that were turned to the end; the others lie on the side where all turns would have led them.
    near = np.abs(logits_of(second[seen_again]) - logits_of(np.array([threshold]))) < STAGES[-2][1] / 2
    assert near.any()
    np.testing.assert_allclose(second[seen_again][near], again[near], atol=1e-6)
    apart = again != threshold  # the one that the threshold was taken from lies on neither side
    np.testing.assert_array_equal((second[seen_again] >= threshold)[apart], (again >= threshold)[apart])
    assert np.abs(second - first).max() > 1e-6


def test_what_is_said_after_it_does_not_hang_on_how_the_cell_lies(nano: ModelFile, field: np.ndarray) -> None:
    classifier = Classifier(nano, threads=1)
    analyser = FieldAnalyser(classifier)
    cells = [one for one in analyser.find(field).cells if one.kind == "red"][:8]
    inputs = cut_cells(field, cells, nano.input_size)
    turned = np.ascontiguousarray(np.rot90(inputs, 1, (1, 2))[:, ::-1])
    alike, expected = (
        mean_over_turns(classifier.probabilities, cells, classifier.probabilities(cells))
        for cells in (turned, inputs)
    )
    np.testing.assert_allclose(expected, alike, atol=1e-6)
    assert np.abs(classifier.probabilities(inputs) - classifier.probabilities(turned)).max() > 1e-4


def test_the_second_look_is_levelled_as_the_first() -> None:
    inputs = np.zeros((3, 32, 32, 3), np.uint8)
    said = np.array([0.01, 0.5, 0.9])
    levelled = look_again(
        lambda cells: np.full(len(cells), 0.8),
        inputs,
        said,
        levelling=Levelling(typical=-5.0, share=0.5, lowered=0.5),
        typical=-4.0,
        doubt=Doubt(0.2, 1.0, 0.7),
    )
    moved = logits_of(levelled)
    np.testing.assert_allclose(moved[0], logits_of(said)[0] - 0.5)
    other = logits_of(np.array([0.8]))
    # Both come to lie within a logit of the threshold, levelled as they are, and are turned to the end.
    mean = (logits_of(said)[1:] + (TURNS - 1) * other) / TURNS
    np.testing.assert_allclose(moved[1:], mean - 0.5)


def test_a_single_cell_is_looked_at_again_where_it_is_in_doubt_alone(
    nano: ModelFile, field: np.ndarray
) -> None:
    once = Classifier(with_second_look(nano, None), threads=1)
    cells = FieldAnalyser(once).find(field).cells
    inputs = cut_cells(field, [one for one in cells if one.kind == "red"], nano.input_size)
    first = once.probabilities(inputs)
    np.testing.assert_array_equal(once.cell_probabilities(inputs), first.astype(np.float64))
    above = 1 - float(np.sort(first)[-4])  # drawn cells are clear ones: the least sure of the infected
    doubt = (first >= above) & (first <= 1 - above)
    assert doubt.any()
    assert not doubt.all()
    again = Classifier(with_second_look(nano, above), threads=1)
    answered = again.cell_probabilities(inputs)
    np.testing.assert_array_equal(answered[~doubt], first[~doubt].astype(np.float64))
    turned = mean_over_turns(once.probabilities, inputs[doubt], first[doubt])
    np.testing.assert_allclose(answered[doubt], turned, atol=1e-6)
    assert np.abs(turned - first[doubt]).max() > 1e-6


@pytest.mark.parametrize("threshold", [0.5, 0.9946])
def test_cells_too_far_from_the_threshold_to_change_sides_are_looked_at_once(threshold: float) -> None:
    doubt = in_doubt(0.05, threshold)
    assert doubt is not None
    least, most, _ = doubt
    assert 0.05 <= least < threshold < most < 1
    # All that a person is asked to look at are looked at again.
    assert not doubtful(least, threshold)
    assert not doubtful(most, threshold)
    said = np.array([least - 0.01, least + 0.01, threshold, (1 + most) / 2])
    seen: list[int] = []

    def judge(inputs: np.ndarray) -> np.ndarray:
        seen.append(len(inputs))
        return np.full(len(inputs), threshold)

    inputs = np.zeros((len(said), 8, 8, 3), np.uint8)
    judged = look_again(judge, inputs, said, levelling=None, typical=None, doubt=doubt)
    assert seen == [2] * (TURNS - 1)
    np.testing.assert_array_equal(judged[[0, 3]], said[[0, 3]])
    mean = (logits_of(said[1:3]) + (TURNS - 1) * logits_of(np.array([threshold]))) / TURNS
    np.testing.assert_allclose(judged[1:3], 1 / (1 + np.exp(-mean)))
    assert in_doubt(None, threshold) is None


@pytest.mark.parametrize(
    ("turns_say", "turns"),
    [(-2.5, 2), (-0.8, 3), (-0.6, 4), (-0.4, 6), (-0.2, TURNS), (0.0, TURNS), (0.8, TURNS), (2.5, TURNS)],
)
def test_a_cell_is_turned_until_no_turn_would_change_its_verdict(turns_say: float, turns: int) -> None:
    """One cell at the threshold at first sight, whose other turns all lie so many logits from it."""
    wanted = logits_of(np.array([0.9]))[0]
    seen: list[int] = []

    def judge(inputs: np.ndarray) -> np.ndarray:
        seen.append(len(inputs))
        return np.full(len(inputs), 1 / (1 + np.exp(-(wanted + 2 * turns_say))))

    said = np.array([0.9])
    (judged,) = look_again(
        judge,
        np.zeros((1, 8, 8, 3), np.uint8),
        said,
        levelling=None,
        typical=None,
        doubt=in_doubt(0.05, 0.9),
    )
    assert len(seen) == turns - 1
    assert logits_of(np.array([judged]))[0] - wanted == pytest.approx(2 * turns_say * (turns - 1) / turns)
