"""Simulated fields with known cells, put together from cut-outs and drawn cells by the physics of absorption.

Where cells overlap their optical densities add; then come defocus, shading, noise and JPEG. Each scene has
one look (stain, cell size, crenation, crowding), drawn over a range wider than laboratories differ.
"""

from __future__ import annotations

from collections import defaultdict
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.cellnetwork import STRIDE, network_picture
from train.cellfinder.cutouts import Cutout

SIDE = 160
MARGIN = 32
TYPICAL_WIDTH = 32.0


class Scene(NamedTuple):
    """A simulated piece of a field.

    Attributes:
        picture: uint8 (SIDE, SIDE, 3), as `network_picture` makes it.
        target: float16 (SIDE / STRIDE, SIDE / STRIDE, 5): cell, centre, offset x, offset y (in cells of
            typical width, towards the centre), weight of the pixel.
    """

    picture: NDArray[np.uint8]
    target: NDArray[np.float16]


class Look(NamedTuple):
    """What the cells of one scene have in common."""

    width: float
    size_spread: float
    stretch: float
    crenation: float
    pallor: float
    paleness_spread: float
    colour: NDArray[np.float32]
    gamma: float
    overlap: float
    clumping: float
    crowding: float
    drawn: float


def draw_look(rng: np.random.Generator) -> Look:
    """Draw a laboratory, a stain and a patient."""
    colour = rng.uniform(0.5, 1.6, 3).astype(np.float32)
    stacked = rng.random()
    return Look(
        width=TYPICAL_WIDTH * float(np.exp(rng.normal(0, 0.2))),
        size_spread=float(rng.uniform(0.03, 0.15)),
        stretch=float(rng.choice([0.08, 0.2, 0.45], p=[0.6, 0.25, 0.15])),
        crenation=float(rng.choice([0.0, rng.uniform(0.04, 0.14)], p=[0.7, 0.3])),
        pallor=float(rng.uniform(0, 0.9)),
        paleness_spread=float(rng.uniform(0.05, 0.35)),
        colour=colour / colour.mean(),
        gamma=float(np.exp(rng.normal(0, 0.25))),
        overlap=float(rng.uniform(0.9, 1.03) if stacked < 0.4 else rng.uniform(0.4, 0.95)),
        clumping=float(rng.uniform(0, 1)),
        crowding=float(rng.uniform(0.15, 1.0)),
        drawn=float(rng.choice([0.0, 0.3, 1.0], p=[0.5, 0.25, 0.25])),
    )


class Canvas(NamedTuple):
    """A scene in the making, margin included.

    Attributes:
        density: float32 (side, side, 3), what is absorbed.
        labels: int32 (side, side), index of the cell at the pixel, -1 on glass.
        nearness: float32 (side, side), distance to that cell's centre in its radii.
        centres: x, y and width of each cell.
    """

    density: NDArray[np.float32]
    labels: NDArray[np.int32]
    nearness: NDArray[np.float32]
    centres: list[tuple[float, float, float]]


class SceneMaker:
    """Makes scenes from a stock of cut-outs.

    Args:
        cutouts: the stock; cells of one source stay together in most scenes.
    """

    def __init__(self, cutouts: list[Cutout]) -> None:
        self._by_source: dict[str, list[Cutout]] = defaultdict(list)
        for cutout in cutouts:
            if not cutout.white:
                self._by_source[cutout.source].append(cutout)
        self._white = [c for c in cutouts if c.white]
        self._sources = sorted(s for s, cells in self._by_source.items() if len(cells) >= 4)

    def make(self, rng: np.random.Generator) -> Scene:
        """Make one scene."""
        look = draw_look(rng)
        side = SIDE + 2 * MARGIN
        canvas = Canvas(
            np.zeros((side, side, 3), np.float32),
            np.full((side, side), -1, np.int32),
            np.full((side, side), 9.0, np.float32),
            [],
        )
        stock = self._by_source[self._sources[rng.integers(len(self._sources))]]
        for x, y in _places(look, side, rng):
            if self._white and rng.random() < 0.01:
                patch, alpha = _cut_cell(self._white[rng.integers(len(self._white))], look, rng, 1.5)
            elif rng.random() < look.drawn:
                patch, alpha = _drawn_cell(look, rng)
            else:
                patch, alpha = _cut_cell(stock[rng.integers(len(stock))], look, rng, 1.0)
            _lay(patch, alpha, (x, y), canvas, rng)
        density = canvas.density * look.colour
        weight = np.ones((side, side), np.float32)
        _add_dirt(density, look, rng)
        picture = _photograph(density, look, rng)
        return _crop(picture, canvas.labels, canvas.centres, weight)


def _places(look: Look, side: int, rng: np.random.Generator) -> list[tuple[float, float]]:
    """Centres of the cells: scattered, in clumps and in stacks."""
    wanted = int(look.crowding * side * side / (look.width**2))
    places = np.full((max(wanted, 1), 2), np.inf, np.float32)
    count, least = 0, look.width * look.overlap
    for _ in range(wanted * 6):
        if count >= wanted:
            break
        if count and rng.random() < look.clumping:
            angle = rng.uniform(0, 2 * np.pi)
            reach = least * rng.uniform(1.0, 1.25)
            place = places[rng.integers(count)] + reach * np.array([np.cos(angle), np.sin(angle)])
        else:
            place = rng.uniform(0, side, 2)
        if place.min() < 0 or place.max() >= side:
            continue
        if count and ((places[:count] - place) ** 2).sum(axis=1).min() < least**2:
            continue
        places[count] = place
        count += 1
    return [(float(x), float(y)) for x, y in places[:count]]


def _strength(look: Look, rng: np.random.Generator) -> float:
    return float(np.clip(np.exp(rng.normal(0, look.paleness_spread)), 0.35, 2.5))


def _cut_cell(
    cutout: Cutout, look: Look, rng: np.random.Generator, larger: float
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """A cut-out, turned, stretched and stained as the look asks."""
    height, width = cutout.alpha.shape
    area = float(cutout.alpha.sum())
    size = look.width * larger * float(np.exp(rng.normal(0, look.size_spread)))
    zoom = size / np.sqrt(4 * area / np.pi)
    stretch = float(np.exp(rng.normal(0, 0.5 * look.stretch)))
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
    density = np.power(density, look.gamma) * _strength(look, rng)
    return density.astype(np.float32), alpha


def _drawn_cell(look: Look, rng: np.random.Generator) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """A cell drawn from scratch: elliptic, crenated or angular, with more or less pallor and mottle."""
    size = look.width * float(np.exp(rng.normal(0, look.size_spread)))
    side = int(2.4 * size) + 4
    y, x = np.mgrid[:side, :side].astype(np.float32) - side / 2
    angle = rng.uniform(0, np.pi)
    stretch = float(np.exp(rng.normal(0, look.stretch)))
    u = (x * np.cos(angle) + y * np.sin(angle)) * stretch
    v = (-x * np.sin(angle) + y * np.cos(angle)) / stretch
    theta = np.arctan2(v, u)
    outline = np.ones_like(theta)
    for harmonic in range(2, 6):
        outline += rng.normal(0, 0.06 / harmonic) * np.cos(harmonic * theta + rng.uniform(0, 2 * np.pi))
    if rng.random() < 0.15:
        # A teardrop: one side drawn out.
        outline += 0.5 * np.maximum(np.cos(theta), 0) ** 6
    if look.crenation > 0:
        spikes = rng.integers(9, 20)
        wave = np.cos(spikes * theta + 1.5 * np.sin(rng.integers(2, 5) * theta) + rng.uniform(0, 6))
        outline += look.crenation * np.abs(wave) ** 1.5 * np.sign(wave)
    radius = np.hypot(u, v) / (0.5 * size * outline)
    alpha = np.clip((1 - radius) * 0.5 * size + 0.5, 0, 1)
    depth = float(np.clip(look.pallor + rng.normal(0, 0.15), 0, 0.97))
    hollow = float(rng.uniform(0.3, 0.7))
    profile = 1 - depth * np.exp(-((radius / hollow) ** rng.uniform(2, 5)))
    if rng.random() < 0.1:
        profile += 0.6 * depth * np.exp(-((radius / 0.2) ** 2))
    mottle = cv2.GaussianBlur(rng.normal(0, 1, (side, side)).astype(np.float32), (0, 0), 0.06 * size + 0.5)
    profile = profile + mottle / max(float(mottle.std()), 1e-3) * (
        2.5 * look.crenation + rng.uniform(0, 0.05)
    )
    density = np.clip(profile, 0.03, 3) * alpha * _strength(look, rng)
    return np.repeat(density[..., None], 3, axis=2).astype(np.float32), alpha.astype(np.float32)


def _lay(
    patch: NDArray[np.float32],
    alpha: NDArray[np.float32],
    place: tuple[float, float],
    canvas: Canvas,
    rng: np.random.Generator,
) -> None:
    """Add a cell to the scene; where cells overlap, a pixel belongs to the cell whose centre is nearer."""
    density, labels, nearness, centres = canvas
    side = labels.shape[0]
    mask = alpha > 0.5
    if mask.sum() < 20:
        return
    if rng.random() < 0.15:
        # Cells do not all lie in one focal plane.
        blur = rng.uniform(0.5, 2.5)
        patch = cv2.GaussianBlur(patch, (0, 0), blur)
    left, top = round(place[0] - patch.shape[1] / 2), round(place[1] - patch.shape[0] / 2)
    x0, y0 = max(0, left), max(0, top)
    x1, y1 = min(side, left + patch.shape[1]), min(side, top + patch.shape[0])
    if x1 <= x0 or y1 <= y0:
        return
    window = (slice(y0, y1), slice(x0, x1))
    part = (slice(y0 - top, y1 - top), slice(x0 - left, x1 - left))
    rows, columns = np.nonzero(mask)
    cx, cy = left + float(columns.mean()), top + float(rows.mean())
    size = float(np.sqrt(4 * mask.sum() / np.pi))
    # Mostly the densities add; a thick cell on top hides part of what is below.
    hide = rng.choice([0.0, rng.uniform(0.2, 0.8)], p=[0.6, 0.4])
    density[window] = density[window] * (1 - hide * alpha[part][..., None]) + patch[part]
    yy, xx = np.mgrid[y0:y1, x0:x1]
    near = (np.hypot(xx - cx, yy - cy) / (0.5 * size)).astype(np.float32)
    mine = mask[part] & (near < nearness[window])
    labels[window][mine] = len(centres)
    nearness[window][mine] = near[mine]
    centres.append((cx, cy, size))


def _add_dirt(density: NDArray[np.float32], look: Look, rng: np.random.Generator) -> None:
    """Platelets, precipitate, smudges, blurred shadows, pointers and scale bars: none of them a cell."""
    side = density.shape[0]
    layer = np.zeros_like(density)
    for _ in range(rng.poisson(3)):
        _blob(layer, rng.uniform(0.04, 0.16) * look.width, rng.uniform(0.4, 2.5), rng)
    if rng.random() < 0.25:
        for _ in range(rng.integers(10, 60)):
            _blob(layer, rng.uniform(0.015, 0.05) * look.width, rng.uniform(0.2, 1.5), rng)
    if rng.random() < 0.12:
        _smudge(layer, look, rng)
    if rng.random() < 0.3:
        shadow = rng.normal(0, 1, (side, side)).astype(np.float32)
        shadow = cv2.GaussianBlur(shadow, (0, 0), rng.uniform(0.2, 1.2) * look.width)
        shadow = np.clip(shadow / shadow.std() - rng.uniform(0, 1.5), 0, 3) * rng.uniform(0.03, 0.2)
        layer += shadow[..., None] * rng.uniform(0.4, 1.6, 3).astype(np.float32)
    if rng.random() < 0.06:
        start = rng.uniform(0, side, 2)
        end = start + rng.normal(0, side / 2, 2)
        bar = np.zeros((side, side), np.float32)
        points = (tuple(int(v) for v in start), tuple(int(v) for v in end))
        cv2.line(bar, points[0], points[1], float(rng.uniform(0.3, 3)), int(rng.integers(1, 12)))
        layer += cv2.GaussianBlur(bar, (0, 0), rng.uniform(0.5, 4))[..., None]
    if rng.random() < 0.05:
        text = np.zeros((side, side), np.uint8)
        corner = (int(rng.uniform(0, side * 0.7)), int(rng.uniform(20, side)))
        cv2.putText(text, "10 um", corner, cv2.FONT_HERSHEY_SIMPLEX, float(rng.uniform(0.3, 0.7)), 255, 1)
        layer += text[..., None] * np.float32(2 / 255)
    density += layer


def _smudge(layer: NDArray[np.float32], look: Look, rng: np.random.Generator) -> None:
    """A ragged, speckled patch: a burst cell, clotted plasma, precipitate of the stain."""
    side = layer.shape[0]
    x, y = rng.uniform(0, side, 2)
    yy, xx = np.mgrid[:side, :side].astype(np.float32)
    ragged = cv2.GaussianBlur(rng.normal(0, 1, (side, side)).astype(np.float32), (0, 0), 0.15 * look.width)
    far = np.hypot(xx - x, yy - y) / (look.width * rng.uniform(0.4, 1.6)) + 0.5 * ragged / ragged.std()
    speckle = cv2.GaussianBlur(rng.normal(0, 1, (side, side)).astype(np.float32), (0, 0), rng.uniform(0.8, 2))
    speckle = np.clip(1 + rng.uniform(0.3, 1.5) * speckle / speckle.std(), 0, 4)
    colour = rng.uniform(0.4, 1.6, 3).astype(np.float32)
    patch = rng.uniform(0.2, 1.0) * speckle / (1 + np.exp(np.clip(rng.uniform(3, 8) * (far - 1), -30, 30)))
    layer += patch[..., None].astype(np.float32) * colour


def _blob(layer: NDArray[np.float32], radius: float, strength: float, rng: np.random.Generator) -> None:
    side = layer.shape[0]
    x, y = rng.integers(0, side, 2)
    reach = int(4 * radius) + 3
    window = (slice(max(0, y - reach), y + reach), slice(max(0, x - reach), x + reach))
    yy, xx = np.mgrid[window[0].start : min(side, y + reach), window[1].start : min(side, x + reach)]
    far = np.hypot(xx - x, (yy - y) * rng.uniform(0.6, 1.6)) / max(radius, 0.5)
    colour = rng.uniform(0.5, 1.5, 3).astype(np.float32)
    layer[window] += (strength / (1 + np.exp(4 * (far - 1))))[..., None].astype(np.float32) * colour


def _photograph(density: NDArray[np.float32], look: Look, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Defocus, shade, expose, compress; then look at it as the device does."""
    side = density.shape[0]
    sharp = rng.choice([0.0, 1.0, 2.2], p=[0.4, 0.4, 0.2])
    density = cv2.GaussianBlur(
        density, (0, 0), 0.4 + sharp * rng.uniform(0.3, 1.0) * look.width / TYPICAL_WIDTH
    )
    typical = float(rng.uniform(0.08, 1.0))
    glass = rng.uniform(120, 250, 3).astype(np.float32)
    y, x = np.mgrid[-1 : 1 : side * 1j, -1 : 1 : side * 1j].astype(np.float32)
    tilt = rng.normal(0, 0.05, 3)
    # What the fit of the background leaves over.
    shading = (tilt[0] * x + tilt[1] * y + tilt[2])[..., None] * min(typical, 0.4)
    light = glass * np.exp(-density * typical - shading)
    noise = rng.normal(0, 1, light.shape).astype(np.float32)
    noise = cv2.GaussianBlur(noise, (0, 0), rng.uniform(0.3, 1.0))
    light += noise * rng.uniform(0, 4) * min(1.0, typical * 3)
    rgb = np.clip(light, 0, 255).astype(np.uint8)
    if rng.random() < 0.5:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(40, 95))]
        rgb = cv2.imdecode(cv2.imencode(".jpg", rgb, quality)[1], cv2.IMREAD_COLOR)
    error = np.exp(rng.normal(0, 0.02, 3)) * 1.0
    seen = np.log(glass * error / np.maximum(rgb.astype(np.float32), 2.0)).astype(np.float32)
    return network_picture(seen, typical * float(np.exp(rng.normal(0, 0.2))))


def _crop(
    picture: NDArray[np.uint8],
    labels: NDArray[np.int32],
    centres: list[tuple[float, float, float]],
    weight: NDArray[np.float32],
) -> Scene:
    """Cut the margin off and write the targets at the network's stride."""
    inner = slice(MARGIN, MARGIN + SIDE)
    picture, labels, weight = picture[inner, inner], labels[inner, inner], weight[inner, inner]
    half = SIDE // STRIDE
    cells = (labels >= 0).astype(np.float32).reshape(half, STRIDE, half, STRIDE).mean(axis=(1, 3))
    sampled = labels[STRIDE // 2 :: STRIDE, STRIDE // 2 :: STRIDE]
    target = np.zeros((half, half, 5), np.float32)
    target[..., 0] = cells
    target[..., 4] = weight[STRIDE // 2 :: STRIDE, STRIDE // 2 :: STRIDE]
    yy, xx = (np.mgrid[:half, :half].astype(np.float32) + 0.5) * STRIDE
    counts = np.bincount(sampled[sampled >= 0].ravel(), minlength=len(centres)) * STRIDE**2
    for index, (cx, cy, size) in enumerate(centres):
        if counts[index] < 0.12 * np.pi / 4 * size**2:
            # Nearly all of it is hidden or cut off: neither a cell nor none.
            target[..., 4][sampled == index] = 0
            continue
        x, y = cx - MARGIN, cy - MARGIN
        mine = sampled == index
        target[..., 2][mine] = (x - xx[mine]) / TYPICAL_WIDTH
        target[..., 3][mine] = (y - yy[mine]) / TYPICAL_WIDTH
        reach = 0.1 * size
        bump = np.exp(-((xx - x) ** 2 + (yy - y) ** 2) / (2 * reach**2))
        target[..., 1] = np.maximum(target[..., 1], bump)
    return Scene(np.ascontiguousarray(picture), target.astype(np.float16))
