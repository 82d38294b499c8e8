"""A released model: one ``.tflite`` file with its manifest inside, verified before it is used.

The manifest is a zip archive appended to the flatbuffer, as TFLite's own metadata convention does it:
every runtime loads the file as it stands, and any zip tool shows ``manifest.json``. The manifest holds the
SHA-256 of the flatbuffer, so that a damaged or exchanged network does not pass for the one that was measured.
Beside it in the archive may lie other parts, such as the bank of :mod:`edge.inference.bank`; the manifest holds the
SHA-256 of each.

In front of the network a released model carries what TFLite's own metadata says of it (`convert.tflite_metadata`); the
manifest says how many bytes that is. The network's identity is the SHA-256 of the flatbuffer without it.
"""

import hashlib
import io
import json
import zipfile
import zlib
from collections.abc import Mapping
from functools import cached_property
from importlib import resources
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from edge.errors import ModelFileError
from edge.inference.bank import BANK_NAME, Bank, read_bank
from edge.inference.levelling import Levelling
from edge.inference.preprocessing import PREPROCESSING_VERSION
from edge.inference.site_head import HEAD_NAME, SiteHead, read_head
from edge.inference.verdicts import LABELS, OperatingPoint, UndecidedRange
from edge.messages.codes import Code
from edge.messages.message import Message, reason_of, system_reason

MANIFEST_NAME = "manifest.json"
MANIFEST_FORMAT = "plasmolite-model/1"
DESCRIPTION_BYTES = "description_bytes"
"""Of the manifest: how many bytes of TFLite's own metadata stand before the network; none where it says nothing."""
MAX_MODEL_BYTES = 64 * 1024 * 1024
DEFAULT_MODEL = "plasmolite-standard-int8.tflite"
_MOST_PART_BYTES = 4 * 1024 * 1024
_TFLITE_IDENTIFIER = b"TFL3"  # bytes 4 to 8 of every TFLite flatbuffer
_REQUIRED = ("name", "version", "precision", "labels", "input", "operating_points", "sha256", "licence")


class RocPoint(NamedTuple):
    """What the model did on its test patients at one threshold."""

    threshold: float
    true_positives: int
    infected: int
    true_negatives: int
    uninfected: int


class LaboratoryCount(NamedTuple):
    """What the model did at its field threshold in whole fields of one laboratory that it was measured at.

    Attributes:
        name: The laboratory's data set.
        called: Infected cells that were called parasitised.
        infected: Infected cells found; 0 where the blood was without malaria.
        false_alarms: Uninfected cells that were called parasitised.
        uninfected: Uninfected cells found.
        fields: Fields counted.
        patients: Patients or smears, 0 where the set does not tell them.
    """

    name: str
    called: int
    infected: int
    false_alarms: int
    uninfected: int
    fields: int
    patients: int


class ModelFile:
    """A verified model file. Immutable; the manifest's main entries are properties."""

    def __init__(
        self,
        path: Path,
        flatbuffer: bytes,
        manifest: Mapping[str, Any],
        parts: Mapping[str, bytes] = MappingProxyType({}),
    ) -> None:
        """Hold what :func:`load_model` verified."""
        self.path = path
        self.flatbuffer = flatbuffer
        self.manifest = manifest
        self.parts = parts
        """What is beside the manifest, by name."""

    @property
    def name(self) -> str:
        """Name, version and precision, such as ``standard 1.0 int8``; and where it was taught, if it was."""
        released = f"{self.manifest['name']} {self.manifest['version']} {self.manifest['precision']}"
        return f"{released}, taught at {self.taught_at}" if self.taught_at else released

    @property
    def taught_at(self) -> str:
        """Name of the site that taught it; empty for a released model."""
        return str(self.manifest["site"]["name"]) if "site" in self.manifest else ""

    @cached_property
    def sha256(self) -> str:
        """The network's identity: SHA-256 of the flatbuffer, and of what a site taught it; hexadecimal."""
        released = str(self.manifest["sha256"])
        taught = self.parts.get(HEAD_NAME)
        return released if taught is None else hashlib.sha256(released.encode() + taught).hexdigest()

    @cached_property
    def head(self) -> SiteHead | None:
        """What a site taught the model; None in a released one.

        Raises:
            ModelFileError: it is damaged.
        """
        packed = self.parts.get(HEAD_NAME)
        return None if packed is None else read_head(packed)

    @property
    def input_size(self) -> int:
        """Side of the network's square input in pixels."""
        return int(self.manifest["input"]["size"])

    @cached_property
    def roc(self) -> tuple[RocPoint, ...]:
        """Measured counts on undisputed test cells by threshold, ascending, those of the operating points among them.

        Empty where the manifest has none.
        """
        rows = {RocPoint(float(row[0]), *map(int, row[1:])) for row in self.manifest.get("roc", ())}
        for point in self.manifest["operating_points"].values():
            if "undisputed" in point:
                counts = (int(point["undisputed"][name]) for name in RocPoint._fields[1:])
                rows.add(RocPoint(float(point["threshold"]), *counts))
        return tuple(sorted(rows))

    @property
    def laboratories(self) -> tuple[LaboratoryCount, ...]:
        """What the model did at its field threshold in each laboratory that it was measured at; may be empty.

        Of a taught model, what its parent did: its own reviewed cells are of few slides, chosen by the machine, and do
        not say how slides and laboratories differ.
        """
        stated = self.manifest.get("laboratories") or self.manifest.get("site", {}).get(
            "parent_states", {}
        ).get("laboratories", ())
        return tuple(LaboratoryCount(*(row[name] for name in LaboratoryCount._fields)) for row in stated)

    def operating_point(self, name: str) -> OperatingPoint:
        """Return the operating point ``cell`` or ``field``.

        Raises:
            ModelFileError: the manifest has no point of that name.
        """
        point = self.manifest["operating_points"].get(name)
        if point is None:
            use = Message(Code.USE_CELL if name == "cell" else Code.USE_FIELD)
            raise ModelFileError(Code.MODEL_NO_OPERATING_POINT, model=self.name, use=use)
        return OperatingPoint(name, float(point["threshold"]), str(point["chosen"]))

    @property
    def levelling(self) -> Levelling | None:
        """How the scores of a field's cells are levelled; None in models before version 4, which do without."""
        stated = self.manifest.get("levelling")
        if stated is None:
            return None
        # nano 4.0, which knew one share alone, moved fields either way by it.
        lowered = stated.get("lowered", stated["share"])
        return Levelling(float(stated["typical"]), float(stated["share"]), float(lowered))

    @property
    def second_look(self) -> float | None:
        """Probability from which on a cell is in doubt and is judged in all its turns; None: none is.

        Of a field it is the levelled one; of a single cell, one less it is where the doubt ends.
        """
        stated = self.manifest.get("second_look")
        return None if stated is None else float(stated["above"])

    @cached_property
    def bank(self) -> Bank | None:
        """Some of the cells that the model was made with; None in models before version 4.

        Raises:
            ModelFileError: it is damaged.
        """
        packed = self.parts.get(BANK_NAME)
        return None if packed is None else read_bank(packed)

    def undecided_range(self) -> UndecidedRange:
        """Return the probabilities between which the model does not decide.

        Raises:
            ModelFileError: the manifest states none.
        """
        stated = self.manifest.get("inconclusive")
        if stated is None:
            raise ModelFileError(Code.MODEL_NO_INCONCLUSIVE_RANGE, model=self.name)
        return UndecidedRange(float(stated["low"]), float(stated["high"]))


def shipped_models() -> dict[str, Path]:
    """Paths of the models that ship with the package, by file name."""
    folder = Path(str(resources.files("edge.models")))
    return {path.name: path for path in sorted(folder.glob("plasmolite-*.tflite"))}


def default_model_path() -> Path:
    """Path of the model that is used when none is named.

    Raises:
        ModelFileError: the installation lacks it.
    """
    path = shipped_models().get(DEFAULT_MODEL)
    if path is None:
        raise ModelFileError(Code.MODEL_NOT_SHIPPED, file=DEFAULT_MODEL)
    return path


def load_model(path: Path) -> ModelFile:
    """Read and verify a model file.

    Raises:
        ModelFileError: missing, unreadable, no TFLite model, truncated, without a manifest, altered, made for
            another preprocessing, or of other labels, or one of its figures is none; the message says which.
    """
    try:
        if path.stat().st_size > MAX_MODEL_BYTES:
            raise ModelFileError(Code.MODEL_TOO_LARGE, path=path, most=MAX_MODEL_BYTES / 2**20)
        data = path.read_bytes()
    except OSError as error:
        raise ModelFileError(Code.MODEL_NOT_READABLE, path=path, reason=system_reason(error)) from error
    if len(data) < 8 or data[4:8] != _TFLITE_IDENTIFIER:
        raise ModelFileError(Code.MODEL_NOT_TFLITE, path=path)
    flatbuffer, manifest, parts = _take_apart(path, data)
    missing = [key for key in _REQUIRED if key not in manifest]
    if manifest.get("format") != MANIFEST_FORMAT:
        raise ModelFileError(Code.MODEL_OTHER_MANIFEST, path=path, format=MANIFEST_FORMAT)
    if missing:
        raise ModelFileError(Code.MODEL_INCOMPLETE_MANIFEST, path=path, missing=missing)
    hashes = _hashes(flatbuffer, manifest)
    if not hashes or any(manifest.get(name) != value for name, value in hashes.items()):
        raise ModelFileError(Code.MODEL_ALTERED, path=path)
    if {name: hashlib.sha256(part).hexdigest() for name, part in parts.items()} != manifest.get("parts", {}):
        raise ModelFileError(Code.MODEL_ALTERED, path=path)
    try:
        _check_fit(path, manifest)
        model = ModelFile(path, flatbuffer, manifest, parts)
        # Read once here: a figure that is none would otherwise end whatever asks for it first.
        _ = (
            model.input_size,
            model.roc,
            model.laboratories,
            model.levelling,
            model.second_look,
            model.taught_at,
        )
        _ = [model.operating_point(name) for name in manifest["operating_points"]]
    except (AttributeError, IndexError, KeyError, OverflowError, TypeError, ValueError) as error:
        raise ModelFileError(Code.MODEL_DAMAGED_MANIFEST, path=path, reason=reason_of(error)) from error
    return model


def _check_fit(path: Path, manifest: Mapping[str, Any]) -> None:
    """Refuse a model of other labels or of impossible thresholds, or made for another preprocessing."""
    if manifest["labels"] != list(LABELS):
        raise ModelFileError(
            Code.MODEL_LABELS, path=path, found=list(map(str, manifest["labels"])), wanted=list(LABELS)
        )
    if manifest["input"].get("preprocessing") != PREPROCESSING_VERSION:
        raise ModelFileError(
            Code.MODEL_PREPROCESSING,
            path=path,
            found=str(manifest["input"].get("preprocessing")),
            own=str(PREPROCESSING_VERSION),
        )
    for point in manifest["operating_points"].values():
        if not 0 <= point["threshold"] <= 1:
            raise ValueError(Message(Code.REASON_WRONG_VALUE, name="threshold", value=point["threshold"]))


def with_manifest(
    flatbuffer: bytes, manifest: Mapping[str, Any], parts: Mapping[str, bytes] = MappingProxyType({})
) -> bytes:
    """Append a manifest to a TFLite flatbuffer.

    Args:
        flatbuffer: the bare model, or with TFLite's own metadata before it, `DESCRIPTION_BYTES` of the manifest long.
        manifest: its description; ``format`` and the hashes are filled in here.
        parts: what is beside it, by name.

    Returns:
        The bytes of a model file.
    """
    whole = {
        "format": MANIFEST_FORMAT,
        **manifest,
        **_hashes(flatbuffer, manifest),
    }
    whole.pop("parts", None)
    if parts:
        whole["parts"] = {name: hashlib.sha256(part).hexdigest() for name, part in sorted(parts.items())}
    archive = io.BytesIO(flatbuffer)
    archive.seek(0, io.SEEK_END)
    with zipfile.ZipFile(archive, "a") as target:
        for name, content in ((MANIFEST_NAME, json.dumps(whole, indent=1).encode()), *sorted(parts.items())):
            # A fixed date keeps the file the same, byte for byte, for the same model.
            # Nothing is packed: readers of TFLite's metadata take only what is in the archive as it is.
            target.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), content)
    return archive.getvalue()


def _hashes(flatbuffer: bytes, manifest: Mapping[str, Any]) -> dict[str, str]:
    """What the manifest has to state: hashes of the network and of the description before it; none if that is odd."""
    before = manifest.get(DESCRIPTION_BYTES, 0)
    if not isinstance(before, int) or not 0 <= before < len(flatbuffer):
        return {}
    hashes = {"sha256": hashlib.sha256(flatbuffer[before:]).hexdigest()}
    return hashes | (
        {"description_sha256": hashlib.sha256(flatbuffer[:before]).hexdigest()} if before else {}
    )


def _take_apart(path: Path, data: bytes) -> tuple[bytes, dict[str, Any], dict[str, bytes]]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entry = archive.getinfo(MANIFEST_NAME)
            if any(info.file_size > _MOST_PART_BYTES for info in archive.infolist()):
                raise ModelFileError(Code.MODEL_LARGE_MANIFEST, path=path)
            start = min(info.header_offset for info in archive.infolist())
            manifest = json.loads(archive.read(entry))
            names = [name for name in archive.namelist() if name != MANIFEST_NAME]
            parts = {name: archive.read(name) for name in names}
    except zipfile.BadZipFile as error:
        raise ModelFileError(Code.MODEL_NO_MANIFEST, path=path) from error
    except KeyError as error:
        raise ModelFileError(Code.MODEL_BARE, path=path) from error
    except (ValueError, RuntimeError, EOFError, zlib.error) as error:
        # No JSON; said to be encrypted, or packed by no known method; cut short; damaged.
        raise ModelFileError(Code.MODEL_DAMAGED_MANIFEST, path=path, reason=reason_of(error)) from error
    if not isinstance(manifest, dict):
        raise ModelFileError(Code.MODEL_DAMAGED_MANIFEST, path=path, reason=Message(Code.REASON_NOT_A_TABLE))
    return data[:start], manifest, parts
