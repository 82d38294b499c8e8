"""What the doctor says of the outbox."""

from datetime import datetime, timedelta

from edge.device.finding import Finding, FindingState
from edge.messages.doctor_codes import DoctorCode
from edge.messages.message import Message
from edge.sending.outbox import OutboxStatus

LONG = timedelta(days=7)
"""A device may be without a network for weeks; after a week somebody should know."""


def check_outbox(status: OutboxStatus, now: datetime) -> Finding:
    """Judge how full the outbox is.

    Args:
        status: of the outbox.
        now: in UTC.
    """
    if status.refused:
        return Finding(
            "outbox",
            FindingState.WARNING,
            Message(DoctorCode.OUTBOX_REFUSED, refused=status.refused),
            Message(DoctorCode.OUTBOX_REFUSED_DO),
            status.refused,
        )
    last = max((time for time in (status.last_sent, status.oldest_waiting) if time), default=now)
    if status.waiting and now - last > LONG:
        return Finding(
            "outbox",
            FindingState.WARNING,
            Message(DoctorCode.OUTBOX_OLD, waiting=status.waiting, days=(now - last).days),
            Message(DoctorCode.OUTBOX_OLD_DO),
            status.waiting,
        )
    return Finding(
        "outbox",
        FindingState.OK,
        Message(DoctorCode.OUTBOX, waiting=status.waiting, sent=status.sent),
        value=status.waiting,
    )
