"""The state of a live count at one moment: one immutable value for terminal, server and programs."""

from typing import Any, NamedTuple

from edge.live.sources.grabber import SourceStatus
from edge.live.states import LiveState, Mode
from edge.messages.message import Message

STALE_SECONDS = 3.0
"""A result older than this is no longer shown as the present: the age of what is shown is bounded."""


class Snapshot(NamedTuple):
    """What a live session is doing.

    Attributes:
        mode: what the session does with its frames.
        number: grows with every frame that was considered and every change of state.
        state: what became of the last frame, or what the session is at.
        message: why; None where the state says all.
        source: how the source is doing.
        considered: frames that were looked at.
        considered_a_second: over the last ten seconds.
        cells_a_second: cells newly judged, over the last ten seconds.
        result_age: seconds since the frame was taken that the last result is of; None before the first.
        warnings: what the person at the microscope should read now.
        facts: what the mode has found, JSON values.
    """

    mode: Mode
    number: int
    state: LiveState
    message: Message | None
    source: SourceStatus
    considered: int
    considered_a_second: float
    cells_a_second: float
    result_age: float | None
    warnings: tuple[Message, ...]
    facts: dict[str, Any]

    @property
    def stale(self) -> bool:
        """Whether the last result is too old to be shown as the present."""
        return self.result_age is None or self.result_age > STALE_SECONDS

    @property
    def over(self) -> bool:
        """Whether the session has come to its end by itself."""
        return self.state.over

    def to_json(self) -> dict[str, Any]:
        """The snapshot as JSON values."""
        return {
            "mode": self.mode,
            "number": self.number,
            "state": self.state,
            **_words(self.message),
            "source": {
                "state": self.source.state,
                **_words(self.source.message),
                "frames": self.source.received,
                "dropped": self.source.dropped,
                "returns": self.source.returns,
                "frames_per_second": round(self.source.frames_a_second, 2),
            },
            "frames_considered": self.considered,
            "considered_per_second": round(self.considered_a_second, 2),
            "cells_per_second": round(self.cells_a_second, 2),
            "result_age_seconds": None if self.result_age is None else round(self.result_age, 3),
            "stale": self.stale,
            "warnings": list(map(str, self.warnings)),
            "warning_messages": [warning.to_json() for warning in self.warnings],
            **self.facts,
        }


def _words(message: Message | None) -> dict[str, Any]:
    """The sentence, empty where there is none, and the code with its values."""
    if message is None:
        return {"words": "", "message": None}
    return {"words": str(message), "message": message.to_json()}
