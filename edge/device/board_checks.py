"""Checks of the board itself: memory, temperature, supply, governor, clock."""

import sys
from datetime import datetime

from edge.device.board import Board
from edge.device.finding import Finding, FindingState
from edge.fields.room import PIXEL_BYTES, share_memory
from edge.inference.runtime import default_threads
from edge.messages.doctor_codes import DoctorCode
from edge.messages.message import Message

MEMORY_WARNING_BYTES = 200 * 2**20
"""``classify`` stays under 200 MB; a board with less than this free swaps, and an SD card is slow at it."""
HOT_C, TOO_HOT_C = 75.0, 85.0
"""A Raspberry Pi slows down at 80 °C (soft limit 60 °C on a Pi 3) and hard at 85 °C (its documentation)."""
FIRST_PLAUSIBLE_YEAR, LAST_PLAUSIBLE_YEAR = 2026, 2060
"""The first year of this program; a board without a clock starts in 1970 or where it was switched off."""


def check_board(board: Board) -> Finding:
    """Name the board; nothing about it can fail."""
    name = board.model or Message(DoctorCode.UNNAMED_BOARD)
    version = ".".join(map(str, sys.version_info[:3]))
    sentence = Message(
        DoctorCode.BOARD,
        board=name,
        architecture=board.architecture,
        cores=board.cores,
        system=board.system or "",
        version=version,
    )
    return Finding("board", FindingState.OK, sentence)


def check_memory(board: Board) -> Finding:
    """Judge the free memory."""
    free = board.memory_free_bytes
    if free is None:
        return Finding("memory", FindingState.OK, Message(DoctorCode.MEMORY_UNKNOWN))
    sentence = _memory_sentence(free, default_threads())
    if free < MEMORY_WARNING_BYTES:
        return Finding("memory", FindingState.WARNING, sentence, Message(DoctorCode.MEMORY_DO), free)
    return Finding("memory", FindingState.OK, sentence, value=free)


def _memory_sentence(free: int, threads: int) -> Message:
    """Say how much is free, and what that bounds where it bounds anything."""
    shared = share_memory(threads, free)
    if not shared.is_short or shared.room is None:
        return Message(DoctorCode.MEMORY, free=free / 2**20)
    return Message(
        DoctorCode.MEMORY_WORKERS,
        free=free / 2**20,
        workers=shared.workers,
        threads=threads,
        largest=shared.room / 2 / PIXEL_BYTES / 1e6,
    )


def check_temperature(board: Board) -> Finding:
    """Judge the processor's temperature."""
    degrees = board.temperature_c
    if degrees is None:
        return Finding("temperature", FindingState.OK, Message(DoctorCode.TEMPERATURE_UNKNOWN))
    if degrees >= HOT_C:
        code = DoctorCode.TEMPERATURE_TOO_HOT if degrees >= TOO_HOT_C else DoctorCode.TEMPERATURE_HOT
        sentence = Message(code, degrees=degrees)
        return Finding(
            "temperature", FindingState.WARNING, sentence, Message(DoctorCode.TEMPERATURE_DO), degrees
        )
    return Finding(
        "temperature", FindingState.OK, Message(DoctorCode.TEMPERATURE, degrees=degrees), value=degrees
    )


def check_supply(board: Board) -> Finding:
    """Judge what a Raspberry Pi says of its supply and of throttling."""
    throttling = board.throttling
    if throttling is None:
        known = DoctorCode.SUPPLY_UNKNOWN_PI if board.is_raspberry_pi else DoctorCode.SUPPLY_UNKNOWN
        return Finding("supply", FindingState.OK, Message(known))
    cure = Message(DoctorCode.SUPPLY_DO)
    code = f"0x{throttling.bits:x}"
    if throttling.now:
        return Finding(
            "supply",
            FindingState.WARNING,
            Message(DoctorCode.SUPPLY_NOW, conditions=list(throttling.now)),
            cure,
            code,
        )
    if throttling.since_start:
        sentence = Message(DoctorCode.SUPPLY_BEFORE, conditions=list(throttling.since_start))
        return Finding("supply", FindingState.WARNING, sentence, cure, code)
    return Finding("supply", FindingState.OK, Message(DoctorCode.SUPPLY), value=code)


def check_governor(board: Board) -> Finding:
    """Judge the frequency governor: only the slowest one matters in use."""
    if board.governor == "powersave":
        return Finding(
            "governor",
            FindingState.WARNING,
            Message(DoctorCode.GOVERNOR_SLOW),
            Message(DoctorCode.GOVERNOR_SLOW_DO),
            board.governor,
        )
    if board.governor is None:
        return Finding("governor", FindingState.OK, Message(DoctorCode.GOVERNOR_UNKNOWN))
    return Finding(
        "governor",
        FindingState.OK,
        Message(DoctorCode.GOVERNOR, governor=board.governor),
        value=board.governor,
    )


def check_clock(now: datetime, *, synchronised: bool, hardware_clock: bool) -> Finding:
    """Judge the date; durations are measured on the monotonic clock and need none.

    Args:
        now: what the machine believes.
        synchronised: True where a time server or a GPS set it since the start.
        hardware_clock: True where the board keeps time while it is off.
    """
    text = f"{now:%Y-%m-%d %H:%M} UTC"
    if not FIRST_PLAUSIBLE_YEAR <= now.year <= LAST_PLAUSIBLE_YEAR:
        return Finding(
            "clock",
            FindingState.WARNING,
            Message(DoctorCode.CLOCK_WRONG, time=text),
            Message(DoctorCode.CLOCK_DO),
            text,
        )
    if not synchronised and not hardware_clock:
        return Finding(
            "clock",
            FindingState.WARNING,
            Message(DoctorCode.CLOCK_UNSURE, time=text),
            Message(DoctorCode.CLOCK_UNSURE_DO),
            text,
        )
    return Finding("clock", FindingState.OK, Message(DoctorCode.CLOCK, time=text), value=text)
