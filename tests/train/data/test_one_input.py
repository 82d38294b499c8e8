"""Training and device make the same network input of the same file, byte for byte."""

import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.cells.files import cell_input
from edge.simulation.single_cell import SimulatedCell, draw_cell, sample_smear
from train.data.dataset import DataSet, Sample, cell_files, load_dataset
from train.data.patients import PatientSource
from train.model.batches import network_inputs

_BY_NAME = PatientSource.of("name", None)

_SIZE = 96
_WIDTHS = (20, 47, 100, 140, 190, 196, 240, 390, 500)


def _cell(width: int, seed: int) -> SimulatedCell:
    rng = np.random.default_rng(seed)
    return draw_cell(seed, infected=seed % 2 == 1, smear=sample_smear(rng, width))


def _on_black(width: int, seed: int) -> np.ndarray:
    return _cell(width, seed).rgb


def _with_black_centre(width: int, seed: int) -> np.ndarray:
    """A third of the cell lets no light through, up to its rim."""
    cell = _cell(width, seed)
    rgb = cell.rgb.copy()
    height = len(rgb)
    cv2.rectangle(rgb, (0, height // 3), (height, height * 2 // 3), (1, 1, 1), cv2.FILLED)
    return np.asarray(cv2.copyTo(rgb, cell.mask))


def _with_glass(width: int, seed: int) -> np.ndarray:
    cell = _cell(width, seed)
    rgb = cv2.copyMakeBorder(cell.rgb, *[width // 5] * 4, cv2.BORDER_CONSTANT)
    mask = cv2.copyMakeBorder(cell.mask, *[width // 5] * 4, cv2.BORDER_CONSTANT)
    rgb[mask == 0] = (219, 188, 173)
    return np.asarray(cv2.GaussianBlur(rgb, (0, 0), width / 100))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Cells of 20 to 500 px: on black, with a black centre, with glass round them; as PNG and as JPEG."""
    folder = tmp_path_factory.mktemp("cells")
    draws: tuple[Callable[[int, int], np.ndarray], ...] = (_on_black, _with_black_centre, _with_glass)
    seed = 0
    for width in _WIDTHS:
        for draw in draws:
            for suffix in (".png", ".jpg"):
                seed += 1
                path = (
                    folder / ("Uninfected", "Parasitized")[seed % 2] / f"P{seed}_IMG{draw.__name__}{suffix}"
                )
                path.parent.mkdir(exist_ok=True)
                cv2.imwrite(str(path), cv2.cvtColor(draw(width, seed), cv2.COLOR_RGB2BGR))
    return folder


def _differing(data: DataSet, folder: Path, size: int) -> Iterator[str]:
    """Name the cells whose input differs from what the device makes of their file."""
    files = cell_files(folder, data.samples)
    for sample, file in zip(data.samples, files, strict=True):
        assert isinstance(file.source, bytes)
        device = cell_input(file.source, size, accept_anything=True)
        if not np.array_equal(network_inputs([sample], size)[0], device):
            yield sample.name


@pytest.mark.slow
def test_drawn_cells_of_every_size_give_the_input_that_the_device_makes(folder: Path) -> None:
    data = load_dataset(folder, _BY_NAME, size=_SIZE)
    assert len(data.samples) == 6 * len(_WIDTHS)
    assert sum(sample.halved_input is not None for sample in data.samples) > 12
    assert list(_differing(data, folder, _SIZE)) == []


@pytest.mark.slow
def test_a_zip_file_gives_the_same_inputs(folder: Path, tmp_path: Path) -> None:
    archive = Path(shutil.make_archive(str(tmp_path / "cells"), "zip", folder))
    assert list(_differing(load_dataset(archive, _BY_NAME, size=_SIZE), archive, _SIZE)) == []


@pytest.mark.slow
def test_nih_cells_give_the_input_that_the_device_makes(shared_data: Path, tmp_path: Path) -> None:
    source = shared_data / "nih-malaria" / "cell_images"
    paths = sorted(source.rglob("*.webp"))
    for path in random.Random(1).sample(paths, 500):
        link = tmp_path / path.parent.name / path.name
        link.parent.mkdir(exist_ok=True)
        link.symlink_to(path)
    data = load_dataset(tmp_path, _BY_NAME, size=128)
    assert len(data.samples) > 480
    assert any(sample.halved_input is not None for sample in data.samples)
    assert list(_differing(data, tmp_path, 128)) == []


def test_a_halved_cell_keeps_its_colours_up_to_its_edge_and_black_outside(folder: Path) -> None:
    halved = [
        one for one in load_dataset(folder, _BY_NAME, size=_SIZE).samples if one.halved_input is not None
    ]
    for sample in halved:
        assert max(sample.image.shape[:2]) <= 192
        assert sample.image.shape[:2] == sample.mask.shape
        assert not sample.image[sample.mask == 0].any()
        if "on_black" in sample.file and sample.file.endswith(".png"):
            # Black mixed into the rim would take half of its light away.
            rim = sample.mask & ~cv2.erode(sample.mask, np.ones((3, 3), np.uint8))
            inside = cv2.erode(sample.mask, np.ones((3, 3), np.uint8), iterations=8)
            assert sample.image[rim > 0, 1].min() > 0.6 * np.median(sample.image[inside > 0, 1])


def test_an_input_of_another_size_than_the_cell_was_loaded_for_is_refused() -> None:
    sample = Sample("c", 0, "p", *[np.zeros((4, 4), np.uint8)] * 2, np.zeros((96, 96, 3), np.uint8))
    with pytest.raises(ValueError, match="96 px, not 128"):
        network_inputs([sample], 128)
