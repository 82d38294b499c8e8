"""What runs on the device: pictures in, verdicts out, on numpy, OpenCV and one TFLite runtime alone."""
