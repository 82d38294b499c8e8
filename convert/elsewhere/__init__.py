"""Keras classifiers that were made elsewhere: how they want their pictures, and a run folder as if trained here."""
