"""What a conversion says at the terminal, in the user's language, and to a program in English with its codes."""

from pathlib import Path

import pytest

from convert.comparison import KerasComparison
from convert.gate import Check, GateResult
from convert.release import Outcome, Release
from edge.inference.precision import Precision
from edge.messages.message import Message
from edge.messages.train_codes import TrainCode
from plasmolite.terminal.conversion import as_json, print_release
from plasmolite.terminal.language import typed_language

WEAK = Message(
    TrainCode.FINDS_FEW, point=Message(TrainCode.POINT_FIELD), threshold=0.995, found=1, infected=1200
)
UNSURE = Message(TrainCode.LEAD_NOT_SHOWN, value=0.01, low=-0.02, high=0.03, cells=1200, patients=12)


def outcome(released: Path | None) -> Outcome:
    figures = (0.9914, 0.99, 0.992, 0.9996, -0.001, 0.0, -0.002, 0.0001, 0.0125, 0.5, 0.00123, 1_234_567, 2.5)
    comparison = KerasComparison(Precision.INT8, *figures, "LiteRT 1.0, 2 threads")
    gate = GateResult(Precision.INT8, 1200, 12, (Check("flips", 0.0125, 0.001, 0.02, 0.004),))
    found = {"true_positives": 1, "infected": 1200, "true_negatives": 5, "uninfected": 6}
    return Outcome(comparison, gate, (WEAK,), (UNSURE,), {"cell": found, "field": found}, released)


@pytest.mark.parametrize("released", [None, Path("mine.tflite")])
def test_a_conversion_is_told_in_french(capsys: pytest.CaptureFixture[str], released: Path | None) -> None:
    with typed_language(["convert", "--language", "fr"]):
        print_release(Release((outcome(released),), None))
    told = capsys.readouterr()
    for figure in ("99,14 %", "-0,100", "+0,000", "1,250 %", "0,00123", "1,23", "2,50", "0,9996"):
        assert figure in told.out
    too_few = "1\u202f200 cellules d'essai de 12 patients, c'est trop peu pour le dire"
    assert f"la part des verdicts inversés est de 1,250 point, pour 0,400 au plus ; {too_few}" in told.err
    assert "il trouve 1 cellule d'essai infectée sur 1\u202f200." in told.err
    assert ("[-0,020 ; +0,030], sur 1\u202f200 cellules d'essai" in told.err) == (released is not None)
    assert ("Non publié. int8 : Au seuil pour les champs entiers" in told.err) == (released is None)


def test_a_program_is_told_in_english_with_codes_and_values() -> None:
    with typed_language(["convert", "--language", "fr"]):
        (export,) = as_json(Release((outcome(None),), None))["exports"]
    assert export["weaknesses"] == [str(WEAK)]
    assert export["weakness_messages"] == [WEAK.to_json()]
    assert export["reservations"] == [str(UNSURE)]
    assert export["reservation_messages"] == [UNSURE.to_json()]
    assert export["refusals"][0].startswith("int8: the share of verdicts that flip is 1.250 points")
    assert [one["code"] for one in export["refusal_messages"]] == ["gate.too-few", "conversion.of-export"]
