"""systemd is played by a real datagram socket."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.device.systemd import Watchdog, notify, watchdog_seconds


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[tuple[socket.socket, dict[str, str]]]:
    address = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(address)
        receiver.settimeout(5)
        yield receiver, {"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "300000"}


def waiting(receiver: socket.socket) -> list[str]:
    receiver.setblocking(False)
    messages = []
    while True:
        try:
            messages.append(receiver.recv(4096).decode())
        except BlockingIOError:
            return messages


def test_a_healthy_pipeline_is_ready_then_pings_then_stops(
    manager: tuple[socket.socket, dict[str, str]],
) -> None:
    receiver, environ = manager
    with Watchdog(lambda: None, environ):
        messages = [receiver.recv(4096).decode() for _ in range(4)]
    assert messages == ["READY=1", "WATCHDOG=1", "STATUS=Healthy.", "WATCHDOG=1"]
    assert waiting(receiver)[-1] == "STOPPING=1"


def test_a_pipeline_with_a_fault_is_not_kept_alive_and_its_fault_is_told_once(
    manager: tuple[socket.socket, dict[str, str]],
) -> None:
    receiver, environ = manager
    watchdog = Watchdog(lambda: "The camera sends nothing.", environ)
    assert watchdog.check() == "The camera sends nothing."
    watchdog.check()
    assert waiting(receiver) == ["STATUS=The camera sends nothing."]


def test_a_health_check_that_raises_counts_as_a_fault(
    manager: tuple[socket.socket, dict[str, str]],
) -> None:
    receiver, environ = manager

    def broken() -> str | None:
        raise RuntimeError("gone")

    assert Watchdog(broken, environ).check() == "The health check failed: gone."
    assert "WATCHDOG=1" not in waiting(receiver)


def test_an_abstract_socket_is_reached() -> None:
    name = f"plasmolite-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind("\0" + name)
        receiver.settimeout(5)
        assert notify("READY=1", {"NOTIFY_SOCKET": "@" + name})
        assert receiver.recv(64) == b"READY=1"


def test_without_a_manager_nothing_is_sent() -> None:
    assert not notify("READY=1", {})


def test_a_manager_that_went_away_is_no_error(tmp_path: Path) -> None:
    assert not notify("READY=1", {"NOTIFY_SOCKET": str(tmp_path / "gone")})


def test_the_limit_is_read_in_seconds() -> None:
    assert watchdog_seconds({"WATCHDOG_USEC": "30000000"}) == 30


def test_a_limit_meant_for_another_process_is_not_ours() -> None:
    assert watchdog_seconds({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}) is None
