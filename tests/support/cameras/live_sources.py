"""What the tests of live sources share: even pictures, a clock of their own, patience."""

import time
from collections.abc import Callable

import numpy as np


def picture_of(shade: int) -> np.ndarray:
    """A picture of one shade, RGB uint8 (48, 64, 3)."""
    return np.full((48, 64, 3), shade, np.uint8)


class Clock:
    """A clock that pauses move on."""

    def __init__(self) -> None:
        self.at = 0.0

    def __call__(self) -> float:
        """The time."""
        return self.at

    def pause(self, seconds: float) -> None:
        """Wait."""
        self.at += seconds


def until(condition: Callable[[], bool], seconds: float = 20.0) -> bool:
    """Wait for a condition, so many seconds at most; tell whether it came."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.01)
    return False
