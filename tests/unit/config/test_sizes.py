"""What there is of memory and disk is found where the system says it, and words are said of it."""

import os

import pytest

from koopscope.config.sizes import (
    Need,
    Part,
    check,
    disk_available,
    disk_of,
    memory_available,
    shown,
    table,
)
from koopscope.errors import InputError

GB = 10**9


def need(memory=0, disk=0, stage="train", **more):
    keys = {"steps": 10**7, "initialisations": 10}
    parts = (Part(5, {"width": 3}), Part(memory, keys)), (Part(disk, keys),)
    return Need("results/x.zarr", stage, "studies.width", 0, *parts, **more)


def system(root, files):
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


MEMINFO = {"proc/meminfo": "MemTotal: 900 kB\nMemAvailable: 500 kB\n"}


def test_memory_is_what_the_system_says_is_available(tmp_path):
    assert memory_available(system(tmp_path, MEMINFO)) == 500 * 1024


@pytest.mark.parametrize("own", ["/", "/job/step", "/../elsewhere"])
def test_a_control_group_leaves_less_whether_it_is_the_top_or_deep(tmp_path, own):
    """Caches of files are given back when memory is asked for."""
    where = "sys/fs/cgroup" + ("/job" if own == "/job/step" else "")
    files = {
        "proc/self/cgroup": f"0::{own}\n",
        f"{where}/memory.max": "200000\n",
        f"{where}/memory.current": "150000\n",
        f"{where}/memory.stat": "anon 1\ninactive_file 70000\n",
    }
    assert memory_available(system(tmp_path, MEMINFO | files)) == 120_000


def test_a_control_group_of_the_first_version_is_read_too(tmp_path):
    where = "sys/fs/cgroup/memory/job"
    files = {
        "proc/self/cgroup": "5:cpu,cpuacct:/\n4:memory:/job\n",
        f"{where}/memory.limit_in_bytes": "200000",
        f"{where}/memory.usage_in_bytes": "150000",
        f"{where}/memory.stat": "inactive_file 1\ntotal_inactive_file 20000\n",
    }
    assert memory_available(system(tmp_path, MEMINFO | files)) == 70_000


@pytest.mark.parametrize("limit", ["max", "9223372036854771712"])
def test_a_control_group_without_a_limit_leaves_what_the_system_has(tmp_path, limit):
    files = {
        "proc/self/cgroup": "0::/\n",
        "sys/fs/cgroup/memory.max": limit,
        "sys/fs/cgroup/memory.current": "5",
    }
    assert memory_available(system(tmp_path, MEMINFO | files)) == 500 * 1024


def test_where_nothing_tells_all_memory_of_the_machine_is_the_limit(tmp_path):
    assert memory_available(tmp_path) == os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def test_memory_here_is_no_more_than_the_machine_has():
    assert 0 < memory_available() <= os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def test_disk_is_that_of_the_nearest_folder_that_is_there(tmp_path):
    there, later = disk_available(tmp_path), disk_available(tmp_path / "not" / "yet")
    assert there > 0 and abs(there - later) < 2**30


def test_what_is_more_than_there_is_is_refused_with_the_key_to_change():
    with pytest.raises(InputError) as refused:
        check([need(memory=30 * GB), need(memory=GB)], 20 * GB, 20 * GB)
    assert str(refused.value) == (
        "studies.width: steps: 10000000; a job of train needs about 30 GB of memory, and 20 GB are "
        "free; give less, or less of initialisations (10), or more memory"
    )


def test_disk_of_all_jobs_together_is_refused_though_each_one_fits():
    with pytest.raises(InputError, match="needs about 30 GB of disk at results/, and 20 GB are"):
        check([need(disk=10 * GB)] * 3, None, 20 * GB)


def test_more_than_half_is_warned_of_and_less_is_not():
    (line,) = check([need(memory=11 * GB)], 20 * GB, 20 * GB)
    assert line.endswith("a job of train needs about 11 GB of memory, and 20 GB are free")
    assert check([need(memory=9 * GB, disk=9 * GB)], 20 * GB, 20 * GB) == []


def test_without_a_known_limit_and_without_jobs_nothing_is_said():
    assert check([need(memory=10**30)], None, None) == check([], 1, 1) == []


def test_of_what_is_deleted_again_two_at_a_time_count():
    passing = [need(disk=GB, passing=True) for _ in range(9)]
    assert 2 * GB < disk_of(passing) < 3 * GB


def test_a_table_has_a_line_for_each_stage_with_its_largest_job():
    lines = table([need(GB, GB), need(5 * GB, GB), need(stage="curves")])
    assert [line.split() for line in lines[1:]] == [
        ["train", "2", "5", "GB", "2", "GB"],
        ["curves", "1", "5", "B", "307", "kB"],
    ]


@pytest.mark.parametrize(
    ("count", "words"),
    [(0, "0 B"), (999, "999 B"), (1500, "1.5 kB"), (12 * GB, "12 GB"), (10**40, "10^40 B")],
)
def test_bytes_are_shown_in_the_unit_that_fits(count, words):
    assert shown(count) == words
