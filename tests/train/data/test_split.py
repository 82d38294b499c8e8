"""The split by patient."""

import json
from pathlib import Path

import numpy as np
import pytest

from train.data.dataset import DataSet, Sample
from train.data.split import PARTS, SplitError, read_split, split_by_patient, write_split

_PIXEL = np.zeros((1, 1, 3), np.uint8)


def data_of(patients: int, cells: int = 10, infected: int | None = None) -> DataSet:
    """Cells by the dozen without pixels: every third patient has uninfected cells only."""
    samples = tuple(
        Sample(
            f"p{patient}_{cell}",
            int(cell < cells // 2 and patient % 3 > 0),
            f"p{patient}",
            _PIXEL,
            _PIXEL[:, :, 0],
        )
        for patient in range(patients)
        for cell in range(cells)
    )
    if infected is not None:
        samples = tuple(sample._replace(label=int(sample.patient == f"p{infected}")) for sample in samples)
    return DataSet(samples, (), f"print of {patients}")


def patients_of(data: DataSet, indices: object) -> set[str]:
    return {data.samples[i].patient for i in indices}  # type: ignore[attr-defined]


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_no_patient_stands_on_two_sides_and_no_cell_is_lost(seed: int) -> None:
    data = data_of(40)
    split = split_by_patient(data, seed, fold=0, folds=4)
    sides = [patients_of(data, indices) for indices in split]
    assert sum(len(side) for side in sides) == len(set.union(*sides)) == 40
    assert sorted(np.concatenate(split).tolist()) == list(range(400))


def test_both_classes_stand_in_like_proportion_on_each_side() -> None:
    data = data_of(120)
    shares = [data.labels()[indices].mean() for indices in split_by_patient(data, 0, fold=0, folds=4)]
    assert max(shares) - min(shares) < 0.06


def test_the_same_seed_gives_the_same_split_and_another_another() -> None:
    data = data_of(40)
    first, second, third = (split_by_patient(data, seed, fold=0, folds=4) for seed in (5, 5, 6))
    assert all((a == b).all() for a, b in zip(first, second, strict=True))
    assert patients_of(data, first.test) != patients_of(data, third.test)


def test_every_patient_is_in_one_of_the_test_folds() -> None:
    data = data_of(40)
    tested = [patients_of(data, split_by_patient(data, 0, fold=fold, folds=4).test) for fold in range(4)]
    assert sum(len(side) for side in tested) == len(set.union(*tested)) == 40


def test_a_split_is_reused_from_its_file_on_other_cells_of_the_same_patients(tmp_path: Path) -> None:
    data, more = data_of(40), data_of(40, cells=12)
    split = split_by_patient(data, 3, fold=0, folds=4)
    write_split(tmp_path / "split.json", data, split)
    again = read_split(tmp_path / "split.json", more)
    for part in PARTS:
        assert patients_of(more, getattr(again, part)) == patients_of(data, getattr(split, part))


def test_a_split_of_other_patients_is_refused(tmp_path: Path) -> None:
    data = data_of(20)
    write_split(tmp_path / "split.json", data, split_by_patient(data, 0, fold=0, folds=4))
    with pytest.raises(SplitError, match="other data"):
        read_split(tmp_path / "split.json", data_of(21))


@pytest.mark.parametrize("text", ["", "[]", json.dumps({"patients": {"train": []}})])
def test_a_file_that_is_no_split_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "split.json").write_text(text)
    with pytest.raises(SplitError, match=r"split\.json"):
        read_split(tmp_path / "split.json", data_of(20))


def test_too_few_patients_are_refused() -> None:
    with pytest.raises(SplitError, match="only 9 patients by their file names"):
        split_by_patient(data_of(9), 0, fold=0, folds=4)


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_side_without_one_of_the_classes_is_refused() -> None:
    with pytest.raises(SplitError, match="both classes"):
        split_by_patient(data_of(20, infected=0), 0, fold=0, folds=4)
