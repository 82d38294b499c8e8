"""The code of every message of edge, server and command line; each has a sentence in every catalogue.

A code is stable: programs and the page go by it. Its sentence may change.
"""

from enum import StrEnum


class Code(StrEnum):
    """Which sentence a message is: a key of ``en.json`` and ``fr.json``."""

    # A sentence in English only: training, conversion and benchmarks, whose errors reach no page.
    SENTENCE = "sentence"

    # Why the operating system refused: phrases that fill the place of a reason.
    SYSTEM_A_FOLDER = "system.a-folder"
    SYSTEM_BUSY = "system.busy"
    SYSTEM_DISK_FULL = "system.disk-full"
    SYSTEM_EXISTS = "system.exists"
    SYSTEM_INPUT_OUTPUT = "system.input-output"
    SYSTEM_LINK_LOOP = "system.link-loop"
    SYSTEM_NAME_TOO_LONG = "system.name-too-long"
    SYSTEM_NO_DEVICE = "system.no-device"
    SYSTEM_NOT_A_FOLDER = "system.not-a-folder"
    SYSTEM_NOT_ALLOWED = "system.not-allowed"
    SYSTEM_NOT_FOUND = "system.not-found"
    SYSTEM_OTHER = "system.other"
    SYSTEM_READ_ONLY = "system.read-only"
    SYSTEM_REFUSED = "system.refused"
    SYSTEM_TIMED_OUT = "system.timed-out"
    SYSTEM_TOO_MANY_FILES = "system.too-many-files"

    # A file or a body of a request that should be a picture.
    PICTURE_CHANNELS = "picture.channels"
    PICTURE_DAMAGED = "picture.damaged"
    PICTURE_DEPTH = "picture.depth"
    PICTURE_EMPTY = "picture.empty"
    PICTURE_FILE_TOO_LARGE = "picture.file-too-large"
    PICTURE_IMPOSSIBLE_SIZE = "picture.impossible-size"
    PICTURE_NOT_A_FILE = "picture.not-a-file"
    PICTURE_NOT_ENCODED = "picture.not-encoded"
    PICTURE_NOT_OPENED = "picture.not-opened"
    PICTURE_NOT_ONE = "picture.not-one"
    PICTURE_TOO_LARGE = "picture.too-large"
    PICTURE_TRUNCATED = "picture.truncated"
    PICTURE_TRUNCATED_HEADER = "picture.truncated-header"
