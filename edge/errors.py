"""Every error that the device side raises, each a class that says when it is raised.

An error carries a code and values, and becomes a sentence where a person reads it: what was wrong, where, and what
to do. ``str(error)`` is that sentence in English.
"""

from collections.abc import Mapping

from edge.messages.catalogue import Value
from edge.messages.codes import AnyCode
from edge.messages.message import Message


class PlasmoliteError(Exception):
    """Base of all errors that a user can cause or meet; anything else that escapes is a defect of ours.

    Args:
        what: the code of the sentence, or a message made before.
        **values: what fills the places of the sentence, by name.

    Attributes:
        message: the code with its values.
    """

    def __init__(self, what: AnyCode | Message, /, **values: Value) -> None:
        self.message = what if isinstance(what, Message) else Message(what, **values)
        super().__init__(self.message)

    @property
    def code(self) -> AnyCode:
        """Which sentence of the catalogues this is."""
        return self.message.code

    @property
    def values(self) -> Mapping[str, Value]:
        """What fills the places of that sentence."""
        return self.message.values


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


class PrevalenceError(PlasmoliteError):
    """A parasitaemia cannot be computed from these counts and error rates."""


class SiteProfileError(PlasmoliteError):
    """A site profile is unreadable, made for another model, or cannot be made from the cells given."""


class TeachingError(PlasmoliteError):
    """A model cannot be taught: it has no bank, or too few cells were reviewed."""


class StoreError(PlasmoliteError):
    """The slide store cannot be read or written; subclasses say why."""


class StoreFullError(StoreError):
    """The disk under the slide store is full: nothing of the last field was stored, all before it is."""


class StoreBusyError(StoreError):
    """Another process holds the slide store, or is already counting the same slide."""


class StoreDamagedError(StoreError):
    """The slide store is damaged, or is no SQLite file."""


class StoreVersionError(StoreError):
    """The slide store was written by a newer Plasmolite, or belongs to another program."""


class SlideError(PlasmoliteError):
    """A slide is unknown, exists already, or was counted by another model or with other settings."""


class SendError(PlasmoliteError):
    """Nothing can be sent: settings, certificates or rights are wrong. What waits stays in the outbox."""


class SignatureError(PlasmoliteError):
    """A model's signature is missing, damaged, of a key that the site does not trust, or does not fit."""


class ModelStoreError(PlasmoliteError):
    """A model cannot be installed, switched or rolled back; the model in use stays in use."""


class CameraError(SourceError):
    """A camera is missing, in use, sends nothing, or cannot take the settings that were asked for."""
