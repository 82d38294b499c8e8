"""The shapes of answers and parameters: flask-smorest checks requests by them and writes them to OpenAPI."""

from typing import Any

from marshmallow import Schema, fields, missing, validate

from edge.inference.verdicts import LABELS


class ValuesField(fields.Dict):
    """The values of a message, by name; absent where there is no message."""

    def get_value(self, obj: Any, *_arguments: Any, **_options: Any) -> Any:
        """Look the key up alone: marshmallow would take the method `values` of a dictionary that lacks it."""
        return obj.get("values", missing)


class ModelSchema(Schema):
    """Which network answered."""

    name = fields.String(required=True, metadata={"example": "standard 1.0 int8"})
    sha256 = fields.String(required=True, metadata={"description": "Of the network, hexadecimal."})


class FaultSchema(Schema):
    """One part of a request that is at fault."""

    field = fields.String(required=True)
    detail = fields.String(required=True)


class ProblemSchema(Schema):
    """A problem document, RFC 9457."""

    type = fields.String(required=True, metadata={"example": "urn:plasmolite:problem:unreadable-picture"})
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    detail = fields.String(required=True, metadata={"description": "A whole sentence for the reader."})
    code = fields.String(
        required=True,
        metadata={"description": "Which sentence that is, for programs.", "example": "picture.truncated"},
    )
    values = ValuesField(
        required=True, metadata={"description": "What fills the places of the code's sentence."}
    )
    errors = fields.List(
        fields.Nested(FaultSchema), metadata={"description": "The parts of the request at fault, named."}
    )


class CellAnswerSchema(Schema):
    """What became of one picture."""

    image = fields.String(required=True, metadata={"description": "Its name as it was sent; may be empty."})
    label = fields.String(required=True, allow_none=True, validate=validate.OneOf([*LABELS, None]))
    probability = fields.Float(
        required=True, allow_none=True, metadata={"description": "Of Parasitized, 0 to 1."}
    )
    doubtful = fields.Boolean(
        required=True,
        allow_none=True,
        metadata={"description": "So near the threshold that a person should look."},
    )
    error = fields.String(
        required=True, allow_none=True, metadata={"description": "Why it could not be judged."}
    )
    code = fields.String(metadata={"description": "Only with an error: which sentence that is."})
    values = ValuesField(metadata={"description": "Only with an error: what fills its places."})


class PredictQuerySchema(Schema):
    """How pictures of single cells are judged."""

    accept_anything = fields.Boolean(
        load_default=False,
        metadata={"description": "Skip the red-cell check; if no cell is found, classify the whole image."},
    )


class PredictAnswerSchema(Schema):
    """Verdicts, in the order of the pictures."""

    research_use = fields.String(required=True)
    model = fields.Nested(ModelSchema, required=True)
    threshold = fields.Float(required=True)
    time_ms = fields.Float(required=True, metadata={"description": "From request to answer."})
    results = fields.List(fields.Nested(CellAnswerSchema), required=True)
    label = fields.String(metadata={"description": "Only with a single picture: its label once more."})
    probability = fields.Float(metadata={"description": "Only with a single picture."})


class AnalyzeQuerySchema(Schema):
    """Options of an analysis."""

    cell_width = fields.Float(
        validate=validate.Range(12, 400),
        metadata={"description": "Width of a red cell in pixels; found in the picture if not given."},
    )
    rbc_per_ul = fields.Float(
        validate=validate.Range(100_000, 10_000_000),
        metadata={"description": "Red cells per µL of this blood; 5,000,000 if nothing is given."},
    )
    haematocrit = fields.Float(
        validate=validate.Range(5, 75), metadata={"description": "Instead of it, the haematocrit in percent."}
    )
    annotated = fields.Boolean(
        load_default=False,
        metadata={"description": "Also return each field with its cells outlined, as a base64 JPEG."},
    )
    outlines = fields.Boolean(
        load_default=False,
        metadata={"description": "Also return each cell's outline, as x, y, x, y, … in pixels of the field."},
    )


class FieldCellSchema(Schema):
    """One cell of a field."""

    box = fields.List(
        fields.Integer(),
        required=True,
        validate=validate.Length(equal=4),
        metadata={"description": "x, y, w, h in pixels."},
    )
    probability = fields.Float(required=True, allow_none=True)
    label = fields.String(required=True, allow_none=True)
    counted = fields.Boolean(
        required=True, metadata={"description": "False for cells cut by the border and for clumps."}
    )
    outline = fields.List(fields.Integer(), metadata={"description": "Only where outlines=true was asked."})


class FieldAnswerSchema(Schema):
    """One field, as ``plasmolite analyze --json`` writes it."""

    image = fields.String(required=True)
    width = fields.Integer(required=True, allow_none=True)
    height = fields.Integer(required=True, allow_none=True)
    refused = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "Why the field is not counted; null where it is."},
    )
    code = fields.String(metadata={"description": "Only where it is refused: which sentence that is."})
    values = ValuesField(metadata={"description": "Only where it is refused: what fills its places."})
    quality = fields.Dict(required=True, metadata={"description": "The named checks with their values."})
    cells = fields.List(fields.Nested(FieldCellSchema), required=True)
    cell_count = fields.Integer(required=True)
    parasitized_count = fields.Integer(required=True)
    white_cell_count = fields.Integer()
    annotated_jpeg_base64 = fields.String(metadata={"description": "Only where annotated=true was asked."})


class AnalyzeAnswerSchema(Schema):
    """Fields and what they mean together."""

    research_use = fields.String(required=True)
    model = fields.Nested(ModelSchema, required=True)
    threshold = fields.Float(required=True)
    threshold_source = fields.String(required=True)
    time_ms = fields.Float(required=True)
    fields_ = fields.List(
        fields.Nested(FieldAnswerSchema), required=True, data_key="fields", attribute="fields"
    )
    summary = fields.Dict(
        required=True, metadata={"description": "Counts, fraction, interval, per µL, words."}
    )


class HealthSchema(Schema):
    """The process answers."""

    status = fields.String(required=True, metadata={"example": "ok"})
    version = fields.String(required=True)


class ReadyCheckSchema(Schema):
    """One thing that has to be well."""

    name = fields.String(required=True)
    ok = fields.Boolean(required=True)
    detail = fields.String(required=True)


class ReadySchema(Schema):
    """Whether work can be given to it."""

    ready = fields.Boolean(required=True)
    model = fields.Nested(ModelSchema, required=True)
    checks = fields.List(fields.Nested(ReadyCheckSchema), required=True)
