"""``plasmolite calibrate``: known-negative fields in, a site profile out."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner, Result

from edge.inference.model_file import default_model_path, load_model
from edge.simulation.field import FieldSettings, draw_field
from edge.slides.review import judge, review_queue
from edge.slides.store import SlideStore
from edge.types import Label
from plasmolite.commands.pictures.analyze import command as analyze
from plasmolite.commands.pictures.calibrate import command as calibrate
from tests.support.slides.small_slide import RATES, cells_of, field_at


def run(*arguments: object) -> Result:
    return CliRunner().invoke(calibrate, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def negatives(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four drawn fields without a parasite."""
    folder = tmp_path_factory.mktemp("negatives")
    settings = FieldSettings(width=800, height=600, cells=60, cell_width=60.0, parasitaemia=0.0)
    for seed in range(4):
        rgb = draw_field(seed, settings).rgb
        cv2.imwrite(str(folder / f"{seed}.png"), cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))
    return folder


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One drawn field of some twenty cells without a parasite."""
    folder = tmp_path_factory.mktemp("few")
    settings = FieldSettings(width=640, height=480, cells=25, cell_width=70.0, parasitaemia=0.0)
    cv2.imwrite(str(folder / "0.png"), cv2.cvtColor(draw_field(11, settings).rgb, cv2.COLOR_RGB2BGR))
    return folder


@pytest.mark.slow
def test_profile_holds_the_rate_asked_for_and_serves_analyze(negatives: Path, tmp_path: Path) -> None:
    path = tmp_path / "site.json"
    result = run(negatives, "--false-alarms", "2%", "--out", path, "--site", "Kisumu", "--camera", "drawn")
    assert result.exit_code == 0, result.stderr
    profile = json.loads(path.read_text())
    assert profile["fields"] == 4
    assert profile["measured_rate"] <= 0.02
    assert profile["rate_interval"][0] <= profile["measured_rate"] <= profile["rate_interval"][1]
    assert (profile["site"], profile["camera"]) == ("Kisumu", "drawn")
    assert "Research use only" in result.stdout
    used = CliRunner().invoke(analyze, ["--json", "--profile", str(path), str(negatives)])
    assert used.exit_code == 0, used.stderr
    summary = json.loads(used.stdout.splitlines()[-1])["summary"]
    # The cells that set the threshold raise, under it, the alarms that the profile states.
    assert summary["parasitized_count"] == profile["false_alarms"]
    assert summary["cell_count"] == profile["cells"]


def test_too_few_cells_are_refused_in_words(few: Path, tmp_path: Path) -> None:
    path = tmp_path / "site.json"
    result = run(few, "--false-alarms", "0.2%", "--out", path)
    assert result.exit_code == 2
    assert "Too few cells for a rate of 0.200 %" in result.stderr
    assert "500 are needed to set it, and 1,500 for a reliable rate" in result.stderr
    assert not path.exists()


@pytest.mark.slow
def test_negatives_that_raise_no_alarm_do_not_bring_the_threshold_below_the_models_own(
    negatives: Path, tmp_path: Path
) -> None:
    path = tmp_path / "site.json"
    result = run(negatives, "--false-alarms", "10%", "--out", path)
    assert result.exit_code == 0, result.stderr
    profile, own = json.loads(path.read_text()), load_model(default_model_path()).operating_point("field")
    assert profile["threshold"] == own.threshold
    assert profile["measured_rate"] < 0.02
    assert "held at the model's own for fields" in result.stdout


def test_refused_fields_are_named_and_left_out(few: Path, tmp_path: Path) -> None:
    black = tmp_path / "black.png"
    cv2.imwrite(str(black), np.zeros((480, 640, 3), np.uint8))
    path = tmp_path / "site.json"
    result = run(few, black, "--false-alarms", "9%", "--out", path)
    assert result.exit_code == 1
    assert "black.png: refused" in result.stderr
    assert json.loads(path.read_text())["fields_refused"] == 1


@pytest.mark.parametrize("rate", ["0", "20%", "0.2", "few", "nan", "-1%"])
def test_rates_that_nobody_means_are_refused(rate: str, tmp_path: Path) -> None:
    result = run(tmp_path, "--false-alarms", rate, "--out", tmp_path / "site.json")
    assert result.exit_code == 2
    assert "0.2%" in result.stderr


def test_fields_without_cells_give_no_profile(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "black.png"), np.zeros((480, 640, 3), np.uint8))
    result = run(tmp_path, "--false-alarms", "1%", "--out", tmp_path / "site.json")
    assert result.exit_code == 2
    assert "No red cell could be counted" in result.stderr
    assert not (tmp_path / "site.json").exists()


@pytest.fixture(scope="module")
def positives(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two drawn slides with the box of every infected cell in a table."""
    folder = tmp_path_factory.mktemp("positives")
    settings = FieldSettings(width=800, height=600, cells=60, cell_width=60.0, parasitaemia=0.3)
    rows = ["image,slide,x,y,w,h"]
    for seed in (21, 22):
        field = draw_field(seed, settings)
        cv2.imwrite(str(folder / f"{seed}.png"), cv2.cvtColor(field.rgb, cv2.COLOR_RGB2BGR))
        rows += [
            f"{seed}.png,slide {seed},{cell.x - 20:.1f},{cell.y - 20:.1f},40,40"
            for cell in field.cells
            if cell.infected
        ]
    (folder / "marked.csv").write_text("\n".join(rows))
    return folder / "marked.csv"


@pytest.mark.slow
def test_marked_slides_give_the_sensitivity_of_this_site_and_the_estimate_uses_it(
    negatives: Path, positives: Path, tmp_path: Path
) -> None:
    path = tmp_path / "site.json"
    result = run(negatives, "--positives", positives, "--false-alarms", "2%", "--out", path)
    assert result.exit_code == 0, result.stderr
    assert "Sensitivity, measured on 2 slides of this site" in result.stdout
    profile = json.loads(path.read_text())
    assert len(profile["slides_infected"]) == 2
    assert (
        len(profile["slides_uninfected"]) == 3
    )  # one folder of negatives, and the two slides' uninfected cells
    assert profile["infected"] == sum(cells for _, cells in profile["slides_infected"]) >= 20
    used = CliRunner().invoke(analyze, ["--json", "--profile", str(path), str(negatives)])
    summary = json.loads(used.stdout.splitlines()[-1])["summary"]
    assert summary["rates"]["slides_infected"] == profile["slides_infected"]
    assert any("measured at this laboratory" in sentence for sentence in summary["words"])


@pytest.mark.slow
def test_a_table_tells_slides_apart(negatives: Path, tmp_path: Path) -> None:
    table = negatives / "slides.csv"
    table.write_text("image,slide\n" + "".join(f"{seed}.png,{'AABB'[seed]}\n" for seed in range(4)))
    path = tmp_path / "site.json"
    result = run(table, "--false-alarms", "2%", "--out", path)
    table.unlink()
    assert result.exit_code == 0, result.stderr
    assert len(json.loads(path.read_text())["slides_uninfected"]) == 2
    assert "How slides differ cannot be told from fewer than 3" in result.stdout


@pytest.mark.slow
def test_reviewed_slides_of_the_store_give_a_profile_by_one_command(tmp_path: Path) -> None:
    model, store_path = load_model(default_model_path()), tmp_path / "slides.sqlite"
    random = np.random.default_rng(1)
    with SlideStore(store_path) as store:
        for name in ("A", "B", "C"):
            slide = store.create_slide(
                name,
                operator="Amina",
                device="a bench",
                model_name=model.name,
                model_sha256=model.sha256,
                settings={"rates": RATES, "threshold": 0.9},
            )
            scores = [0.999] * 20 + [0.95] * 4 + [0.85] * 2 + random.uniform(0, 0.5, 474).tolist()
            cells = [
                one._replace(label=Label.PARASITIZED if one.probability >= 0.9 else Label.UNINFECTED)
                for one in cells_of(*scores)
            ]
            store.add_field(slide, field_at(), cells, [b"no picture"] * len(cells))
            for cell in review_queue(store, slide, sample=100):
                call = Label.PARASITIZED if cell.probability > 0.98 else Label.UNINFECTED
                judge(store, slide, cell.cell_id, call, reviewer="Amina")
    path = tmp_path / "site.json"
    arguments = ("--reviewed", "--store", store_path, "--false-alarms", "1%", "--out", path)
    result = run(*arguments)
    assert result.exit_code == 0, result.stderr
    profile = json.loads(path.read_text())
    assert profile["threshold"] >= 0.9  # below it nobody looked
    assert [cells for _, cells in profile["slides_uninfected"]] == [480] * 3
    assert profile["measured_rate"] <= 0.01
    assert len(profile["slides_infected"]) == 3
    empty = run("--reviewed", "--store", tmp_path / "none.sqlite", "--false-alarms", "1%", "--out", path)
    assert empty.exit_code == 2
    assert "no slide store" in empty.stderr
