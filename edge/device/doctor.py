"""Is this device fit to judge slides? One finding a part, each with what to do about it.

Every check takes what it judges, so that a full disk or a wrong clock can be put before it. Only
:func:`examine` looks at the machine itself.
"""

import importlib.util
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from edge.camera.listing import Camera, list_cameras
from edge.device.board import Board, read_board
from edge.errors import ModelFileError, ModelStoreError, PlasmoliteError, RuntimeMissingError
from edge.inference.classifier import Classifier
from edge.inference.model_store import model_in_use
from edge.inference.runtime import find_runtime, installed_runtimes
from edge.inference.self_test import run_self_test, sample_scores
from edge.messages.codes import Code
from edge.messages.message import Message, system_reason

OK, WARNING, FAILURE = "ok", "warning", "failure"

PACKAGES = ("plasmolite", "edge", "train", "convert", "server", "benchmarks")
"""The packages that an installation consists of. Their names are common, so another file may hide one."""

DISK_WARNING_BYTES = 2 * 2**30
"""Below this it is time to export slides, while there is still room for many."""
DISK_FAILURE_BYTES = 200 * 2**20
"""Less than this and the next slide may not fit."""
MEMORY_WARNING_BYTES = 200 * 2**20
"""``classify`` stays under 200 MB; a board with less than this free swaps, and an SD card is slow at it."""
HOT_C, TOO_HOT_C = 75.0, 85.0
"""A Raspberry Pi slows down at 80 °C (soft limit 60 °C on a Pi 3) and hard at 85 °C (its documentation)."""
FIRST_PLAUSIBLE_YEAR, LAST_PLAUSIBLE_YEAR = 2026, 2060
"""The first year of this program; a board without a clock starts in 1970 or where it was switched off."""


class Finding(NamedTuple):
    """What the doctor says of one part.

    Attributes:
        part: such as "runtime" or "disk".
        state: "ok", "warning" (works, but look at it) or "failure" (slides cannot be judged).
        sentence: what was found.
        action: what to do; None where nothing.
        value: the measured figure behind it, where there is one.
    """

    part: str
    state: str
    sentence: Message
    action: Message | None = None
    value: float | str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the finding as JSON values: sentence and action in English, the sentence's code and values."""
        return {
            "part": self.part,
            "state": self.state,
            "sentence": str(self.sentence),
            "action": "" if self.action is None else str(self.action),
            "value": self.value,
            **self.sentence.to_json(),
        }


def examine(*, slides: Path, cameras_needed: bool = False) -> list[Finding]:
    """Look at this machine: all parts, the worst does not stop the rest.

    Args:
        slides: the folder where slides are kept.
        cameras_needed: True where a missing camera is a failure, as on a device that counts live.
    """
    board = read_board()
    clock = datetime.now(UTC)
    return [
        check_board(board),
        check_packages(find_package),
        check_runtime(),
        check_model(model_in_use),
        check_cameras(list_cameras(), needed=cameras_needed),
        *check_disk(slides),
        check_clock(clock, synchronised=_synchronised(), hardware_clock=Path("/dev/rtc0").exists()),
        check_memory(board),
        check_temperature(board),
        check_supply(board),
        check_governor(board),
    ]


def exit_code(findings: Sequence[Finding]) -> int:
    """0 where all is well, 1 where something should be looked at, 2 where slides cannot be judged."""
    states = {finding.state for finding in findings}
    return 2 if FAILURE in states else 1 if WARNING in states else 0


def check_board(board: Board) -> Finding:
    """Name the board; nothing about it can fail."""
    name = board.model or Message(Code.DOCTOR_UNNAMED_BOARD)
    version = ".".join(map(str, sys.version_info[:3]))
    sentence = Message(
        Code.DOCTOR_BOARD,
        board=name,
        architecture=board.architecture,
        cores=board.cores,
        system=board.system or "",
        version=version,
    )
    return Finding("board", OK, sentence)


def check_packages(find: Callable[[str], Path | None]) -> Finding:
    """Compare where Python finds the packages of Plasmolite: all have to come from one folder.

    Args:
        find: returns the file or folder that a package of this name would be imported from, or None.
    """
    home = Path(__file__).resolve().parents[2]
    for name in PACKAGES:
        place = find(name)
        if place is None:
            return Finding(
                "packages",
                FAILURE,
                Message(Code.DOCTOR_PACKAGE_MISSING, package=name, folder=home),
                Message(Code.DOCTOR_PACKAGE_MISSING_DO),
            )
        if place.resolve() != home / name:
            return Finding(
                "packages",
                FAILURE,
                Message(Code.DOCTOR_PACKAGE_HIDDEN, place=place, package=name),
                Message(Code.DOCTOR_PACKAGE_HIDDEN_DO, folder=home),
                str(place),
            )
    return Finding(
        "packages", OK, Message(Code.DOCTOR_PACKAGES, number=len(PACKAGES), folder=home), value=str(home)
    )


def find_package(name: str) -> Path | None:
    """Find the folder of a package, or the file of a module, without importing it; None where there is none."""
    spec = importlib.util.find_spec(name)
    if spec is None:
        return None
    folders = list(spec.submodule_search_locations or ())
    return Path(folders[0]) if folders else Path(spec.origin or name)


def check_runtime() -> Finding:
    """Import the TFLite runtime that would be used."""
    try:
        runtime = find_runtime()
    except RuntimeMissingError as error:
        broken = installed_runtimes()
        if broken:
            return Finding(
                "runtime",
                FAILURE,
                Message(Code.DOCTOR_RUNTIME_BROKEN, runtime=broken[0]),
                Message(Code.DOCTOR_RUNTIME_BROKEN_DO),
            )
        return Finding("runtime", FAILURE, error.message, Message(Code.DOCTOR_RUNTIME_MISSING_DO))
    if runtime.name != "ai-edge-litert":
        return Finding(
            "runtime",
            WARNING,
            Message(Code.DOCTOR_RUNTIME_LEGACY, runtime=runtime.name, version=runtime.version),
            Message(Code.DOCTOR_RUNTIME_LEGACY_DO),
            runtime.version,
        )
    return Finding(
        "runtime",
        OK,
        Message(Code.DOCTOR_RUNTIME, runtime=runtime.name, version=runtime.version),
        value=runtime.version,
    )


def check_model(find: Callable[[], Path]) -> Finding:
    """Verify the model in use and judge the bundled cells with it.

    Args:
        find: names the model file, or raises.
    """
    again = Message(Code.DOCTOR_MODEL_DO)
    try:
        classifier = Classifier.open(find())
        model = classifier.model
        if "self_test" not in model.manifest:
            sample_scores(classifier)
            return Finding(
                "model",
                OK,
                Message(Code.DOCTOR_MODEL_WITHOUT_SCORES, model=model.name, sha256=model.sha256[:12]),
                value=model.sha256,
            )
        result = run_self_test(classifier, model.manifest)
    except (ModelFileError, ModelStoreError) as error:
        return Finding("model", FAILURE, error.message, again)
    except PlasmoliteError as error:
        return Finding("model", FAILURE, Message(Code.DOCTOR_MODEL_NOT_TRIED, reason=error.message), again)
    return Finding(
        "model",
        OK,
        Message(
            Code.DOCTOR_MODEL,
            model=model.name,
            sha256=model.sha256[:12],
            cells=result.cells,
            largest=result.largest,
        ),
        value=model.sha256,
    )


def check_cameras(cameras: Sequence[Camera], *, needed: bool) -> Finding:
    """Judge what cameras there are."""
    usable = [camera for camera in cameras if camera.problem is None]
    if usable:
        names = [f"{camera.source} ({camera.name})" for camera in usable]
        return Finding("camera", OK, Message(Code.DOCTOR_CAMERAS, cameras=names), value=len(usable))
    problems = [camera.problem for camera in cameras if camera.problem is not None]
    if problems:
        return Finding(
            "camera",
            FAILURE if needed else WARNING,
            problems[0],
            Message(Code.DOCTOR_CAMERA_NOT_USABLE_DO),
        )
    return Finding(
        "camera",
        FAILURE if needed else WARNING,
        Message(Code.DOCTOR_NO_CAMERA),
        Message(Code.DOCTOR_NO_CAMERA_DO),
        0,
    )


def check_disk(slides: Path) -> list[Finding]:
    """Look for room and for the right to write where the slides are.

    Args:
        slides: the folder; the nearest one that exists stands for one that is not made yet.
    """
    folder = slides = slides.absolute()
    while not _is_folder(folder) and folder != folder.parent:
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    room = Message(Code.DOCTOR_DISK, free=free / 2**30, folder=slides)
    export = Message(Code.DOCTOR_DISK_DO)
    if free < DISK_FAILURE_BYTES:
        space = Finding(
            "disk", FAILURE, Message(Code.DOCTOR_DISK_FULL, free=free / 2**20, folder=slides), export, free
        )
    elif free < DISK_WARNING_BYTES:
        space = Finding("disk", WARNING, room, export, free)
    else:
        space = Finding("disk", OK, room, value=free)
    return [space, _check_writing(folder)]


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except PermissionError:
        return False  # behind a folder that this user may not enter


def _check_writing(folder: Path) -> Finding:
    try:
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".plasmolite-doctor-") as file:
            file.write(b"written")
            file.flush()
            os.fsync(file.fileno())
    except PermissionError:
        return Finding(
            "writing",
            FAILURE,
            Message(Code.DOCTOR_WRITING_NOT_ALLOWED, folder=folder),
            Message(Code.DOCTOR_WRITING_NOT_ALLOWED_DO),
        )
    except OSError as error:
        return Finding(
            "writing",
            FAILURE,
            Message(Code.DOCTOR_WRITING_FAILED, folder=folder, reason=system_reason(error)),
            Message(Code.DOCTOR_WRITING_FAILED_DO),
        )
    return Finding("writing", OK, Message(Code.DOCTOR_WRITING, folder=folder))


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
            "clock", WARNING, Message(Code.DOCTOR_CLOCK_WRONG, time=text), Message(Code.DOCTOR_CLOCK_DO), text
        )
    if not synchronised and not hardware_clock:
        return Finding(
            "clock",
            WARNING,
            Message(Code.DOCTOR_CLOCK_UNSURE, time=text),
            Message(Code.DOCTOR_CLOCK_UNSURE_DO),
            text,
        )
    return Finding("clock", OK, Message(Code.DOCTOR_CLOCK, time=text), value=text)


def check_memory(board: Board) -> Finding:
    """Judge the free memory."""
    free = board.memory_free_bytes
    if free is None:
        return Finding("memory", OK, Message(Code.DOCTOR_MEMORY_UNKNOWN))
    sentence = Message(Code.DOCTOR_MEMORY, free=free / 2**20)
    if free < MEMORY_WARNING_BYTES:
        return Finding("memory", WARNING, sentence, Message(Code.DOCTOR_MEMORY_DO), free)
    return Finding("memory", OK, sentence, value=free)


def check_temperature(board: Board) -> Finding:
    """Judge the processor's temperature."""
    degrees = board.temperature_c
    if degrees is None:
        return Finding("temperature", OK, Message(Code.DOCTOR_TEMPERATURE_UNKNOWN))
    if degrees >= HOT_C:
        code = Code.DOCTOR_TEMPERATURE_TOO_HOT if degrees >= TOO_HOT_C else Code.DOCTOR_TEMPERATURE_HOT
        sentence = Message(code, degrees=degrees)
        return Finding("temperature", WARNING, sentence, Message(Code.DOCTOR_TEMPERATURE_DO), degrees)
    return Finding("temperature", OK, Message(Code.DOCTOR_TEMPERATURE, degrees=degrees), value=degrees)


def check_supply(board: Board) -> Finding:
    """Judge what a Raspberry Pi says of its supply and of throttling."""
    throttling = board.throttling
    if throttling is None:
        known = Code.DOCTOR_SUPPLY_UNKNOWN_PI if board.is_raspberry_pi else Code.DOCTOR_SUPPLY_UNKNOWN
        return Finding("supply", OK, Message(known))
    cure = Message(Code.DOCTOR_SUPPLY_DO)
    code = f"0x{throttling.bits:x}"
    if throttling.now:
        return Finding(
            "supply", WARNING, Message(Code.DOCTOR_SUPPLY_NOW, conditions=list(throttling.now)), cure, code
        )
    if throttling.since_start:
        sentence = Message(Code.DOCTOR_SUPPLY_BEFORE, conditions=list(throttling.since_start))
        return Finding("supply", WARNING, sentence, cure, code)
    return Finding("supply", OK, Message(Code.DOCTOR_SUPPLY), value=code)


def check_governor(board: Board) -> Finding:
    """Judge the frequency governor: only the slowest one matters in use."""
    if board.governor == "powersave":
        return Finding(
            "governor",
            WARNING,
            Message(Code.DOCTOR_GOVERNOR_SLOW),
            Message(Code.DOCTOR_GOVERNOR_SLOW_DO),
            board.governor,
        )
    if board.governor is None:
        return Finding("governor", OK, Message(Code.DOCTOR_GOVERNOR_UNKNOWN))
    return Finding(
        "governor", OK, Message(Code.DOCTOR_GOVERNOR, governor=board.governor), value=board.governor
    )


def _synchronised() -> bool:
    """systemd-timesyncd leaves this file when a server has set the clock since the start."""
    return Path("/run/systemd/timesync/synchronized").exists()
