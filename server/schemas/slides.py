"""The shapes of what the API says of slides, and of what it is told about them."""

from enum import StrEnum

from marshmallow import Schema, ValidationError, fields, validate

from edge.filing.exported import ExportForm
from edge.inference.verdicts import LABELS
from edge.messages.language import Language
from edge.messages.message import Message
from edge.messages.request_codes import RequestCode
from edge.slides.listing import SlideOrder
from edge.slides.naming import reads_as_stored
from edge.slides.readings import Reading
from edge.slides.review import MAX_REVIEWER
from server.schemas.cells import ModelSchema

MAX_NOTE = 2000
MAX_FINDING = 120


def plain_text(text: str) -> None:
    """Refuse what is no text: control characters, and halves of characters that no file can hold.

    Raises:
        ValidationError: there is one.
    """
    if any((ord(letter) < 32 and letter not in "\n\t") or 0xD800 <= ord(letter) <= 0xDFFF for letter in text):
        raise ValidationError(str(Message(RequestCode.CONTROL_CHARACTERS)))


def one_line(text: str) -> None:
    """Refuse a name or an id that the slides' store would refuse.

    Raises:
        ValidationError: there is one.
    """
    if not reads_as_stored(text):
        raise ValidationError(str(Message(RequestCode.ONE_LINE)))


class CellChoice(StrEnum):
    """Which cells of a slide are listed."""

    QUEUE = "queue"
    """Those that wait for a person."""
    SUSPECTS = "suspects"
    """All suspects and doubtful ones."""
    ALL = "all"


class SlideState(StrEnum):
    """Where a slide is on its way from count to report."""

    COUNTING = "counting"
    """It is being counted live."""
    EMPTY = "empty"
    """No cell is counted."""
    OPEN = "open"
    """Suspects or doubtful cells wait for a person."""
    CLEAR = "clear"
    """Nothing is suspect or doubtful, and nobody has called a cell."""
    REVIEWED = "reviewed"
    """A person has called every suspect and doubtful cell."""


class SlideCountsSchema(Schema):
    """How much of a slide is stored."""

    fields_ = fields.Integer(required=True, data_key="fields", attribute="fields")
    cells = fields.Integer(required=True)
    parasitized = fields.Integer(required=True)
    reviewed = fields.Integer(required=True)
    parasitized_after_review = fields.Integer(required=True)
    unjudged = fields.Integer(required=True)


class SlideSchema(Schema):
    """One slide in the list."""

    number = fields.Integer(required=True, metadata={"description": "Its address in this API."})
    slide_id = fields.String(required=True)
    notes = fields.String(required=True)
    operator = fields.String(required=True)
    device = fields.String(required=True)
    model = fields.Nested(ModelSchema, required=True)
    created_at = fields.String(required=True, metadata={"format": "date-time"})
    counts = fields.Nested(SlideCountsSchema, required=True)
    open = fields.Integer(
        required=True, metadata={"description": "Suspects and doubtful cells without a person's call."}
    )
    state = fields.String(required=True, validate=validate.OneOf([state.value for state in SlideState]))


class SlideListSchema(Schema):
    """All slides, the newest first."""

    research_use = fields.String(required=True)
    total = fields.Integer(required=True, metadata={"description": "As many were found; one page is given."})
    slides = fields.List(fields.Nested(SlideSchema), required=True)


class SlidesQuerySchema(Schema):
    """Which slides."""

    search = fields.String(
        load_default="",
        validate=[validate.Length(max=200), plain_text],
        metadata={"description": "Words in the id, the operator or the notes."},
    )
    order = fields.String(
        load_default=SlideOrder.NEWEST.value, validate=validate.OneOf([order.value for order in SlideOrder])
    )
    offset = fields.Integer(load_default=0, validate=validate.Range(0, 10_000_000))
    limit = fields.Integer(load_default=100, validate=validate.Range(1, 500))


class SlideReviewSchema(Schema):
    """How far the review is."""

    suspects = fields.Integer(required=True)
    suspects_reviewed = fields.Integer(required=True)
    overruled = fields.Integer(required=True)
    readers = fields.List(
        fields.String(), required=True, metadata={"description": "Whose reading stands, the first."}
    )
    agreement = fields.Dict(
        required=True,
        allow_none=True,
        metadata={"description": "Of two readings; null without a second one."},
    )


class SlideDetailSchema(SlideSchema):
    """One slide with what it means, by the machine and after review."""

    research_use = fields.String(required=True)
    settings = fields.Dict(required=True)
    estimate = fields.Dict(required=True)
    estimate_after_review = fields.Dict(required=True, allow_none=True)
    estimate_of_second_reading = fields.Dict(required=True, allow_none=True)
    review = fields.Nested(SlideReviewSchema, required=True)


class SlideCellSchema(Schema):
    """One counted cell."""

    cell = fields.Integer(required=True)
    field = fields.Integer(required=True)
    box = fields.List(fields.Integer(), required=True)
    surroundings = fields.Boolean(
        required=True,
        metadata={"description": "Whether its field is kept, so that its neighbours can be shown."},
    )
    probability = fields.Float(required=True, allow_none=True)
    label = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "The machine's verdict; null if blind to it."},
    )
    doubtful = fields.Boolean(required=True, allow_none=True)
    call = fields.String(
        required=True, allow_none=True, metadata={"description": "The person's, of the reading asked for."}
    )
    reviewer = fields.String(required=True, allow_none=True)
    reviewed_at = fields.String(required=True, allow_none=True)


class SlideCellsSchema(Schema):
    """Cells of a slide."""

    total = fields.Integer(required=True, metadata={"description": "As many are there; one page is given."})
    cells = fields.List(fields.Nested(SlideCellSchema), required=True)


def _reading() -> fields.String:
    return fields.String(
        load_default=Reading.FIRST.name.lower(),
        validate=validate.OneOf([reading.name.lower() for reading in Reading]),
        metadata={
            "description": "Two readings are blind to each other; a third person decides where they differ."
        },
    )


class CellsQuerySchema(Schema):
    """Which cells."""

    which = fields.String(
        load_default=CellChoice.QUEUE.value,
        validate=validate.OneOf([choice.value for choice in CellChoice]),
        metadata={
            "description": "queue: not yet reviewed suspects and doubtful ones, those that matter first."
        },
    )
    reading = _reading()
    blind = fields.Boolean(
        load_default=False,
        metadata={
            "description": "Leave out what the machine said, mix the cells, and mix in some that it passed."
        },
    )
    sample = fields.Integer(
        load_default=0,
        validate=validate.Range(0, 100_000),
        metadata={"description": "So many cells that the machine passed too, to learn how many it misses."},
    )
    offset = fields.Integer(load_default=0, validate=validate.Range(0, 10_000_000))
    limit = fields.Integer(load_default=100, validate=validate.Range(1, 500))


class ReviewSchema(Schema):
    """A person's call on one cell."""

    call = fields.String(
        required=True,
        allow_none=True,
        validate=validate.OneOf([*LABELS, None]),
        metadata={"description": "null withdraws the call that stands."},
    )
    reviewer = fields.String(required=True, validate=[validate.Length(1, MAX_REVIEWER), one_line])
    note = fields.String(load_default="", validate=[validate.Length(max=MAX_NOTE), plain_text])
    reading = _reading()
    blind = fields.Boolean(
        load_default=False, metadata={"description": "Answer without the machine's verdict."}
    )
    species = fields.String(load_default="", validate=[validate.Length(max=MAX_FINDING), one_line])
    stage = fields.String(load_default="", validate=[validate.Length(max=MAX_FINDING), one_line])


class WhoSchema(Schema):
    """Who does something that the audit trail keeps."""

    who = fields.String(required=True, validate=[validate.Length(1, MAX_REVIEWER), one_line])


class ExportQuerySchema(Schema):
    """In which form."""

    form = fields.String(
        load_default=ExportForm.JSON.value, validate=validate.OneOf([form.value for form in ExportForm])
    )


class ReportQuerySchema(Schema):
    """In which language."""

    language = fields.String(
        load_default=Language.ENGLISH.value,
        validate=validate.OneOf([language.value for language in Language]),
    )


class AuditEntrySchema(Schema):
    """One change."""

    at = fields.String(required=True)
    who = fields.String(required=True)
    action = fields.String(required=True)
    detail = fields.Dict(required=True)


class AuditSchema(Schema):
    """The audit trail of a slide, the oldest change first."""

    entries = fields.List(fields.Nested(AuditEntrySchema), required=True)
