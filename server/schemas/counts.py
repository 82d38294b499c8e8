"""The shapes of what is said of a slide's pictures: counts that are estimated, and fields that are stored."""

from typing import Any

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from edge.messages.codes import Code
from edge.messages.message import Message
from edge.slides.review import MAX_REVIEWER
from edge.slides.store import MAX_SLIDE_ID
from server.schemas.cells import FieldAnswerSchema, ModelSchema
from server.schemas.slides import MAX_NOTE, one_line, plain_text

_MOST = 100_000_000


class FieldCountSchema(Schema):
    """What was counted in one field."""

    cell_count = fields.Integer(required=True, strict=True, validate=validate.Range(0, _MOST))
    parasitized_count = fields.Integer(required=True, strict=True, validate=validate.Range(0, _MOST))

    @validates_schema
    def check_parts(self, counts: dict[str, int], **_options: Any) -> None:
        """Refuse a field with more parasitised cells than cells.

        Raises:
            ValidationError: it has.
        """
        cells, parasitized = counts["cell_count"], counts["parasitized_count"]
        if parasitized > cells:
            message = Message(Code.ESTIMATE_NOT_A_COUNT, parasitized=parasitized, counted=cells)
            raise ValidationError(str(message), "parasitized_count")


class BloodSchema(Schema):
    """The blood of the patient."""

    rbc_per_ul = fields.Float(
        validate=validate.Range(100_000, 10_000_000), metadata={"description": "Red cells per µL."}
    )
    haematocrit = fields.Float(
        validate=validate.Range(5, 75), metadata={"description": "Instead of it, in percent."}
    )


class EstimateSchema(BloodSchema):
    """The counts of a slide's fields, as analyses of them gave them."""

    fields_ = fields.List(
        fields.Nested(FieldCountSchema),
        required=True,
        data_key="fields",
        attribute="fields",
        validate=validate.Length(0, 10_000),
    )
    fields_refused = fields.Integer(load_default=0, validate=validate.Range(0, _MOST))
    files_unreadable = fields.Integer(load_default=0, validate=validate.Range(0, _MOST))


class EstimateAnswerSchema(Schema):
    """The summary of an analysis."""

    fields_counted = fields.Integer(required=True)
    fields_refused = fields.Integer(required=True)
    files_unreadable = fields.Integer(required=True)
    cell_count = fields.Integer(required=True)
    parasitized_count = fields.Integer(required=True)
    observed_fraction = fields.Float(required=True, allow_none=True)
    fraction = fields.Float(required=True, allow_none=True)
    interval = fields.List(fields.Float(), required=True, allow_none=True)
    confidence = fields.Float(required=True)
    per_ul = fields.Float(required=True, allow_none=True)
    per_ul_interval = fields.List(fields.Float(), required=True, allow_none=True)
    resolvable_fraction = fields.Float(required=True, allow_none=True)
    too_few_counted = fields.Boolean(required=True)
    within_false_alarms = fields.Boolean(required=True)
    contradicts_rates = fields.Boolean(required=True)
    presence = fields.String(
        required=True, allow_none=True, metadata={"description": "Whether the slide shows an infection."}
    )
    false_alarms_from_elsewhere = fields.Boolean(required=True)
    rbc_per_ul = fields.Float(required=True)
    red_cells_source = fields.String(required=True)
    rates = fields.Dict(required=True)
    words = fields.List(fields.String(), required=True)
    messages = fields.List(fields.Dict(), required=True)
    model = fields.Nested(ModelSchema, required=True)
    threshold = fields.Float(required=True)
    threshold_source = fields.String(required=True)
    profile = fields.String(required=True, allow_none=True)
    version = fields.String(required=True)
    research_use = fields.String(required=True)


class NewSlideSchema(BloodSchema):
    """A slide that pictures are to be kept in."""

    slide_id = fields.String(required=True, validate=[validate.Length(1, MAX_SLIDE_ID), one_line])
    operator = fields.String(load_default="", validate=[validate.Length(max=MAX_REVIEWER), one_line])
    notes = fields.String(load_default="", validate=[validate.Length(max=MAX_NOTE), plain_text])


class CellWidthSchema(Schema):
    """Options of a field that is stored."""

    cell_width = fields.Float(
        validate=validate.Range(12, 400),
        metadata={"description": "Width of a red cell in pixels; found in the picture if not given."},
    )


class StoredFieldSchema(Schema):
    """What became of a picture that was given to a slide."""

    stored = fields.Boolean(required=True, metadata={"description": "Whether its cells are in the slide."})
    already = fields.Boolean(
        required=True, metadata={"description": "Whether the same file was there before; nothing is added."}
    )
    field_ = fields.Nested(FieldAnswerSchema, required=True, data_key="field", attribute="field")
