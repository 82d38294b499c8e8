"""The TFLite runtime on a device whose disks take no more."""

from pathlib import Path

import pytest

from edge.inference import runtime


class Interpreter:
    """Counts how often it is allocated."""

    allocated = 0

    def allocate_tensors(self) -> None:
        """Do what the runtime does."""
        self.allocated += 1


@pytest.mark.parametrize("fault", [FileNotFoundError, PermissionError])
def test_a_full_or_read_only_disk_keeps_no_network_from_judging(
    fault: type[OSError], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> Path:
        raise fault("no usable temporary directory")

    monkeypatch.setattr(runtime.tempfile, "TemporaryFile", refuse)
    monkeypatch.setattr(runtime, "_ALLOCATED", runtime.threading.Event())
    interpreter = Interpreter()
    runtime.allocate(interpreter)
    assert interpreter.allocated == 1
