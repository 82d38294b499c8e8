"""The profile of a chosen threshold, and the warnings that it carries."""

from pathlib import Path

import numpy as np
import pytest

from edge.calibration.known_slides import KnownSlide
from edge.calibration.run import lowest_threshold, make_profile
from edge.calibration.threshold import ChosenThreshold
from edge.errors import SiteProfileError
from edge.inference.model_file import ModelFile
from edge.messages.codes import Code
from edge.messages.message import Message

MODEL = ModelFile(
    Path("standard.tflite"),
    b"",
    {
        "name": "standard",
        "version": "1.0",
        "precision": "int8",
        "sha256": "a" * 64,
        "operating_points": {
            "cell": {"threshold": 0.5, "chosen": "by the test"},
            "field": {"threshold": 0.6, "chosen": "by the test"},
        },
        "roc": [[0.5, 980, 1000, 990, 1000], [0.9, 900, 1000, 999, 1000], [0.99, 300, 1000, 1000, 1000]],
    },
)

SLIDES = [KnownSlide(f"slide {n}", (np.array([0.99, *[0.1] * 499]),), np.zeros(0)) for n in range(4)]


def test_too_few_cells_can_be_forced_and_the_profile_says_so() -> None:
    chosen = ChosenThreshold(0.7, 0, 100, 100.0, (0.0, 0.06))
    profile = make_profile(chosen, SLIDES, MODEL, fields=4, fields_refused=0, target=0.002, force=True)
    assert len(profile.warnings) == 1
    assert str(profile.warnings[0]).startswith("Too few cells for a rate of 0.200 %: 100 were counted")
    assert (profile.true_positives, profile.infected) == (900, 1000)


def test_a_threshold_that_costs_half_the_sensitivity_is_warned_of() -> None:
    chosen = ChosenThreshold(0.95, 4, 2000, 2000.0, (0.0, 0.006))
    profile = make_profile(chosen, SLIDES, MODEL, fields=4, fields_refused=0, target=0.002)
    assert profile.warnings == (Message(Code.CALIBRATION_INSENSITIVE, sensitivity=0.3),)


def test_a_threshold_below_the_models_own_is_warned_of() -> None:
    below, above = (
        make_profile(
            ChosenThreshold(threshold, 4, 2000, 2000.0, (0.0, 0.006)),
            SLIDES,
            MODEL,
            fields=4,
            fields_refused=0,
            target=0.002,
        )
        for threshold in (0.55, 0.65)
    )
    assert below.warnings == (Message(Code.CALIBRATION_EASY, threshold=0.6),)
    assert above.warnings == ()


def test_false_alarms_that_cluster_are_warned_of() -> None:
    chosen = ChosenThreshold(0.7, 4, 2000, 300.0, (0.0, 0.01))
    profile = make_profile(chosen, SLIDES, MODEL, fields=4, fields_refused=0, target=0.002)
    assert profile.warnings == (Message(Code.CALIBRATION_CLUSTERED, cells=2000, effective=300.0),)


def test_a_threshold_beyond_the_models_table_gives_no_profile() -> None:
    chosen = ChosenThreshold(0.999, 4, 2000, 2000.0, (0.0, 0.006))
    with pytest.raises(SiteProfileError, match="ends below the threshold"):
        make_profile(chosen, SLIDES, MODEL, fields=4, fields_refused=0, target=0.002)


def test_too_few_slides_are_warned_of() -> None:
    chosen = ChosenThreshold(0.7, 2, 2000, 2000.0, (0.0, 0.006))
    profile = make_profile(chosen, SLIDES[:2], MODEL, fields=4, fields_refused=0, target=0.002)
    assert profile.warnings == (Message(Code.CALIBRATION_FEW_SLIDES, slides=2, least=3),)


def test_the_profile_holds_each_slide_and_the_sensitivity_of_this_site() -> None:
    chosen = ChosenThreshold(0.7, 4, 2000, 2000.0, (0.0, 0.006))
    infected = np.array([0.9] * 30 + [0.2] * 10)
    positive = KnownSlide("positive", (), infected)
    without, with_positive = (
        make_profile(chosen, slides, MODEL, fields=4, fields_refused=0, target=0.002)
        for slides in (SLIDES, [*SLIDES, positive])
    )
    assert without.slides_uninfected == with_positive.slides_uninfected == ((1.0, 500.0),) * 4
    assert (without.true_positives, without.infected, without.slides_infected) == (900, 1000, ())
    assert (with_positive.true_positives, with_positive.infected) == (30, 40)
    rates = with_positive.rates(MODEL)
    assert rates.slides_infected == ((30.0, 40.0),)
    assert rates.sensitivity_source == ""
    assert rates.false_alarms_measured_here


def test_levelled_scores_allow_no_threshold_below_the_models_own_for_fields() -> None:
    levelled = ModelFile(
        MODEL.path, b"", {**MODEL.manifest, "levelling": {"typical": -7.0, "share": 1.0, "lowered": 0.0}}
    )
    assert (lowest_threshold(MODEL), lowest_threshold(levelled)) == (0.5, 0.6)
    chosen = ChosenThreshold(0.6, 4, 2000, 2000.0, (0.0, 0.006))
    profile = make_profile(chosen, SLIDES, levelled, fields=4, fields_refused=0, target=0.002)
    assert profile.warnings == (Message(Code.CALIBRATION_HELD_LEVELLED, threshold=0.6),)
