"""The camera that hands out a drawn walk at a given rate."""

import numpy as np
import pytest

from benchmarks.speed.live import Camera, draw_walk
from edge.images.files import read_image
from edge.live.sources.base import EndOfSourceError


@pytest.mark.slow
def test_a_camera_hands_out_its_walk_and_ends() -> None:
    walk = draw_walk(0, 0.2, 10, lambda _, __: None)
    camera = Camera(walk, 1000)
    camera.open()
    first = camera.read()
    np.testing.assert_array_equal(first.rgb, read_image(walk[0]))
    assert first.rgb.shape == (960, 1280, 3)
    camera.read()
    with pytest.raises(EndOfSourceError):
        camera.read()
