"""Empties the outbox into a FHIR server: each slide once, whatever the network and the server do.

A request whose answer was lost may have been taken. It is sent again, and changes nothing: the report is found by its
identifier. So a slide is marked as sent only after a whole answer that says so for each of its resources.
"""

import random
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from edge.errors import SendError, SlideError, StoreBusyError
from edge.messages.message import Message
from edge.messages.send_codes import SendCode
from edge.sending.connection import Answer, Connection, NotReachedError
from edge.sending.fhir_report import slide_transaction, transaction_body
from edge.sending.outbox import Outbox, OutboxEntry
from edge.sending.settings import DeviceIdentity
from edge.slides.claim import counting
from edge.slides.store import SlideStore

FHIR_JSON = "application/fhir+json; charset=utf-8"

_LATER = frozenset({408, 409, 412, 425, 429, 500, 502, 503, 504})
"""Another time it may be taken: 409 and 412 are two writers at once (https://hl7.org/fhir/R4/http.html)."""
_SETTINGS = frozenset({301, 302, 303, 307, 308, 401, 403, 404, 405, 415})
"""The server takes nothing from us at all: an address or a right is wrong, not this slide."""
_TRIES = 4
"""Tries of one request in a run, where no answer comes."""
_PATIENCE = 10
"""Times that a server may put off a slide by 409 or 412 before a person is asked."""


class Sent(NamedTuple):
    """What a run did."""

    sent: int = 0
    put_off: int = 0
    refused: int = 0
    counting: int = 0
    """Slides that are under the camera: sent when they are counted."""
    not_reached: Message | None = None
    """Why the run ended early."""


class Delivery:
    """Sends slides to one server.

    Args:
        store: the slides with their outbox.
        connection: to the server.
        device: which device sends.
        crops: whether to send pictures of suspects.
        outbox: of the store; None for its own.
        sleep: waits between tries of a request; for tests.
        chance: a number in [0, 1), so that many devices do not come back at once; for tests.
    """

    def __init__(
        self,
        store: SlideStore,
        connection: Connection,
        device: DeviceIdentity,
        *,
        crops: bool = False,
        outbox: Outbox | None = None,
        sleep: Callable[[float], None] = time.sleep,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._store = store
        self._connection = connection
        self._device = device
        self._crops = crops
        self._outbox = outbox or Outbox(store, chance)
        self._sleep = sleep
        self._chance = chance

    def run(self, told: Callable[[OutboxEntry], None] = lambda _: None) -> Sent:
        """Send all slides that are due, the oldest first.

        Args:
            told: called after each slide.

        Raises:
            SendError: the server takes nothing from this device; nothing is lost.
            StoreError: the store cannot be read or written.
        """
        done = Sent()
        for entry in self._outbox.due():
            slide = entry.slide
            try:
                with counting(self._store.path, slide.number, slide.slide_id):
                    bundle = slide_transaction(
                        self._store, slide, self._device, crops=self._crops, sent_before=entry.sent > 0
                    )
            except StoreBusyError:
                done = done._replace(counting=done.counting + 1)
                continue
            except SlideError as error:
                self._outbox.refuse(entry, str(error))
                done = done._replace(refused=done.refused + 1)
                continue
            try:
                answer = self._post(transaction_body(bundle))
            except NotReachedError as error:
                return done._replace(not_reached=error.reason)
            done = self._judge(entry, answer, len(bundle["entry"]), done)
            told(entry)
        return done

    def _post(self, body: bytes) -> Answer:
        for attempt in range(_TRIES):
            try:
                return self._connection.send("POST", "", body, FHIR_JSON)
            except NotReachedError:
                if attempt == _TRIES - 1:
                    raise
            self._sleep(2.0**attempt * (0.5 + self._chance() / 2))
        raise AssertionError

    def _judge(self, entry: OutboxEntry, answer: Answer, resources: int, done: Sent) -> Sent:
        said = f"{answer.status} {_diagnostics(answer.json())}".strip()
        if answer.status in {200, 201}:
            if _all_taken(answer.json(), resources):
                self._outbox.mark_sent(entry)
                return done._replace(sent=done.sent + 1)
            # Half an answer, or one of a server that is no FHIR server.
            self._outbox.put_off(entry, said)
            return done._replace(put_off=done.put_off + 1)
        if answer.status in _SETTINGS:
            raise SendError(SendCode.NOT_TAKEN, said=said)
        stuck = answer.status in {409, 412} and entry.tries >= _PATIENCE
        if (answer.status in _LATER or answer.status >= 500) and not stuck:
            self._outbox.put_off(entry, said, answer.retry_after)
            return done._replace(put_off=done.put_off + 1)
        self._outbox.refuse(entry, said)
        return done._replace(refused=done.refused + 1)


def _all_taken(bundle: Any, resources: int) -> bool:
    """Whether an answer is a whole transaction response that took every resource."""
    try:
        statuses = [str(entry["response"]["status"]) for entry in bundle["entry"]]
        right = bundle["resourceType"] == "Bundle" and bundle["type"] == "transaction-response"
    except (KeyError, TypeError):
        return False
    return right and len(statuses) == resources and all(status.startswith("2") for status in statuses)


def _diagnostics(outcome: Any) -> str:
    """What an OperationOutcome says (https://hl7.org/fhir/R4/operationoutcome.html)."""
    try:
        issues = outcome["issue"]
        texts = [
            issue.get("diagnostics") or issue.get("details", {}).get("text") or issue["code"]
            for issue in issues
        ]
    except (KeyError, TypeError, AttributeError):
        return ""
    return " ".join("; ".join(map(str, texts)).split())[:500]
