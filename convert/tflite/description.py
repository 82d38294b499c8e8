"""Says in TFLite's own terms what a model takes and gives, so that other programs name its classes.

TFLite keeps a description of a model inside the model: an entry ``TFLITE_METADATA`` that points to a flatbuffer of its
own (`metadata_schema.fbs` of TensorFlow Lite Support, identifier ``M001``), and files such as the names of the classes
in a zip archive behind the model. MediaPipe's image classifier and Android Studio read both.

The network itself stays as it is, byte for byte. A flatbuffer refers forwards only, so the description goes *in front*
of it: a new root that refers to the description and to all that the old root referred to, and behind it the old
flatbuffer whole. What is measured, hashed and named as the network is what it was.

``python -m convert.tflite.description MODEL…`` writes it into released models.
"""

import struct
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import click
import flatbuffers
from ai_edge_litert.schema_py_generated import Model

from edge.about import RESEARCH_USE
from edge.atomic_file import atomic_file
from edge.errors import PlasmoliteError
from edge.inference.model_file import DESCRIPTION_BYTES, ModelFile, load_model, with_manifest
from edge.messages.catalogue import Catalogue
from edge.messages.codes import Code
from edge.types import Label
from train.options import language_option

LABELS_NAME = "labels.txt"
"""Of the entry beside the manifest: the name of what each column of the probability tells, a line each."""
LABELS = f"{Label.PARASITIZED}\n".encode()
"""Of one column: other programs show its name and the probability; that of the other class is one less it."""

_ENTRY, _IDENTIFIER, _MODEL_IDENTIFIER = "TFLITE_METADATA", b"M001", b"TFL3"
_PARSER = "1.0.0"
_RGB, _IMAGE, _FEATURES, _NORMALISATION, _AXIS_LABELS = 1, 2, 1, 1, 2
"""Members of the schema's enumerations and unions."""
_ALIGNED = 64
"""Bytes; the schema of models asks for 16 before a tensor's values."""
_ROOT_FIELDS = 8
"""Of the table Model: version, operator_codes, subgraphs, description, buffers, metadata_buffer, metadata,
signature_defs."""
_BUFFERS, _METADATA = 4, 6


class Words(NamedTuple):
    """What is said of a model."""

    name: str
    version: str
    licence: str
    description: str = (
        "Tells red blood cells parasitised by malaria from uninfected ones, in Giemsa-stained thin smears. "
        + RESEARCH_USE
    )


def described(network: bytes, manifest: Mapping[str, Any]) -> tuple[bytes, dict[str, Any]]:
    """Put TFLite's own metadata before a network, and say in its manifest how long it is.

    Args:
        network: a TFLite flatbuffer, without metadata.
        manifest: of the model; name, version and licence are taken from it.

    Returns:
        The flatbuffer with the metadata, and the manifest. Beside it in the archive belongs `LABELS_NAME`.
    """
    words = Words(f"Plasmolite {manifest['name']}", str(manifest["version"]), str(manifest["licence"]))
    description = description_of(network, words)
    return description + network, {**manifest, DESCRIPTION_BYTES: len(description)}


def redescribed(model: ModelFile) -> bytes:
    """Write a released model with TFLite's own metadata, new where it has some; its network stays as it is."""
    network = model.flatbuffer[model.manifest.get(DESCRIPTION_BYTES, 0) :]
    flatbuffer, manifest = described(network, model.manifest)
    return with_manifest(flatbuffer, manifest, {**model.parts, LABELS_NAME: LABELS})


def description_of(network: bytes, words: Words) -> bytes:
    """Make what stands in front of a network's flatbuffer: ``description_of(network, words) + network`` is the model.

    Args:
        network: a TFLite flatbuffer without such a description, nothing behind it.
        words: what is said.
    """
    root = Model.GetRootAs(network, 0)
    graph = root.Subgraphs(0)
    widths = [int(graph.Tensors(graph.Outputs(place)).Shape(1)) for place in range(graph.OutputsLength())]
    size = int(graph.Tensors(graph.Inputs(0)).Shape(1))
    return _in_front_of(root, _metadata(words, size, widths))


def _in_front_of(root: Model, metadata: bytes) -> bytes:
    """Build a new root before the old flatbuffer: its references into the old one are filled in at the end."""
    builder = flatbuffers.Builder(len(metadata) + 1024)
    later: list[tuple[int, int]] = []

    def refer(target: int) -> None:
        builder.PrependUint32(1)
        later.append((builder.Offset(), target))

    builder.StartVector(1, len(metadata), 16)
    builder.head -= len(metadata)
    builder.Bytes[builder.head : builder.head + len(metadata)] = metadata
    data = builder.EndVector()
    builder.StartObject(1)
    builder.PrependUOffsetTRelativeSlot(0, data, 0)
    buffer = builder.EndObject()
    name = builder.CreateString(_ENTRY)
    builder.StartObject(2)
    builder.PrependUOffsetTRelativeSlot(0, name, 0)
    builder.PrependUint32Slot(1, root.BuffersLength(), 0)
    entry = builder.EndObject()
    old_entries = [root.Metadata(place)._tab.Pos for place in range(root.MetadataLength())]
    old_buffers = [root.Buffers(place)._tab.Pos for place in range(root.BuffersLength())]
    vectors = {}
    for field, own, old in ((_METADATA, entry, old_entries), (_BUFFERS, buffer, old_buffers)):
        builder.StartVector(4, len(old) + 1, 4)
        builder.PrependUOffsetTRelative(own)
        for target in reversed(old):
            refer(target)
        vectors[field] = builder.EndVector()
    builder.StartObject(_ROOT_FIELDS)
    for field in range(_ROOT_FIELDS):
        place = root._tab.Offset(4 + 2 * field)
        if field in vectors:
            builder.PrependUOffsetTRelativeSlot(field, vectors[field], 0)
        elif field == 0:
            builder.PrependUint32Slot(0, root.Version(), 0)
        elif place:
            refer(root._tab.Indirect(root._tab.Pos + place))
            builder.Slot(field)
    builder.Finish(builder.EndObject(), _MODEL_IDENTIFIER)
    written = bytes(builder.Output())
    front = bytearray(written + bytes(-len(written) % _ALIGNED))
    for offset, target in later:
        place = len(written) - offset
        struct.pack_into("<I", front, place, len(front) + target - place)
    return bytes(front)


def _metadata(words: Words, size: int, widths: Sequence[int]) -> bytes:
    """Write the description: in comes a picture, red, green, blue from 0 to 255; out come one class and features."""
    builder = flatbuffers.Builder(1024)

    def table(**fields: int | tuple[Callable[[int, int, int], None], int]) -> int:
        """Write a table; ``f3=…`` is its field of slot 3: a reference, or a value and how it is written."""
        builder.StartObject(1 + max(int(name[1:]) for name in fields))
        for name, value in fields.items():
            write, content = (builder.PrependUOffsetTRelativeSlot, value) if isinstance(value, int) else value
            write(int(name[1:]), content, 0)
        return int(builder.EndObject())

    def vector(write: Callable[[Any], None], *values: float) -> int:
        builder.StartVector(4, len(values), 4)
        for value in reversed(values):
            write(value)
        return int(builder.EndVector())

    def floats(value: float) -> int:
        return vector(builder.PrependFloat32, value)

    def tables(*places: int) -> int:
        return vector(builder.PrependUOffsetTRelative, *places)

    text, byte = builder.CreateString, builder.PrependUint8Slot
    picture = table(
        f0=text("cell"),
        f1=text(f"One red cell, black outside it, {size} x {size} px, RGB, 0 to 255."),
        f3=table(f0=(byte, _IMAGE), f1=table(f0=(byte, _RGB))),
        f4=tables(table(f0=(byte, _NORMALISATION), f1=table(f0=floats(0), f1=floats(1)))),
        f5=table(f0=floats(255), f1=floats(0)),
    )
    outputs = []
    for width in widths:
        content = table(f0=(byte, _FEATURES), f1=table(f0=0))
        if width == 1:
            labels = table(f0=text(LABELS_NAME), f1=text("What is told."), f2=(byte, _AXIS_LABELS))
            told = text("Probability of Parasitized; that of Uninfected is one less it.")
            stats = table(f0=floats(1), f1=floats(0))
            outputs.append(table(f0=text("probability"), f1=told, f3=content, f5=stats, f6=tables(labels)))
        else:
            told = text("What the last layers saw of the cell: no classes.")
            outputs.append(table(f0=text("features"), f1=told, f3=content))
    graph = table(f2=tables(picture), f3=tables(*outputs))
    whole = table(
        f0=text(words.name),
        f1=text(words.description),
        f2=text(words.version),
        f3=tables(graph),
        f5=text(words.licence),
        f7=text(_PARSER),
    )
    builder.Finish(whole, _IDENTIFIER)
    return bytes(builder.Output())


@click.command()
@click.argument(
    "models", type=click.Path(path_type=Path, exists=True, dir_okay=False), nargs=-1, required=True
)
@language_option
def main(models: tuple[Path, ...], words: Catalogue) -> None:
    """Write TFLite's own metadata into released MODELS; their networks and figures stay as they are.

    Exit code: 0 written, 2 one is no released model.
    """
    try:
        for path in models:
            model = load_model(path)
            content = redescribed(model)
            with atomic_file(path) as part:
                part.write_bytes(content)
                same = load_model(part).sha256 == model.sha256
            key = "description.same" if same else "description.another"
            click.echo(words.text(key, path=path, bytes=len(content)))
    except PlasmoliteError as error:
        click.echo(words.text(Code.COMMAND_ERROR, reason=error.message), err=True)
        raise SystemExit(2) from error


if __name__ == "__main__":
    main()
