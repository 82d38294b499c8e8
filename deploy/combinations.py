"""Runs the tests of ``edge``, and compares verdicts, under combinations of Python, runtime, numpy and OpenCV.

::

    python -m deploy.combinations tests                          # do the tests pass under each?
    python -m deploy.combinations agreement --folder CELLS       # do the verdicts agree, over pictures of cells?

Each combination gets a virtual environment of its own, made when it is first needed and kept. A Python that this
machine lacks (as ``python3.11``, ``python3.13`` on the path) is named and left out. ``--write FILE`` puts the table
into a document, between the lines ``<!-- tests -->`` or ``<!-- agreement -->`` and the same with a slash.
"""

import argparse
import os
import re
import shutil
import subprocess  # pip, pytest and this package's own modules, with arguments of this file
import sys
import tempfile
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from deploy.bundle import ROOT
from deploy.edge_tests import TEST_TOOLS, edge_tests

_VERSIONS = ("numpy", "opencv-python-headless", "ai-edge-litert", "tflite-runtime", "tensorflow")


class Combination(NamedTuple):
    """One way to install the device's part.

    Attributes:
        python: such as "3.11".
        extra: of pyproject.toml: "edge" or "edge-tflite".
        runtime: the distribution that must judge there.
        lowest: take the lowest release of each library that pyproject.toml allows, not the newest.
    """

    python: str
    extra: str
    runtime: str
    lowest: bool = False

    @property
    def name(self) -> str:
        """Such as ``edge-3.11-lowest``: the folder of its environment."""
        return f"{self.extra}-{self.python}{'-lowest' if self.lowest else ''}"


COMBINATIONS = (
    Combination("3.11", "edge", "ai-edge-litert"),
    Combination("3.13", "edge", "ai-edge-litert"),
    Combination("3.11", "edge", "ai-edge-litert", lowest=True),
    Combination("3.11", "edge-tflite", "tflite-runtime"),
    Combination("3.11", "edge-tflite", "tflite-runtime", lowest=True),
)
"""Raspberry Pi OS 12 has Python 3.11, 13 has 3.13."""


class Outcome(NamedTuple):
    """What pytest said under one combination."""

    combination: Combination
    versions: dict[str, str]
    passed: bool
    said: str


class CombinationError(Exception):
    """A combination cannot be installed, or its cells cannot be scored."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the tests or compare the verdicts; return 0 where all is as it should be, 1 where not."""
    options = _parser().parse_args(arguments)
    environments = options.environments.resolve()
    ready: list[tuple[Combination, Path]] = []
    for combination in COMBINATIONS:
        interpreter = find_python(combination.python)
        if interpreter is None:
            _tell(f"{combination.name}: python{combination.python} is not here; left out.")
            continue
        try:
            ready.append((combination, make_environment(combination, interpreter, environments)))
        except CombinationError as error:
            _tell(f"{combination.name}: {error}")
            return 1
    if options.step == "tests":
        outcomes = [run_tests(combination, python) for combination, python in ready]
        found, fine = outcomes_table(outcomes), all(outcome.passed for outcome in outcomes)
    else:
        try:
            found, fine = compare_verdicts(ready, options)
        except CombinationError as error:
            _tell(str(error))
            return 1
    print(found)  # noqa: T201 - a script's own output
    if options.write:
        text = options.write.read_text(encoding="utf-8")
        options.write.write_text(replace_between(text, options.step, found), encoding="utf-8")
    return int(not fine)


def find_python(version: str) -> str | None:
    """Find ``pythonX.Y`` on the path; a shim that starts nothing does not count."""
    path = shutil.which(f"python{version}")
    if path is None:
        return None
    done = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)  # noqa: S603 - ours
    return path if done.returncode == 0 else None


def wanted(combination: Combination) -> list[str]:
    """Name what a combination installs: the project's requirements, and the tools of the tests."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    libraries = extras[combination.extra]
    if combination.lowest:
        libraries = [lowest(library) for library in libraries]
    return [*project["dependencies"], *libraries, *extras["signing"], *TEST_TOOLS]


def lowest(requirement: str) -> str:
    """Turn ``name>=1.2`` into ``name==1.2.*``: the oldest series that the requirement allows."""
    return re.sub(r">=\s*([0-9.]+)", r"==\1.*", requirement)


def make_environment(combination: Combination, interpreter: str, folder: Path) -> Path:
    """Make a virtual environment with a combination's libraries, where it is not there yet.

    Returns:
        The environment's Python.

    Raises:
        CombinationError: something cannot be installed.
    """
    place = folder / combination.name
    python, complete = place / "bin" / "python", place / "complete"
    packages = wanted(combination)
    if complete.is_file() and complete.read_text() == "\n".join(packages):
        return python
    _tell(f"{combination.name}: installing ...")
    shutil.rmtree(place, ignore_errors=True)
    _run([interpreter, "-m", "venv", str(place)], "no environment can be made")
    # Python compiles what the tests import, which is a small part of it all.
    options = ["--quiet", "--disable-pip-version-check", "--no-compile"]
    _run([str(python), "-m", "pip", "install", *options, *packages], "the libraries cannot be installed")
    complete.write_text("\n".join(packages))
    return python


def run_tests(combination: Combination, python: Path) -> Outcome:
    """Run the tests of ``edge`` in an environment, and see that it is its own runtime that judges there."""
    _tell(f"{combination.name}: testing ...")
    asked = "from edge.inference.runtime import find_runtime; print(find_runtime().name)"
    judges = _capture([str(python), "-c", asked]).stdout.strip()
    tests = [str(path.relative_to(ROOT)) for path in edge_tests()]
    done = _capture([str(python), "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests])
    lines = done.stdout.strip().splitlines()
    said = re.sub(r"^=+ | in [0-9.]+s.*$", "", lines[-1]) if lines else done.stderr.strip()
    if done.returncode:
        _tell("\n".join(line for line in lines if line.startswith(("FAILED", "ERROR"))) or done.stderr)
    if judges != combination.runtime:
        said = f"{judges or 'no runtime'} judged instead; {said}"
    passed = done.returncode == 0 and judges == combination.runtime
    return Outcome(combination, versions(python), passed, said)


def versions(python: Path) -> dict[str, str]:
    """Ask an environment for the versions of what matters in it."""
    listing = _capture(
        [str(python), "-m", "pip", "--disable-pip-version-check", "list", "--format=freeze"]
    ).stdout
    installed = dict(line.split("==", 1) for line in listing.splitlines() if "==" in line)
    exact = _capture([str(python), "-c", "import platform; print(platform.python_version())"]).stdout.strip()
    return {"python": exact, **{name: installed[name] for name in _VERSIONS if name in installed}}


def outcomes_table(outcomes: Sequence[Outcome]) -> str:
    """Write the outcomes as a Markdown table."""
    lines = ["| Python | runtime | numpy | OpenCV | extra | tests of `edge` |", "|---|---|---|---|---|---|"]
    for outcome in outcomes:
        runtime, found = outcome.combination.runtime, outcome.versions
        extra = outcome.combination.extra + (", lowest releases" if outcome.combination.lowest else "")
        lines.append(
            f"| {found['python']} | {runtime} {found.get(runtime, '?')} | {found.get('numpy', '?')} | "
            f"{found.get('opencv-python-headless', '?')} | {extra} | "
            f"{'' if outcome.passed else '**failed:** '}{outcome.said} |"
        )
    return "\n".join(lines)


def compare_verdicts(
    ready: Sequence[tuple[Combination, Path]], options: argparse.Namespace
) -> tuple[str, bool]:
    """Score the same cells under each combination and compare them with the first.

    Returns:
        The table, and whether every runtime keeps within the bound.

    Raises:
        CombinationError: cells cannot be scored under one of them.
    """
    judges = [(combination.name, str(python), combination.runtime) for combination, python in ready]
    if options.tensorflow:
        judges.append(("tensorflow", str(options.tensorflow), "tensorflow"))
    with tempfile.TemporaryDirectory() as scratch:
        files = []
        for name, python, runtime in judges:
            _tell(f"{name}: scoring {options.cells} cells ...")
            files.append(str(Path(scratch) / f"{name}.json"))
            cells = ["--cells", str(options.cells)]
            if options.folder:
                cells += ["--folder", str(options.folder.resolve())]
            module = [python, "-m", "deploy.proof.runtime_agreement"]
            _run(
                [*module, "score", "--runtime", runtime, *cells, "--out", files[-1]], f"{name} scores nothing"
            )
        done = _capture([judges[0][1], "-m", "deploy.proof.runtime_agreement", "compare", *files])
    if not done.stdout:
        raise CombinationError(done.stderr)
    return done.stdout.strip(), done.returncode == 0


def replace_between(text: str, name: str, found: str) -> str:
    """Put a table into a document, between its two comment lines.

    Raises:
        ValueError: the document has no such lines.
    """
    begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    before, opened, rest = text.partition(begin)
    _, closed, after = rest.partition(end)
    if not opened or not closed:
        raise ValueError(f"The document has no lines {begin} and {end} to put the table between.")
    return f"{before}{begin}\n\n{found}\n\n{end}{after}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    steps = parser.add_subparsers(required=True, dest="step")
    testing = steps.add_parser("tests", help="run the tests of edge under each combination")
    agreeing = steps.add_parser("agreement", help="compare the verdicts under each combination")
    agreeing.add_argument("--cells", type=int, default=3000)
    agreeing.add_argument("--folder", type=Path, help="pictures of cells, instead of drawn ones")
    agreeing.add_argument("--tensorflow", type=Path, help="a Python that has TensorFlow, to compare it too")
    for step in (testing, agreeing):
        step.add_argument("--environments", type=Path, default=ROOT / "build" / "combinations")
        step.add_argument("--write", type=Path, help="a document that holds the table")
    return parser


def _capture(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    # One thread each, as a device's other work leaves it; and the source tree's own modules.
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    return subprocess.run(  # noqa: S603 - this file's own commands
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )


def _run(command: Sequence[str], failing: str) -> None:
    done = _capture(command)
    if done.returncode:
        raise CombinationError(f"{failing}: {done.stderr.strip()[-2000:]}")


def _tell(text: str) -> None:
    print(text, file=sys.stderr)  # noqa: T201 - a script's own output


if __name__ == "__main__":
    sys.exit(main())
