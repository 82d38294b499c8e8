"""Names of kept results in French: those that the program gives, and not those of files, models and runtimes."""

import re
from pathlib import Path

import pytest

from benchmarks.harness.measurement import Section, read_benchmark
from benchmarks.harness.suite import SECTIONS
from benchmarks.output.names import named, told
from edge.messages.bench_codes import BenchCode
from edge.messages.catalogue import catalogue
from edge.messages.language import Language
from edge.messages.message import Message

ENGLISH, FRENCH = catalogue(Language.ENGLISH), catalogue(Language.FRENCH)
REFERENCES = sorted((Path(__file__).parents[3] / "benchmarks" / "reference").glob("*.json"))
OF_OTHERS = {
    *(
        "JSON",
        "AUC",
        "%",
        "ms",
        "p50",
        "p95",
        "p99",
        "max",
        "classify",
        "gamma 0.7",
        "gamma 1.4",
        "NLM",
        "Patients",
    ),
    *("Keras predict float32", "ONNX Runtime float32", "OpenVINO float32"),
}
"""Alike in both languages, or not ours to name."""
MODEL = re.compile(r"(Plasmolite )?(nano|standard) \d\.\d (int8|float16)")


@pytest.mark.parametrize(
    ("name", "french"),
    [
        ("clients 8, cells a request 1", "clients 8, cellules par requête 1"),
        ("sensitivity at 99.9% specificity", "sensibilité à 99,9 % de spécificité"),
        ("BBBC041: 10,000 cells counted", "BBBC041 : 10\u202f000 cellules comptées"),
        ("scaling to 64 px, one thread", "mise à 64 px, un fil"),
        ("1 slides", "1 lame"),
        (
            "half scale (Loss of AUC under simulated change, undisputed cells)",
            "échelle réduite de moitié (Perte d'AUC sous un changement simulé, cellules non contestées)",
        ),
        ("2592 x 1944, 150 cells", "2592 x 1944, 150 cellules"),
        ("a_folder of pictures", "a_folder of pictures"),
        ("cells with its own rates", "cells avec ses propres taux"),
    ],
)
def test_a_name_is_put_into_words_with_the_names_and_numbers_in_it(name: str, french: str) -> None:
    assert named(name, FRENCH) == french
    assert named(name, ENGLISH) == name


def names_in(section: Section) -> set[str]:
    found = {section.title}
    for one in section.measurements:
        found |= {one.group, one.subject, one.figure}
    for chart in section.charts:
        found |= {chart.title, chart.x_label, chart.y_label, *(series.name for series in chart.series)}
    return found - {""}


@pytest.mark.parametrize("path", REFERENCES, ids=lambda path: path.stem)
def test_every_name_of_the_reference_results_is_french_in_french(path: Path) -> None:
    for section in read_benchmark(path).sections:
        names = {name for name in names_in(section) - OF_OTHERS if MODEL.fullmatch(name) is None}
        assert not {name for name in names if named(name, FRENCH) == name}


def test_a_line_of_progress_is_of_one_language() -> None:
    line = Message(BenchCode.PROGRESS_IN_PASSES, section="latency", turn=2, step="batch 8")
    assert told(line, FRENCH) == "latency, passe 2 : lot 8"
    assert told(line, ENGLISH) == "latency, pass 2: batch 8"
    judging = Message(BenchCode.JUDGING_UNDER, change="double scale")
    line = Message(BenchCode.PROGRESS, section="accuracy", step=judging)
    assert told(line, FRENCH) == "accuracy : jugement sous échelle doublée"


def test_what_a_model_is_worse_at_is_named_in_the_language() -> None:
    facts = {"model": "nano", "other": "NLM", "better": 1, "figures": 2, "worse": ["sensitivity (Live)"]}
    sentence = told(Message(BenchCode.BETTER_NOT_ON, **facts), FRENCH)
    assert sentence.endswith("mais pas sur : sensibilité (En direct).")


@pytest.mark.parametrize("words", [ENGLISH, FRENCH], ids=["en", "fr"])
def test_every_section_says_what_it_answers(words) -> None:
    assert {f"bench.section.{name}" for name in SECTIONS} <= words.keys
