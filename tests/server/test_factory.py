"""The application under another WSGI server, and in a process that was forked off after it was made."""

import subprocess
import sys
from pathlib import Path

from server.credentials.token import make_token, write_record
from server.factory import make_app
from tests.support.http.running_server import cell_png

_FORKED = """
import os, sys
import numpy as np
from server.batching import Batcher

class Judge:
    batch_size = 8
    def cell_probabilities(self, inputs):
        return np.zeros(len(inputs), np.float32)

batcher = Batcher(Judge(), max_waiting=8, gather_seconds=0.0)
cell = np.zeros((1, 4, 4, 3), np.uint8)
assert batcher.probabilities(cell)[0] == 0
child = os.fork()
if child == 0:
    try:
        batcher.probabilities(cell)
    except RuntimeError as error:
        os._exit(7 if "forked off" in str(error) else 1)
    os._exit(1)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def test_the_factory_makes_an_application_that_asks_for_the_token(tmp_path: Path) -> None:
    secret, record = make_token()
    write_record(tmp_path / "token.json", record)
    app = make_app(token_file=str(tmp_path / "token.json"), slides=str(tmp_path / "slides.sqlite"))
    client = app.test_client()
    asked = {"data": cell_png(), "content_type": "image/png"}
    assert client.post("/predict", **asked).status_code == 401
    answer = client.post("/predict", headers={"Authorization": f"Bearer {secret}"}, **asked)
    assert answer.status_code == 200
    assert answer.json is not None
    assert answer.json["label"] == "Parasitized"


def test_a_process_that_was_forked_off_refuses_instead_of_never_answering() -> None:
    forked = subprocess.run([sys.executable, "-W", "ignore", "-c", _FORKED], timeout=120, check=False)
    assert forked.returncode == 7
