"""Whether a slide shows an infection: the stated rule, never "negative"."""

import pytest

from edge.parasitaemia.estimate import estimate
from edge.parasitaemia.presence import Presence, presence_of
from edge.parasitaemia.prevalence import Rates

SITE = Rates(950, 1000, 9980, 10_000, slides_uninfected=((10, 5000), (10, 5000)))


@pytest.mark.parametrize(
    ("counted", "called", "low", "confirmed", "expected", "said"),
    [
        (999, 500, 0.4, 500, 0.0, Presence.CANNOT_TELL),  # too few, whatever was seen
        (1000, 20, 0.01, 0, 0.0, Presence.EVIDENCE),
        (1000, 1, 0.0, 1, 0.0, Presence.EVIDENCE),  # a person saw one
        (1000, 0, 0.0, 0, 0.0, Presence.NO_EVIDENCE),
        (1000, 2, 0.0, 0, 2.0, Presence.NO_EVIDENCE),  # as many as this laboratory's negatives show
        (1000, 3, 0.0, 0, 2.0, Presence.CANNOT_TELL),
        (1000, 1, 0.0, 0, 0.0, Presence.CANNOT_TELL),  # false alarms not measured here
        (0, 0, None, 0, 0.0, Presence.CANNOT_TELL),
    ],
)
def test_the_rule(
    *, counted: int, called: int, low: float | None, confirmed: int, expected: float, said: Presence
) -> None:
    found = presence_of(counted=counted, called=called, low=low, confirmed=confirmed, expected=expected)
    assert found is said


def test_only_false_alarms_measured_here_make_calls_no_evidence() -> None:
    here, elsewhere = estimate(3, 2000, SITE), estimate(3, 2000, SITE._replace(slides_uninfected=()))
    assert here.presence is Presence.NO_EVIDENCE
    assert elsewhere.presence is Presence.CANNOT_TELL
    assert here.to_json()["presence"] == "no evidence"
    assert estimate(60, 2000, SITE).presence is Presence.EVIDENCE
