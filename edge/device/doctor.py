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
from typing import NamedTuple

from edge.camera.listing import Camera, list_cameras
from edge.device.board import Board, read_board
from edge.errors import ModelFileError, ModelStoreError, PlasmoliteError, RuntimeMissingError
from edge.inference.classifier import Classifier
from edge.inference.model_store import model_in_use
from edge.inference.runtime import find_runtime, installed_runtimes
from edge.inference.self_test import run_self_test, sample_scores

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
        action: what to do, as a sentence; empty where nothing.
        value: the measured figure behind it, where there is one.
    """

    part: str
    state: str
    sentence: str
    action: str = ""
    value: float | str | None = None


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
    name = board.model or "a machine that does not name itself"
    version = ".".join(map(str, sys.version_info[:3]))
    return Finding(
        "board", OK, f"{name}, {board.architecture}, {board.cores} cores, {board.system}, Python {version}."
    )


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
                "packages", FAILURE, f"The package {name} is not in {home}.", "Install Plasmolite again."
            )
        if place.resolve() != home / name:
            return Finding(
                "packages",
                FAILURE,
                f"{place} hides the package {name} of Plasmolite.",
                f"Rename it, or take its folder out of PYTHONPATH. Plasmolite is in {home}.",
                str(place),
            )
    return Finding("packages", OK, f"All {len(PACKAGES)} are in {home}.", value=str(home))


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
                f"{broken[0]} is installed but cannot be imported: it does not fit this Python or numpy.",
                "Install again with install.sh, or: pip install --force-reinstall 'plasmolite[edge]'.",
            )
        return Finding("runtime", FAILURE, str(error), "Run install.sh of the bundle for this board again.")
    if runtime.name != "ai-edge-litert":
        return Finding(
            "runtime",
            WARNING,
            f"{runtime.name} {runtime.version}: a legacy runtime, many times slower with int8 models on PCs.",
            "On a 64-bit system install ai-edge-litert: pip install 'plasmolite[edge]'.",
            runtime.version,
        )
    return Finding("runtime", OK, f"{runtime.name} {runtime.version}.", value=runtime.version)


def check_model(find: Callable[[], Path]) -> Finding:
    """Verify the model in use and judge the bundled cells with it.

    Args:
        find: names the model file, or raises.
    """
    again = "Install the package or the model again; plasmolite model rollback goes back to the one before."
    try:
        classifier = Classifier.open(find())
        model = classifier.model
        if "self_test" not in model.manifest:
            sample_scores(classifier)
            return Finding(
                "model",
                OK,
                f"{model.name} ({model.sha256[:12]}) is whole and judges; it states no scores to compare.",
                value=model.sha256,
            )
        result = run_self_test(classifier, model.manifest)
    except (ModelFileError, ModelStoreError) as error:
        return Finding("model", FAILURE, str(error), again)
    except PlasmoliteError as error:
        return Finding("model", FAILURE, f"The model could not be tried: {error}", again)
    return Finding(
        "model",
        OK,
        f"{model.name} ({model.sha256[:12]}) scores {result.cells} bundled cells as at release, "
        f"within {result.largest:.4f}.",
        value=model.sha256,
    )


def check_cameras(cameras: Sequence[Camera], *, needed: bool) -> Finding:
    """Judge what cameras there are."""
    usable = [camera for camera in cameras if camera.problem is None]
    if usable:
        names = ", ".join(f"{camera.source} ({camera.name})" for camera in usable)
        return Finding("camera", OK, f"{names}.", value=len(usable))
    if cameras:
        return Finding(
            "camera",
            FAILURE if needed else WARNING,
            str(cameras[0].problem),
            "Add the user to the group: sudo usermod -aG video USER, then log in again.",
        )
    return Finding(
        "camera",
        FAILURE if needed else WARNING,
        "There is no camera.",
        "Plug in a USB camera; for a CSI camera check its ribbon and: sudo apt install python3-picamera2. "
        "Pictures from files can be judged without one.",
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
    room = f"{free / 2**30:.1f} GB free for slides in {slides}."
    export = "Export old slides to a USB stick, then delete them: plasmolite slides export, slides delete."
    if free < DISK_FAILURE_BYTES:
        space = Finding("disk", FAILURE, f"Only {free / 2**20:.0f} MB free in {slides}.", export, free)
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
            f"{folder} is not this user's: nothing can be written there.",
            "Where the service keeps its slides, ask as its user: sudo -u plasmolite plasmolite doctor. "
            "Otherwise give this user the right to write there.",
        )
    except OSError as error:
        return Finding(
            "writing",
            FAILURE,
            f"{folder} cannot be written to: {error.strerror}.",
            "A worn SD card turns read-only: copy its slides away and replace it.",
        )
    return Finding("writing", OK, f"{folder} takes and keeps what is written.")


def check_clock(now: datetime, *, synchronised: bool, hardware_clock: bool) -> Finding:
    """Judge the date; durations are measured on the monotonic clock and need none.

    Args:
        now: what the machine believes.
        synchronised: True where a time server or a GPS set it since the start.
        hardware_clock: True where the board keeps time while it is off.
    """
    text = f"{now:%Y-%m-%d %H:%M} UTC"
    setting = "Set it: sudo date -s 'YYYY-MM-DD HH:MM'. A battery clock (RTC module) keeps it."
    if not FIRST_PLAUSIBLE_YEAR <= now.year <= LAST_PLAUSIBLE_YEAR:
        return Finding(
            "clock", WARNING, f"The date cannot be right: {text}. Slides would carry it.", setting, text
        )
    if not synchronised and not hardware_clock:
        return Finding(
            "clock",
            WARNING,
            f"It is {text} as far as this board knows: it has no battery clock and no network time, so it "
            "goes on from where it was switched off.",
            f"Compare with a watch. {setting}",
            text,
        )
    return Finding("clock", OK, f"{text}.", value=text)


def check_memory(board: Board) -> Finding:
    """Judge the free memory."""
    free = board.memory_free_bytes
    if free is None:
        return Finding("memory", OK, "This machine does not tell its free memory.")
    sentence = f"{free / 2**20:.0f} MB free."
    if free < MEMORY_WARNING_BYTES:
        return Finding(
            "memory", WARNING, sentence, "Close other programs; on a Zero 2 W run without a desktop.", free
        )
    return Finding("memory", OK, sentence, value=free)


def check_temperature(board: Board) -> Finding:
    """Judge the processor's temperature."""
    degrees = board.temperature_c
    if degrees is None:
        return Finding("temperature", OK, "This machine does not tell its temperature.")
    if degrees >= HOT_C:
        sentence = (
            f"{degrees:.0f} °C: the processor {'has slowed' if degrees >= TOO_HOT_C else 'soon slows'} down."
        )
        return Finding(
            "temperature", WARNING, sentence, "Give it a heat sink, a fan, or air round its case.", degrees
        )
    return Finding("temperature", OK, f"{degrees:.0f} °C.", value=degrees)


def check_supply(board: Board) -> Finding:
    """Judge what a Raspberry Pi says of its supply and of throttling."""
    throttling = board.throttling
    if throttling is None:
        said = (
            "This Raspberry Pi does not" if board.is_raspberry_pi else "This is no Raspberry Pi and does not"
        )
        return Finding("supply", OK, f"{said} tell whether it is throttled.")
    cure = "Use the supply made for this board and a short cable; cool the board."
    code = f"0x{throttling.bits:x}"
    if throttling.now:
        return Finding("supply", WARNING, f"Now {', and '.join(throttling.now)}.", cure, code)
    if throttling.since_start:
        sentence = (
            f"Well now, but since the start there was a time when {', and '.join(throttling.since_start)}."
        )
        return Finding("supply", WARNING, sentence, cure, code)
    return Finding("supply", OK, "Never too weak and never throttled since the start.", value=code)


def check_governor(board: Board) -> Finding:
    """Judge the frequency governor: only the slowest one matters in use."""
    if board.governor == "powersave":
        return Finding(
            "governor",
            WARNING,
            "The processor is held at its lowest clock (governor powersave).",
            "Set it: echo ondemand | sudo tee /sys/devices/system/cpu/cpu*/cpufreq/scaling_governor",
            board.governor,
        )
    return Finding("governor", OK, f"{board.governor or 'none told'}.", value=board.governor)


def _synchronised() -> bool:
    """systemd-timesyncd leaves this file when a server has set the clock since the start."""
    return Path("/run/systemd/timesync/synchronized").exists()
