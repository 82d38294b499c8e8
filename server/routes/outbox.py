"""``/outbox``: which slides the laboratory's server has yet to be told of, and what it said."""

from typing import Any

from flask_smorest import Blueprint

from edge.errors import SendError
from edge.sending.outbox import Outbox, OutboxEntry, OutboxState
from edge.sending.settings import read_settings, settings_path
from server.http.openapi import problems
from server.routes.slides import slide_store
from server.schemas.outbox import OutboxQuerySchema, OutboxSchema

outbox = Blueprint("outbox", __name__, description="What is sent to the laboratory's server")


@outbox.route("/outbox", methods=["GET"])
@outbox.arguments(OutboxQuerySchema, location="query")
@outbox.response(200, OutboxSchema)
@problems(outbox, 422, 507)
def show_outbox(query: dict[str, int]) -> dict[str, Any]:
    """Tell what waits to be sent, what the server refused and why, and when something was sent last.

    ``plasmolite send`` does the sending; what it is told to send to is not shown.
    """
    box = Outbox(slide_store())
    status = box.status()
    pending = sorted(
        box.pending(), key=lambda entry: (entry.state != OutboxState.REFUSED, entry.slide.number)
    )
    return {
        "configured": _names_a_server(),
        "waiting": status.waiting,
        "refused": status.refused,
        "sent": status.sent,
        "last_sent": None if status.last_sent is None else status.last_sent.isoformat(),
        "slides": [_entry(entry) for entry in pending[: query["limit"]]],
    }


def _entry(entry: OutboxEntry) -> dict[str, Any]:
    return {
        "number": entry.slide.number,
        "slide_id": entry.slide.slide_id,
        "state": entry.state,
        "sent_before": entry.sent > 0,
        "tries": entry.tries,
        "next_try": None if entry.next_try is None else entry.next_try.isoformat(),
        "said": entry.refusal,
    }


def _names_a_server() -> bool:
    try:
        return read_settings(settings_path()).fhir is not None
    except SendError:
        # The settings are for the user who sends; the server may not be allowed to read them.
        return settings_path().exists()
