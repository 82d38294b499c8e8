"""The shapes of what the API says of the live count, and of what begins one."""

from marshmallow import Schema, fields, validate

from edge.live.setup import CELLS_WANTED
from edge.live.states import Mode
from edge.slides.review import MAX_REVIEWER
from edge.slides.store import MAX_SLIDE_ID
from server.schemas.slides import MAX_NOTE, one_line, plain_text


class LiveStartSchema(Schema):
    """What to count."""

    mode = fields.String(
        load_default=Mode.SLIDE.value, validate=validate.OneOf([mode.value for mode in Mode])
    )
    slide_id = fields.String(load_default="", validate=[validate.Length(max=MAX_SLIDE_ID), one_line])
    resume = fields.Boolean(
        load_default=False, metadata={"description": "Go on with the stored slide of this id."}
    )
    operator = fields.String(load_default="", validate=[validate.Length(max=MAX_REVIEWER), one_line])
    notes = fields.String(load_default="", validate=[validate.Length(max=MAX_NOTE), plain_text])
    cells_wanted = fields.Integer(load_default=CELLS_WANTED, validate=validate.Range(1, 1_000_000))


class LiveSchema(Schema):
    """The state of the live count."""

    research_use = fields.String(required=True)
    counting = fields.Boolean(required=True, metadata={"description": "Whether there is a count at all."})
    over = fields.Boolean(required=True, metadata={"description": "Whether it came to its end by itself."})
    count = fields.Dict(
        required=True,
        allow_none=True,
        metadata={
            "description": "mode, state, words, source, warnings, rates and age; of a slide its cells, fields "
            "and estimate; of a cell its verdict."
        },
    )


class LookSchema(Schema):
    """One look at the live picture."""

    look = fields.Integer(
        validate=validate.Range(0, 2**53),
        metadata={"description": "Any number, so that a browser does not show a picture that it has."},
    )
