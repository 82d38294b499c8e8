"""Memory that was freed is had again without the system's help."""

import os
import platform
import subprocess
import sys

import pytest

_FAULTS = """
import resource
import sys

import numpy as np

from train.model.memory import keep_freed_memory

if sys.argv[1] == "kept":
    assert keep_freed_memory()

def step():
    for side in (3000, 4000, 5000):
        np.ones((side, side), np.float32)

step()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(5):
    step()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.slow
@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="glibc alone can be told")
def test_blocks_of_a_step_are_not_mapped_anew_at_the_next() -> None:
    # Huge pages, which numpy asks for, would make 512 pages one.
    environment = {**os.environ, "NUMPY_MADVISE_HUGEPAGE": "0"}
    kept, given_back = (
        int(subprocess.check_output([sys.executable, "-c", _FAULTS, how], env=environment))
        for how in ("kept", "given back")
    )
    pages = 5 * (3000**2 + 4000**2 + 5000**2) * 4 // 4096
    assert kept < pages / 50
    assert given_back > pages / 2
