"""A camera of this machine as a source: USB or CSI, with its settings fixed each time it is opened."""

from edge.camera.opening import OpenCamera, open_camera
from edge.camera.settings import CameraRecord, CameraSettings
from edge.errors import CameraError
from edge.live.sources.base import GrabbedImage
from edge.messages.camera_codes import CameraCode


class CameraSource:
    """A camera of this machine. After a loss it is told what it kept before, so that its colours stay the same.

    Args:
        camera: as `edge.camera.opening.open_camera` takes it.
        settings: what to fix.
    """

    live = True

    def __init__(self, camera: str, settings: CameraSettings | None = None) -> None:
        self.name = camera if camera.startswith("picamera") else f"camera {camera}"
        self.record: CameraRecord | None = None
        self._camera = camera
        self._settings = settings or CameraSettings()
        self._open: OpenCamera | None = None

    def open(self) -> None:
        """Open the camera and fix its settings."""
        self.close()
        settings = self._settings if self.record is None else self.record.as_settings()
        self._open = open_camera(self._camera, settings)
        self.record = self._open.record

    def read(self) -> GrabbedImage:
        """Wait for the next frame."""
        if self._open is None:
            raise CameraError(CameraCode.LOST, source=self._camera)
        return GrabbedImage(self._open.read(), self.name)

    def close(self) -> None:
        """Release the camera."""
        if self._open is not None:
            self._open.close()
            self._open = None
