"""The codes of an archive that is judged on a cluster."""

from enum import StrEnum


class ArchiveCode(StrEnum):
    """Which sentence a message of `plasmolite archive` is: a key of every catalogue."""

    SOURCE_NOT_LISTED = "archive.source-not-listed"
    CREDENTIALS = "archive.credentials"
    NO_STORAGE = "archive.no-storage"
    NAME_NOT_TEXT = "archive.name-not-text"
    ZIP_LIES = "archive.zip-lies"
    OTHER_PROGRAM = "archive.other-program"
    OTHER_FINDER = "archive.other-finder"
    OTHER_MODEL = "archive.other-model"
    BROKE_WORKER = "archive.broke-worker"
    PICTURE_CHANGED = "archive.picture-changed"
    NONE = "archive.none"
    DAMAGED = "archive.damaged"
    OTHER_SCHEMA = "archive.other-schema"
    OTHER_SETTINGS = "archive.other-settings"
    IN_USE = "archive.in-use"
    NOT_READ = "archive.not-read"
    NOT_WRITTEN = "archive.not-written"
    NO_SCHEDULER = "archive.no-scheduler"
    NO_WORKERS = "archive.no-workers"
    CLUSTER_GONE = "archive.cluster-gone"
    NOT_COMPARABLE = "archive.not-comparable"
    NOT_INSTALLED = "archive.not-installed"
    TOLD = "archive.told"
    WHICH_UNREADABLE = "archive.which-unreadable"
    RUN_AGAIN = "archive.run-again"
