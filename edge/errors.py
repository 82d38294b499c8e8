"""Every error that the device side raises, each a class that says when it is raised.

All messages are whole sentences that name what was wrong, where, and what to do; the command line and the
server print them as they stand.
"""


class PlasmoliteError(Exception):
    """Base of all errors that a user can cause or meet; anything else that escapes is a defect of ours."""


class ImageError(PlasmoliteError):
    """An image cannot be judged: unreadable, truncated, empty, too small or too large."""


class NotACellError(ImageError):
    """The picture was read, but is not one red cell of a stained smear."""


class ModelFileError(PlasmoliteError):
    """A model file is missing, truncated, tampered with, foreign, or does not fit this version."""


class RuntimeMissingError(PlasmoliteError):
    """No TFLite runtime is installed; the message says which extra to install."""


class SourceError(PlasmoliteError):
    """A folder, file or camera that was named as input does not exist or cannot be opened."""
