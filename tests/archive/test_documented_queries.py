"""The queries of docs/how-to/archive.md, run as they stand there, beside what `analyze` says of the same fields."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from edge.calibration.setup import set_up_slide
from plasmolite.commands.pictures.analyze import command as analyze
from tests.archive.test_compare import PLAIN, judged_by

pytestmark = pytest.mark.slow  # starts a cluster

duckdb = pytest.importorskip("duckdb", reason="duckdb is not installed")

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def place(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the archive, one picture without a cell added, and its dataset `judged`."""
    folder = tmp_path_factory.mktemp("queried")
    shutil.copytree(archive, folder / "laboratory")
    cv2.imwrite(str(folder / "laboratory" / "0413" / "bare.png"), np.full((600, 800, 3), 220, np.uint8))
    judged_by(set_up_slide(model="nano", **PLAIN), folder / "laboratory", folder / "judged")
    return folder


@pytest.fixture(scope="module")
def said(place: Path) -> list[dict[str, Any]]:
    """What `analyze` says of the slide's fields, and its summary last."""
    arguments = ["--json", "--model", "nano", "--threads", "1", str(place / "laboratory" / "0413")]
    return [json.loads(line) for line in CliRunner().invoke(analyze, arguments).stdout.splitlines()]


@pytest.fixture
def answers(place: Path, monkeypatch: pytest.MonkeyPatch) -> list[list[tuple]]:
    """The rows that each documented query gives."""
    monkeypatch.chdir(place)
    text = (ROOT / "docs" / "how-to" / "archive.md").read_text(encoding="utf-8")
    queries = re.findall(r"```sql\n(.*?)```", text, re.DOTALL)
    return [duckdb.sql(query.strip().removesuffix(";")).fetchall() for query in queries]


def test_each_documented_query_answers_as_analyze(answers, said, place) -> None:
    *fields, last = said
    summary = last["summary"]
    sure, refusals, which, doubtful = answers
    expected = [("laboratory/0413", summary["fraction"], *summary["interval"], summary["cell_count"])]
    assert sure == (expected if summary["interval"][0] > 0.01 else [])
    refused = [field for field in fields if field["refused"]]
    assert refused
    assert sum(number for outcome, _, number, _ in refusals if outcome == "refused") == len(refused)
    assert {slides for *_, slides in refusals} == {1}
    named = {Path(source).name: outcome for source, outcome, _ in which}
    assert named == {"bare.png": "refused", "text.png": "unreadable"}
    cells = {
        (Path(field["image"]).name, *cell["box"]): cell["probability"]
        for field in fields
        for cell in field.get("cells", ())
        if cell["counted"]
    }
    assert 0 < len(doubtful) < len(cells)
    for source, *box, probability in doubtful:
        assert cells[Path(source).name, *box] == pytest.approx(probability, abs=1e-6)
    threshold = json.loads((place / "judged" / "manifest.json").read_text())["threshold"]
    distances = [abs(row[5] - threshold) for row in doubtful]
    assert distances == sorted(distances)
