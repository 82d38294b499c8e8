"""The tests of `edge`, and its verdicts, under each Python, runtime, numpy and OpenCV that devices have.

    nox                                                   # do the tests pass under each?
    nox --session agreement -- --folder CELLS             # do the verdicts agree, over pictures of cells?

Raspberry Pi OS 12 has Python 3.11, 13 has 3.13. A Python that this machine lacks is named and left out.
"""

from pathlib import Path

import nox

nox.needs_version = ">=2024.10"
nox.options.sessions = ["edge"]
nox.options.default_venv_backend = "uv"
nox.options.reuse_existing_virtualenvs = True
nox.options.error_on_missing_interpreters = False

COMBINATIONS = nox.parametrize(
    ["python", "extra", "resolution", "runtime"],
    [
        ("3.11", "edge", "highest", "ai-edge-litert"),
        ("3.13", "edge", "highest", "ai-edge-litert"),
        ("3.11", "edge", "lowest-direct", "ai-edge-litert"),
        ("3.11", "edge-tflite", "highest", "tflite-runtime"),
        ("3.11", "edge-tflite", "lowest-direct", "tflite-runtime"),
    ],
    ids=["3.11", "3.13", "3.11-lowest", "3.11-tflite", "3.11-tflite-lowest"],
)
TEST_TOOLS = nox.project.load_toml("pyproject.toml")["dependency-groups"]["device-tests"]
SCORES = Path("out/agreement")


@nox.session
@COMBINATIONS
def edge(session: nox.Session, extra: str, resolution: str, runtime: str) -> None:
    """Run the tests of `edge` with nothing but what a device has."""
    install(session, extra, resolution, runtime)
    session.run("python", "-m", "pytest", "-p", "no:cacheprovider", *(session.posargs or ["tests/edge"]))


@nox.session
@COMBINATIONS
def agreement(session: nox.Session, extra: str, resolution: str, runtime: str) -> None:
    """Score the same cells under each combination, and compare with those scored before."""
    install(session, extra, resolution, runtime)
    SCORES.mkdir(parents=True, exist_ok=True)
    scores = SCORES / f"{session.name}.json"
    module = ["python", "-m", "deploy.proof.runtime_agreement"]
    session.run(*module, "score", "--runtime", runtime, "--out", str(scores), *session.posargs)
    first, *others = sorted(SCORES.glob("*.json"), key=lambda path: path.stat().st_mtime)
    if others:
        session.run(*module, "compare", str(first), *map(str, others))


def install(session: nox.Session, extra: str, resolution: str, runtime: str) -> None:
    """Install what the project requires and the tools of the tests; the code is that of the source tree."""
    requirements = ["--requirement=pyproject.toml", f"--extra={extra}", "--extra=signing"]
    session.install(f"--resolution={resolution}", *requirements)
    # Apart, since of the tools the newest releases are wanted in any case.
    session.install(*TEST_TOOLS)
    session.env["OMP_NUM_THREADS"] = "1"  # as a device's other work leaves it
    session.run("uv", "pip", "list", silent=False)
    found = "from edge.inference.runtime import find_runtime; print(find_runtime().name)"
    judges = str(session.run("python", "-c", found, silent=True)).strip().splitlines()[-1]
    if judges != runtime:
        session.error(f"{judges} judges here instead of {runtime}")
