"""Figures against values worked out by hand and against scikit-learn's."""

import numpy as np
import pytest
from sklearn import metrics

from train.data.dataset import Sample
from train.evaluation import metrics as evaluation
from train.evaluation.baseline import baseline_probabilities, two_features
from train.evaluation.metrics import Judged, cluster_bootstrap

# Labels, probabilities: at 0.5 TP 2, FN 1, TN 3, FP 1.
_LABELS = np.array([1, 1, 1, 0, 0, 0, 0])
_SAID = np.array([0.9, 0.6, 0.3, 0.7, 0.4, 0.2, 0.1])


@pytest.fixture
def few() -> Judged:
    return Judged(_LABELS, _SAID, np.array(list("aabbccc")))


@pytest.fixture
def many() -> Judged:
    """Overlapping classes with many ties."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 600)
    said = np.clip(rng.normal(0.3 + 0.4 * labels, 0.2), 0, 1).round(2)
    return Judged(labels, said, rng.integers(0, 12, 600).astype(str))


def test_shares_are_those_worked_out_by_hand(few: Judged) -> None:
    assert evaluation.accuracy(few, 0.5) == pytest.approx(5 / 7)
    assert evaluation.sensitivity(few, 0.5) == pytest.approx(2 / 3)
    assert evaluation.specificity(few, 0.5) == pytest.approx(3 / 4)
    # Of the 12 pairs the infected cell ranks above the uninfected in 4 + 3 + 2.
    assert evaluation.auc(few) == pytest.approx(9 / 12)
    assert evaluation.brier(few) == pytest.approx((0.01 + 0.16 + 0.49 + 0.49 + 0.16 + 0.04 + 0.01) / 7)


def test_a_cell_at_the_threshold_is_called_parasitised(few: Judged) -> None:
    assert evaluation.sensitivity(few, 0.6) == pytest.approx(2 / 3)


def test_area_and_correlation_are_those_of_scikit_learn(many: Judged) -> None:
    assert evaluation.auc(many) == pytest.approx(metrics.roc_auc_score(many.labels, many.probabilities))
    for threshold in (0.3, 0.5, 0.8):
        expected = metrics.matthews_corrcoef(many.labels, many.probabilities >= threshold)
        assert evaluation.matthews(many, threshold) == pytest.approx(expected)


def test_a_verdict_that_is_always_the_same_correlates_with_nothing(few: Judged) -> None:
    assert evaluation.matthews(few, 0.0) == 0


def test_the_calibration_error_is_the_mean_gap_of_the_bins() -> None:
    # Two bins of 15: four cells at 0.5 of which three are infected, one cell at 0.95 that is not.
    judged = Judged(np.array([1, 1, 1, 0, 0]), np.array([0.5] * 4 + [0.95]), np.array(list("abcde")))
    assert evaluation.calibration_error(judged) == pytest.approx((4 * 0.25 + 0.95) / 5)


def test_the_best_threshold_is_found_by_trying_all(many: Judged) -> None:
    def mean_of_both(threshold: float) -> float:
        return evaluation.sensitivity(many, threshold) + evaluation.specificity(many, threshold)

    tried = max(mean_of_both(t) for t in np.linspace(-0.005, 1.005, 102))
    assert mean_of_both(evaluation.balanced_threshold(many)) == pytest.approx(tried)


def test_the_best_threshold_does_not_give_up_the_rarer_class() -> None:
    # Forty times as many uninfected cells; four of five infected ones rank above nearly all of them.
    uninfected = np.linspace(0.0, 0.3, 200)
    judged = Judged(
        np.array([1] * 5 + [0] * 200),
        np.concatenate([[0.29, 0.28, 0.27, 0.26, 0.05], uninfected]),
        np.array([f"p{number % 9}" for number in range(205)]),
    )
    threshold = evaluation.balanced_threshold(judged)
    assert evaluation.sensitivity(judged, threshold) == pytest.approx(0.8)
    assert evaluation.specificity(judged, threshold) > 0.85


@pytest.mark.parametrize("target", [0.5, 0.9, 0.99, 1.0])
def test_the_threshold_for_a_false_alarm_rate_keeps_it_and_is_the_lowest(many: Judged, target: float) -> None:
    threshold = evaluation.threshold_for_specificity(many, target)
    assert evaluation.specificity(many, threshold) >= target
    lower = max(p for p in many.probabilities[many.labels == 0] if p < threshold)
    assert evaluation.specificity(many, lower) < target


@pytest.mark.slow
def test_intervals_hold_the_value_and_are_wider_for_fewer_patients(many: Judged) -> None:
    figures = evaluation.measure(many, 0.5)
    assert set(figures) == {"accuracy", "sensitivity", "specificity", "auc", "mcc", "brier", "ece"}
    for name in ("accuracy", "auc", "brier"):
        assert figures[name].low <= figures[name].value <= figures[name].high
    # Each cell its own patient: 600 independent cells, so a binomial interval of 1.96 standard deviations.
    alone = evaluation.measure(many._replace(patients=np.arange(600).astype(str)), 0.5)["accuracy"]
    half = 1.96 * np.sqrt(alone.value * (1 - alone.value) / 600)
    assert alone.high - alone.low == pytest.approx(2 * half, rel=0.15)


@pytest.mark.slow
def test_cells_that_are_alike_within_a_patient_widen_the_interval() -> None:
    labels = np.tile([0, 1], 200)
    patients = np.repeat(np.arange(10), 40).astype(str)
    said = np.where(np.repeat(np.arange(10), 40) < 5, labels, 1 - labels).astype(float)
    by_patient = evaluation.measure(Judged(labels, said, patients), 0.5)["accuracy"]
    by_cell = evaluation.measure(Judged(labels, said, np.arange(400).astype(str)), 0.5)["accuracy"]
    assert by_patient.high - by_patient.low > 3 * (by_cell.high - by_cell.low)


@pytest.mark.slow
def test_the_same_seed_gives_the_same_intervals(few: Judged) -> None:
    assert evaluation.measure(few, 0.5, seed=3) == evaluation.measure(few, 0.5, seed=3)


def test_the_table_of_counts_goes_from_all_called_to_none(many: Judged) -> None:
    rows = evaluation.roc_table(many)
    infected = int((many.labels == 1).sum())
    assert rows[0][1:] == [
        int((many.probabilities[many.labels == 1] >= rows[0][0]).sum()),
        infected,
        int((many.probabilities[many.labels == 0] < rows[0][0]).sum()),
        600 - infected,
    ]
    assert [row[1] for row in rows] == sorted((row[1] for row in rows), reverse=True)


def disc(spots: int, side: int = 60) -> Sample:
    rows, columns = np.mgrid[:side, :side] - side / 2
    image = np.zeros((side, side, 3), np.uint8)
    image[np.hypot(rows, columns) < side / 2 - 1] = (200, 150, 160)
    for spot in range(spots):
        image[20 + 12 * spot : 25 + 12 * spot, 25:31] = (80, 40, 120)
    mask = np.asarray(image.any(axis=2) * 255, np.uint8)
    return Sample(f"{side}-{spots}", int(spots > 0), "p", image, mask)


def test_the_baseline_sees_area_and_spots() -> None:
    assert two_features(disc(0, 80))[0] > two_features(disc(0, 60))[0]
    assert two_features(disc(2))[1] > two_features(disc(1))[1]


def test_the_baseline_tells_spotted_discs_from_plain_ones() -> None:
    sides = range(50, 90, 2)
    train = [disc(side % 4, side) for side in sides]
    labels = np.array([sample.label for sample in train])
    plain, spotted = baseline_probabilities(train, labels, [disc(0, 65), disc(2, 65)])
    assert spotted > 0.5 > plain


def test_cells_of_one_patient_widen_the_interval() -> None:
    rng = np.random.default_rng(0)
    by_patient = np.repeat(rng.random(10), 50)
    labels = np.zeros(500, np.int64)

    def width(clusters: np.ndarray) -> float:
        found = cluster_bootstrap(
            clusters, labels, lambda at: {"mean": float(by_patient[at].mean())}, rounds=200
        )["mean"]
        assert found.low <= found.value <= found.high
        return found.high - found.low

    alike = np.repeat(np.arange(10), 50).astype(str)
    assert width(alike) > 3 * width(np.arange(500).astype(str))
