"""``plasmolite analyze`` over real fields of the simulator, with the shipped model."""

import csv
import json
import os
import shutil
from dataclasses import replace
from importlib import resources
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image

import edge.parasitaemia.estimate
from edge.calibration.profile import write_profile
from plasmolite.commands.pictures.analyze import command
from tests.support.slides.site_profile import PROFILE

SAMPLES = Path(str(resources.files("edge.samples"))) / "fields"


def run(*arguments: object) -> Result:
    # Wide enough that the table breaks no name.
    return CliRunner(env={"COLUMNS": "240"}).invoke(command, [str(argument) for argument in arguments])


@pytest.fixture
def batch(tmp_path: Path) -> Path:
    """Two good fields among files that are none."""
    folder = tmp_path / "slide"
    folder.mkdir()
    shutil.copy(SAMPLES / "field_01.jpg", folder / "a <b>&\"'.jpg")
    shutil.copy(SAMPLES / "field_02.jpg", folder / "b.jpg")
    (folder / "cut.jpg").write_bytes((SAMPLES / "field_01.jpg").read_bytes()[:5000])
    (folder / "empty.png").write_bytes(b"")
    (folder / "text.png").write_text("not a picture")
    cv2.imwrite(str(folder / "white.png"), np.full((480, 640, 3), 255, np.uint8))
    cv2.imwrite(str(folder / "tiny.png"), np.full((8, 8, 3), 200, np.uint8))
    return folder


def objects(output: str) -> list[dict]:
    return [json.loads(line) for line in output.splitlines() if line.startswith("{")]


@pytest.mark.slow
def test_json_gives_an_object_a_field_and_a_summary_at_the_end() -> None:
    result = run("--json", "--threads", 1, SAMPLES)
    assert result.exit_code == 0, result.output
    *fields, last = objects(result.stdout)
    assert len(fields) == 2
    for field in fields:
        assert {"image", "width", "height", "refused", "quality", "cells"} <= set(field)
        assert field["refused"] is None
        counted = [cell for cell in field["cells"] if cell["counted"]]
        assert field["cell_count"] == len(counted) > 0
        assert field["parasitized_count"] == sum(cell["label"] == "Parasitized" for cell in counted)
        assert all(len(cell["box"]) == 4 and 0 <= cell["probability"] <= 1 for cell in counted)
    summary = last["summary"]
    assert summary["cell_count"] == sum(field["cell_count"] for field in fields)
    assert summary["parasitized_count"] == sum(field["parasitized_count"] for field in fields)
    low, high = summary["interval"]
    assert 0 <= low <= summary["fraction"] <= high <= 1
    assert summary["per_ul_interval"] is None  # too few cells for a density
    assert summary["words"]


@pytest.mark.slow
def test_bad_files_are_named_while_the_others_are_counted(batch: Path) -> None:
    result = run("--json", "--threads", 1, batch, batch / "missing.png")
    assert result.exit_code == 1
    *fields, last = objects(result.stdout)
    outcome = {Path(field["image"]).name: field["refused"] for field in fields}
    assert len(outcome) == 8
    assert outcome["b.jpg"] is None
    for name in ("cut.jpg", "empty.png", "text.png", "white.png", "tiny.png", "missing.png"):
        assert outcome[name], name
    assert last["summary"]["fields_counted"] == 2
    assert last["summary"]["fields_refused"] + last["summary"]["files_unreadable"] == 6


def test_nothing_but_refused_fields_gives_no_estimate(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "black.png"), np.zeros((480, 640, 3), np.uint8))
    result = run("--json", tmp_path)
    assert result.exit_code == 1
    summary = objects(result.stdout)[-1]["summary"]
    assert summary["fraction"] is None
    assert summary["per_ul"] is None
    assert summary["words"] == ["No red cell could be counted: there is no estimate."]


def test_a_french_reader_is_told_in_french_where_the_report_is(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "black.png"), np.zeros((480, 640, 3), np.uint8))
    result = run("--language", "fr", "--report", tmp_path / "report", tmp_path / "black.png")
    assert f"Rapport : {tmp_path / 'report' / 'report.html'}" in result.stdout
    assert "spécificité de" in result.stdout


@pytest.mark.slow
def test_people_get_a_table_the_words_and_the_warning() -> None:
    result = run("--threads", 1, SAMPLES)
    assert result.exit_code == 0
    text = " ".join(result.stdout.split())
    assert "field_01.jpg" in text
    assert "Not enough red cells are counted yet for a density: 138 of 1,000." in text
    assert "per µL (95 %" not in text
    assert "Research use only" in text


@pytest.mark.slow
def test_report_opens_offline_and_names_its_files_harmlessly(batch: Path, tmp_path: Path) -> None:
    folder = tmp_path / "report"
    result = run("--report", folder, "--threads", 1, batch)
    assert result.exit_code == 1
    assert sorted(entry.name for entry in folder.iterdir()) == ["cells.csv", "fields.csv", "report.html"]
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "a &lt;b&gt;&amp;&#34;&#39;.jpg" in page
    assert "<b>" not in page
    assert "http://" not in page
    assert "https://" not in page
    assert "Research use only" in page
    assert page.count("data:image/jpeg;base64,") >= 2
    assert 'role="img"' in page


@pytest.mark.slow
def test_tables_hold_every_cell_and_every_file(batch: Path, tmp_path: Path) -> None:
    folder = tmp_path / "report"
    stdout = run("--json", "--report", folder, "--threads", 1, batch).stdout
    *fields, _ = objects(stdout)
    with (folder / "fields.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["image"] for row in rows] == [field["image"] for field in fields]
    with (folder / "cells.csv").open(encoding="utf-8", newline="") as file:
        cells = list(csv.DictReader(file))
    assert len(cells) == sum(len(field["cells"]) for field in fields)
    first = next(field for field in fields if field["cells"])["cells"][0]
    assert [int(cells[0][side]) for side in ("x", "y", "width", "height")] == first["box"]


@pytest.mark.slow
def test_the_stages_of_each_field_show_why_a_cell_is_not_counted(tmp_path: Path) -> None:
    blurred = tmp_path / "blurred.png"
    field = cv2.imread(str(SAMPLES / "field_02.jpg"))
    cv2.imwrite(str(blurred), cv2.GaussianBlur(field, (0, 0), 14))
    result = run("--json", "--threads", 1, "--debug", tmp_path / "stages", SAMPLES / "field_01.jpg", blurred)
    assert result.exit_code == 1
    told = objects(result.stdout)
    folders = sorted((tmp_path / "stages").iterdir())
    assert [folder.name for folder in folders] == ["0001-field_01", "0002-blurred"]
    for folder in folders:
        pictures = {path.name: cv2.imread(str(path)) for path in folder.glob("*.[jp][pn]g")}
        assert sorted(name[0] for name in pictures) == list("123456")
        assert all(picture is not None and picture.size for picture in pictures.values())
    good, refused = (json.loads((folder / "field.json").read_text()) for folder in folders)
    assert sum(cell["counted"] for cell in good["cells"]) == told[0]["cell_count"]
    assert {cell["why_not"] for cell in good["cells"]} >= {None, "cut by the border", "a white cell"}
    for cell in good["cells"]:
        assert cell["counted"] == (cell["why_not"] is None)
    assert refused["refused"] == told[1]["refused"]
    assert {cell["why_not"] for cell in refused["cells"]} <= {"the field is refused"}


@pytest.mark.slow
def test_haematocrit_scales_the_density_and_not_the_fraction(monkeypatch: pytest.MonkeyPatch) -> None:
    # The bundled fields hold 138 cells; a density takes 1,000.
    monkeypatch.setattr(edge.parasitaemia.estimate, "TOO_FEW_CELLS", 100)
    plain = objects(run("--json", SAMPLES).stdout)[-1]["summary"]
    anaemic = objects(run("--json", "--haematocrit", 20, SAMPLES).stdout)[-1]["summary"]
    low, high = plain["interval"]
    assert plain["per_ul_interval"] == pytest.approx([low * 5e6, high * 5e6])
    assert anaemic["fraction"] == plain["fraction"]
    assert anaemic["per_ul_interval"][1] == pytest.approx(plain["per_ul_interval"][1] * 2_512_000 / 5_000_000)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--haematocrit", "40", "--rbc-per-ul", "5000000"), "not both"),
        (("--haematocrit", "0.4"), "in percent"),
        (("--model", "nowhere.tflite"), "nowhere.tflite"),
        (("--profile", "nowhere.json"), "nowhere.json"),
    ],
)
def test_what_cannot_start_says_why_and_exits_with_2(options: tuple[str, ...], message: str) -> None:
    result = run(*options, SAMPLES)
    assert result.exit_code == 2
    assert message in result.stderr


def test_a_folder_without_pictures_is_an_error(tmp_path: Path) -> None:
    result = run(tmp_path)
    assert result.exit_code == 2
    assert "There are no pictures" in result.stderr


@pytest.mark.slow
def test_site_profile_is_used_and_named(tmp_path: Path) -> None:
    model = objects(run("--json", SAMPLES).stdout)[-1]["summary"]["model"]
    write_profile(tmp_path / "site.json", replace(PROFILE, model_sha256=model["sha256"], threshold=0.0001))
    result = run("--json", "--profile", tmp_path / "site.json", SAMPLES)
    assert result.exit_code == 0, result.stderr
    *fields, last = objects(result.stdout)
    assert last["summary"]["profile"] == "Kisumu"
    assert last["summary"]["threshold"] == 0.0001
    assert last["summary"]["rates"]["uninfected"] == PROFILE.effective_cells
    cells = [cell for field in fields for cell in field["cells"]]
    # Probabilities are told to six digits: what rounds to the threshold itself may lie on either side.
    told = [cell for cell in cells if cell["probability"] != 0.0001]
    assert all((cell["label"] == "Parasitized") == (cell["probability"] > 0.0001) for cell in told)


def test_site_profile_of_another_model_is_refused(tmp_path: Path) -> None:
    write_profile(tmp_path / "site.json", replace(PROFILE, model_sha256="0" * 64))
    result = run("--json", "--profile", tmp_path / "site.json", SAMPLES)
    assert result.exit_code == 2
    assert "is not valid for" in result.stderr
    assert result.stdout == ""


@pytest.mark.slow
def test_what_lies_in_a_folder_is_counted_once_or_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A field under a name that is no UTF-8, its copy, a deleted one, and what a telephone and a program left."""
    monkeypatch.setattr("edge.images.heif.find_spec", lambda _: None)
    slide, field = tmp_path / "slide", (SAMPLES / "field_01.jpg").read_bytes()
    trash = slide / ".Trash-1000" / "files"
    trash.mkdir(parents=True)
    (trash / "deleted.jpg").write_bytes((SAMPLES / "field_02.jpg").read_bytes())
    try:
        Path(os.fsdecode(os.fsencode(slide) + b"/sang\xe9.jfif")).write_bytes(field)
    except OSError:
        pytest.skip("this file system takes no such name")
    (slide / "download (1).jpg").write_bytes(field)
    (slide / "IMG_1.HEIC").write_bytes(b"\0\0\0\x18ftypheic" + bytes(100))
    result = run("--json", "--threads", 1, "--report", tmp_path / "report", slide)
    assert result.exit_code == 0, result.output
    first, second, last = objects(result.stdout)
    assert (first["cell_count"], first["parasitized_count"], second["cell_count"]) == (35, 5, 0)
    assert "the same as" in second["refused"]
    assert last["summary"]["copies"] == 1
    assert last["summary"]["cell_count"] == 35
    assert last["summary"]["not_looked_at"] == {"files": {".heic": 1}, "folders": [".Trash-1000"]}
    page = (tmp_path / "report" / "report.html").read_text("utf-8")
    assert "sang\N{REPLACEMENT CHARACTER}.jfif" in page
    assert ".heic (1)" in page
    assert "sang\N{REPLACEMENT CHARACTER}.jfif" in (tmp_path / "report" / "fields.csv").read_text("utf-8")


@pytest.mark.slow
def test_every_page_of_a_tiff_is_a_field(tmp_path: Path) -> None:
    first, second = (Image.open(SAMPLES / f"field_0{number}.jpg") for number in (1, 2))
    first.save(tmp_path / "slide.tif", save_all=True, append_images=[second])
    result = run("--json", "--threads", 1, tmp_path)
    fields = [(Path(field["image"]).name, field["cell_count"]) for field in objects(result.stdout)[:-1]]
    assert fields == [("slide.tif [1]", 35), ("slide.tif [2]", 103)]
