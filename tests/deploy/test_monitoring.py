"""Alert rules and dashboard for a district: they name figures that a device gives, and promtool finds no fault."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from deploy.bundle import ROOT

FOLDER = Path(ROOT) / "deploy" / "monitoring"
METRIC = re.compile(r"plasmolite_device_(\w+)")


def test_rules_and_dashboard_name_figures_that_a_device_gives() -> None:
    source = (Path(ROOT) / "edge" / "sending" / "fleet_metrics.py").read_text()
    given = set(re.findall(r'(?:_one|Metric)\(\s*"(\w+)"', source))
    dashboard = (FOLDER / "dashboard.json").read_text()
    assert {panel["id"] for panel in json.loads(dashboard)["panels"]} == set(range(1, 13))
    for text in (dashboard, (FOLDER / "alerts.yaml").read_text()):
        named = set(METRIC.findall(text))
        assert named
        assert named <= given


@pytest.mark.slow
@pytest.mark.parametrize(
    "arguments", [("check", "rules", "alerts.yaml"), ("test", "rules", "alerts_test.yaml")]
)
def test_promtool_finds_no_fault(arguments: tuple[str, ...]) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed (Debian: prometheus)")
    done = subprocess.run([promtool, *arguments], cwd=FOLDER, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
