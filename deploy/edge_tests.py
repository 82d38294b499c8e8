"""Which tests a device's installation can run: those of ``edge``, with nothing that only a PC has.

::

    python -m deploy.edge_tests                                        # their paths, one a line
    python -m deploy.edge_tests --wheels FOLDER --platform aarch64-cp311  # the tools that they need, for that platform
"""

import argparse
import ast
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from deploy.bundle import PLATFORMS, ROOT, download

TEST_TOOLS = ("pytest", "hypothesis")
_DEVICE_HAS = {"click", "cryptography", "cv2", "edge", "numpy", "plasmolite", "rich", *TEST_TOOLS}
_FOLLOWED = ("benchmarks", "deploy", "tests")
"""Packages of the source tree that a test may import, as long as they in turn import what a device has."""


def main(arguments: Sequence[str] | None = None) -> int:
    """List the tests, or fetch the tools; return the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--wheels", type=Path, help="fetch the tools' wheels into this folder")
    parser.add_argument("--platform", choices=sorted(PLATFORMS), help="of the device")
    options = parser.parse_args(arguments)
    if options.wheels:
        if not options.platform:
            parser.error("--wheels needs --platform: for which device?")
        download(PLATFORMS[options.platform], options.wheels, TEST_TOOLS)
        return 0
    for path in edge_tests():
        print(path.relative_to(ROOT))  # noqa: T201 - a script's own output
    return 0


def edge_tests() -> list[Path]:
    """Paths of the test files that import ``edge`` and nothing that a device lacks."""
    return [path for path in sorted((ROOT / "tests").rglob("test_*.py")) if _is_of_edge(path)]


def _is_of_edge(path: Path) -> bool:
    # A benchmark's test may need a schema of TFLite, which only the newer runtime brings.
    of_edge = any(name.startswith("edge.") for name in _imports(path)) and "benchmarks" not in path.name
    return of_edge and _needs(path) <= _DEVICE_HAS


@cache
def _needs(path: Path) -> frozenset[str]:
    """Name the packages that a file imports, through the source tree's own files as well."""
    needed: set[str] = set()
    for name in _imports(path):
        package = name.partition(".")[0]
        if package in _FOLLOWED:
            needed |= _needs(_file_of(name))
        elif package not in sys.stdlib_module_names:
            needed.add(package)
    return frozenset(needed)


def _imports(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def _file_of(module: str) -> Path:
    """Find the file of ``package.module`` or ``package.module.name``."""
    parts = module.split(".")
    while not (path := ROOT.joinpath(*parts).with_suffix(".py")).is_file():
        parts.pop()
        if not parts:
            raise FileNotFoundError(f"{module} is imported by a test and is not in the source tree.")
    return path


if __name__ == "__main__":
    sys.exit(main())
