"""How often the 95 % interval of a slide holds the truth, and how wide it is beside an oracle's.

`python -m benchmarks.interval.coverage` draws 2,000 slides a row, which takes half an hour to an hour, and prints the
table of the documents; `--slides 100` takes a look. `--rows` keeps the rows whose name holds a text.

A line a row comes on the error stream as soon as it is known, with the widths by two oracles: one that knows the error
rates of each slide, and one that knows only how they differ from slide to slide. The documents' table names the first.
"""

import argparse
import os
import sys
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import islice, repeat
from typing import NamedTuple
from zlib import crc32

import numpy as np

from benchmarks.interval.simulated_slides import PER_FIELD, TRUTHS, Pair, Review, Row, Slide, rows
from edge.parasitaemia.after_review import ReviewCounts, prevalence_after_review
from edge.parasitaemia.clustering import field_design_effect
from edge.parasitaemia.confidence import Interval, confidence_interval
from edge.parasitaemia.prevalence import Rates

SLIDES = 2000
_SUREST = 1.0
"""By how many standard deviations the scores of real suspects lie above those of false ones."""


class Coverage(NamedTuple):
    """What the slides of a row came to; widths are medians, as shares of the red cells."""

    row: Row
    slides: int
    held: float
    width: float
    oracle: float
    """Width by an oracle that knows the slide's own rates; after review, its sensitivity and every suspect's truth."""
    expected: float
    """Width by an oracle that knows how the rates differ from slide to slide."""

    def __str__(self) -> str:
        return (
            f"{self.row}: held {self.held:.1%} of {self.slides}, median width {self.width:.5f}, "
            f"of an oracle {self.oracle:.5f}, of one that knows how slides differ {self.expected:.5f}"
        )


def measure(row: Row, slides: int = SLIDES) -> Coverage:
    """Draw slides of a row and give each its interval; the same slides each time.

    Args:
        row: what the slides are like.
        slides: how many are drawn.
    """
    random = np.random.default_rng([7, crc32(str(row).encode())])
    held, widths = 0, []
    for _ in range(slides):
        slide = row.draw(random)
        intervals = _after_review(random, row, slide) if row.review else _by_machine(random, row, slide)
        held += intervals[0].low <= row.truth <= intervals[0].high
        widths.append([one.high - one.low for one in intervals])
    return Coverage(row, slides, held / slides, *np.median(widths, axis=0).tolist())


def _figures(number: int, slides: int) -> tuple[int, float, float, float, float]:
    """The figures of a row by its number: rows cannot be handed from process to process."""
    return measure(next(islice(rows(), number, None)), slides)[1:]


def table(found: Iterable[Coverage]) -> str:
    """The rows as Markdown, a line a kind and size: held, width and the oracle's in percent."""
    truths = " | ".join(f"{100 * truth:g} % infected" for truth in TRUTHS)
    lines = [f"| slides | cells | {truths} |", "|---" * (len(TRUTHS) + 2) + "|"]
    by_line: dict[tuple[str, int], dict[float, Coverage]] = {}
    for one in found:
        by_line.setdefault((one.row.name, one.row.cells), {})[one.row.truth] = one
    for (name, cells), by_truth in by_line.items():
        entries = [_entry(by_truth[truth]) if truth in by_truth else "" for truth in TRUTHS]
        lines.append(f"| {name} | {cells:,} | " + " | ".join(entries) + " |")
    return "\n".join(lines)


def _entry(one: Coverage) -> str:
    return f"{100 * one.held:.1f}: {100 * one.width:.2g} ({100 * one.oracle:.2g})"


def _calls(random: np.random.Generator, row: Row, slide: Slide) -> tuple[np.ndarray, np.ndarray]:
    """True and false calls in each field of a slide, (fields,) each."""
    fields = row.cells // PER_FIELD
    shares = np.full(fields, row.truth)
    if row.correlation and row.truth:
        size = 1 / row.correlation - 1
        shares = random.beta(row.truth * size, (1 - row.truth) * size, fields)
    infected = random.binomial(PER_FIELD, shares)
    return random.binomial(infected, slide.sensitivity), random.binomial(PER_FIELD - infected, slide.alarms)


def _by_machine(random: np.random.Generator, row: Row, slide: Slide) -> list[Interval]:
    """The product's interval of a count, and those of the two oracles."""
    true, false = _calls(random, row, slide)
    called = true + false
    effect = field_design_effect(called.tolist(), [PER_FIELD] * len(called))
    total = int(called.sum())

    def by(known: Pair, effect: float = 1.0) -> Interval:
        return confidence_interval(total, row.cells, known.sensitivity, known.alarms, effect=effect)

    return [by(slide.measured, effect), by(slide.own), by(slide.expected)]


def _after_review(random: np.random.Generator, row: Row, slide: Slide) -> list[Interval]:
    """The product's interval after a reader saw some suspects, and that of an oracle who saw all."""
    review: Review = row.review or Review(1.0, surest_first=False)
    by_field = _calls(random, row, slide)
    true, false = (int(calls.sum()) for calls in by_field)
    scores = np.r_[random.normal(_SUREST, 1, true), random.normal(0, 1, false)]
    order = np.argsort(-scores) if review.surest_first else random.permutation(true + false)
    real = np.r_[np.ones(true, int), np.zeros(false, int)][order]
    seen = round(review.share * len(real))
    counts = ReviewCounts(row.cells, len(real), seen, int(real[:seen].sum()), 0, 0)
    rates = Rates(int(random.binomial(2258, slide.sensitivity)), 2258, 2057, 2057)
    found = prevalence_after_review(counts, rates)
    none = slide.own._replace(alarms=slide.own.alarms._replace(rates=np.zeros(1)))
    best = confidence_interval(true, row.cells, none.sensitivity, none.alarms)
    return [Interval(found.low, found.high), best, best]


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--slides", type=int, default=SLIDES, help="slides a row (default: %(default)s)")
    parser.add_argument("--rows", default="", help="only rows whose name holds this text")
    parser.add_argument(
        "--processes", type=int, default=os.cpu_count(), help="rows at once (default: the cores, %(default)s)"
    )
    options = parser.parse_args(arguments)
    wanted = {number: row for number, row in enumerate(rows()) if options.rows in str(row)}
    found = []
    with ProcessPoolExecutor(options.processes) as pool:
        for row, figures in zip(
            wanted.values(), pool.map(_figures, wanted, repeat(options.slides)), strict=True
        ):
            found.append(Coverage(row, *figures))
            print(found[-1], file=sys.stderr, flush=True)  # noqa: T201 - progress of a long command
    print(table(found))  # noqa: T201 - the table is what it is run for


if __name__ == "__main__":
    main()
