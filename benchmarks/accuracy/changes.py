"""Simulated change of stain, light, focus and storage, to see how much of the accuracy survives it."""

from collections.abc import Callable
from typing import NamedTuple

import cv2
import numpy as np

from edge.images.encode import encode_jpeg
from edge.images.files import read_image
from edge.types import Rgb


class Change(NamedTuple):
    """One change of a picture: RGB uint8 (h, w, 3) in, the same kind out (perhaps of another size)."""

    name: str
    apply: Callable[[Rgb], Rgb]


def white_point(red: float, green: float, blue: float) -> Callable[[Rgb], Rgb]:
    """Multiply the channels, as light of another colour does."""
    gains = np.array([red, green, blue])
    table = np.clip(np.arange(256)[:, None] * gains + 0.5, 0, 255).astype(np.uint8)[None]
    return lambda rgb: np.asarray(cv2.LUT(rgb, table), np.uint8)


def gamma(exponent: float) -> Callable[[Rgb], Rgb]:
    """Bend the tone curve: v' = 255 (v / 255) ^ exponent."""
    table = (255 * (np.arange(256) / 255) ** exponent + 0.5).astype(np.uint8)
    return lambda rgb: np.asarray(cv2.LUT(rgb, table), np.uint8)


def defocus(share: float) -> Callable[[Rgb], Rgb]:
    """Blur with a Gaussian whose sigma is a share of the picture's longer side (a cell's width, about)."""
    return lambda rgb: np.asarray(cv2.GaussianBlur(rgb, (0, 0), share * max(rgb.shape[:2])), np.uint8)


def jpeg(quality: int) -> Callable[[Rgb], Rgb]:
    """Compress as JPEG and decode."""

    def apply(rgb: Rgb) -> Rgb:
        return read_image(encode_jpeg(rgb, quality))

    return apply


def scaled(factor: float) -> Callable[[Rgb], Rgb]:
    """Give the cell fewer or more pixels, as another camera would."""
    interpolation = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    return lambda rgb: np.asarray(
        cv2.resize(rgb, None, fx=factor, fy=factor, interpolation=interpolation), np.uint8
    )


def noise(deviation: float) -> Callable[[Rgb], Rgb]:
    """Add a sensor's noise: Gaussian, of this standard deviation in grey levels, the same for the same picture."""

    def apply(rgb: Rgb) -> Rgb:
        drawn = np.random.default_rng(rgb.size).normal(0, deviation, rgb.shape)
        return np.clip(rgb + drawn + 0.5, 0, 255).astype(np.uint8)

    return apply


CHANGES = (
    Change("white point warmer by 15 %", white_point(1.15, 1.0, 0.85)),
    Change("white point cooler by 15 %", white_point(0.85, 1.0, 1.15)),
    Change("gamma 0.7", gamma(0.7)),
    Change("gamma 1.4", gamma(1.4)),
    Change("defocus, sigma 1.5 % of the cell", defocus(0.015)),
    Change("JPEG, quality 50", jpeg(50)),
    Change("half scale", scaled(0.5)),
    Change("double scale", scaled(2.0)),
    Change("noise, 8 grey levels", noise(8.0)),
)


def changed(rgb: Rgb, mask: Rgb, change: Change) -> tuple[Rgb, Rgb]:
    """Change a cell and keep its outside black: the picture and its mask, of the new size."""
    picture = change.apply(rgb)
    if picture.shape != rgb.shape:
        size = (picture.shape[1], picture.shape[0])
        mask = np.asarray(cv2.resize(mask, size, interpolation=cv2.INTER_NEAREST), np.uint8)
    return picture, mask
