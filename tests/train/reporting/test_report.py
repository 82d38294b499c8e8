"""The report of a training run speaks one language throughout; names of settings and classes stay as they are."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from edge.messages.catalogue import catalogue
from edge.messages.language import Language
from edge.messages.message import Message
from edge.messages.train_codes import TrainCode
from train.data.dataset import DataSet, Rejected, Sample
from train.data.other_laboratories import OtherLaboratoryCells
from train.data.patients import Correction
from train.data.split import Split
from train.evaluation.metrics import FIGURES, Estimate, Judged
from train.reporting.report import write_report
from train.reporting.results import Results
from train.run import RunData, describe_data
from train.run_folder import describe_environment
from train.settings import TrainingSettings

CELL, MASK = np.full((9, 9, 3), 200, np.uint8), np.full((9, 9), 255, np.uint8)
SAMPLES = tuple(Sample(f"c{number}", number % 2, f"p{number % 3}", CELL, MASK) for number in range(12))
COPY = Rejected("a_copy.png", Message(TrainCode.PIXELS_OF_ANOTHER, path="c1.png"))
OTHERS = OtherLaboratoryCells(SAMPLES[:2], SAMPLES[2:3], (COPY,), 4, "f" * 64)
RUN_DATA = RunData(
    DataSet(SAMPLES, (COPY,), "d" * 64, doubt=Message(TrainCode.TABLE_SPARE_ROWS, spare=2, path="t.csv")),
    Split(np.arange(4), np.arange(4, 6), np.arange(6, 12)),
    {"c7": Correction(None)},
    OTHERS,
)


def results() -> Results:
    samples = SAMPLES[6:]
    labels = np.array([one.label for one in samples])
    judged = Judged(
        labels, np.array([0.9, 0.2, 0.1, 0.8, 0.1, 0.7]), np.array([one.patient for one in samples])
    )
    figures = {name: Estimate(0.75, 0.5, 0.999) for name in FIGURES}
    populations = ("original", "undisputed", "baseline", "baseline undisputed")
    return Results(
        judged,
        judged,
        samples,
        np.array([one.name == "c7" for one in samples]),
        {"cell": 0.5, "field": 0.995},
        {"scale": 1.25, "offset": -0.5},
        dict.fromkeys(populations, figures),
        Estimate(0.01, -0.02, 0.03),
        baseline=judged,
    )


@pytest.mark.slow
@pytest.mark.parametrize("language", Language)
def test_a_report_is_of_one_language(tmp_path: Path, language: Language) -> None:
    (tmp_path / "data.json").write_text(json.dumps(describe_data(RUN_DATA, [Path("fields")])))
    (tmp_path / "environment.json").write_text(json.dumps(describe_environment()))
    (tmp_path / "history.csv").write_text(
        "phase,epoch,loss,accuracy,val_loss,val_accuracy,rate\nhead,1,0.5,0.6,0.4,0.7,0.001\n"
    )
    settings = TrainingSettings(data="cells")
    page = write_report(results(), settings, RUN_DATA, tmp_path, language).read_text("utf-8")
    settings_from = page.index(f"<h2>{catalogue(language).text('run.settings')}</h2>")
    content = page[page.index("<body") : settings_from]
    told = re.sub(r"<(?:style|script).*?</(?:style|script)>|<[^>]*>", " ", content, flags=re.DOTALL)
    told += " ".join(re.findall(r'alt="([^"]*)"', content))
    foreign = {
        Language.ENGLISH: r"\b(le|la|les|des|est|sont|une)\b",
        Language.FRENCH: r"\b(the|is|are|of|with|by)\b",
    }
    assert not re.findall(foreign[language], told)
    for words in {
        Language.ENGLISH: (
            "The same pixels as c1.png.",
            "75.00% (50.00% to 99.90%)",
            "2 rows of t.csv speak",
        ),
        Language.FRENCH: (
            "Les mêmes pixels que c1.png.",
            "75,00\xa0% (50,00\xa0% à 99,90\xa0%)",
            "2 lignes de t.csv",
        ),
    }[language]:
        assert words in told
    assert page.count("data:image/svg+xml") == 6
