"""Where a virtual camera looks, frame by frame, and what its sensor makes of what is there."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from enum import StrEnum
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.types import Rgb

FRAME = (1280, 960)
"""Width and height of a frame, px."""
OVERLAP = 0.3
"""Of one field with the next."""
STAGE_SPEED = 900.0
"""Of a stage in motion, px a second."""
EXPOSURE = 0.02
"""Of a frame, seconds."""
REST = 2
"""Frames at each stop."""
WALK_STEP, WALK_FRAMES = 90.0, 90


class Look(NamedTuple):
    """One frame.

    Attributes:
        x: of its upper left corner on the slide, px.
        y: likewise.
        smear: how far the stage moves while it is exposed, px right and down.
        turn: of the camera, degrees.
    """

    x: float
    y: float
    smear: tuple[float, float] = (0.0, 0.0)
    turn: float = 0.0

    @property
    def moves(self) -> bool:
        """Whether the stage is in motion."""
        return any(self.smear)

    def on_slide(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """From places in the frame to those on the slide, (n, 2)."""
        cos, sin = np.cos(np.radians(self.turn)), np.sin(np.radians(self.turn))
        middle = np.array(FRAME) / 2
        return np.asarray((points - middle) @ [[cos, sin], [-sin, cos]] + middle + (self.x, self.y))

    def holds(self, boxes: NDArray[np.float64], margin: float = 2.0) -> NDArray[np.bool_]:
        """Which boxes (x, y, w, h on the slide) the frame shows wholly, with some pixels round them, (n,)."""
        cos, sin = np.cos(np.radians(self.turn)), np.sin(np.radians(self.turn))
        middle = np.array(FRAME) / 2
        away = boxes[:, :2] + boxes[:, 2:] / 2 - middle - (self.x, self.y)
        within = np.abs(away @ [[cos, -sin], [sin, cos]]) + boxes[:, 2:] / 2 + margin
        return np.asarray((within <= middle).all(axis=1))


class StagePath(StrEnum):
    """How a stage goes over a slide."""

    STOPS = "stops"
    """It rests at each field."""
    STEADY = "steady"
    """It never rests."""
    WALK = "walk"
    """It strays and rests nowhere."""


class Stage(NamedTuple):
    """How the stage and the camera move.

    Attributes:
        path: how it goes over the slide.
        fps: frames a second; at 4 the stage moves most of a cell's width times three between two frames.
        smears: whether what moves is smeared.
        turn: degrees by which the camera turns, line by line, from the first to the last.
    """

    path: StagePath = StagePath.STOPS
    fps: float = 4.0
    smears: bool = True
    turn: float = 0.0

    def looks(self, size: tuple[int, int], rng: np.random.Generator) -> list[Look]:
        """All frames over a slide of a width and height, px."""
        room = (float(size[0] - FRAME[0]), float(size[1] - FRAME[1]))
        looks = self._walk(room, rng) if self.path == StagePath.WALK else list(self._lines(room))
        if not self.smears:
            looks = [look._replace(smear=(0.0, 0.0)) for look in looks]
        lines = sorted({look.y for look in looks if not look.moves} or {look.y for look in looks})
        if self.turn:
            shares = np.searchsorted(lines, [look.y for look in looks], side="right") - 1
            most = max(len(lines) - 1, 1)
            looks = [
                look._replace(turn=self.turn * max(0, share) / most)
                for look, share in zip(looks, shares.tolist(), strict=True)
            ]
        return looks

    def _lines(self, room: tuple[float, float]) -> Iterator[Look]:
        """Lines there and back, fields overlapping, the last flush with the edge."""
        steps = [FRAME[axis] * (1 - OVERLAP) for axis in (0, 1)]
        across, down = ([*np.arange(0, room[axis], steps[axis]), room[axis]] for axis in (0, 1))
        stops = [(x, y) for line, y in enumerate(down) for x in (across if line % 2 == 0 else across[::-1])]
        if self.path == StagePath.STOPS:
            yield from [Look(*stops[0])] * REST
        for (x0, y0), (x1, y1) in itertools.pairwise(stops):
            length = float(np.hypot(x1 - x0, y1 - y0))
            if length == 0:
                continue
            way = STAGE_SPEED * EXPOSURE / length
            smear = ((x1 - x0) * way, (y1 - y0) * way)
            frames = max(1, round(length / (STAGE_SPEED / self.fps)))
            for step in range(0 if self.path == StagePath.STEADY else 1, frames):
                share = step / frames
                yield Look(x0 + share * (x1 - x0), y0 + share * (y1 - y0), smear)
            if self.path == StagePath.STOPS:
                yield from [Look(x1, y1)] * REST
            elif (x1, y1) == stops[-1]:
                yield Look(x1, y1, smear)

    def _walk(self, room: tuple[float, float], rng: np.random.Generator) -> list[Look]:
        """A hand at the stage: it strays with inertia, is drawn back to the middle, and slows down now and then."""
        at, speed = np.array(room) / 2, np.zeros(2)
        looks = []
        for number in range(WALK_FRAMES):
            if number % 6 < 4:
                speed = 0.8 * speed + rng.normal(0, WALK_STEP, 2) - 0.02 * (at - np.array(room) / 2)
                smear = speed * self.fps * EXPOSURE
            else:
                speed, smear = np.zeros(2), np.zeros(2)
            at = np.clip(at + speed, 0, room)
            looks.append(Look(float(at[0]), float(at[1]), (float(smear[0]), float(smear[1]))))
        return looks


class Sensor(NamedTuple):
    """What a camera adds.

    Attributes:
        noise: standard deviation, grey levels.
        quality: of JPEG, 1 to 100; 0 where frames are not encoded.
        vignette: share of light lost in the corners.
        flicker: share by which the lamp changes from frame to frame.
        drift: blur that the focus drifts to in the middle of the way and back, sigma in px.
    """

    noise: float = 0.0
    quality: int = 0
    vignette: float = 0.0
    flicker: float = 0.0
    drift: float = 0.0

    def expose(self, view: Rgb, look: Look, number: int, of: int, rng: np.random.Generator) -> Rgb:
        """What becomes of a sharp view: smear, focus, light, noise, JPEG.

        Args:
            view: uint8 (h, w, 3).
            look: the frame.
            number: of the frame, from 0.
            of: frames in all.
            rng: of the noise.
        """
        if look.moves:
            view = np.asarray(cv2.filter2D(view, -1, streak(*look.smear)), np.uint8)
        blur = self.drift * float(np.sin(np.pi * number / max(of - 1, 1)))
        if blur > 0.2:
            view = np.asarray(cv2.GaussianBlur(view, (0, 0), blur), np.uint8)
        if self.vignette or self.flicker or self.noise:
            height, width = view.shape[:2]
            y, x = np.ogrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
            light = (1 - self.vignette * (x**2 + y**2) / 2) * (1 + self.flicker * np.sin(1.7 * number))
            grain = self.noise * rng.standard_normal(view.shape, np.float32)
            view = np.clip(np.rint(view * light[:, :, None] + grain), 0, 255).astype(np.uint8)
        if self.quality:
            bgr = cv2.cvtColor(view, cv2.COLOR_RGB2BGR)
            data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, self.quality])[1]
            view = np.asarray(cv2.cvtColor(cv2.imdecode(data, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB), np.uint8)
        return view


def sharp_view(slide: Rgb, look: Look) -> Rgb:
    """What is under a frame, uint8 (h, w, 3)."""
    cos, sin = np.cos(np.radians(look.turn)), np.sin(np.radians(look.turn))
    turn = np.array([[cos, -sin], [sin, cos]])
    middle = np.array(FRAME) / 2
    matrix = np.hstack([turn, (np.array([look.x, look.y]) + middle - turn @ middle)[:, None]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(
        cv2.warpAffine(slide, matrix, FRAME, flags=flags, borderMode=cv2.BORDER_REFLECT), np.uint8
    )


def streak(dx: float, dy: float) -> NDArray[np.float32]:
    """Kernel of a straight movement by (dx, dy) px during the exposure, of sum 1."""
    reach = max(1, int(np.ceil(max(abs(dx), abs(dy)) / 2)))
    kernel = np.zeros((2 * reach + 1, 2 * reach + 1), np.float32)
    for share in np.linspace(-0.5, 0.5, 4 * reach + 1):
        kernel[reach + round(share * dy), reach + round(share * dx)] += 1
    return np.asarray(kernel / kernel.sum(), np.float32)
