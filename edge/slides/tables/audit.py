"""The audit trail: one line for every change, written in the same transaction as the change."""

import json
import sqlite3

from edge.messages.numbers import recorded
from edge.slides.records import AuditEntry


def add_entry(connection: sqlite3.Connection, entry: AuditEntry) -> None:
    """Add a line; the caller's transaction makes it durable together with what it tells of.

    Details must name no slide id and no notes: the trail outlives a deleted slide.
    """
    connection.execute(
        "INSERT INTO audit (at, who, action, slide, detail) VALUES (?, ?, ?, ?, ?)",
        (entry.at.isoformat(), entry.who, entry.action, entry.slide_number, json.dumps(dict(entry.detail))),
    )


def detail_words(entry: AuditEntry) -> str:
    """Write the details of a line, each with its name."""
    return ", ".join(f"{name.replace('_', ' ')}: {recorded(value)}" for name, value in entry.detail.items())
