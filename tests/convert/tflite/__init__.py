"""Tests of ``convert/tflite``."""
