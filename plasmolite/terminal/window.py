"""A window on the screen, where the installed OpenCV can open one."""

import cv2
import numpy as np


class LiveWindow:
    """Shows JPEG frames; made by `open_window`."""

    def __init__(self, title: str) -> None:
        self._title = title

    def show(self, jpeg: bytes | None) -> None:
        """Show a frame and let the window breathe; None shows nothing new."""
        if jpeg is not None:
            picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
            if picture is not None:
                cv2.imshow(self._title, picture)
        cv2.waitKey(1)

    def close(self) -> None:
        """Close the window."""
        cv2.destroyWindow(self._title)


def open_window(title: str) -> LiveWindow | None:
    """Open a window; None where this OpenCV has none (the headless build) or there is no screen."""
    try:
        cv2.namedWindow(title, cv2.WINDOW_NORMAL)
    except cv2.error:
        return None
    return LiveWindow(title)
