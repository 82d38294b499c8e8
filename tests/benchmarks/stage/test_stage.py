"""The virtual stage: where it looks, what its camera adds, and how a count is held against that at rest."""

import numpy as np
import pytest
from click.testing import CliRunner

from benchmarks.stage.__main__ import WAYS, main
from benchmarks.stage.camera import FRAME, REST, Look, Sensor, Stage, StagePath, sharp_view
from benchmarks.stage.score import Counted, compare
from benchmarks.stage.slides import TrueSlide

SIZE = (2240, 2520)


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.mark.parametrize("path", ["stops", "steady"])
def test_lines_show_every_place_of_the_slide(path: str) -> None:
    seen = np.zeros(SIZE[::-1], bool)
    for look in Stage(path=path).looks(SIZE, rng()):
        x, y = round(look.x), round(look.y)
        seen[y : y + FRAME[1], x : x + FRAME[0]] = True
    assert seen.all()


def test_a_stage_rests_at_each_stop_and_a_steady_one_never() -> None:
    looks = Stage().looks(SIZE, rng())
    still = [look for look in looks if not look.moves]
    assert len(still) == REST * len(set(still))
    assert any(look.moves for look in looks)
    assert all(look.moves for look in Stage(path=StagePath.STEADY).looks(SIZE, rng()))


def test_more_frames_a_second_lie_nearer_to_each_other_and_smear_as_much() -> None:
    slow, fast = (Stage(fps=fps).looks(SIZE, rng()) for fps in (4, 12))
    assert len(fast) > 2 * len(slow)
    longest = [max(np.hypot(*look.smear) for look in looks) for looks in (slow, fast)]
    assert longest[0] == pytest.approx(longest[1])


@pytest.mark.parametrize("turn", [0.0, 3.0])
def test_a_place_in_a_frame_is_found_on_the_slide(turn: float) -> None:
    slide = np.full((1400, 1800, 3), 200, np.uint8)
    slide[700:704, 900:904] = 0
    look = Look(300.0, 200.0, turn=turn)
    rows, columns = np.nonzero(sharp_view(slide, look)[:, :, 0] < 60)
    middle = look.on_slide(np.array([[columns.mean(), rows.mean()]]))[0]
    assert middle == pytest.approx((901.5, 701.5), abs=1)
    assert look.holds(np.array([[890.0, 690.0, 24.0, 24.0]]))[0]
    assert not look.holds(np.array([[299.0, 600.0, 24.0, 24.0]]))[0]


def test_a_sensor_adds_what_it_is_told_to() -> None:
    view = np.full((FRAME[1], FRAME[0], 3), 128, np.uint8)
    at = Look(0, 0)
    assert np.array_equal(Sensor().expose(view, at, 0, 9, rng()), view)
    noisy = Sensor(noise=7).expose(view, at, 0, 9, rng())
    assert noisy.std() == pytest.approx(7, rel=0.02)
    dimmed = Sensor(vignette=0.4).expose(view, at, 0, 9, rng())
    assert int(dimmed[480, 640, 0]) - int(dimmed[0, 0, 0]) == pytest.approx(0.4 * 128, abs=2)
    stripe = view.copy()
    stripe[:, 640:] = 20
    smeared = Sensor().expose(stripe, Look(0, 0, (20.0, 0.0)), 0, 9, rng())
    between = (smeared[480, :, 0] > 25) & (smeared[480, :, 0] < 120)
    assert np.count_nonzero(between) == pytest.approx(20, abs=3)


def test_a_count_is_held_against_that_at_rest() -> None:
    places = np.array([[100.0, 100.0], [300.0, 100.0], [500.0, 100.0], [700.0, 100.0]])
    slide = TrueSlide(
        np.zeros((1, 1, 3), np.uint8),
        np.hstack([places - 35, np.full((4, 2), 70.0)]),
        np.array([True, True, True, False]),
    )
    yes, no = np.ones(4, bool), np.zeros(4, bool)
    at_rest = Counted(places, yes, yes, no, np.zeros(4, np.int64), {}, [Look(0, 0)])
    here = Counted(
        # The first twice from two fields; the second waits to be judged; the third is missed; one more is new.
        np.vstack([places[:3], places[:1] + 5, [[900.0, 900.0]]]),
        np.array([True, False, False, True, True]),
        np.array([True, False, True, True, True]),
        np.zeros(5, bool),
        np.array([1, 1, 1, 2, 2]),
        {"counted": 3},
        [Look(0, 0)],
    )
    score = compare(slide, at_rest, here)
    assert (score.at_rest, score.again, score.new, score.twice) == (4, 3, 1, 1)
    assert (score.infected, score.called, score.told) == (3, 1, 1)
    assert score.kept == pytest.approx(2 / 3)
    assert (score.false_calls, score.false_calls_at_rest) == (1, 1)
    # The third lies just below the threshold, and a person is told so.
    told = compare(slide, at_rest, here._replace(near=np.array([False, False, True, False, False])))
    assert (told.told, told.near, told.kept) == (2, 1, 1.0)
    itself = compare(slide, at_rest, at_rest)
    assert (itself.again, itself.new, itself.twice, itself.kept) == (4, 0, 0, 1.0)
    assert compare(slide, at_rest, at_rest._replace(called=no)).kept == 0
    # What no frame showed is asked of nobody.
    elsewhere = compare(slide, at_rest, here._replace(looked=[Look(-800, 0)]))
    assert (elsewhere.at_rest, elsewhere.infected) == (2, 2)


def test_the_command_knows_its_disturbances() -> None:
    asked = CliRunner().invoke(main, ["--help"])
    assert asked.exit_code == 0
    assert len(WAYS) >= 16
    refused = CliRunner().invoke(main, ["--only", "earthquake", "--no-drawn"])
    assert refused.exit_code == 2
    assert "earthquake" in refused.output
