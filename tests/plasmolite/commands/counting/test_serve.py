"""``plasmolite serve``: what keeps it from starting is named as what it is."""

import socket
from pathlib import Path

import pytest
from click.testing import CliRunner

from plasmolite.console import main

pytest.importorskip("flask", reason="flask is not installed: nothing can be served")


def test_only_the_port_is_blamed_for_an_occupied_port(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as occupied:
        port = occupied.getsockname()[1]
        words = ["serve", "--port", str(port), "--slides", str(tmp_path / "slides.sqlite")]
        ended = CliRunner().invoke(main, words)
    assert ended.exit_code == 2
    assert f"127.0.0.1 port {port} cannot be listened on" in ended.stderr


def test_a_file_that_cannot_be_looked_at_is_named_not_the_port(tmp_path: Path) -> None:
    token = tmp_path / ("n" * 300)  # no system looks up a name that is so long
    ended = CliRunner().invoke(main, ["serve", "--port", "0", "--token-file", str(token)])
    assert ended.exit_code == 2
    assert f"{token}: its name is too long." in ended.stderr
    assert "port" not in ended.stderr
