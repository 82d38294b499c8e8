"""Damaged pictures by a fuzzer: never a verdict on one that its own decoder calls damaged, never a traceback.

The fuzzer is Radamsa (Helin, https://gitlab.com/akihe/radamsa), every damage by a seed of its own. A usual run takes a
few hundred files; `--fuzzed 3000` takes as many as one has time for.
"""

from collections import Counter
from collections.abc import Callable

import pytest

from edge.fields.analyser import FieldAnalyser
from edge.inference.classifier import Classifier
from edge.simulation.field import FieldSettings, draw_field
from edge.simulation.single_cell import draw_cell
from tests.support.fuzzed_pictures import Outcome, judge_cell, judge_field, written_in_every_way

pyradamsa = pytest.importorskip("pyradamsa", reason="the fuzzer has no wheel for this machine")
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def analyser() -> FieldAnalyser:
    return FieldAnalyser(Classifier.open("nano", threads=1))


def test_no_damaged_picture_is_judged_and_none_ends_in_a_traceback(
    analyser: FieldAnalyser, request: pytest.FixtureRequest, record_property: Callable[[str, object], None]
) -> None:
    wanted = request.config.getoption("--fuzzed")
    classifier = Classifier.open("nano", threads=1)
    cells = written_in_every_way(draw_cell(7, infected=True).rgb)
    fields = written_in_every_way(
        draw_field(3, FieldSettings(width=400, height=300, cells=14, cell_width=60)).rgb
    )
    # The files as they are: whatever is judged of a damaged one must be judged of these.
    assert all(judge_cell(classifier, data) == Outcome(True, None, None) for data in cells.values())
    assert all(judge_field(analyser, data) == Outcome(True, None, None) for data in fields.values())
    fuzzer, outcomes, wrong = pyradamsa.Radamsa(), Counter(), []
    for number in range(wanted):
        kind = list(cells)[number % len(cells)]
        of_field = number // len(cells) % 2 == 1
        whole = (fields if of_field else cells)[kind]
        data = fuzzer.fuzz(whole, seed=number, max_mut=2 * len(whole))
        if data == whole:
            continue
        try:
            said = judge_field(analyser, data) if of_field else judge_cell(classifier, data)
        except Exception as error:
            wrong.append(f"{number} {kind}: {type(error).__name__}: {error}")
            continue
        outcomes[kind, "judged" if said.judged else "refused"] += 1
        if said.complaint is not None:
            wrong.append(f"{number} {kind}: judged, but {said.complaint}")
    record_property(
        "outcomes", "; ".join(f"{kind} {what}: {n}" for (kind, what), n in sorted(outcomes.items()))
    )
    assert not wrong, "\n".join(wrong)
    assert sum(outcomes.values()) > 0.9 * wanted
