"""What can go wrong with an archive as a whole, and why a storage refused, in words of the catalogues."""

import zipfile

from edge.errors import PlasmoliteError
from edge.messages.archive_codes import ArchiveCode
from edge.messages.codes import Code
from edge.messages.message import Message, reason_of


class ArchiveError(PlasmoliteError):
    """An archive cannot be listed, judged or written; what was written before stays."""


def storage_reason(error: Exception) -> Message:
    """Say why a storage did not give or take a file.

    Args:
        error: what fsspec, its storage or zipfile raised.

    Returns:
        A phrase without a full stop, to fill the place of a reason.
    """
    if isinstance(error, FileNotFoundError):
        return Message(Code.SYSTEM_NOT_FOUND)
    if isinstance(error, PermissionError) or "credential" in type(error).__name__.lower():
        return Message(ArchiveCode.CREDENTIALS)
    if isinstance(error, ImportError):
        return Message(ArchiveCode.NO_STORAGE, text=str(error))
    if isinstance(error, zipfile.BadZipFile):
        return Message(Code.REASON_NOT_UNPACKED)
    return reason_of(error)
