"""A message: a code with values, which becomes a sentence only where a person reads it."""

from __future__ import annotations

import errno
import json
import os
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import reduce
from pathlib import PurePath
from typing import Any, Self

from edge.messages.catalogue import Value, catalogue
from edge.messages.codes import ALL_CODES, AnyCode, Code
from edge.messages.language import Language


@dataclass(frozen=True, slots=True, init=False)
class Message:
    """What there is to say, in no language yet.

    Attributes:
        code: which sentence of the catalogues it is.
        values: what fills the places of that sentence, by name; paths are stored as text.
    """

    code: AnyCode
    values: Mapping[str, Value]

    def __init__(self, code: AnyCode, /, **values: Value) -> None:
        object.__setattr__(self, "code", code)
        plain = {name: shown_path(v) if isinstance(v, PurePath) else v for name, v in values.items()}
        object.__setattr__(self, "values", plain)

    @classmethod
    def of_all(cls, sentences: Iterable[Self]) -> Self:
        """Put sentences, of which there is at least one, behind each other."""
        return reduce(lambda first, further: cls(Code.SENTENCES, first=first, further=further), sentences)

    @classmethod
    def choosing(cls, code: AnyCode, facts: Mapping[str, Value]) -> Self:
        """Take, out of all facts at hand, those that the sentence has a place for."""
        return cls(code, **{name: facts[name] for name in sorted(catalogue(Language.ENGLISH).places(code))})

    def __str__(self) -> str:
        """The sentence in English."""
        return self.text(Language.ENGLISH)

    def __hash__(self) -> int:
        return hash((self.code, str(self)))

    def replaced(self, **values: Value) -> Self:
        """The same message with some of its values replaced."""
        return type(self)(self.code, **{**self.values, **values})

    def text(self, language: Language) -> str:
        """The sentence in a language."""
        return catalogue(language).text(self.code, **self.values)

    def to_json(self) -> dict[str, Any]:
        """Return the code and the values, as a program or the page reads them."""
        return {
            "code": str(self.code),
            "values": {name: _value_to_json(value) for name, value in self.values.items()},
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Read what ``to_json`` wrote.

        Raises:
            KeyError: the code is not one of this version.
        """
        values = {name: _value_from_json(value) for name, value in content["values"].items()}
        return cls(ALL_CODES[content["code"]], **values)


def _value_to_json(value: Any) -> Any:
    if isinstance(value, Message):
        return value.to_json()
    return list(map(_value_to_json, value)) if isinstance(value, list | tuple) else value


def _value_from_json(value: Any) -> Any:
    if isinstance(value, Mapping):
        return Message.from_json(value)
    return list(map(_value_from_json, value)) if isinstance(value, list) else value


def shown_path(path: PurePath | str) -> str:
    """Write a path so that it can be printed, stored and sent.

    Names on disks are bytes: those that are no UTF-8, and characters that steer a terminal, become a replacement sign.
    """
    text = str(path)
    if text.isprintable():
        return text
    text = os.fsencode(text).decode("utf-8", "replace")
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)


def system_reason(error: OSError) -> Message:
    """Say why the operating system refused, in words that every catalogue has.

    Args:
        error: what the operating system raised.

    Returns:
        A phrase without a full stop, to fill the place of a reason.
    """
    code = _SYSTEM_REASONS.get(error.errno or 0)
    if code is not None:
        return Message(code)
    return Message(Code.SYSTEM_OTHER, number=error.errno or 0, text=error.strerror or str(error))


def reason_of(error: Exception) -> Message:
    """Say why a file cannot be used: as the operating system says it, or what is wrong with its content.

    Args:
        error: what reading or decoding raised; one of ours, such as ``ValueError(Message(...))``, says it itself.

    Returns:
        A phrase without a full stop, to fill the place of a reason.
    """
    if isinstance(error, OSError):
        return system_reason(error)
    if isinstance(error, json.JSONDecodeError):
        return Message(Code.REASON_NOT_JSON)
    if isinstance(error, UnicodeDecodeError):
        return Message(Code.REASON_NOT_TEXT)
    if isinstance(error, zipfile.BadZipFile | zlib.error | EOFError | RuntimeError):
        return Message(Code.REASON_NOT_UNPACKED)
    if isinstance(error, KeyError):
        return Message(Code.REASON_MISSING_VALUE, name=str(error.args[0]))
    said = error.args[0] if error.args else None
    return said if isinstance(said, Message) else Message(Code.REASON_OTHER, text=str(error))


_SYSTEM_REASONS = {
    errno.ENOENT: Code.SYSTEM_NOT_FOUND,
    errno.EACCES: Code.SYSTEM_NOT_ALLOWED,
    errno.EPERM: Code.SYSTEM_NOT_ALLOWED,
    errno.EROFS: Code.SYSTEM_READ_ONLY,
    errno.ENOSPC: Code.SYSTEM_DISK_FULL,
    errno.EDQUOT: Code.SYSTEM_DISK_FULL,
    errno.ENOTDIR: Code.SYSTEM_NOT_A_FOLDER,
    errno.EISDIR: Code.SYSTEM_A_FOLDER,
    errno.EEXIST: Code.SYSTEM_EXISTS,
    errno.EIO: Code.SYSTEM_INPUT_OUTPUT,
    errno.EBUSY: Code.SYSTEM_BUSY,
    errno.ENODEV: Code.SYSTEM_NO_DEVICE,
    errno.ENXIO: Code.SYSTEM_NO_DEVICE,
    errno.ENAMETOOLONG: Code.SYSTEM_NAME_TOO_LONG,
    errno.ELOOP: Code.SYSTEM_LINK_LOOP,
    errno.EMFILE: Code.SYSTEM_TOO_MANY_FILES,
    errno.ENFILE: Code.SYSTEM_TOO_MANY_FILES,
    errno.ECONNREFUSED: Code.SYSTEM_REFUSED,
    errno.ETIMEDOUT: Code.SYSTEM_TIMED_OUT,
}
