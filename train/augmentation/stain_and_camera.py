"""Varies a cell's picture as other microscopes, stains and cameras would.

The light of a stained cell is modelled as the Beer-Lambert law has it: what the eye sees is background light
times exp(-optical density), so stain and illumination vary in the density, where they are additive
(Ruifrok & Johnston 2001; the jitter follows Tellez et al. 2018, "H&E stain augmentation"). Optics and camera
(focus, resolution, noise, JPEG) are laid on the cell *with* its surrounding background, which is blackened
afterwards, as the device does with a field.
"""

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.cells.isolation import BLACK_LEVEL
from edge.inference.preprocessing import MIN_CELL_SIDE
from train.augmentation.artefacts import add_artefact

_BACKGROUND = np.array([219, 188, 173], np.float32)
"""Mean colour of the clear plasma round the NIH cells, RGB (measured on their source fields)."""

_DARKEST = BLACK_LEVEL + 1

_DEFOCUSED, _SHARPENED, _MOVED = 0.4, 0.2, 0.18
"""Shares of the cells that are out of focus, sharpened by the camera, or moved during the exposure."""

_EVENNESS = 0.6
"""Of the shares with which channels are mixed (Dirichlet's concentration): below 1, mostly one channel or two."""


class Strength(NamedTuple):
    """How far each property varies. Standard deviations are of a normal distribution, ranges uniform."""

    plain: float = 0.25
    """Share of the cells that are only turned, flipped and scaled."""
    mixed: float = 0.45
    """Share of the others whose density is mixed over the colour channels: another dye, camera or lamp, in which a
    parasite has another hue and the same shape."""
    grey: float = 0.1
    """Share of all that come from a camera without colours."""
    density: float = 0.2
    """Standard deviation of the log of the stain's strength."""
    channel_density: float = 0.15
    """The same for each colour channel by itself."""
    white_point: float = 0.12
    """Standard deviation of the log of each channel's illumination."""
    dim: float = 0.7
    """Largest loss of light of the quarter of the pictures that are under-exposed, as a natural logarithm."""
    palette: float = 0.12
    """Standard deviation of a shift of the cell's mean density: pink, blue and grey cells."""
    saturation: tuple[float, float] = (0.4, 1.5)
    gamma: tuple[float, float] = (0.75, 1.35)
    defocus: float = 0.02
    """Largest Gaussian sigma, as a share of the cell's width."""
    motion: float = 0.2
    """Furthest that the stage moves during the exposure, in cell widths."""
    side: tuple[int, int] = (40, 104)
    """Width of the cell as the other camera sees it, in pixels."""
    noise: float = 8.0
    """Largest standard deviation of the sensor's noise, in grey levels."""
    jpeg: tuple[int, int] = (45, 95)
    """JPEG quality."""
    camera: bool = True
    """Whether focus, sharpening, motion, noise and compression vary at all."""
    artefacts: bool = True
    """Whether some cells are drawn crenated, with refractile specks or with a sharp pale centre."""


def augment(
    rgb: NDArray[np.uint8], mask: NDArray[np.uint8], rng: np.random.Generator, strength: Strength
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Draw one variation of a cell.

    Args:
        rgb: RGB, uint8, shape (h, w, 3), black outside the cell.
        mask: uint8, shape (h, w), 255 on the cell.
        rng: source of all randomness; the same state gives the same picture.
        strength: how far to go.

    Returns:
        Picture and mask of another shape, black outside the cell; to be passed through ``network_input``.
    """
    plain = rng.random() < strength.plain
    side = min(max(rgb.shape[:2]), strength.side[1])
    if not plain and rng.random() < 0.5:
        side = int(rng.integers(*strength.side))
    field, turned = _turned(rgb, mask, rng, side)
    outline = turned
    if not plain:
        darkness = np.log(_BACKGROUND) - cv2.log(np.maximum(field, 3).astype(np.float32))
        if strength.artefacts:
            darkness, turned = add_artefact(darkness, turned, rng)
        outline = _other_outline(turned, rng)
        varied = _other_stain(darkness, turned, rng, strength)
        field = _other_camera(varied, rng, strength) if strength.camera else cv2.convertScaleAbs(varied)
    if min(cv2.boundingRect(outline)[2:]) < MIN_CELL_SIDE:
        return rgb, mask  # cut down to less than a cell: no variation of this one
    if rng.random() < strength.grey:
        field = cv2.cvtColor(cv2.cvtColor(field, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    # However dark the lamp, the cell stays apart from the black that is cut round it.
    return cv2.copyTo(np.maximum(field, _DARKEST), outline), outline


def _turned(
    rgb: NDArray[np.uint8], mask: NDArray[np.uint8], rng: np.random.Generator, side: int
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Lay the cell on plasma, turn it by any angle, mirror, stretch a little, scale to about ``side`` pixels.

    Returns:
        The cell on the plasma's colour, uint8, and its mask, 0 or 255.
    """
    field = np.empty_like(rgb)
    field[:] = _BACKGROUND.astype(np.uint8)
    cv2.copyTo(rgb, mask, field)
    scale = side / max(rgb.shape[:2])
    if scale < 0.8:  # averaging first, since a warp only samples
        field = cv2.resize(field, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        mask = cv2.resize(mask, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        scale = 1.0
    height, width = mask.shape
    angle = rng.uniform(0, 2 * np.pi)
    stretch = np.exp(rng.normal(0, 0.05, 2)) * scale
    mirror = -1.0 if rng.random() < 0.5 else 1.0
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    matrix = turn @ np.diag([mirror * stretch[0], stretch[1]])
    corners = matrix @ np.array([[0, width, width, 0], [0, 0, height, height]], np.float64)
    columns, rows = (int(extent) + 12 for extent in np.ceil(np.ptp(corners, axis=1)))
    affine = np.hstack([matrix, (6 - corners.min(axis=1))[:, None]])
    plasma = [float(channel) for channel in _BACKGROUND]
    field = cv2.warpAffine(field, affine, (columns, rows), borderValue=plasma)
    mask = cv2.warpAffine(mask, affine, (columns, rows))
    return field, cv2.threshold(mask, 127, 255, cv2.THRESH_BINARY)[1]


def _other_outline(mask: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Vary how the cell was cut out, so that the outline cannot tell the label."""
    width = max(mask.shape)
    choice = rng.random()
    if choice < 0.25:
        return cv2.erode(mask, disc(1 + rng.integers(0, max(1, width // 20))))
    if choice < 0.5:
        return cv2.dilate(mask, disc(1 + rng.integers(0, max(1, width // 20))))
    if choice < 0.7:  # the smooth outline that a contour or an ellipse gives
        return cv2.morphologyEx(mask, cv2.MORPH_CLOSE, disc(max(1, width // 12)))
    if choice < 0.8:
        return cv2.morphologyEx(mask, cv2.MORPH_OPEN, disc(max(1, width // 12)))
    return mask


def _other_stain(
    darkness: NDArray[np.float32], mask: NDArray[np.uint8], rng: np.random.Generator, strength: Strength
) -> NDArray[np.float32]:
    """Vary the stain, the cell's own colour and the light, in density over the plasma's; returns 0 to 255."""
    plasma = np.log(_BACKGROUND.astype(np.float64))
    # Saturation and strength of the stain, as one matrix on the density over that of the plasma.
    saturation = rng.uniform(*strength.saturation)
    gain = np.exp(rng.normal(0, strength.density) + rng.normal(0, strength.channel_density, 3))
    matrix = saturation * np.eye(3) + (1 - saturation) / 3
    if rng.random() < strength.mixed:
        # Each row gives shares of the three channels that sum to one: a cell keeps about its density.
        matrix = matrix @ rng.dirichlet(np.full(3, _EVENNESS), 3)
    matrix = gain[:, None] * matrix
    light = rng.normal(0, strength.white_point, 3) + rng.normal(0, strength.white_point)
    if rng.random() < 0.25:
        light = light - rng.uniform(0, strength.dim)
    if rng.random() < 0.5:  # towards a white-balanced camera, whose plasma is nearly white
        light = light + (np.log(250.0) - plasma) * rng.uniform(0.3, 1.0)
    light = np.minimum(light, np.log(258.0) - plasma)  # no camera is set so that all plasma is blown out
    mean = matrix @ np.array(cv2.mean(darkness, mask)[:3])
    shown = cv2.transform(darkness, np.hstack([-matrix, (plasma + light)[:, None]]))
    if rng.random() < 0.5:
        shift = rng.normal(0, strength.palette) + rng.normal(0, strength.palette, 3)
        # A cell stays darker than the plasma around it.
        shift = np.minimum(shift, mean - 0.03)
        shown = cv2.add(shown, np.array([*shift, 0.0]), mask=mask, dst=shown)
    if rng.random() < 0.4:
        slope = rng.normal(0, 0.07, 2)
        rows = np.linspace(-slope[0], slope[0], darkness.shape[0], dtype=np.float32)[:, None, None]
        columns = np.linspace(-slope[1], slope[1], darkness.shape[1], dtype=np.float32)[None, :, None]
        shown += rows
        shown += columns
    shown = cv2.exp(shown)
    np.minimum(shown, 255, out=shown)
    if rng.random() < 0.5:
        gamma = rng.uniform(*strength.gamma)
        shown = cv2.pow(shown, gamma) * np.float32(255 ** (1 - gamma))
    return shown


def _other_camera(
    field: NDArray[np.float32], rng: np.random.Generator, strength: Strength
) -> NDArray[np.uint8]:
    """Vary focus, sharpening, noise and compression."""
    width = max(field.shape[:2])
    drawn = rng.random()
    if drawn < _DEFOCUSED:
        sigma = rng.uniform(0, strength.defocus) * width
        if sigma > 0.2:
            field = cv2.GaussianBlur(field, (0, 0), sigma)
    elif drawn < _DEFOCUSED + _SHARPENED:
        blurred = cv2.GaussianBlur(field, (0, 0), 0.012 * width)
        field = field + (field - blurred) * np.float32(rng.uniform(0.3, 1.5))
    elif drawn < _DEFOCUSED + _SHARPENED + _MOVED:
        way = motion_kernel(rng.uniform(0, strength.motion) * width, rng.uniform(0, np.pi))
        field = cv2.filter2D(field, -1, way)
    if rng.random() < 0.5:
        noise = rng.standard_normal(field.shape, np.float32)
        field = cv2.scaleAdd(noise, rng.uniform(0, strength.noise), field)
    shown = cv2.convertScaleAbs(np.maximum(field, 0))
    if rng.random() < 0.4:
        quality = int(rng.integers(*strength.jpeg))
        _, encoded = cv2.imencode(".jpg", shown, [cv2.IMWRITE_JPEG_QUALITY, quality])
        shown = cv2.imdecode(encoded, cv2.IMREAD_COLOR)
    return shown


def motion_kernel(length: float, angle: float) -> NDArray[np.float32]:
    """The way of a stage that moves evenly in a straight line while the shutter is open, to filter with.

    Args:
        length: of the way, px.
        angle: of its direction, radians.

    Returns:
        float32, square, an odd number of px a side; its sum is 1.
    """
    side = int(np.ceil(length)) | 1
    fine = np.zeros((4 * side, 4 * side), np.float32)
    middle, reach = 2 * side - 0.5, 2 * length
    ends = [
        (round(middle + sign * reach * np.cos(angle)), round(middle + sign * reach * np.sin(angle)))
        for sign in (-1, 1)
    ]
    cv2.line(fine, ends[0], ends[1], 1.0, 4)
    kernel = cv2.resize(fine, (side, side), interpolation=cv2.INTER_AREA)
    return np.asarray(kernel / kernel.sum(), np.float32)


def disc(radius: int) -> NDArray[np.uint8]:
    """A round structuring element of so many pixels' radius: uint8, 0 or 1."""
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * int(radius) + 1, 2 * int(radius) + 1))
