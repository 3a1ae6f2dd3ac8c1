"""What a job would need of memory and disk, what there is of them, and how to say so.

Only the standard library, since a workflow engine plans with it. Numbers are whole and as large as
they come: a configuration may ask for anything.
"""

import os
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from koopscope.errors import InputError

# Bytes of a process before it has any data: of NumPy and xarray, and of PyTorch besides.
NUMERICAL, TORCH = 140 * 2**20, 290 * 2**20
# A small store on disk: metadata and coordinates, a block of the file system each.
STORE = 300 * 2**10
# Share of what there is from which on a need is warned of.
WARN = 0.5
UNITS = ("B", "kB", "MB", "GB", "TB", "PB", "EB")


@dataclass(frozen=True)
class Part:
    """Some of a job's arrays: their bytes, and the numbers in the configuration that set them."""

    bytes: int
    keys: Mapping[str, int]


@dataclass(frozen=True)
class Need:
    """What one job needs.

    Attributes
    ----------
    path
        What it makes.
    stage
        What it is called in the table.
    where
        Place in the configuration that asks for it.
    base
        Bytes of memory before it has any data.
    memory, disk
        Arrays that are in memory at its peak; what it leaves on disk.
    passing
        Whether what it leaves is deleted before the run ends.
    """

    path: str
    stage: str
    where: str
    base: int
    memory: tuple[Part, ...]
    disk: tuple[Part, ...] = ()
    passing: bool = False

    @property
    def memory_bytes(self) -> int:
        """At its peak."""
        return self.base + sum(part.bytes for part in self.memory)

    @property
    def disk_bytes(self) -> int:
        """In the end."""
        return STORE + sum(part.bytes for part in self.disk)


def shown(count: int) -> str:
    """Bytes in words, such as ``12 GB``."""
    power = 0 if count < 1000 else min((len(str(count)) - 1) // 3, len(UNITS) - 1)
    tenths = 10 * count // 1000**power
    if tenths >= 10_000:
        return f"10^{len(str(count)) - 1} B"
    return f"{tenths / 10:g} {UNITS[power]}" if tenths < 100 else f"{tenths // 10} {UNITS[power]}"


def table(needs: Iterable[Need]) -> list[str]:
    """Lines of a table: each stage with the memory of its largest job and its disk in all."""
    rows = [("stage", "jobs", "memory of the largest", "disk")]
    by_stage: dict[str, list[Need]] = {}
    for need in needs:
        by_stage.setdefault(need.stage, []).append(need)
    for stage, those in by_stage.items():
        memory = max(need.memory_bytes for need in those)
        rows.append((stage, str(len(those)), shown(memory), shown(disk_of(those))))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]


def disk_of(needs: Iterable[Need]) -> int:
    """Bytes on disk of several jobs; of what passes, two at a time are there."""
    needs = list(needs)
    passing = sorted(need.disk_bytes for need in needs if need.passing)
    return sum(need.disk_bytes for need in needs if not need.passing) + sum(passing[-2:])


def check(needs: Iterable[Need], memory: int | None, disk: int | None) -> list[str]:
    """Refuse what cannot fit, and warn of what takes more than half of what there is.

    Parameters
    ----------
    needs
        Of the jobs that are to run.
    memory, disk
        Bytes that there are (:func:`memory_available`, :func:`disk_available`); None for no limit
        that is known.

    Returns
    -------
    list of str
        Warnings, a line each.

    Raises
    ------
    InputError
        With the key, its value, the estimate, the limit and the remedy.
    """
    needs = list(needs)
    if not needs:
        return []
    largest = max(needs, key=lambda need: need.memory_bytes)
    fullest = max(needs, key=lambda need: need.disk_bytes)
    asked = (
        (largest, largest.memory, largest.memory_bytes, memory, "memory", "a job of"),
        (fullest, fullest.disk, disk_of(needs), disk, "disk at results/", "the run, most of it by"),
    )
    warnings = []
    for need, parts, count, there, what, whose in asked:
        if there is None or count <= WARN * there:
            continue
        keys = max(parts, key=lambda part: part.bytes).keys if parts else {}
        key = max(keys, key=lambda name: keys[name], default="")
        also = [f"{name} ({keys[name]})" for name in keys if name != key]
        line = f"{need.where}: " + (f"{key}: {keys[key]}; " if key else "")
        line += f"{whose} {need.stage} needs about {shown(count)} of {what}"
        line += f", and {shown(there)} are free"
        if count > there:
            less = f"; give less{', or less of ' + ', '.join(also) if also else ''}"
            raise InputError(line + less + f", or more {what.split()[0]}")
        warnings.append(line)
    return warnings


def disk_available(folder: Path) -> int | None:
    """Bytes that may be written where a folder is or will be."""
    for there in (folder.absolute(), *folder.absolute().parents):
        try:
            return shutil.disk_usage(there).free
        except OSError:
            continue
    return None


def memory_available(root: Path = Path("/")) -> int | None:
    """Bytes of memory that new processes can have here, by the system and by its control groups.

    Parameters
    ----------
    root
        Of the file system that tells.
    """
    found = [free for free in (_system(root), *_groups(root)) if free is not None]
    return max(0, min(found)) if found else None


def _system(root: Path) -> int | None:
    for line in _lines(root / "proc/meminfo"):
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    try:
        # No more than all there is, where nothing tells what is free of it.
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError, AttributeError):
        return None


def _groups(root: Path) -> Iterable[int | None]:
    """What is free in each control group that this process is in, of either version."""
    tops = {"": "sys/fs/cgroup", "memory": "sys/fs/cgroup/memory"}
    files = {
        "": ("memory.max", "memory.current"),
        "memory": ("memory.limit_in_bytes", "memory.usage_in_bytes"),
    }
    inactive = {"": "inactive_file", "memory": "total_inactive_file"}
    for line in _lines(root / "proc/self/cgroup"):
        _, controllers, own = line.rstrip().split(":", 2)
        version = "memory" if "memory" in controllers.split(",") else controllers
        if version not in tops:
            continue
        top = root / tops[version]
        folder = top / own.lstrip("/")
        # A container sees its own group as the top.
        for group in (folder, *folder.parents):
            if not group.is_relative_to(top):
                break
            limit, used = (_number(group / name) for name in files[version])
            if limit is not None and used is not None and limit < 2**60:
                yield limit - used + _stat(group / "memory.stat", inactive[version])


def _stat(path: Path, name: str) -> int:
    """What a group's caches of files would give back."""
    return sum(int(line.split()[1]) for line in _lines(path) if line.split()[:1] == [name])


def _number(path: Path) -> int | None:
    text = "".join(_lines(path)).strip()
    return int(text) if text.isdecimal() else None


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text().splitlines()
    except (OSError, UnicodeDecodeError):
        return []
