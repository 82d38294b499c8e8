"""The codes of a training and of a conversion that cannot begin or go on."""

from enum import StrEnum


class TrainCode(StrEnum):
    """Which sentence an error of `plasmolite train` or `convert` is: a key of every catalogue."""

    OTHER_SETTINGS = "training.other-settings"
    FOLDER_NOT_EMPTY = "training.folder-not-empty"
    FOLDER_IN_USE = "training.folder-in-use"
    FOLDER_IN_USE_BY = "training.folder-in-use-by"
    NO_SETTINGS = "training.no-settings"
    NO_RUN = "training.no-run"
    NOT_OF_THIS_PROGRAM = "training.not-of-this-program"
    CELLS_CHANGED = "training.cells-changed"
    NOT_FINISHED = "training.not-finished"
    DATA_CHANGED = "training.data-changed"
    MOVED = "training.moved"
    DATA_MISSING = "training.data-missing"
    DATA_NOT_READ = "training.data-not-read"
    DATA_A_TAR = "training.data-a-tar"
    DATA_WITHOUT_LABELS = "training.data-without-labels"
    DATA_PACKED = "training.data-packed"
    ONE_CLASS_LEFT = "training.one-class-left"
    UNREADABLE = "training.unreadable"
    TABLE_EMPTY = "training.table-empty"
    TABLE_NOT_TEXT = "training.table-not-text"
    TABLE_NOT_READ = "training.table-not-read"
