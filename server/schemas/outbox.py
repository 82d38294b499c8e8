"""The shapes of what the API says of the outbox."""

from marshmallow import Schema, fields, validate

from edge.sending.outbox import OutboxState


class OutboxEntrySchema(Schema):
    """A slide that the laboratory's server does not have in its present state."""

    number = fields.Integer(required=True)
    slide_id = fields.String(required=True)
    state = fields.String(required=True, validate=validate.OneOf([state.value for state in OutboxState]))
    sent_before = fields.Boolean(required=True, metadata={"description": "An earlier state is there."})
    tries = fields.Integer(required=True)
    next_try = fields.String(required=True, allow_none=True, metadata={"format": "date-time"})
    said = fields.String(
        required=True, metadata={"description": "What the server said against it; may be empty."}
    )


class OutboxSchema(Schema):
    """How full the outbox is."""

    configured = fields.Boolean(
        required=True, metadata={"description": "Whether the settings of this device name a server."}
    )
    waiting = fields.Integer(required=True)
    refused = fields.Integer(required=True)
    sent = fields.Integer(required=True)
    last_sent = fields.String(required=True, allow_none=True, metadata={"format": "date-time"})
    slides = fields.List(
        fields.Nested(OutboxEntrySchema),
        required=True,
        metadata={"description": "Those that were refused first; so many as were asked for."},
    )


class OutboxQuerySchema(Schema):
    """How many slides."""

    limit = fields.Integer(load_default=20, validate=validate.Range(0, 500))
