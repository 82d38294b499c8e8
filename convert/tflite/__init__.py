"""From a Keras model to TFLite flatbuffers."""
