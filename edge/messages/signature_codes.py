"""The codes of the signatures of models."""

from enum import StrEnum


class SignatureCode(StrEnum):
    """Which sentence a fault of a signature is: a key of every catalogue."""

    OTHER_ALGORITHM = "signature.other-algorithm"
    NOT_FOUR_LINES = "signature.not-four-lines"
    UNKNOWN_ALGORITHM = "signature.unknown-algorithm"
    NOT_TRUSTED = "signature.not-trusted"
    DOES_NOT_FIT = "signature.does-not-fit"
    COMMENT_ALTERED = "signature.comment-altered"
    NO_LIBRARY = "signature.no-library"
    TOO_LARGE = "signature.too-large"
    NOT_READABLE = "signature.not-readable"
    NOT_TEXT = "signature.not-text"
    NOT_BASE64 = "signature.not-base64"
    CUT_OFF = "signature.cut-off"
    PUBLIC_KEY = "signature.public-key"
    SIGNATURE = "signature.signature"
    NO_KEY = "signature.no-key"
    KEY_NOT_KEPT = "signature.key-not-kept"
