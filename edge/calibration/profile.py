"""A laboratory's own threshold as a file: what its calibration found, for which model, and how sure it is."""

import json
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from edge.atomic_file import write_atomically
from edge.errors import SiteProfileError
from edge.inference.model_file import ModelFile
from edge.messages.codes import Code
from edge.messages.message import Message, reason_of, system_reason
from edge.parasitaemia.prevalence import Counts, Rates

SCHEMA = "plasmolite-site-profile"
SCHEMA_VERSION = 1
_SLIDES = frozenset({"slides_uninfected", "slides_infected"})


@dataclass(frozen=True)
class SiteProfile:
    """What a site's calibration found. Rates are shares in [0, 1]; the file holds these names as they are.

    Attributes:
        threshold: Probability from which on a cell is called parasitised.
        target_rate: False-alarm rate asked for.
        measured_rate: False-alarm rate on the site's known-negative cells at this threshold.
        rate_interval: Limits that hold, with 95 % confidence, the rate that as many further cells of the site
            will show.
        false_alarms: Cells called parasitised.
        cells: Red cells counted.
        effective_cells: Independent cells that these are worth.
        fields: Fields accepted.
        fields_refused: Fields that failed a quality check and were left out.
        true_positives: Infected cells that the model calls parasitised at this threshold: of this site where
            ``slides_infected`` tells them, else of the model's own test.
        infected: Infected cells of that site or test.
        camera: The site's own words for camera and microscope; may be empty.
        site: Name of the site; may be empty.
        model_name: Name of the model.
        model_sha256: SHA-256 of the model's flatbuffer: the profile holds for this model alone.
        created: Day of the calibration, ISO 8601.
        plasmolite_version: Version of the program.
        warnings: What a user of the profile has to know; English sentences where an earlier version wrote it.
        slides_uninfected: Cells called parasitised, and cells, of each slide that gave uninfected cells; empty
            where an earlier version wrote it.
        slides_infected: Cells called parasitised, and cells, of each slide that gave infected cells; where persons
            saw only a sample, reduced to as many cells as would be known as well. Empty where the sensitivity is
            the model's.
    """

    threshold: float
    target_rate: float
    measured_rate: float
    rate_interval: tuple[float, float]
    false_alarms: int
    cells: int
    effective_cells: float
    fields: int
    fields_refused: int
    true_positives: int
    infected: int
    camera: str
    site: str
    model_name: str
    model_sha256: str
    created: str
    plasmolite_version: str
    warnings: tuple[Message | str, ...] = ()
    slides_uninfected: Counts = ()
    slides_infected: Counts = ()

    @property
    def name(self) -> str:
        """How reports call it."""
        return self.site or self.camera or str(self.created)

    def rates(self, model: ModelFile | None = None) -> Rates:
        """Rates for the correction: what was measured at the site, and for the rest what laboratories show.

        Args:
            model: What it did at other laboratories is the prior of the site's false alarms, and stands for its
                sensitivity where the site measured none.
        """
        uninfected = max(round(self.effective_cells), 1)
        alarms = round(self.false_alarms * uninfected / self.cells)
        laboratories = () if model is None else model.laboratories
        return Rates(
            self.true_positives,
            self.infected,
            uninfected - alarms,
            uninfected,
            Message(Code.RATES_OF_SITE, site=self.name),
            "" if self.slides_infected else Message(Code.RATES_OF_NAMED_MODEL, model=self.model_name),
            tuple((one.called, one.infected) for one in laboratories if one.infected),
            tuple((one.false_alarms, one.uninfected) for one in laboratories),
            self.slides_infected,
            self.slides_uninfected,
        )

    def check_model(self, model_name: str, model_sha256: str) -> None:
        """Refuse to be used with another model.

        Raises:
            SiteProfileError: The flatbuffers differ.
        """
        if model_sha256 != self.model_sha256:
            raise SiteProfileError(
                Code.PROFILE_OTHER_MODEL,
                model=self.model_name,
                sha256=self.model_sha256[:12],
                other=model_name,
                other_sha256=model_sha256[:12],
            )


def write_profile(path: Path, profile: SiteProfile) -> None:
    """Write a profile as JSON, whole or not at all.

    Raises:
        SiteProfileError: The file cannot be written.
    """
    values = {field.name: getattr(profile, field.name) for field in fields(SiteProfile)}
    content = {
        "schema": SCHEMA,
        "schema_version": SCHEMA_VERSION,
        **values,
        "warnings": list(map(str, profile.warnings)),
        "warning_messages": [
            warning.to_json() for warning in profile.warnings if isinstance(warning, Message)
        ],
    }
    try:
        write_atomically(path, json.dumps(content, indent=2, ensure_ascii=False) + "\n")
    except OSError as error:
        raise SiteProfileError(Code.PROFILE_NOT_WRITTEN, path=path, reason=system_reason(error)) from error


def read_profile(path: Path) -> SiteProfile:
    """Read and check a profile.

    Raises:
        SiteProfileError: The file is missing, no site profile, from a newer version, or has values that
            cannot be.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise SiteProfileError(Code.PROFILE_NOT_READABLE, path=path, reason=reason_of(error)) from error
    if not isinstance(content, dict) or content.get("schema") != SCHEMA:
        raise SiteProfileError(Code.PROFILE_NOT_ONE, path=path)
    if content.get("schema_version") != SCHEMA_VERSION:
        raise SiteProfileError(
            Code.PROFILE_VERSION,
            path=path,
            found=str(content.get("schema_version")),
            read=str(SCHEMA_VERSION),
        )
    try:
        profile = _profile_of(content)
    except (KeyError, TypeError, ValueError) as error:
        raise SiteProfileError(Code.PROFILE_DAMAGED, path=path, reason=reason_of(error)) from error
    return profile


def _profile_of(content: dict[str, Any]) -> SiteProfile:
    """Turn the file's values into a profile.

    Raises:
        KeyError: A value is missing.
        TypeError: A value has another type.
        ValueError: A value is impossible.
    """
    kinds: dict[str, tuple[type, ...]] = {"float": (int, float), "int": (int,), "str": (str,)}
    values: dict[str, Any] = {}
    for field in fields(SiteProfile):
        if field.name in _SLIDES and field.name not in content:
            continue  # written before slides were told apart
        value = content[field.name]
        kind = kinds.get(str(getattr(field.type, "__name__", field.type)))
        if kind is not None and (not isinstance(value, kind) or isinstance(value, bool)):
            raise ValueError(Message(Code.REASON_WRONG_VALUE, name=field.name, value=repr(value)))
        values[field.name] = tuple(value) if isinstance(value, list) else value
        if field.name in _SLIDES:
            values[field.name] = tuple((float(called), float(cells)) for called, cells in value)
    coded = content.get("warning_messages", ())
    if len(coded) == len(values["warnings"]):
        values["warnings"] = tuple(map(Message.from_json, coded))
    profile = SiteProfile(**values)
    low, high = (float(limit) for limit in profile.rate_interval)
    if not (
        0 < profile.threshold <= 1
        and 0 <= profile.false_alarms <= profile.cells
        and 0 < profile.effective_cells <= profile.cells + 0.5
        and 0 <= profile.true_positives <= profile.infected
        and profile.infected > 0
        and 0 <= low <= high <= 1
        and len(profile.model_sha256) == 64
        and all(
            0 <= called <= cells for called, cells in (*profile.slides_uninfected, *profile.slides_infected)
        )
        and all(isinstance(warning, str) for warning in content["warnings"])
    ):
        raise ValueError(Message(Code.REASON_CONTRADICTION))
    return profile
