"""The cells of simulated scenes: cut out of real fields, drawn by the simulator, infected or not, and white ones.

Each is a patch of optical density (1 is a typical cell of the scene, before the scene's colour) and its
outline.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.simulation.cell import paint_cell, sample_cell
from edge.simulation.parasite import STAGES, paint_parasites
from edge.simulation.scene import WIDTH_OF, Bystander, BystanderKind, paint_scene
from edge.simulation.stain import PIGMENT_DENSITY, sample_stain
from train.finder.appearance import Appearance
from train.finder.cutouts import Cutout

# Rings are what a finder never stumbles over; the large stages and white cells look alike, and are as frequent.
STAGE_SHARES = (0.3, 0.3, 0.2, 0.2)
# Side of the black surroundings of a drawn cell, in its width.
ROOM = 2.4


class SceneCell(NamedTuple):
    """One cell, ready to be laid into a scene.

    Attributes:
        density: float32 (h, w, 3), optical density; 1 is a typical cell.
        alpha: float32 (h, w), 1 on the cell.
        white: a white cell.
    """

    density: NDArray[np.float32]
    alpha: NDArray[np.float32]
    white: bool = False


def _strength(appearance: Appearance, rng: np.random.Generator) -> float:
    return float(np.clip(np.exp(rng.normal(0, appearance.paleness_spread)), 0.35, 2.5))


def cut_cell(cutout: Cutout, appearance: Appearance, rng: np.random.Generator) -> SceneCell:
    """A cut-out, turned, stretched and stained as the look asks; red ones are infected now and then."""
    height, width = cutout.alpha.shape
    area = float(cutout.alpha.sum())
    larger = rng.uniform(1.15, 2.0) if cutout.white else 1.0
    size = appearance.width * larger * float(np.exp(rng.normal(0, appearance.size_spread)))
    zoom = size / np.sqrt(4 * area / np.pi)
    stretch = float(np.exp(rng.normal(0, 0.5 * appearance.stretch)))
    angle, side = rng.uniform(0, 2 * np.pi), int(2.2 * size) + 4
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    second = rng.uniform(0, 2 * np.pi)
    spin = np.array([[np.cos(second), -np.sin(second)], [np.sin(second), np.cos(second)]])
    matrix = zoom * spin @ np.diag([stretch, 1 / stretch]) @ turn
    if rng.random() < 0.5:
        matrix = matrix @ np.diag([-1, 1])
    shift = np.array([side / 2, side / 2]) - matrix @ np.array([width / 2, height / 2])
    affine = np.concatenate([matrix, shift[:, None]], axis=1)
    density = cv2.warpAffine(cutout.density, affine, (side, side), flags=cv2.INTER_LINEAR)
    alpha = cv2.warpAffine(cutout.alpha, affine, (side, side), flags=cv2.INTER_LINEAR)
    if cutout.white:
        # Stored over its own median; a white cell is between half and thrice as dark as its red neighbours.
        return SceneCell((density * rng.uniform(0.6, 2.2)).astype(np.float32), alpha, white=True)
    density = np.power(density, appearance.gamma) * _strength(appearance, rng)
    if rng.random() < appearance.infected:
        density = _infected(density, alpha, size, rng)
    return SceneCell(density.astype(np.float32), alpha)


def _infected(
    density: NDArray[np.float32], alpha: NDArray[np.float32], size: float, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Parasites drawn into a cell; as `edge.simulation.cell` does it, for any host."""
    side = alpha.shape[0]
    y, x = np.mgrid[:side, :side].astype(np.float32) - side / 2
    room = 0.45 * size
    stage = str(rng.choice(STAGES, p=STAGE_SHARES))
    maps = paint_parasites(x / room, y / room, 1 / room, stage, rng)
    stain = sample_stain(rng)
    host = float(stain.haemoglobin.mean())
    density = density * (1 - maps.eaten * alpha)[..., None]
    density = density + (maps.cytoplasm * alpha * (1 - maps.chromatin))[..., None] * stain.cytoplasm / host
    density = density + (maps.chromatin * alpha)[..., None] * stain.chromatin / host
    return np.asarray(density + (maps.pigment * alpha)[..., None] * PIGMENT_DENSITY / host, np.float32)


def painted_cell(appearance: Appearance, rng: np.random.Generator) -> SceneCell:
    """A red cell as the simulator of fields paints it, with or without parasites."""
    size = appearance.width * float(np.exp(rng.normal(0, appearance.size_spread)))
    infected = rng.random() < appearance.infected
    stage = str(rng.choice(STAGES, p=STAGE_SHARES)) if infected else None
    stain = sample_stain(rng)
    painted = paint_cell(sample_cell(rng, size / 2, infected, stage=stage, pallor=appearance.pallor), stain)
    density = painted.density / float(stain.haemoglobin.mean()) * _strength(appearance, rng)
    return SceneCell(np.maximum(density, -0.3).astype(np.float32), (painted.mask > 0).astype(np.float32))


def painted_white_cell(appearance: Appearance, rng: np.random.Generator) -> SceneCell:
    """A white cell as the simulator of fields paints it."""
    width = appearance.width * WIDTH_OF[BystanderKind.WHITE] * rng.uniform(0.75, 1.15)
    half = int(0.6 * width) + 4
    stain = sample_stain(rng)
    cell = Bystander(0, 0, BystanderKind.WHITE, width, int(rng.integers(2**31)))
    density = paint_scene((-half, -half, 2 * half, 2 * half), (), (cell,), stain, 0)
    density = density / float(stain.haemoglobin.mean())
    alpha = (density.mean(axis=2) > 0.2).astype(np.float32)
    return SceneCell(density * alpha[..., None], alpha, white=True)


def drawn_cell(appearance: Appearance, rng: np.random.Generator) -> SceneCell:
    """A cell drawn from scratch: elliptic, crenated or angular, with more or less pallor and mottle."""
    size = appearance.width * float(np.exp(rng.normal(0, appearance.size_spread)))
    side = int(ROOM * size) + 4
    y, x = np.mgrid[:side, :side].astype(np.float32) - side / 2
    angle = rng.uniform(0, np.pi)
    stretch = float(np.exp(rng.normal(0, appearance.stretch)))
    u = (x * np.cos(angle) + y * np.sin(angle)) * stretch
    v = (-x * np.sin(angle) + y * np.cos(angle)) / stretch
    theta = np.arctan2(v, u)
    outline = np.ones_like(theta)
    for harmonic in range(2, 6):
        outline += rng.normal(0, 0.06 / harmonic) * np.cos(harmonic * theta + rng.uniform(0, 2 * np.pi))
    if rng.random() < 0.15:
        # A teardrop: one side drawn out.
        outline += 0.5 * np.maximum(np.cos(theta), 0) ** 6
    if appearance.crenation > 0:
        spikes = rng.integers(9, 20)
        wave = np.cos(spikes * theta + 1.5 * np.sin(rng.integers(2, 5) * theta) + rng.uniform(0, 6))
        outline += appearance.crenation * np.abs(wave) ** 1.5 * np.sign(wave)
    radius = np.hypot(u, v) / (0.5 * size * outline)
    alpha = np.clip((1 - radius) * 0.5 * size + 0.5, 0, 1)
    depth = float(np.clip(appearance.pallor + rng.normal(0, 0.15), 0, 0.97))
    hollow = float(rng.uniform(0.3, 0.7))
    profile = 1 - depth * np.exp(-((radius / hollow) ** rng.uniform(2, 5)))
    if rng.random() < 0.1:
        profile += 0.6 * depth * np.exp(-((radius / 0.2) ** 2))
    mottle = cv2.GaussianBlur(rng.normal(0, 1, (side, side)).astype(np.float32), (0, 0), 0.06 * size + 0.5)
    profile = profile + mottle / max(float(mottle.std()), 1e-3) * (
        2.5 * appearance.crenation + rng.uniform(0, 0.05)
    )
    density = np.clip(profile, 0.03, 3) * alpha * _strength(appearance, rng)
    return SceneCell(np.repeat(density[..., None], 3, axis=2).astype(np.float32), alpha.astype(np.float32))
