"""Keeps from the terminal what libraries write there past Python, such as TensorFlow while it loads and converts."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO


@contextmanager
def library_notes_left_out() -> Iterator[TextIO]:
    """Send what is written to the process's standard error nowhere, and yield a stream that still reaches it.

    Errors of the libraries arrive as exceptions; what they log there concerns nobody who trains or converts.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # read once, when TensorFlow is loaded
    kept = os.dup(2)
    try:
        with os.fdopen(os.dup(kept), "w", encoding="utf-8", buffering=1) as stream:
            with Path(os.devnull).open("wb") as nowhere:
                os.dup2(nowhere.fileno(), 2)
            yield stream
    finally:
        os.dup2(kept, 2)
        os.close(kept)
