"""The codes of annotations that cannot be used."""

from enum import StrEnum


class AnnotationCode(StrEnum):
    """Which sentence an error of reading annotations or cutting fields is: a key of every catalogue."""

    NO_PICTURE_FOLDER = "annotation.no-picture-folder"
    NONE_IN_FOLDER = "annotation.none-in-folder"
    FIRST_THERE = "annotation.first-there"
    NOTHING_THERE = "annotation.nothing-there"
    NO_PATIENT = "annotation.no-patient"
    ENTITIES = "annotation.entities"
    NO_XML = "annotation.no-xml"
    OF_VIDEOS = "annotation.of-videos"
    NO_LABEL_FILES = "annotation.no-label-files"
    NO_CLASS_NAMES = "annotation.no-class-names"
    NO_LIST_OF_NAMES = "annotation.no-list-of-names"
    UNKNOWN_COLUMNS = "annotation.unknown-columns"
    SHARES = "annotation.shares"
    TWO_MEANINGS = "annotation.two-meanings"
    NO_POSITIVE = "annotation.no-positive"
    WITHOUT_MEANING = "annotation.without-meaning"
    NONE_POSITIVE = "annotation.none-positive"
    COUNTED = "annotation.counted"
    NO_BOX = "annotation.no-box"
    NO_BOX_BUT = "annotation.no-box-but"
    EMPTY_FOLDER = "annotation.empty-folder"
    UNKNOWN_FORMAT = "annotation.unknown-format"
    NO_JSON = "annotation.no-json"
    DAMAGED = "annotation.damaged"
    OTHER_JSON = "annotation.other-json"
