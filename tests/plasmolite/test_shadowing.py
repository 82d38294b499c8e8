"""A user's own `train.py` or `edge.py` in the current folder is not run in place of Plasmolite's packages."""

import json
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow  # builds a wheel and two environments

_ROOT = Path(__file__).parents[2]
_SAMPLE = "edge/samples/cells/cell_01.png"
_PACKAGES = ("plasmolite", "edge", "train", "convert", "server", "benchmarks", "archive")


@pytest.fixture(scope="session")
def files() -> list[str]:
    """The files of this checkout, those that git ignores left out."""
    if shutil.which("git") is None or not (_ROOT / ".git").exists():
        pytest.skip("this is no git checkout, so what belongs into the wheel is not known")
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=_ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [name for name in listed.stdout.split("\0") if name and (_ROOT / name).exists()]


@pytest.fixture(scope="session")
def tree(files: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """These files, copied, so that no build leaves anything in the checkout."""
    copy = tmp_path_factory.mktemp("tree") / "plasmolite"
    for name in files:
        target = copy / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(_ROOT / name, target)
    return copy


@pytest.fixture(scope="session")
def wheel(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    _pip("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", folder, tree)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="session", params=["wheel", "editable"])
def python(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment that has Plasmolite and shares all other packages of this one."""
    folder = tmp_path_factory.mktemp(request.param)
    venv.create(folder, with_pip=False)
    own = folder / "bin" / "python"
    site = Path(sysconfig.get_path("purelib", vars={"base": str(folder)}))
    # Folders named in a .pth file are searched, and .pth files in them (an editable Plasmolite) are not read.
    shared = [path for path in sys.path if path.endswith(("site-packages", "dist-packages"))]
    (site / "shared.pth").write_text("\n".join(shared) + "\n", "utf-8")
    what = (
        [request.getfixturevalue("wheel")]
        if request.param == "wheel"
        else ["--no-build-isolation", "--editable", request.getfixturevalue("tree")]
    )
    _pip("--python", own, "install", "--no-deps", *what)
    return own


@pytest.fixture
def decoys(tmp_path: Path) -> Path:
    """A folder of somebody's own files, named as our packages are."""
    for name in _PACKAGES[1:]:
        (tmp_path / f"{name}.py").write_text(f"raise SystemExit('the decoy {name}.py was run')\n", "utf-8")
    return tmp_path


def _pip(*arguments: object) -> None:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def run(python: Path, folder: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [str(python), *map(str, arguments)]
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False, env={"PATH": "/usr/bin:/bin"}
    )


def test_the_module_runs_beside_files_of_our_names(python: Path, decoys: Path) -> None:
    judged = run(python, decoys, "-m", "plasmolite", "classify", "--json", _ROOT / _SAMPLE)
    assert judged.returncode == 0, judged.stderr
    assert json.loads(judged.stdout)["label"] == "Parasitized"
    for command in ("train", "convert", "serve", "bench", "doctor"):
        helped = run(python, decoys, "-m", "plasmolite", command, "--help")
        assert (helped.returncode, helped.stderr) == (0, "")
        assert helped.stdout.startswith(f"Usage: plasmolite {command}")


def test_a_program_beside_an_edge_of_its_own_is_told_which_file_it_is(python: Path, decoys: Path) -> None:
    program = decoys / "count.py"
    program.write_text("import plasmolite\nplasmolite.open_model()\n", "utf-8")
    done = run(python, decoys, program)
    assert done.returncode == 1
    assert f"ImportError: {decoys / 'edge.py'} hides the package edge of Plasmolite" in done.stderr


def test_the_doctor_names_the_file_that_hides_a_package(python: Path, decoys: Path) -> None:
    (decoys / "edge.py").unlink()
    program = (
        "from edge.device.doctor import check_packages, find_package\n"
        "found = check_packages(find_package)\nprint(found.state, found.sentence)"
    )
    done = run(python, decoys, "-c", program)
    assert done.returncode == 0, done.stderr
    assert f"{decoys / 'train.py'} hides the package train of Plasmolite." in done.stdout
    beside = run(python, decoys, "-P", "-c", program)
    assert beside.stdout.startswith("ok "), beside.stderr


def test_the_wheel_has_every_file_of_the_packages_and_no_other(wheel: Path, files: list[str]) -> None:
    packed = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    # The figures of past benchmarks are for readers of the source tree.
    known = {
        name for name in files if name.partition("/")[0] in _PACKAGES and "benchmarks/reference/" not in name
    }
    assert packed == known
