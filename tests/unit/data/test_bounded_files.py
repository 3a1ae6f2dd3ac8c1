"""No more is read of a user's file than the original one has, and what cannot be read is said."""

import gzip
import os
import tracemalloc
from pathlib import Path

import pytest

from koopscope.data import cifar10, mnist
from koopscope.errors import InputError

FIRST = next(iter(mnist.FILES))
GIGABYTE = 2**30


@pytest.fixture
def peak():
    """Most bytes that Python holds at once since the test began."""
    tracemalloc.start()
    yield lambda: tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()


def sparse(path, size):
    with path.open("wb") as stream:
        stream.truncate(size)


def bomb(path):
    """A gigabyte of zeros in a megabyte."""
    with gzip.open(path, "wb", compresslevel=1) as stream:
        for _ in range(GIGABYTE // 2**24):
            stream.write(bytes(2**24))


@pytest.mark.parametrize("make", [lambda at: sparse(at, 20 * GIGABYTE), bomb])
def test_a_file_that_is_too_long_is_not_read_whole(tmp_path, peak, make):
    make(tmp_path / FIRST)
    with pytest.raises(InputError, match=f"{FIRST} has more than 47040016 bytes") as refused:
        mnist.load(tmp_path)
    assert "\n" not in str(refused.value)
    assert peak() < 4 * mnist.BYTES[FIRST]


def test_a_cached_file_that_is_too_long_counts_as_damaged(tmp_path, peak, caplog):
    sparse(tmp_path / FIRST, 20 * GIGABYTE)
    assert mnist._cached(tmp_path) == {}
    assert "is damaged" in caplog.text and peak() < 4 * mnist.BYTES[FIRST]


def test_a_download_that_does_not_end_is_given_up():
    content = mnist._AtMost(1000)
    with pytest.raises(mnist._TooLong):
        for _ in range(1000):
            content.write(bytes(1000))
    assert content.tell() < 2**17


def test_an_archive_of_cifar_that_is_too_long_is_not_hashed(tmp_path):
    sparse(tmp_path / cifar10.ARCHIVE, 20 * GIGABYTE)
    with pytest.raises(InputError, match=r"21474836480 bytes, more than .* give the original"):
        cifar10.load(tmp_path)


@pytest.mark.parametrize("load", [mnist.load, cifar10.load])
@pytest.mark.parametrize("refused", ["is_dir", "is_file", "open"])
def test_a_folder_that_may_not_be_read_is_one_line(tmp_path, monkeypatch, load, refused):
    """Of a user other than root; root reads all, so that the system's answer is put in."""
    (tmp_path / FIRST).write_bytes(b"")
    (tmp_path / cifar10.ARCHIVE).write_bytes(b"")

    def denied(path, *_):
        raise PermissionError(13, os.strerror(13), str(path))

    monkeypatch.setattr(Path, refused, denied)
    with pytest.raises(InputError, match=r"path: .*cannot be read .*Permission denied") as line:
        load(tmp_path)
    assert "\n" not in str(line.value)
