"""Records what programs rely on: the JSON of the commands and the API, columns, options, exit codes, the store.

`python -m tests.golden.record` writes the files of this folder anew, in the checkout that is the current folder. Do
that only when a change of a format is wanted; `test_golden.py` compares the files with what the program does now. Put
the former store back then: that a store of the version before opens is what is tested.
"""

import csv
import json
import os
import re
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

CELLS, FIELDS = "edge/samples/cells", "edge/samples/fields"
STORE = "store.sqlite"
MODEL = Path(__file__).with_name("nano.tflite")
"""A model of the version before, so that a new release of the models changes nothing here."""
JSON_FILES = ("commands.json", "api.json", "tables.json", "options.json", "settings.json")


def plasmolite(*arguments: object, store: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run the command line of the current folder's checkout."""
    environment = os.environ | {"PYTHONPATH": str(Path.cwd()), "TF_CPP_MIN_LOG_LEVEL": "3"}
    if store is not None:
        environment["PLASMOLITE_SLIDES"] = str(store)
    command = [sys.executable, "-m", "plasmolite", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)


def lines(*arguments: object, store: Path | None = None) -> list[Any]:
    """Run a command and read the JSON values that it prints, with its exit code as the last."""
    done = plasmolite(*arguments, store=store)
    # Where this checkout and this person's home lie is this machine's.
    said = done.stdout.replace(str(Path.cwd()), ".").replace(str(Path.home()), "~")
    values, text = [], said.strip()
    while text:
        value, end = json.JSONDecoder().raw_decode(text)
        values.append(value)
        text = text[end:].lstrip()
    return [*values, done.returncode]


def count_a_slide(store: Path) -> None:
    """Count the bundled fields as the slide `golden`."""
    done = plasmolite(
        "live",
        "--model",
        MODEL,
        "--source",
        FIELDS,
        "--slide",
        "golden",
        "--cells",
        50,
        "--until-reached",
        store=store,
    )
    if done.returncode:
        raise RuntimeError(done.stderr)


def commands(store: Path, scratch: Path) -> dict[str, Any]:
    """What the commands print as JSON; each list ends with the exit code."""
    profile = scratch / "site.json"
    calibrated = plasmolite(
        "calibrate",
        FIELDS,
        "--model",
        MODEL,
        "--false-alarms",
        "9%",
        "--out",
        profile,
        "--force",
        "--site",
        "drawn",
    ).returncode
    cell = "edge/samples/cells/cell_01.png"
    return {
        "classify": lines("classify", "--json", "--model", MODEL, CELLS),
        "classify --inconclusive": lines("classify", "--json", "--inconclusive", "--model", MODEL, cell),
        "classify, a missing file": lines("classify", "--json", "--model", MODEL, cell, "gone.png"),
        "classify, a missing model": lines("classify", "--json", "--model", "gone.tflite", cell),
        "classify, an option that is none": lines("classify", "--gone", cell),
        "analyze": lines("analyze", "--json", "--model", MODEL, FIELDS),
        "analyze --profile": lines("analyze", "--json", "--model", MODEL, "--profile", profile, FIELDS),
        "analyze, a missing file": lines("analyze", "--json", "--model", MODEL, "gone.png"),
        "calibrate": [json.loads(profile.read_text("utf-8")), calibrated],
        "calibrate, too few cells": lines(
            "calibrate", FIELDS, "--model", MODEL, "--false-alarms", "0.1%", "--out", profile
        ),
        "model list": lines("model", "list", "--json"),
        "slides list": lines("slides", "list", "--json", store=store),
        "slides show": lines("slides", "show", "--json", "--audit", "golden", store=store),
        "slides show, an unknown slide": lines("slides", "show", "--json", "gone", store=store),
        "slides export --format json": lines("slides", "export", "golden", "--format", "json", store=store),
        "slides export --format fhir": lines("slides", "export", "golden", "--format", "fhir", store=store),
        "live": lines(
            *(
                "live",
                "--model",
                MODEL,
                "--json",
                "--source",
                FIELDS,
                "--slide",
                "x",
                "--cells",
                50,
                "--until-reached",
            ),
            store=scratch / "x.sqlite",
        )[-2:],
        "doctor": lines("doctor", "--json"),
    }


def api(store: Path) -> dict[str, Any]:
    """What the server answers: status and JSON of each request."""
    cell, field = Path(CELLS, "cell_01.png").read_bytes(), Path(FIELDS, "field_01.jpg").read_bytes()
    with served(store) as address:

        def ask(method: str, path: str, body: bytes | None = None, kind: str = "image/png") -> list[Any]:
            request = urllib.request.Request(address + path, body, {"Content-Type": kind}, method=method)
            try:
                with urllib.request.urlopen(request, timeout=60) as answer:
                    status, said = answer.status, answer.read()
                    if answer.headers.get_content_type() != "application/json":
                        return [status, answer.headers.get_content_type()]
            except urllib.error.HTTPError as error:
                status, said = error.code, error.read()
            return [status, json.loads(said or b"null")]

        review = json.dumps({"call": "Uninfected", "reviewer": "golden"}).encode()
        answers = {
            "GET /health": ask("GET", "/health"),
            "POST /predict": ask("POST", "/predict", cell),
            "POST /predict, no picture": ask("POST", "/predict", b"none"),
            "POST /analyze": ask("POST", "/analyze", field, "image/jpeg"),
            "POST /explain": ask("POST", "/explain", cell),
            "GET /slides": ask("GET", "/slides"),
            "GET /slides/1": ask("GET", "/slides/1"),
            "GET /slides/1/cells": ask("GET", "/slides/1/cells"),
            "POST /slides/1/cells/2/review": ask(
                "POST", "/slides/1/cells/2/review", review, "application/json"
            ),
            "GET /slides/1/audit": ask("GET", "/slides/1/audit"),
            "GET /slides/99": ask("GET", "/slides/99"),
            "GET /gone": ask("GET", "/gone"),
        }
        paths = ask("GET", "/openapi.json")[1]["paths"]
        answers["addresses"] = sorted(
            f"{method.upper()} {path}" for path, methods in paths.items() for method in methods
        )
        return answers


@contextmanager
def served(store: Path) -> Iterator[str]:
    """The server over a store; gives its address."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "plasmolite", "serve", "--model", str(MODEL), "--port", str(port)]
    environment = os.environ | {"PYTHONPATH": str(Path.cwd()), "PLASMOLITE_SLIDES": str(store)}
    with subprocess.Popen(command, stderr=subprocess.DEVNULL, env=environment) as process:
        address = f"http://127.0.0.1:{port}"
        try:
            for _ in range(600):
                try:
                    urllib.request.urlopen(address + "/ready", timeout=5).close()
                    break
                except OSError:
                    time.sleep(0.1)
            yield address
        finally:
            process.terminate()


def tables(store: Path, scratch: Path) -> dict[str, Any]:
    """Columns of every CSV file, and the store's schema."""
    plasmolite("slides", "export", "golden", "--format", "csv", "--to", scratch / "csv", store=store)
    plasmolite("simulate", "--out", scratch / "drawn", "--cells", 2, "--fields", 1, "--cells-per-field", 5)
    plasmolite("analyze", FIELDS, "--report", scratch / "report")
    found = {}
    for path in sorted(scratch.rglob("*.csv")):
        with path.open(newline="", encoding="utf-8") as file:
            found[path.relative_to(scratch).as_posix()] = next(csv.reader(file))
    with sqlite3.connect(store) as database:
        rows = database.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name")
        schema = [re.sub(r"\s+", " ", sql) for (sql,) in rows]
        version = database.execute("PRAGMA user_version").fetchone()[0]
    return {"csv": found, "store": schema, "store version": version}


def options() -> dict[str, Any]:
    """Names of all options and arguments, by command."""
    program = (
        "import json; from plasmolite.console import main\n"
        "def names(group, path):\n"
        "    found = {}\n"
        "    for name in group.list_commands(None):\n"
        "        one = group.get_command(None, name)\n"
        "        if hasattr(one, 'list_commands'): found |= names(one, path + name + ' ')\n"
        "        found[path + name] = sorted(o for p in one.params for o in (*p.opts, *p.secondary_opts))\n"
        "    return found\n"
        "print(json.dumps(names(main, '')))"
    )
    environment = os.environ | {"PYTHONPATH": str(Path.cwd())}
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, env=environment
    )
    return dict(json.loads(done.stdout))


def settings() -> list[str]:
    """Names of the settings of a training run."""
    program = (
        "from dataclasses import fields; from train.settings import TrainingSettings; "
        "print(*(field.name for field in fields(TrainingSettings)))"
    )
    environment = os.environ | {"PYTHONPATH": str(Path.cwd())}
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, env=environment
    )
    return done.stdout.split()


def pretty(content: Any) -> str:
    """Write JSON with the two outer levels on lines of their own, so that a difference can be read."""

    def block(value: Any, depth: int) -> str:
        if depth == 2 or not isinstance(value, dict | list) or not value:
            return json.dumps(value, ensure_ascii=False)
        pairs = (
            [f"{json.dumps(key)}: {block(one, depth + 1)}" for key, one in value.items()]
            if isinstance(value, dict)
            else [block(one, depth + 1) for one in value]
        )
        first, last = "{}" if isinstance(value, dict) else "[]"
        margin = " " * depth
        return f"{first}\n{margin} " + f",\n{margin} ".join(pairs) + f"\n{margin}{last}"

    return block(content, 0) + "\n"


def main(folder: Path) -> None:
    """Record everything into a folder."""
    with tempfile.TemporaryDirectory() as temporary:
        scratch = Path(temporary)
        store = scratch / STORE
        count_a_slide(store)
        answers = api(store)  # stores a review
        with sqlite3.connect(store) as database:
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        database.close()
        shutil.copyfile(store, folder / STORE)
        found: tuple[Any, ...] = (
            commands(store, scratch),
            answers,
            tables(store, scratch / "tables"),
            options(),
            settings(),
        )
        for name, content in zip(JSON_FILES, found, strict=True):
            (folder / name).write_text(pretty(content), "utf-8")


if __name__ == "__main__":
    main(Path(__file__).parent)
