"""A benchmark's tables and page speak one language throughout."""

import io
import re
from pathlib import Path

import pytest
from rich.console import Console

from benchmarks.harness.compare import compare
from benchmarks.harness.machine import judge_machine
from benchmarks.harness.measurement import Benchmark, Chart, Measurement, Section, Series
from benchmarks.output.report import write_report
from benchmarks.output.table import print_benchmark, print_comparison
from edge.device.board import THROTTLING_NOW, Board, Throttling
from edge.messages.bench_codes import BenchCode
from edge.messages.catalogue import catalogue
from edge.messages.language import Language
from edge.messages.message import Message

THROTTLED = Throttling(1, (THROTTLING_NOW[0],), ())
BOARD = Board(
    "a board", "a chip", "armv7l", 4, 2**30, 2**29, "ondemand", 600.0, 81.5, THROTTLED, "Linux", 0.25
)
FOREIGN = {
    Language.ENGLISH: r"\b(le|la|les|des|est|sont|une|du)\b",
    Language.FRENCH: r"\b(the|is|are|of|with|by|from|to|and|other|cell)\b",
}


def run_of(milliseconds: float, *, cores: int = 4) -> Benchmark:
    timed = Measurement(
        "Interpreter alone, ms a cell", "nano, threads 1, batch 8", "p50", milliseconds, "ms", better="lower"
    )
    other = timed._replace(subject=f"scaling to {cores} px, one thread", value=1234.5)
    share = Measurement(
        "Refusing what is no red cell", "classify", "cells refused", 0.0125, "share", 0.01, 0.02
    )
    chart = Chart("bars", "Interpreter alone", "ms a cell", "", (Series("decoding", ("batch 8",), (0.5,)),))
    section = Section(
        "latency",
        "Latency",
        (timed, other, share),
        (Message(BenchCode.NOTE_INTERPRETER),),
        (Message(BenchCode.PEER_NOT_INSTALLED, peer="Keras", module="keras"),),
        (chart,),
        61.5,
        0.25,
        0.125,
    )
    board = {**BOARD.to_json(), "cores": cores}
    machine = {
        "before": board,
        "after": board,
        "versions": {"numpy": "2"},
        "python": "3.11",
        "commit": "abc",
        "models": [{"file": "m.tflite", "name": "nano", "sha256": "0" * 64}],
    }
    warnings = tuple(judge_machine(BOARD, BOARD, {"latency": 0.25}))
    return Benchmark("2026-01-01T00:00:00+00:00", ("plasmolite",), machine, warnings, (section,))


OLD, NEW = run_of(1.0, cores=2), run_of(9.0)
SAID = {
    Language.ENGLISH: (
        "Latency",
        "4 cores",
        "governor ondemand",
        "(the supply voltage is too low)",
        "latency 25% of the time",
        "scaling to 4 px, one thread",
        "1.25 % (1.00 to 2.00)",
        "1,234",
        "Keras: keras is not installed",
        "different numbers of cores: 2 and 4",
    ),
    Language.FRENCH: (
        "Latence",
        "4 cœurs",
        "régulateur ondemand",
        "(la tension d'alimentation est trop basse)",
        "latency 25 % du temps",
        "mise à 4 px, un fil",
        "1,25 % (1,00 à 2,00)",
        "1\u202f234",
        "Keras : keras n'est pas installé",
        "nombres de cœurs différents : 2 et 4",
    ),
}


def held(text: str, language: Language) -> None:
    told = text.replace("\N{NO-BREAK SPACE}", " ").replace("&#39;", "'")
    # The command that sets a governor is of no language.
    assert not re.findall(FOREIGN[language], told)
    assert not [said for said in SAID[language] if said not in told]


@pytest.mark.parametrize("language", Language)
def test_the_tables_are_of_one_language(language: Language) -> None:
    words, stream = catalogue(language), io.StringIO()
    console = Console(file=stream, width=2000)
    print_benchmark(NEW, console, words)
    print_comparison(compare(OLD, NEW), console, words)
    text = stream.getvalue()
    held(text, language)
    marks = {
        Language.ENGLISH: (
            "Warning:",
            "Note:",
            "Not measured:",
            "1 worse",
            "new / old",
            "only in the old run",
        ),
        Language.FRENCH: (
            "Attention :",
            "Remarque :",
            "Non mesuré :",
            "1 pire",
            "nouveau / ancien",
            "seule ancienne",
        ),
    }[language]
    assert not [mark for mark in marks if mark not in text]


@pytest.mark.parametrize("language", Language)
def test_the_page_and_its_charts_are_of_one_language(tmp_path: Path, language: Language) -> None:
    path = tmp_path / "report.html"
    write_report(path, NEW, compare(OLD, NEW), language)
    page = path.read_text("utf-8")
    assert f'<html lang="{language}">' in page
    # matplotlib draws letters as shapes, and writes what they spell beside them.
    drawn = " ".join(re.findall(r"<!-- (.*?) -->", page))
    numbers = {Language.ENGLISH: r"\b\d\.\d", Language.FRENCH: r"\b\d,\d"}
    assert [own for own, shape in numbers.items() if re.search(shape, drawn)] == [language]
    content = page[page.index("<body") :]
    held(re.sub(r"<svg.*?</svg>|<[^>]*>", " ", content, flags=re.DOTALL) + drawn, language)
    assert {Language.ENGLISH: "Load at the start 0.25", Language.FRENCH: "Charge au début 0,25"}[
        language
    ] in page
