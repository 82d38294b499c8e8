"""The shapes of what the API says of teaching the model, and of what begins it."""

from marshmallow import Schema, fields, validate

from edge.teaching.site_model import MAX_SITE
from server.adaptation import AdaptationState
from server.schemas.cells import ModelSchema
from server.schemas.slides import one_line


class SiteSchema(Schema):
    """Whose reviewers teach."""

    site = fields.String(
        required=True,
        validate=[validate.Length(1, MAX_SITE), validate.Regexp(r"\s*\S"), one_line],
        metadata={"description": "Stands in the model's name and in each slide's record."},
    )


class ReviewedSchema(Schema):
    """How much there is to learn from."""

    infected = fields.Integer(required=True)
    uninfected = fields.Integer(required=True)
    groups = fields.Integer(
        required=True, metadata={"description": "Slides; of fewer than three their fields."}
    )


class SentenceSchema(Schema):
    """A sentence in English, and what it is made of."""

    text = fields.String(required=True)
    code = fields.String(required=True)
    values = fields.Dict(required=True)


class AdaptationSchema(Schema):
    """The adaptation that was begun last."""

    state = fields.String(required=True, validate=validate.OneOf([state.value for state in AdaptationState]))
    site = fields.String(required=True)
    step = fields.Integer(required=True)
    steps = fields.Integer(required=True)
    better = fields.Boolean(required=True, metadata={"description": "Whether its model may be put in use."})
    sentences = fields.List(fields.Nested(SentenceSchema), required=True)
    figures = fields.Dict(required=True, allow_none=True)


class TeachingSchema(Schema):
    """What there is to teach with, and what came of it."""

    reviewed = fields.Nested(ReviewedSchema, required=True)
    missing = fields.Nested(
        SentenceSchema,
        required=True,
        allow_none=True,
        metadata={"description": "What is still to be reviewed."},
    )
    obstacle = fields.Nested(
        SentenceSchema,
        required=True,
        allow_none=True,
        metadata={"description": "Why this server's model cannot be taught here."},
    )
    model = fields.Nested(ModelSchema, required=True)
    taught_at = fields.String(
        required=True, allow_none=True, metadata={"description": "The site that taught the model in use."}
    )
    adaptation = fields.Nested(AdaptationSchema, required=True)
