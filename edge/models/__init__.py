"""The released models that ship with the package: one `.tflite` each, its manifest inside."""
