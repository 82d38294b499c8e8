"""What a check of the device finds."""

from enum import StrEnum
from typing import Any, NamedTuple

from edge.messages.message import Message


class FindingState(StrEnum):
    """How a part of the device is; the values are part of the doctor's answer, and stay as they are."""

    OK = "ok"
    WARNING = "warning"
    """It works, but should be looked at."""
    FAILURE = "failure"
    """Slides cannot be judged."""


class Finding(NamedTuple):
    """What the doctor says of one part.

    Attributes:
        part: such as "runtime" or "disk".
        state: whether slides can be judged with it.
        sentence: what was found.
        action: what to do; None where nothing.
        value: the measured figure behind it, where there is one.
    """

    part: str
    state: FindingState
    sentence: Message
    action: Message | None = None
    value: float | str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the finding as JSON values: sentence and action in English, the sentence's code and values."""
        return {
            "part": self.part,
            "state": self.state,
            "sentence": str(self.sentence),
            "action": "" if self.action is None else str(self.action),
            "value": self.value,
            **self.sentence.to_json(),
        }
