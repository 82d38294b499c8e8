"""The codes of slides and figures on their way to other systems."""

from enum import StrEnum


class SendCode(StrEnum):
    """Which sentence a message of `plasmolite send` is: a key of every catalogue."""

    SETTINGS = "send.settings"
    UNKNOWN = "send.unknown"
    ADDRESS = "send.address"
    SECRET_IN_CLEAR = "send.secret-in-clear"
    NO_CERTIFICATE = "send.no-certificate"
    NO_SECRET = "send.no-secret"
    NOT_ONE_LINE = "send.not-one-line"
    CERTIFICATE = "send.certificate"
    NO_SERVER = "send.no-server"
    NO_MAPPING = "send.no-mapping"
    NOT_TAKEN = "send.not-taken"
    NOT_REACHED = "send.not-reached"
    MAPPING_FIGURE = "send.mapping-figure"
    MAPPING_ID = "send.mapping-id"
    MAPPING_SITE = "send.mapping-site"
    PERIOD = "send.period"
    TOLD = "send.told"
    SEE_STATUS = "send.see-status"
    STATUS = "send.status"
    STATUS_WAITING = "send.status-waiting"
    STATUS_REFUSED = "send.status-refused"
    FIGURES_TOLD = "send.figures-told"
