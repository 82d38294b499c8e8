"""The colours of a drawn Giemsa smear, as optical densities that add up (Beer-Lambert).

Light of a pixel is ``white * exp(-density)``, density being the sum of what each dye absorbs there, in red,
green and blue (natural logarithm). Eosin bound to haemoglobin, azure in the parasite's cytoplasm and the
Romanowsky purple of its chromatin are the dyes; in this way overlapping cells darken each other and a
parasite shows its host cell through it, as under the microscope. Gamma is ignored: the densities are those
of the picture, not of the film.

The colours were chosen by eye to look like smears photographed by phone; no picture is copied.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.types import Rgb

Density = NDArray[np.float32]

# The brown-black of haemozoin (malaria pigment) and of dust: near-grey, a little more in the blue.
PIGMENT_DENSITY = np.array([1.0, 1.25, 1.5], np.float32)


class Palette(NamedTuple):
    """Colours seen in one kind of smear, RGB 0..255: the empty glass, a red cell on it, dyes in that cell."""

    glass: tuple[int, int, int]
    cell: tuple[int, int, int]
    cytoplasm: tuple[int, int, int]
    chromatin: tuple[int, int, int]


PALETTES: dict[str, Palette] = {
    "salmon": Palette((224, 201, 181), (214, 152, 144), (176, 96, 126), (150, 16, 98)),
    "rose": Palette((222, 192, 178), (199, 130, 138), (165, 78, 122), (140, 14, 92)),
    "beige": Palette((219, 205, 187), (192, 169, 156), (150, 112, 138), (132, 22, 112)),
    "slate": Palette((212, 213, 200), (163, 170, 193), (128, 112, 186), (136, 34, 186)),
    "lilac": Palette((216, 208, 202), (172, 158, 182), (136, 100, 172), (134, 28, 164)),
    "violet": Palette((206, 198, 200), (132, 118, 182), (104, 70, 168), (106, 24, 158)),
    "magenta": Palette((224, 184, 188), (205, 104, 152), (168, 58, 134), (138, 12, 100)),
    "phone": Palette((219, 188, 173), (166, 124, 138), (140, 82, 130), (122, 16, 96)),
}


# How often each is met; the strong colours are the rare ones.
PALETTE_WEIGHTS = {
    "salmon": 5,
    "rose": 4,
    "beige": 4,
    "slate": 4,
    "lilac": 3,
    "violet": 1,
    "magenta": 1,
    "phone": 2,
}


class Stain(NamedTuple):
    """One smear's light and dyes.

    Attributes:
        white: RGB of the empty glass, float32 (3,), 0..255.
        haemoglobin: density of a red cell at its thickest, float32 (3,).
        cytoplasm: density of a parasite's azure cytoplasm, without its host, float32 (3,).
        chromatin: density of chromatin, without its host, float32 (3,).
    """

    white: NDArray[np.float32]
    haemoglobin: NDArray[np.float32]
    cytoplasm: NDArray[np.float32]
    chromatin: NDArray[np.float32]


def stain_of(palette: Palette) -> Stain:
    """Turn a palette's colours into densities: ``ln(glass / colour)``, a dye's own part without its host."""
    white, cell, cytoplasm, chromatin = (np.asarray(colour, np.float32) for colour in palette)
    host = np.log(white / cell)
    return Stain(
        white,
        host,
        np.maximum(np.log(white / cytoplasm) - host, 0.0).astype(np.float32),
        np.maximum(np.log(white / chromatin) - host, 0.0).astype(np.float32),
    )


def sample_stain(rng: np.random.Generator, names: tuple[str, ...] = tuple(PALETTES)) -> Stain:
    """Draw a smear's stain: one palette leaning towards a second, each dye stronger or weaker.

    Args:
        rng: source of chance.
        names: palettes of ``PALETTES`` to choose from.
    """
    weights = np.array([PALETTE_WEIGHTS[name] for name in names], np.float64)
    chosen = rng.choice(len(names), size=2, p=weights / weights.sum())
    first, second = (stain_of(PALETTES[names[int(k)]]) for k in chosen)
    lean = float(rng.uniform(0.0, 0.35))
    mixed = [(1.0 - lean) * a + lean * b for a, b in zip(first, second, strict=True)]
    white = np.clip(mixed[0] * rng.uniform(0.97, 1.02) * rng.uniform(0.985, 1.015, 3), 1.0, 250.0)
    strength = (rng.uniform(0.88, 1.12), rng.uniform(0.85, 1.2), rng.uniform(0.9, 1.15))
    dyes = [dye * gain for dye, gain in zip(mixed[1:], strength, strict=True)]
    return Stain(*(value.astype(np.float32) for value in (white, *dyes)))


def develop(density: Density, stain: Stain, blur: float = 0.0) -> NDArray[np.float32]:
    """Light through a smear of the given density: float32 (h, w, 3), 0..255, blurred as the lens does.

    Args:
        density: optical density, float32 (h, w, 3); a little below zero is light bent towards the eye.
        stain: gives the white of the glass.
        blur: sigma of the lens's point spread in px; light is blurred, not density.
    """
    light = cv2.exp(-density) * stain.white
    if blur > 0.0:
        light = cv2.GaussianBlur(light, (0, 0), blur, borderType=cv2.BORDER_REFLECT_101)
    return np.asarray(light, np.float32)


def expose(light: NDArray[np.float32], rng: np.random.Generator | None = None, noise: float = 0.0) -> Rgb:
    """Read light out as a sensor does: RGB uint8 with noise of sigma ``noise`` grey levels.

    A phone smooths its own noise, mostly the colour of it: 64 % of our variance is common to all channels.
    """
    if rng is not None and noise > 0.0:
        height, width = light.shape[:2]
        grey = rng.standard_normal((height, width, 1), np.float32)
        colour = rng.standard_normal((height, width, 3), np.float32)
        grain = np.float32(noise) * (np.float32(0.8) * grey + np.float32(0.6) * colour)
        light = np.asarray(light + grain, np.float32)
    return np.clip(np.rint(light), 0, 255).astype(np.uint8)


def value_noise(window: tuple[int, int, int, int], spacing: int, seed: int) -> NDArray[np.float32]:
    """Smooth noise that is a function of position alone, so that neighbouring views agree where they meet.

    Values hashed at the points of a lattice (uniform in -1..1) are joined linearly.

    Args:
        window: (x, y, w, h) in px; x and y may have any sign.
        spacing: px between lattice points.
        seed: chooses the noise.

    Returns:
        float32 (height, width).
    """
    left, top, width, height = window
    columns, column, right = _between_lattice_points(left, width, spacing)
    rows, row, down = _between_lattice_points(top, height, spacing)
    key = columns[None, :].astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    key = key ^ (rows[:, None].astype(np.uint64) * np.uint64(0xC2B2AE3D27D4EB4F))
    key = key ^ np.uint64((seed * 0x165667B19E3779F9) & 0xFFFFFFFFFFFFFFFF)
    # The finaliser of SplitMix64 (Steele, Lea and Flood 2014).
    key = (key ^ (key >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    key = (key ^ (key >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    key = key ^ (key >> np.uint64(31))
    values = (key >> np.uint64(40)).astype(np.float32) / np.float32(1 << 23) - np.float32(1.0)
    # Joined by hand: a matrix product would start BLAS's threads for every small tile.
    bands = values[row] * (1 - down)[:, None] + values[row + 1] * down[:, None]
    return np.asarray(bands[:, column] * (1 - right) + bands[:, column + 1] * right, np.float32)


def _between_lattice_points(
    start: int, length: int, spacing: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]:
    """Name the lattice points round a run of pixels; for each pixel the one below and the way to the next."""
    position = np.arange(start, start + length)
    below = position // spacing
    points = np.arange(below[0], below[-1] + 2)
    share = ((position - below * spacing) / spacing).astype(np.float32)
    return points, below - below[0], share
