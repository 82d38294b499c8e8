"""What ``plasmolite convert`` prints: its exports beside the Keras model, as a table or as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.table import Table

from convert.gate import Decision
from edge.about import RESEARCH_USE
from plasmolite.terminal.language import spoken

if TYPE_CHECKING:
    from convert.release import Outcome, Release


def as_json(release: Release) -> dict[str, Any]:
    """Describe a conversion for a program: what of each export was measured, decided and written."""
    return {
        "exports": [
            {
                "precision": str(one.comparison.precision),
                "released": None if one.released is None else str(one.released),
                "refusals": list(map(str, one.refusals)),
                "refusal_messages": [refusal.to_json() for refusal in one.refusals],
                "weaknesses": list(map(str, one.weaknesses)),
                "weakness_messages": [weakness.to_json() for weakness in one.weaknesses],
                "reservations": list(map(str, one.reservations)),
                "reservation_messages": [reservation.to_json() for reservation in one.reservations],
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
    console, words = Console(), spoken()
    # Where the output is a file, eighty columns would cut the figures off.
    wide = console if console.is_terminal else Console(width=120)
    wide.print(_against_keras(release.outcomes))
    wide.print(_found(release.outcomes))
    for one in release.outcomes:
        if one.released is None:
            continue
        click.echo(words.text("convert.released", path=one.released))
        for sentence in (*one.gate.sentences(), *one.weaknesses):
            click.echo("  " + words.text("convert.stated", sentence=sentence), err=True)
        for sentence in one.reservations:
            click.echo("  " + words.text("convert.reservation", sentence=sentence), err=True)
    for one in release.outcomes:
        for sentence in one.refusals:
            click.echo(words.text("convert.not-released", sentence=sentence), err=True)
    _print_ways_out(release.outcomes)


def _print_ways_out(outcomes: tuple[Outcome, ...]) -> None:
    held = [one for one in outcomes if one.released is None]
    if any(one.gate.decision is Decision.UNDECIDED for one in held):
        click.echo(spoken().text("convert.undecided"), err=True)
    if any(one.weaknesses for one in held):
        click.echo(spoken().text("convert.weak"), err=True)


def _against_keras(outcomes: tuple[Outcome, ...]) -> Table:
    words = spoken()
    table = Table(title=words.text("convert.against-keras"))
    named = {
        name: words.text(f"convert.column.{name}")
        for name in (
            "accuracy",
            "change",
            "sensitivity",
            "specificity",
            "flips",
            "difference",
            "size",
            "time",
        )
    }
    before, after = list(named.values())[:4], list(named.values())[4:]
    for column in ("", *before, "AUC", *after):
        table.add_column(column, justify="right")
    for c in (one.comparison for one in outcomes):
        table.add_row(
            c.precision,
            words.text("convert.accuracy", share=c.accuracy * 100),
            words.value(c.accuracy_change * 100, "+.3f"),
            words.value(c.sensitivity_change * 100, "+.3f"),
            words.value(c.specificity_change * 100, "+.3f"),
            words.value(c.auc_change * 100, "+.4f"),
            words.text("convert.flips", share=c.flips * 100),
            words.value(c.mean_difference, ".5f"),
            words.value(c.size / 1e6, ".2f"),
            words.value(c.latency, ".2f"),
        )
    return table


def _found(outcomes: tuple[Outcome, ...]) -> Table:
    """The table of what an export finds: counts, since a share of a few cells says little."""
    words = spoken()
    table = Table(title=words.text("convert.found"))
    columns = (words.text(f"convert.column.{name}") for name in ("point", "infected", "uninfected"))
    for column in ("", *columns, "AUC"):
        table.add_column(column, justify="right")
    for one in outcomes:
        for point, counts in one.found.items():
            table.add_row(
                one.comparison.precision if point == "cell" else "",
                words.text(f"convert.point.{point}"),
                words.text("convert.of", part=counts["true_positives"], whole=counts["infected"]),
                words.text("convert.of", part=counts["true_negatives"], whole=counts["uninfected"]),
                words.value(one.comparison.auc, ".4f") if point == "cell" else "",
            )
    return table
