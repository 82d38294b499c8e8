"""A site profile as `plasmolite calibrate` would write it."""

from edge.calibration.profile import SiteProfile

PROFILE = SiteProfile(
    threshold=0.87,
    target_rate=0.002,
    measured_rate=0.0015,
    rate_interval=(0.0003, 0.0044),
    false_alarms=3,
    cells=2000,
    effective_cells=1000.0,
    fields=20,
    fields_refused=1,
    true_positives=930,
    infected=1000,
    camera="HQ camera, 100x",
    site="Kisumu",
    model_name="standard",
    model_sha256="a" * 64,
    created="2026-11-23",
    plasmolite_version="0.1.0",
    warnings=("Few cells.",),
)
