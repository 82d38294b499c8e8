"""The states of a live count, each a closed set; the values are part of every answer and stay as they are."""

from enum import StrEnum


class Mode(StrEnum):
    """What a live session does with its frames."""

    SLIDE = "slide"
    """Count a slide, each cell once."""
    CELL = "cell"
    """Classify the cell in the middle of the frame."""


class LiveState(StrEnum):
    """What became of the last frame, or what the session is at."""

    STARTING = "starting"
    """No frame has been looked at yet."""
    COUNTED = "counted"
    """The field added new cells, or new area."""
    NOT_JUDGED = "not judged"
    """The field added cells that are seen too badly to be judged: they wait for a better view."""
    NOTHING_NEW = "nothing new"
    """All of the field was counted before."""
    STILL = "still"
    """The stage stands where the last field was counted."""
    BLURRED = "blurred"
    """The stage moves, or the focus is off."""
    REFUSED = "refused"
    """The field failed a quality check."""
    UNPLACED = "unplaced"
    """The field overlaps no counted one, so that its place on the slide is unknown."""
    JUDGED = "judged"
    """The cell under the cross-hair was classified."""
    NO_CELL = "no cell"
    """There is no red cell under the cross-hair."""
    STALLED = "stalled"
    """The source has given no frame for some seconds."""
    SOURCE_LOST = "source lost"
    """The source is gone; it is opened again and again."""
    DISK_FULL = "disk full"
    """The store could not take the field, for its disk is full; it is offered again."""
    STORE = "store"
    """The store could not take the field for another reason; it is offered again."""
    ENDED = "ended"
    """The source has no more frames, or the number of cells is reached."""
    FAILED = "failed"
    """An error ended the session."""
    STOPPED = "stopped"
    """Somebody ended the session."""

    @property
    def over(self) -> bool:
        """Whether the session has ended."""
        return self in {LiveState.ENDED, LiveState.FAILED, LiveState.STOPPED}


class SourceState(StrEnum):
    """How a source of frames is doing."""

    RUNNING = "running"
    STALLED = "stalled"
    """It says nothing of a fault, and gives no frames."""
    LOST = "lost"
    """It is gone; it is opened again and again."""
    ENDED = "ended"
    """It has no more frames and never will."""


class Placement(StrEnum):
    """How the place of a field on the slide became known."""

    FIRST = "first"
    """It begins a region of its own."""
    FOLLOWED = "followed"
    """By the movement between two pictures alone."""
    EXPECTED = "expected"
    """Its cells confirm the place to which the pictures were followed."""
    RECOGNISED = "recognised"
    """Its cells were found on the map."""
