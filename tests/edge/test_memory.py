"""What a process may still take: of the machine, and of the control groups above it, of either version."""

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from edge.memory import available_memory, machine_memory

MB = 2**20
MEMINFO = "MemTotal:  445000 kB\nMemFree:  60000 kB\nMemAvailable:  307200 kB\n"


def write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)


def test_a_machine_without_groups_has_what_it_says(tmp_path: Path) -> None:
    write(tmp_path, {"proc/meminfo": MEMINFO})
    assert available_memory(tmp_path) == 300 * MB
    assert machine_memory(tmp_path)["MemTotal"] == 445_000 * 1024


def test_a_system_that_tells_nothing_bounds_nothing(tmp_path: Path) -> None:
    assert available_memory(tmp_path) is None


@pytest.mark.parametrize("where", ["service", "", "gone"])
def test_a_group_of_version_2_leaves_its_limit_less_what_it_uses_but_for_cached_files(
    tmp_path: Path, where: str
) -> None:
    # In a container the path that the kernel tells may be that of the host: the mount is the group then.
    group = f"sys/fs/cgroup/{where if where != 'gone' else ''}"
    write(
        tmp_path,
        {
            "proc/meminfo": MEMINFO,
            "proc/self/cgroup": f"0::/{where}\n",
            f"{group}/memory.max": f"{200 * MB}\n",
            f"{group}/memory.current": f"{150 * MB}\n",
            f"{group}/memory.stat": f"anon 1\ninactive_file {30 * MB}\nactive_file 99\n",
        },
    )
    assert available_memory(tmp_path) == 80 * MB


def test_the_tightest_of_the_groups_above_decides(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "proc/meminfo": MEMINFO,
            "proc/self/cgroup": "0::/user/app\n",
            "sys/fs/cgroup/user/app/memory.max": "max\n",
            "sys/fs/cgroup/user/app/memory.current": f"{90 * MB}\n",
            "sys/fs/cgroup/user/memory.max": f"{100 * MB}\n",
            "sys/fs/cgroup/user/memory.current": f"{90 * MB}\n",
        },
    )
    assert available_memory(tmp_path) == 10 * MB


def test_a_group_of_version_1_is_read_too_and_its_word_for_no_limit_is_none(tmp_path: Path) -> None:
    group = "sys/fs/cgroup/memory/box"
    write(
        tmp_path,
        {
            "proc/meminfo": MEMINFO,
            "proc/self/cgroup": "5:cpu,cpuacct:/x\n4:memory:/box\n0::/\n",
            f"{group}/memory.limit_in_bytes": f"{250 * MB}\n",
            f"{group}/memory.usage_in_bytes": f"{250 * MB}\n",
            f"{group}/memory.stat": f"inactive_file 5\ntotal_inactive_file {40 * MB}\n",
            "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
            "sys/fs/cgroup/memory/memory.usage_in_bytes": "1000\n",
        },
    )
    assert available_memory(tmp_path) == 40 * MB


def test_a_group_over_its_limit_leaves_nothing(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "proc/self/cgroup": "0::/\n",
            "sys/fs/cgroup/memory.max": "100\n",
            "sys/fs/cgroup/memory.current": "300\n",
        },
    )
    assert available_memory(tmp_path) == 0


PAGES = """
import resource
from edge.memory import keep_freed
KEEP
for _ in range(20):
    picture = b"x" * 3_000_000
    del picture
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(100):
    picture = b"x" * 3_000_000
    del picture
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another malloc than glibc's")
def test_a_program_whose_malloc_is_bounded_keeps_what_it_freed() -> None:
    def pages(keep: str) -> int:
        program = [sys.executable, "-c", PAGES.replace("KEEP", keep)]
        bounded = {**os.environ, "MALLOC_TRIM_THRESHOLD_": "65536"}  # as Dask starts its workers
        return int(subprocess.run(program, env=bounded, capture_output=True, check=True, text=True).stdout)

    assert pages("keep_freed()") * 4 < pages("")
