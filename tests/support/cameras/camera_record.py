"""What a USB camera kept of its settings: the exposure and the white balance are fixed."""

from edge.camera.settings import CameraRecord, CameraSettings

RECORD = CameraRecord(
    source="0",
    kind="V4L2",
    asked=CameraSettings(exposure_us=8000),
    width=1280,
    height=960,
    pixel_format="YUYV",
    exposure_us=8000.0,
    exposure_fixed=True,
    white_balance_k=4600.0,
    white_balance_fixed=True,
    gain=16.0,
    gain_fixed=True,
)
