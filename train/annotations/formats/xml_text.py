"""Reads XML that a stranger may have written."""

import xml.etree.ElementTree as ET
from xml.etree.ElementTree import Element

from edge.messages.annotation_codes import AnnotationCode
from train.annotations.values import AnnotationError, number_of


def parse_xml(data: bytes, name: str) -> Element:
    """Parse XML that declares nothing.

    Raises:
        AnnotationError: it is no XML, or declares entities of its own, which annotations never need.
    """
    if b"<!ENTITY" in data or b"<!DOCTYPE" in data:
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
