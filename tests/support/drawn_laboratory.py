"""A laboratory of drawn fields, for the tests of what is measured at laboratories."""

from pathlib import Path

import cv2
import numpy as np

from edge.images.encode import write_png
from edge.simulation.field import FieldSettings, draw_field

DRAWN_FIELDS = 4


def draw_laboratory(folder: Path) -> Path:
    """Draw three good fields of two patients with the parasites masked, and a black one."""
    for part in ("images", "masks"):
        (folder / part).mkdir(parents=True)
    rows = ["image,patient"]
    for number in range(DRAWN_FIELDS):
        drawn = draw_field(40 + number, FieldSettings(cells=40, parasitaemia=0.2))
        mask = np.zeros_like(drawn.rgb)
        for cell in drawn.cells:
            x, y, w, h = cell.box
            if cell.infected:
                cv2.circle(mask, (int(x + w / 2), int(y + h / 2)), 8, (255, 255, 255), -1)
        rgb = drawn.rgb if number < DRAWN_FIELDS - 1 else (drawn.rgb * 0.04).astype(np.uint8)
        write_png(folder / "images" / f"{number}.png", rgb)
        write_png(folder / "masks" / f"{number}.png", mask)
        rows.append(f"{number}.png,P{number % 2}")
    (folder / "patients.csv").write_text("\n".join(rows) + "\n")
    return folder
