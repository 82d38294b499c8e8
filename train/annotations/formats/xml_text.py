"""Reads XML that a stranger may have written."""

import xml.etree.ElementTree as ET
from pathlib import Path
from xml.etree.ElementTree import Element

from edge.messages.annotation_codes import AnnotationCode
from edge.messages.message import system_reason
from edge.messages.train_codes import TrainCode
from train.annotations.values import AnnotationError, number_of


def parse_xml(path: Path) -> Element:
    """Parse a file of XML that declares nothing.

    Raises:
        AnnotationError: it cannot be read, is no XML, or declares entities of its own, which annotations never need.
    """
    name = path.name
    try:
        data = path.read_bytes()
    except OSError as error:
        raise AnnotationError(TrainCode.UNREADABLE, path=name, reason=system_reason(error)) from error
    plain = data.replace(b"\0", b"")  # UTF-16 has a zero between the letters
    if b"<!ENTITY" in plain or b"<!DOCTYPE" in plain:
        raise AnnotationError(AnnotationCode.ENTITIES, path=name)
    try:
        return ET.fromstring(data)  # noqa: S314 - see above
    except (ET.ParseError, ValueError) as error:
        raise AnnotationError(AnnotationCode.NO_XML, path=name, reason=str(error)) from error


def number(element: Element, name: str) -> float:
    """Return a child's text as a number.

    Raises:
        ValueError: there is none, or it is no number.
    """
    return number_of(name, element.findtext(name))
