"""Drawn sets on disk, the bundled one among them."""

import csv
from pathlib import Path

import numpy as np
import pytest

import edge.samples
from edge.images.files import read_image
from edge.simulation.field import FieldSettings
from edge.simulation.sets import SetPlan, write_bundled, write_set

SAMPLES = Path(edge.samples.__file__).parent
SMALL = SetPlan(
    cells=6, fields=1, patients=3, field=FieldSettings(width=320, height=240, cells=5, cell_width=50)
)


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.mark.slow
def test_the_bundled_pictures_are_drawn_again_from_their_seed(tmp_path: Path) -> None:
    """Equal pixels on the versions that drew them; another OpenCV or CPU may round one in a thousand values.

    Measured between OpenCV 5.0 with numpy 2.4 and OpenCV 4.11 with numpy 1.26: at most one value in 5,000
    differs, by one (by two where JPEG came between).
    """
    drawn = list(write_bundled(tmp_path))
    assert len(drawn) == 26
    for path in drawn:
        shipped = read_image(SAMPLES / path.relative_to(tmp_path)).astype(int)
        again = read_image(path).astype(int)
        assert again.shape == shipped.shape
        assert (again != shipped).mean() < 0.001
        assert np.abs(again - shipped).max() <= 8
    for name in ("cells.csv", "fields.csv"):
        assert (tmp_path / name).read_bytes() == (SAMPLES / name).read_bytes()


def test_the_bundled_cells_are_half_infected_and_their_names_do_not_tell() -> None:
    rows = rows_of(SAMPLES / "cells.csv")
    labels = [row["label"] for row in rows]
    assert labels.count("Parasitized") == labels.count("Uninfected") == 12
    assert labels != sorted(labels)
    assert labels != sorted(labels, reverse=True)
    assert all((SAMPLES / row["image"]).stem.startswith("cell_") for row in rows)


def test_the_bundled_pictures_are_small() -> None:
    sizes = [path.stat().st_size for path in SAMPLES.rglob("*") if path.suffix in {".png", ".jpg"}]
    assert len(sizes) == 26
    assert max(sizes) < 1_000_000
    assert sum(sizes) < 1_500_000


def test_the_truth_of_a_set_names_every_picture(tmp_path: Path) -> None:
    paths = {path.relative_to(tmp_path).as_posix() for path in write_set(tmp_path, SMALL)}
    cells, fields = rows_of(tmp_path / "cells.csv"), rows_of(tmp_path / "fields.csv")
    assert {row["image"] for row in cells + fields} == paths
    assert sum(row["label"] == "Parasitized" for row in cells) == 3
    assert len(fields) == 5


def test_the_same_plan_writes_the_same_pictures(tmp_path: Path) -> None:
    first = list(write_set(tmp_path / "a", SMALL))
    second = list(write_set(tmp_path / "b", SMALL))
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]


def test_another_seed_writes_other_pictures(tmp_path: Path) -> None:
    first = list(write_set(tmp_path / "a", SMALL))
    second = list(write_set(tmp_path / "b", SMALL._replace(seed=1)))
    assert all(a.read_bytes() != b.read_bytes() for a, b in zip(first, second, strict=True))


def test_sorted_by_label_the_set_is_laid_out_as_the_published_one(tmp_path: Path) -> None:
    list(write_set(tmp_path, SMALL._replace(fields=0, by_label=True)))
    for row in rows_of(tmp_path / "patients.csv"):
        folder = {"parasitized": "Parasitized", "uninfected": "Uninfected"}[row["label"]]
        assert (tmp_path / folder / f"{row['cell']}.png").is_file()
        assert row["cell"].split("_IMG")[0] == row["patient"]


@pytest.mark.parametrize(
    "plan", [SMALL._replace(patients=0), SMALL._replace(infected_share=2.0), SMALL._replace(cells=-1)]
)
def test_a_plan_out_of_range_is_refused(tmp_path: Path, plan: SetPlan) -> None:
    with pytest.raises(ValueError, match="must"):
        list(write_set(tmp_path, plan))
