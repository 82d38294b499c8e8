"""A laboratory's own threshold as a file: what its calibration found, for which model, and how sure it is."""

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from edge.errors import SiteProfileError
from edge.parasitaemia.prevalence import Rates

SCHEMA = "plasmolite-site-profile"
SCHEMA_VERSION = 1


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
        true_positives: Infected cells of the model's own test that it calls parasitised at this threshold.
        infected: Infected cells of that test.
        camera: The site's own words for camera and microscope; may be empty.
        site: Name of the site; may be empty.
        model_name: Name of the model.
        model_sha256: SHA-256 of the model's flatbuffer: the profile holds for this model alone.
        created: Day of the calibration, ISO 8601.
        plasmolite_version: Version of the program.
        warnings: Sentences that a user of the profile has to know.
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
    warnings: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """How reports call it."""
        return self.site or self.camera or f"of {self.created}"

    def rates(self) -> Rates:
        """Rates for the correction: false alarms from the site, sensitivity from the model's own test."""
        uninfected = max(round(self.effective_cells), 1)
        alarms = round(self.false_alarms * uninfected / self.cells)
        return Rates(
            self.true_positives,
            self.infected,
            uninfected - alarms,
            uninfected,
            f"the site profile {self.name}",
            f"the test cells of the model {self.model_name}",
        )

    def check_model(self, model_name: str, model_sha256: str) -> None:
        """Refuse to be used with another model.

        Raises:
            SiteProfileError: The flatbuffers differ.
        """
        if model_sha256 != self.model_sha256:
            raise SiteProfileError(
                f"The site profile was made for the model {self.model_name} ({self.model_sha256[:12]}…) and "
                f"does not hold for {model_name} ({model_sha256[:12]}…); run plasmolite calibrate with this "
                "model, or give the other one with --model."
            )


def write_profile(path: Path, profile: SiteProfile) -> None:
    """Write a profile as JSON, whole or not at all.

    Raises:
        SiteProfileError: The file cannot be written.
    """
    content = {"schema": SCHEMA, "schema_version": SCHEMA_VERSION, **asdict(profile)}
    part = path.with_name(path.name + ".part")
    try:
        part.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        part.replace(path)
    except OSError as error:
        raise SiteProfileError(
            f"The site profile {path} cannot be written: {error.strerror}; choose another place."
        ) from error


def read_profile(path: Path) -> SiteProfile:
    """Read and check a profile.

    Raises:
        SiteProfileError: The file is missing, no site profile, from a newer version, or has values that
            cannot be.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise SiteProfileError(
            f"The site profile {path} cannot be read ({error}); write one with plasmolite calibrate."
        ) from error
    if not isinstance(content, dict) or content.get("schema") != SCHEMA:
        raise SiteProfileError(f"{path} is not a site profile; write one with plasmolite calibrate.")
    if content.get("schema_version") != SCHEMA_VERSION:
        raise SiteProfileError(
            f"The site profile {path} has version {content.get('schema_version')}, and this program reads "
            f"version {SCHEMA_VERSION}; run plasmolite calibrate again or update the program."
        )
    try:
        profile = _profile_of(content)
    except (KeyError, TypeError, ValueError) as error:
        raise SiteProfileError(
            f"The site profile {path} is damaged ({error}); write it again with plasmolite calibrate."
        ) from error
    return profile


def _profile_of(content: dict[str, Any]) -> SiteProfile:
    """Turn the file's values into a profile.

    Raises:
        KeyError: A value is missing.
        TypeError: A value has another type.
        ValueError: A value cannot be.
    """
    kinds: dict[str, tuple[type, ...]] = {"float": (int, float), "int": (int,), "str": (str,)}
    values: dict[str, Any] = {}
    for field in fields(SiteProfile):
        value = content[field.name]
        kind = kinds.get(str(getattr(field.type, "__name__", field.type)))
        if kind is not None and (not isinstance(value, kind) or isinstance(value, bool)):
            raise TypeError(f"{field.name} is {value!r}")
        values[field.name] = tuple(value) if isinstance(value, list) else value
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
        and all(isinstance(sentence, str) for sentence in profile.warnings)
    ):
        raise ValueError("its figures contradict each other")
    return profile
