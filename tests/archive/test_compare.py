"""Two models over one archive: what they call differently, with the cells to look at."""

import csv
import io
import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from archive.compare import ArchiveComparison, SlideComparison, compare, write_slides_csv
from archive.content_index import ContentIndex
from archive.dataset import Dataset
from archive.estimates import write_slides
from archive.judging import judge_field
from archive.manifest import begin_manifest
from archive.reading import FieldReading
from archive.run import ArchiveRun
from archive.sources import list_fields
from edge.calibration.setup import SlideSetup, set_up_slide
from edge.fields.analyser import FieldAnalyser
from plasmolite.commands.pictures.archive import command
from tests.archive.conftest import JudgedBefore

pytestmark = pytest.mark.slow  # starts a cluster

PLAIN = {"profile": None, "threads": 1, "rbc_per_ul": None, "haematocrit": None, "cell_width": None}


def judged_by(setup: SlideSetup, archive: Path, place: Path) -> None:
    """Judge an archive into a dataset as `archive run` does, without a cluster."""
    analyser, reading = FieldAnalyser(setup.classifier, setup.threshold), FieldReading(patience=0)
    found = {one.source: judge_field(analyser, reading, one) for one in list_fields([str(archive)])}
    dataset = Dataset(str(place))
    with dataset.writing(), ContentIndex(dataset) as index:
        manifest = begin_manifest(None, setup, [str(archive)], str(place))
        dataset.write_manifest(manifest)
        run = ArchiveRun(dataset, index, setup.classifier.model.sha256)
        run.judge_all(list_fields([str(archive)]), JudgedBefore(found))
        write_slides(dataset, manifest)


@pytest.fixture(scope="module")
def datasets(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The archive by `standard`, and by `nano` at so low a threshold that they differ."""
    folder = tmp_path_factory.mktemp("compared")
    pictures = folder / "laboratory"
    shutil.copytree(archive, pictures)
    judged_by(set_up_slide(model="standard", **PLAIN), pictures, folder / "first")
    second = set_up_slide(model="nano", **PLAIN)._replace(threshold=0.2)
    judged_by(second, pictures, folder / "second")
    return folder / "first", folder / "second"


def compared(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(command, ["compare", *map(str, arguments)])
    return result.exit_code, result.output


def test_differences_add_up_and_are_shown_as_crops(datasets, tmp_path: Path) -> None:
    first, second = datasets
    code, output = compared(first, second, "--out", tmp_path / "out", "--json")
    assert code == 0, output
    totals = json.loads(output)
    assert totals["slides"] == 2
    with (tmp_path / "out" / "differences.csv").open(newline="") as file:
        differences = list(csv.DictReader(file))
    assert len(differences) == totals["only_first"] + totals["only_second"] > 0
    thresholds = [json.loads((place / "manifest.json").read_text())["threshold"] for place in (first, second)]
    for row in differences:
        calls = [float(row["first"]) >= thresholds[0], float(row["second"]) >= thresholds[1]]
        assert calls == [row["only_first"] == "True", row["only_first"] == "False"]
    with (tmp_path / "out" / "slides.csv").open(newline="") as file:
        slides = list(csv.DictReader(file))
    assert sum(int(slide["cells"]) for slide in slides) == totals["cells"] > 100
    page = (tmp_path / "out" / "report.html").read_text()
    assert page.count("data:image/jpeg;base64,") == min(len(differences), 100)
    assert f"{thresholds[0]:.4f}" in page
    assert "Under each cell: its probability for the first model" in page
    assert "laboratory/0413" in page


def _slides(datasets: tuple[Path, Path]) -> list[SlideComparison]:
    first, second = (Dataset(str(place)) for place in datasets)
    return compare(first, second, most=0, differences=io.StringIO()).slides


def test_a_dataset_beside_itself_has_no_difference_and_crops_can_be_gone(datasets, tmp_path: Path) -> None:
    first, second = datasets
    code, output = compared(first, first, "--out", tmp_path / "same", "--json")
    assert code == 0
    same = json.loads(output)
    assert same["only_first"] == same["only_second"] == same["cells_apart"] == 0
    assert same["cells"] > 0
    (first.parent / "laboratory").rename(first.parent / "away")
    try:
        code, _ = compared(first, second, "--out", tmp_path / "gone", "--language", "fr")
    finally:
        (first.parent / "away").rename(first.parent / "laboratory")
    assert code == 0
    page = (tmp_path / "gone" / "report.html").read_text()
    assert "data:image/jpeg" not in page
    assert "Toutes" in page


def test_a_slide_whose_name_is_a_formula_is_disarmed_in_tables(datasets, tmp_path: Path) -> None:
    comparison = ArchiveComparison([], 0, [])
    table = tmp_path / "slides.csv"
    (one,) = (slide for slide in _slides(datasets) if slide.slide.endswith("0413"))
    write_slides_csv(comparison._replace(slides=[one._replace(slide="=1+1")]), table)
    with table.open(newline="") as file:
        assert [row["slide"] for row in csv.DictReader(file)] == ["'=1+1"]


def test_what_does_not_compare_is_refused_in_a_sentence(datasets, tmp_path: Path) -> None:
    first, _ = datasets
    code, output = compared(first, tmp_path / "none", "--out", tmp_path / "out")
    assert code == 2
    assert "none" in output
    other = tmp_path / "other"
    shutil.copytree(first, other)
    manifest = json.loads((other / "manifest.json").read_text())
    (other / "manifest.json").write_text(json.dumps({**manifest, "finder_sha256": "0" * 64}))
    code, output = compared(first, other, "--out", tmp_path / "out")
    assert code == 2
    assert "Traceback" not in output
