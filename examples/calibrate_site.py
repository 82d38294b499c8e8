"""Set a site's own threshold.

Usage: python examples/calibrate_site.py NEGATIVE_FIELDS kisumu.json
"""

import sys
from pathlib import Path

import plasmolite

FALSE_ALARMS = 0.02
"""Share of uninfected cells that may be called parasitised."""


def main(negatives: str, out: str) -> int:
    """Write the site profile; `plasmolite analyze --profile` uses it."""
    model = plasmolite.open_model()
    try:
        profile = plasmolite.calibrate(
            model, negatives, FALSE_ALARMS, site="Kisumu", camera="HQ camera, 100x"
        )
    except plasmolite.PlasmoliteError as error:
        print(error, file=sys.stderr)
        return 2
    plasmolite.write_profile(Path(out), profile)
    print(f"Threshold {profile.threshold:.4f}, false alarms: {profile.false_alarms} of {profile.cells} cells")
    for warning in profile.warnings:
        print(f"Warning: {warning}")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
