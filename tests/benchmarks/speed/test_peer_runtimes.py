"""Other runtimes: whatever cannot run is named, and none ends the benchmark."""

import re
import tomllib
from pathlib import Path

import pytest

from benchmarks.speed.peer_runtimes import FLOAT, PEERS, Peer, PeerUnavailableError, Source, open_peer


def test_a_peer_that_is_not_installed_or_fails_is_named(tmp_path: Path) -> None:
    source = Source("standard", 96, b"", None, None, tmp_path)

    def fail(_: Source, __: int, ___: int) -> None:
        raise ValueError("no such operator")

    missing = Peer("Absent runtime", FLOAT, ("a_module_that_is_not",), fail)  # type: ignore[arg-type]
    with pytest.raises(PeerUnavailableError, match=r"a_module_that_is_not.*pip install -e .*\[peers\]"):
        open_peer(missing, source, 1, 1)
    failing = Peer("Failing runtime", FLOAT, (), fail)  # type: ignore[arg-type]
    with pytest.raises(PeerUnavailableError, match="no such operator"):
        open_peer(failing, source, 1, 1)


def test_the_extra_peers_brings_whatever_a_peer_imports() -> None:
    project = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text("utf-8"))["project"]
    packages = {re.split("[<>=]", package)[0] for package in project["optional-dependencies"]["peers"]}
    assert {module for peer in PEERS for module in peer.needs} <= packages
