"""The charts of a training report, each drawn by matplotlib into one self-contained SVG.

Colours are the first of Okabe & Ito's palette, which people with any colour vision can tell apart; lines
differ by their dashes too, so that the report prints well in grey.
"""

import base64
import io
from collections.abc import Mapping, Sequence

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy.stats import binomtest
from sklearn import metrics

from edge.inference.verdicts import LABELS
from edge.messages.catalogue import Catalogue
from train.evaluation.metrics import CALIBRATION_BINS, Judged

_BLUE, _ORANGE, _GREEN, _GREY = "#0072B2", "#D55E00", "#009E73", "#777777"
_LINES = ((_BLUE, "-"), (_GREEN, "--"), (_GREY, ":"), (_ORANGE, "-."))
_NAMED_PATIENTS = 60  # more names than this cannot be read below a chart
_STYLE = {
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#e4e4e4",
    "axes.axisbelow": True,
    "legend.frameon": False,
    "svg.hashsalt": "plasmolite",  # the same run gives the same file
}


def learning_curves(history: Sequence[Mapping[str, str]], words: Catalogue) -> str:
    """Loss and accuracy of training and validation by epoch, the phases side by side.

    Args:
        history: rows of :func:`train.model.fit.read_history`.
        words: of the language.
    """
    figure, (left, right) = _figure(2, (10, 3.6))
    phases = list(dict.fromkeys(row["phase"] for row in history))
    order = sorted(history, key=lambda row: (phases.index(row["phase"]), int(row["epoch"])))
    epochs = np.arange(1, len(order) + 1)
    for axes, measure in ((left, "loss"), (right, "accuracy")):
        for number, phase in enumerate(phases):
            inside = [place for place, row in enumerate(order) if row["phase"] == phase]
            if number % 2:
                axes.axvspan(inside[0] + 0.5, inside[-1] + 1.5, color="#f3f3f3", zorder=0)
            middle = (inside[0] + inside[-1]) / 2 + 1
            # Narrow phases would write over each other on one line.
            height = 1.01 + 0.06 * (number % 2)
            axes.text(middle, height, phase, transform=axes.get_xaxis_transform(), ha="center", color=_GREY)
        for name, key, (colour, dash) in (
            (words.text("chart.training"), measure, (_GREY, "--")),
            (words.text("chart.validation"), f"val_{measure}", (_BLUE, "-")),
        ):
            values = [float(row[key]) for row in order]
            axes.plot(epochs, values, dash, color=colour, marker="o", ms=4, label=name)
        axes.set(xlabel=words.text("chart.epoch"), ylabel=words.text(f"chart.{measure}"))
        axes.set(xticks=_few(epochs), xlim=(0.5, len(order) + 0.5))
    left.legend()
    return _svg(figure)


def roc_and_precision_recall(judges: Mapping[str, Judged], words: Catalogue) -> str:
    """ROC, the ROC's left end on a logarithmic axis, and precision by recall.

    Args:
        judges: by the name that the legend shows.
        words: of the language.
    """
    figure, (roc, low, recall) = _figure(3, (12.5, 4.2))
    for (name, judged), (colour, dash) in zip(judges.items(), _LINES, strict=False):
        alarms, found, _ = metrics.roc_curve(judged.labels, judged.probabilities, drop_intermediate=True)
        area = metrics.auc(alarms, found)
        roc.plot(alarms, found, dash, color=colour, label=words.text("chart.auc", name=name, area=area))
        low.plot(alarms, found, dash, color=colour)
        precision, share, _ = metrics.precision_recall_curve(judged.labels, judged.probabilities)
        mean = metrics.average_precision_score(judged.labels, judged.probabilities)
        label = words.text("chart.mean-precision", name=name, mean=mean)
        recall.plot(share, precision, dash, color=colour, label=label)
    smallest = 0.5 / max(int((judged.labels == 0).sum()) for judged in judges.values())
    low.set(xscale="log", xlim=(smallest, 1))
    for axes, *named in (
        (roc, "false-alarms", "sensitivity", "roc"),
        (low, "false-alarms-log", "sensitivity", "roc-of-fields"),
        (recall, "recall", "precision", "precision-and-recall"),
    ):
        across, up, title = (words.text(f"chart.{name}") for name in named)
        axes.set(xlabel=across, ylabel=up, title=title)
    recall.set(ylim=(min(0.5, recall.get_ylim()[0]), 1.01))
    roc.legend(loc="lower right", fontsize=8)
    recall.legend(loc="lower left", fontsize=8)
    return _svg(figure)


def confusion(judges: Mapping[str, Judged], threshold: float, words: Catalogue) -> str:
    """Counts of label against verdict, and each as a share of its label's cells."""
    figure, grid = _figure(len(judges), (4.2 * len(judges), 3.6))
    for axes, (name, judged) in zip(grid, judges.items(), strict=True):
        counts = metrics.confusion_matrix(judged.labels, judged.probabilities >= threshold, labels=[0, 1])
        shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
        axes.imshow(shares, cmap="Blues", vmin=0, vmax=1.3)
        for (row, column), count in np.ndenumerate(counts):
            share = words.text("convert.accuracy", share=100 * shares[row, column])
            text = f"{count}\n{share}"
            colour = "white" if shares[row, column] > 0.7 else "black"
            axes.text(column, row, text, ha="center", va="center", color=colour)
        axes.set(xticks=(0, 1), xticklabels=LABELS, yticks=(0, 1), yticklabels=LABELS)
        axes.set(xlabel=words.text("chart.called"), ylabel=words.text("chart.labelled"), title=name)
        axes.grid(visible=False)
    return _svg(figure)


def calibration_curve(judges: Mapping[str, Judged], words: Catalogue) -> str:
    """How often cells are parasitised by how probable that was said to be, with Wilson's 95 % intervals."""
    figure, (axes,) = _figure(1, (5.2, 4.4))
    axes.plot([0, 1], [0, 1], color=_GREY, lw=0.8)
    for (name, judged), (colour, dash) in zip(judges.items(), _LINES, strict=False):
        bins = np.minimum((judged.probabilities * CALIBRATION_BINS).astype(int), CALIBRATION_BINS - 1)
        said, seen, below, above = [], [], [], []
        for number in np.unique(bins):
            labels = judged.labels[bins == number]
            low, high = binomtest(int(labels.sum()), len(labels)).proportion_ci(method="wilson")
            said.append(judged.probabilities[bins == number].mean())
            seen.append(labels.mean())
            below.append(max(0.0, seen[-1] - low))
            above.append(max(0.0, high - seen[-1]))
        axes.errorbar(
            said, seen, (below, above), fmt=dash, marker="o", ms=4, capsize=2, color=colour, label=name
        )
    axes.set(xlabel=words.text("chart.probability"), ylabel=words.text("chart.share"))
    axes.legend(loc="upper left")
    return _svg(figure)


def score_histogram(judged: Judged, thresholds: Mapping[str, float], words: Catalogue) -> str:
    """How many cells of each label got which probability, with the thresholds."""
    figure, (axes,) = _figure(1, (7, 4.4))
    edges = np.linspace(0, 1, 41)
    for label, (colour, _) in ((0, _LINES[0]), (1, _LINES[3])):
        values = judged.probabilities[judged.labels == label]
        labelled = words.text("chart.labelled-as", label=LABELS[label])
        axes.hist(values, edges.tolist(), color=colour, alpha=0.6, label=labelled)
    for (name, threshold), dash in zip(thresholds.items(), ("--", ":"), strict=False):
        point = words.text(f"convert.point.{name}")
        drawn = words.text("chart.threshold", point=point, threshold=threshold)
        axes.axvline(threshold, ls=dash, color="black", lw=1, label=drawn)
    axes.set(yscale="log", xlabel="P(Parasitized)", ylabel=words.text("chart.cells-log"), xlim=(0, 1))
    axes.legend(loc="upper center")
    return _svg(figure)


def patient_accuracy(judged: Judged, disputed: NDArray[np.bool_], threshold: float, words: Catalogue) -> str:
    """Accuracy of every test patient, the worst first; as labelled, and without disputed cells.

    Args:
        judged: test cells.
        disputed: bool, shape (n,).
        threshold: probability from which on a cell is called parasitised.
        words: of the language.
    """
    right = (judged.probabilities >= threshold) == (judged.labels == 1)
    names = np.unique(judged.patients)
    rows = []
    for name in names:
        inside = judged.patients == name
        kept = inside & ~disputed
        undisputed = right[kept].mean() if kept.any() else np.nan
        rows.append((right[inside].mean(), undisputed, int(inside.sum()), str(name)))
    rows.sort()
    figure, (axes,) = _figure(1, (12, 4.4))
    places = np.arange(len(rows))
    sizes = 10 + 90 * np.array([row[2] for row in rows]) / max(row[2] for row in rows)
    original = [row[0] for row in rows]
    axes.scatter(places, original, sizes, color=_BLUE, alpha=0.8, label=words.text("chart.by-area"))
    if disputed.any():
        label = words.text("folds.undisputed")
        axes.scatter(places, [row[1] for row in rows], 24, color=_ORANGE, marker="x", label=label)
    axes.set(ylabel=words.text("chart.accuracy"), xlim=(-1, len(rows)))
    if len(rows) <= _NAMED_PATIENTS:
        axes.set_xticks(places, [row[3] for row in rows], rotation=90, fontsize=7)
    else:
        axes.set(xlabel=words.text("chart.patients"))
    axes.legend(loc="lower right")
    return _svg(figure)


def _figure(columns: int, size: tuple[float, float]) -> tuple[Figure, list[Axes]]:
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=size, layout="constrained")
        return figure, [figure.add_subplot(1, columns, number + 1) for number in range(columns)]


def _few(epochs: NDArray[np.int64]) -> NDArray[np.int64]:
    return epochs[:: max(1, len(epochs) // 12)]


def _svg(figure: Figure) -> str:
    """Draw a figure as the data URL of an SVG, whose names cannot clash with another's on the page."""
    stream = io.BytesIO()
    with mpl.rc_context(_STYLE):
        figure.savefig(stream, format="svg", metadata={"Date": None})
    return "data:image/svg+xml;base64," + base64.b64encode(stream.getvalue()).decode("ascii")
