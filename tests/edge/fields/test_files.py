"""Files of fields are judged side by side and told in their order."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.fields.analyser import FieldAnalyser
from edge.fields.files import judge_fields
from edge.images.files import read_image
from edge.images.inputs import CellFile
from edge.inference.classifier import Classifier

SAMPLES = Path(__file__).parents[3] / "edge" / "samples" / "fields"


@pytest.fixture(scope="module")
def analyser() -> FieldAnalyser:
    return FieldAnalyser(Classifier.open(threads=2))


@pytest.fixture(scope="module")
def alone(analyser: FieldAnalyser) -> dict[str, tuple[int, int]]:
    """Cells and parasitised ones of each bundled field, judged by itself."""
    results = {path.name: analyser.analyse(read_image(path), path.name) for path in SAMPLES.glob("*.jpg")}
    return {name: (result.cell_count, result.parasitized_count) for name, result in results.items()}


@pytest.fixture
def files(tmp_path: Path) -> list[CellFile]:
    """The bundled fields in turn, with one that cannot be read among them."""
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"\xff\xd8\xff")
    fields = sorted(SAMPLES.glob("*.jpg"))
    paths = [fields[0], broken, fields[1], fields[0], fields[1]]
    return [CellFile(f"{number} {path.name}", path) for number, path in enumerate(paths)]


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 3])
def test_every_file_is_told_in_its_order_whoever_judged_it(
    analyser: FieldAnalyser, alone: dict[str, tuple[int, int]], files: list[CellFile], workers: int
) -> None:
    judged = list(judge_fields(analyser, files, workers=workers))
    assert [field.name for field in judged] == [file.name for file in files]
    assert [field.error is None for field in judged] == [True, False, True, True, True]
    for field, file in zip(judged, files, strict=True):
        if field.result is not None:
            assert isinstance(file.source, Path)
            assert (field.result.cell_count, field.result.parasitized_count) == alone[file.source.name]


def test_no_more_files_are_held_than_workers_judge(analyser: FieldAnalyser, files: list[CellFile]) -> None:
    taken = 0

    def counted():
        nonlocal taken
        for file in files:
            taken += 1
            yield file

    judged = judge_fields(analyser, counted(), workers=2)
    next(judged)
    assert taken == 2
    judged.close()


def test_opencv_has_its_threads_back_afterwards(analyser: FieldAnalyser, files: list[CellFile]) -> None:
    before = cv2.getNumThreads()
    cv2.setNumThreads(2)
    try:
        assert np.count_nonzero([f.accepted for f in judge_fields(analyser, files[:1])]) == 1
        assert cv2.getNumThreads() == 2
    finally:
        cv2.setNumThreads(before)
