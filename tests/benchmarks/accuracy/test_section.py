"""Accuracy over labelled folders: what is read, who may be judged, what the figures and aims say."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks.accuracy.changes import CHANGES, changed
from benchmarks.accuracy.groups import CHANGED, REFUSALS, UNDISPUTED
from benchmarks.accuracy.heldout import choose_held_out
from benchmarks.accuracy.judging import Candidate, judge_all
from benchmarks.accuracy.labelled import read_labelled_cells
from benchmarks.accuracy.refusals import cut_strangers, measure_refusals
from benchmarks.accuracy.section import measure_accuracy
from benchmarks.aims import judge_aims
from benchmarks.harness.measurement import Benchmark, BenchmarkError, Measurement, Section
from benchmarks.harness.other_systems import parse_foreign
from benchmarks.harness.settings import BenchSettings
from benchmarks.harness.timing import Limits
from edge.images.files import encode_png
from edge.inference.model_file import ModelFile, default_model_path, load_model, with_manifest
from edge.simulation.single_cell import draw_cell
from train.data.patients import patient_token
from train.evaluation.metrics import cluster_bootstrap

INSTANT = Limits(most_seconds=0.0, least_rounds=1, block_s=1e-6, warm_up_s=0.0, settle_s=0.0)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of 24 drawn cells of four patients, both classes, with a file of one disputed label."""
    folder = tmp_path_factory.mktemp("drawn")
    for seed in range(24):
        label = "Parasitized" if seed % 2 else "Uninfected"
        path = folder / "cells" / label / f"P{seed // 2 % 4}_IMG{seed}_cell.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encode_png(draw_cell(seed, infected=bool(seed % 2)).rgb))
    (folder / "corrections.csv").write_text("cell,corrected_label\nP0_IMG0_cell,parasitized\n")
    return folder


def no_report(_: str, __: float) -> None:
    """Nobody is told."""


def model_with(split: dict[str, list[str]] | None) -> ModelFile:
    model = load_model(default_model_path())
    data = {key: value for key, value in model.manifest["data"].items() if key != "split"}
    if split is not None:
        data["split"] = {
            part: [patient_token(patient, data["fingerprint"]) for patient in patients]
            for part, patients in split.items()
        }
    return ModelFile(model.path, model.flatbuffer, {**model.manifest, "data": data})


def test_labels_come_from_folders_patients_from_names_and_disputes_from_the_file(drawn: Path) -> None:
    cells, refused = read_labelled_cells(drawn / "cells", corrections=drawn / "corrections.csv")
    assert len(cells) == 24
    assert not refused
    assert sum(cell.label for cell in cells) == 12
    assert {cell.patient for cell in cells} == {"P0", "P1", "P2", "P3"}
    assert [cell.name for cell in cells if cell.disputed] == ["P0_IMG0_cell"]


def test_a_picture_that_cannot_be_read_is_named_and_the_rest_judged(drawn: Path, tmp_path: Path) -> None:
    for label in ("Parasitized", "Uninfected"):
        (tmp_path / label).mkdir()
        source = next((drawn / "cells" / label).iterdir())
        (tmp_path / label / source.name).write_bytes(source.read_bytes())
    (tmp_path / "Uninfected" / "torn.png").write_bytes(b"torn")
    cells, refused = read_labelled_cells(tmp_path)
    assert len(cells) == 2
    assert refused[0].startswith("torn.png")


def test_one_class_alone_is_refused(drawn: Path) -> None:
    with pytest.raises(BenchmarkError, match="both"):
        read_labelled_cells(drawn / "cells" / "Parasitized")


def test_patients_that_any_model_learnt_from_are_left_out() -> None:
    models = [
        model_with({"train": ["A"], "validation": ["B"], "test": ["C", "D"]}),
        model_with({"train": ["C"], "validation": ["B"], "test": ["A", "D"]}),
    ]
    held_out = choose_held_out(None, models)
    assert [patient for patient in "ABCDE" if held_out.keeps(patient)] == ["D", "E"]


def test_a_model_that_does_not_say_whom_it_learnt_from_is_said_to_be_flattered() -> None:
    held_out = choose_held_out(None, [model_with(None)])
    assert held_out.keeps("anybody")
    assert "--split" in held_out.sentence


def test_a_split_file_keeps_its_test_patients(tmp_path: Path) -> None:
    path = tmp_path / "split.json"
    path.write_text(json.dumps({"patients": {"train": ["A"], "validation": ["B"], "test": ["C"]}}))
    held_out = choose_held_out(path, [])
    assert [patient for patient in "ABCD" if held_out.keeps(patient)] == ["C"]
    path.write_text("{}")
    with pytest.raises(BenchmarkError, match=r"split\.json"):
        choose_held_out(path, [])


def test_a_model_file_stands_for_its_split(tmp_path: Path) -> None:
    model = model_with({"train": ["A"], "validation": ["B"], "test": ["C"]})
    path = tmp_path / "mine.tflite"
    path.write_bytes(with_manifest(model.flatbuffer, dict(model.manifest)))
    held_out = choose_held_out(path, [])
    assert [patient for patient in "ABCD" if held_out.keeps(patient)] == ["C"]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.name)
def test_a_change_changes_the_cell_and_keeps_its_mask_in_step(change) -> None:  # type: ignore[no-untyped-def]
    cell = draw_cell(3, infected=True)
    rgb = np.ascontiguousarray(cell.rgb)
    mask = (rgb.max(axis=2) > 0).astype(np.uint8) * 255
    picture, new_mask = changed(rgb, mask, change)
    assert picture.dtype == np.uint8
    assert picture.shape[:2] == new_mask.shape
    assert set(np.unique(new_mask)) <= {0, 255}
    assert picture.shape != rgb.shape or not np.array_equal(picture, rgb)
    again, _ = changed(rgb, mask, change)
    np.testing.assert_array_equal(picture, again)


def test_cells_of_one_patient_widen_the_interval() -> None:
    rng = np.random.default_rng(0)
    by_patient = np.repeat(rng.random(10), 50)
    labels = np.zeros(500, np.int64)

    def width(clusters: np.ndarray) -> float:
        found = cluster_bootstrap(
            clusters, labels, lambda at: {"mean": float(by_patient[at].mean())}, rounds=200
        )["mean"]
        assert found.low <= found.value <= found.high
        return found.high - found.low

    alike = np.repeat(np.arange(10), 50).astype(str)
    assert width(alike) > 3 * width(np.arange(500).astype(str))


def test_each_preparation_is_made_once_and_judged_by_each_candidate(drawn: Path) -> None:
    prepared = []

    def prepare(rgb: np.ndarray, _: np.ndarray) -> np.ndarray:
        prepared.append(rgb)
        return cv2.resize(rgb, (4, 4))

    def candidate(name: str, value: float) -> Candidate:
        return Candidate(
            name, "same", prepare, lambda inputs: np.full(len(inputs), value, np.float32), 0.5, 0.5
        )

    cells, _ = read_labelled_cells(drawn / "cells")
    judged = judge_all([candidate("a", 0.25), candidate("b", 0.75)], cells, no_report)
    assert len(prepared) == len(cells)
    assert set(judged["a"].probabilities) == {0.25}
    assert set(judged["b"].probabilities) == {0.75}


def test_the_shipped_model_is_measured_with_intervals_and_under_change(drawn: Path) -> None:
    settings = BenchSettings(
        models=(default_model_path(),),
        cells=drawn / "cells",
        corrections=drawn / "corrections.csv",
        strangers=drawn / "cells",
        changes=True,
        threads=(1,),
        limits=INSTANT,
    )
    section = measure_accuracy(settings, no_report)
    figures = {
        one.figure: one for one in section.measurements if one.group == f"{UNDISPUTED}: at the cell threshold"
    }
    assert {"accuracy", "AUC", "calibration error", "sensitivity", "specificity"} <= set(figures)
    accuracy = figures["accuracy"]
    assert accuracy.low is not None
    assert accuracy.high is not None
    assert accuracy.low <= accuracy.value <= accuracy.high
    losses = [one for one in section.measurements if one.group == CHANGED]
    assert [one.subject for one in losses] == [change.name for change in CHANGES]
    wrongly = [one for one in section.measurements if (one.group, one.figure) == (REFUSALS, "cells refused")]
    assert [one.value for one in wrongly] == [0.0]
    assert any("--keras" in sentence for sentence in section.missing)


def test_without_data_the_section_says_what_it_needs() -> None:
    with pytest.raises(BenchmarkError, match="--cells"):
        measure_accuracy(BenchSettings(models=(default_model_path(),)), no_report)


def test_strangers_are_cut_whole_and_in_squares() -> None:
    page = np.full((300, 200, 3), 255, np.uint8)
    whole, *squares = cut_strangers(page, np.random.default_rng(0))
    assert whole is page
    assert len(squares) == 20
    assert all(one.shape[0] == one.shape[1] <= 200 for one in squares)


def test_the_share_of_strangers_refused_is_that_of_pictures_without_a_red_cell(tmp_path: Path) -> None:
    # Too small to be cut further, so that each counts once.
    letter = np.full((50, 50, 3), 255, np.uint8)
    cv2.putText(letter, "G", (10, 38), cv2.FONT_HERSHEY_SIMPLEX, 1.3, (20, 160, 20), 5)
    cell = cv2.resize(draw_cell(3, infected=False).rgb, (50, 50), interpolation=cv2.INTER_AREA)
    dot = np.full((50, 50, 3), 255, np.uint8)
    cv2.circle(dot, (25, 25), 3, (20, 20, 20), cv2.FILLED)
    pictures = {"cell": cell, "letter": letter, "dot": dot, "blank": np.full((50, 50, 3), 200, np.uint8)}
    for name, picture in pictures.items():
        (tmp_path / f"{name}.png").write_bytes(encode_png(picture))
    found = {one.figure: one.value for one in measure_refusals(tmp_path, 0, no_report)}
    assert found["strangers"] == 4
    assert found["strangers refused"] == pytest.approx(3 / 4)


@pytest.mark.parametrize(
    ("value", "low", "reached"),
    [(0.998, 0.9975, "yes"), (0.998, 0.995, "yes, at the interval's end floor"), (0.99, 0.98, "no")],
)
def test_an_aim_is_judged_by_the_figure_and_by_its_interval(value: float, low: float, reached: str) -> None:
    figure = Measurement(
        f"{UNDISPUTED}: at the cell threshold", "standard 9.9 int8", "accuracy", value, "share", low, 1.0
    )
    other = figure._replace(subject="NLM")
    section = Section("accuracy", "Accuracy", (figure, other))
    (aim,) = judge_aims(Benchmark("", (), {}, (), (section,)))
    assert aim.reached == reached
    assert aim.what.startswith("standard 9.9 int8")


def test_a_foreign_model_needs_a_size_and_known_words(tmp_path: Path) -> None:
    path = tmp_path / "other.tflite"
    path.write_bytes(b"")
    model = parse_foreign(f"Other={path},size=44,scale=1/255,resize=cubic,fit=letterbox,output=1")
    assert (model.name, model.size, model.output) == ("Other", 44, 1)
    prepared = model.prepare(draw_cell(1, infected=True).rgb)
    assert prepared.shape == (44, 44, 3)
    assert prepared.max() <= 1
    for wrong in (f"Other={path}", f"Other={path},size=44,colour=bgr", f"Other={path},size=44,fit=crop"):
        with pytest.raises(BenchmarkError, match="example"):
            parse_foreign(wrong)


def test_real_cells_are_measured_with_nlms_network_beside_ours(shared_data: Path) -> None:
    foreign = f"NLM={shared_data / 'peers' / 'nlm_thin_smear_44px.tflite'},size=44,resize=cubic"
    settings = BenchSettings(
        models=(default_model_path(),),
        foreign=(foreign,),
        cells=shared_data / "nih-malaria" / "cell_images",
        patients=shared_data / "nih-malaria" / "patients.csv",
        corrections=shared_data / "nih-malaria" / "suspect_labels.csv",
        most_cells=120,
        threads=(1,),
        limits=INSTANT,
    )
    section = measure_accuracy(settings, no_report)
    found = {
        one.subject: one.value
        for one in section.measurements
        if one.group == f"{UNDISPUTED}: at the cell threshold" and one.figure == "AUC"
    }
    assert found["NLM"] > 0.9
    assert min(found.values()) > 0.9
    assert any("better than NLM" in note for note in section.notes)
