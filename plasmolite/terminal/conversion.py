"""What ``plasmolite convert`` prints: its exports beside the Keras model, as a table or as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.table import Table

from convert.gate import Decision
from edge.about import RESEARCH_USE

if TYPE_CHECKING:
    from convert.release import Outcome, Release


def as_json(release: Release) -> dict[str, Any]:
    """Describe a conversion for a program: what of each export was measured, decided and written."""
    return {
        "exports": [
            {
                "precision": str(one.comparison.precision),
                "released": None if one.released is None else str(one.released),
                "refusals": one.refusals,
                "weaknesses": list(one.weaknesses),
                "gate": one.gate.record(),
                "operating_points": one.found,
                "against_keras": {**one.comparison._asdict(), "precision": str(one.comparison.precision)},
            }
            for one in release.outcomes
        ],
        "card": None if release.card is None else str(release.card),
        "research_use": RESEARCH_USE,
    }


def print_release(release: Release) -> None:
    """Print the tables, what was released, and in sentences what was not and why."""
    console = Console()
    # Where the output is a file, eighty columns would cut the figures off.
    wide = console if console.is_terminal else Console(width=120)
    wide.print(_against_keras(release.outcomes))
    wide.print(_found(release.outcomes))
    for one in release.outcomes:
        if one.released is None:
            continue
        click.echo(f"Released: {one.released}")
        for sentence in (*one.gate.sentences(), *one.weaknesses):
            click.echo(f"  as asked for, and stated in its manifest: {sentence}", err=True)
    for one in release.outcomes:
        for sentence in one.refusals:
            click.echo(f"Not released. {sentence}", err=True)
    _print_ways_out(release.outcomes)


def _print_ways_out(outcomes: tuple[Outcome, ...]) -> None:
    held = [one for one in outcomes if one.released is None]
    if any(one.gate.decision is Decision.UNDECIDED for one in held):
        click.echo(
            "Too few test cells to tell: train and test on more patients, or release with --release-undecided, which "
            "manifest and card then state.",
            err=True,
        )
    if any(one.weaknesses for one in held):
        click.echo(
            "A model of so little use is released only with --release-weak, which manifest and card then state.",
            err=True,
        )


def _against_keras(outcomes: tuple[Outcome, ...]) -> Table:
    table = Table(title="Exports beside the Keras model, on the test patients (changes in points)")
    for column in ("", "accuracy", "change", "sens.", "spec.", "AUC", "flips", "mean |dP|", "MB", "ms/cell"):
        table.add_column(column, justify="right")
    for c in (one.comparison for one in outcomes):
        table.add_row(
            c.precision,
            f"{c.accuracy:.2%}",
            f"{c.accuracy_change * 100:+.3f}",
            f"{c.sensitivity_change * 100:+.3f}",
            f"{c.specificity_change * 100:+.3f}",
            f"{c.auc_change * 100:+.4f}",
            f"{c.flips:.3%}",
            f"{c.mean_difference:.5f}",
            f"{c.size / 1e6:.2f}",
            f"{c.latency:.2f}",
        )
    return table


def _found(outcomes: tuple[Outcome, ...]) -> Table:
    """The table of what an export finds: counts, since a share of a few cells says little."""
    table = Table(title="What they find of the undisputed test cells")
    for column in ("", "at the threshold for", "infected found", "uninfected called so", "AUC"):
        table.add_column(column, justify="right")
    for one in outcomes:
        for point, counts in one.found.items():
            table.add_row(
                one.comparison.precision if point == "cell" else "",
                {"cell": "single cells", "field": "whole fields"}[point],
                f"{counts['true_positives']:,} of {counts['infected']:,}",
                f"{counts['true_negatives']:,} of {counts['uninfected']:,}",
                f"{one.comparison.auc:.4f}" if point == "cell" else "",
            )
    return table
