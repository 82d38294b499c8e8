"""The TFLite model: its file, its runtime, its inputs and its verdicts."""
