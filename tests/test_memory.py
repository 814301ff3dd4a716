"""Tests of what a process keeps of what it frees."""

import os
import platform
import subprocess
import sys

import pytest

# Makes and frees 64 MiB; prints how many pages the last of them took.
_PROGRAM = """
import resource, sys
import tensorflow as tf
from s2s_keras import keep_freed_memory

if "keep" in sys.argv:
    keep_freed_memory()
for fill in (lambda: b"x" * 2**26, lambda: tf.ones(2**24)):
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        fill()
    print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def count_pages(*arguments, **environment):
    """Pages that bytes and that a tensor of TensorFlow took."""
    inherited = dict(os.environ)
    inherited.pop("TF_CPU_ALLOCATOR_USE_BFC", None)  # these tests set it
    result = subprocess.run(
        [sys.executable, "-c", _PROGRAM, *arguments],
        env=inherited | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return [int(line) for line in result.stdout.split()]


@pytest.mark.skipif(
    platform.libc_ver()[0] != "glibc", reason="the C library is not glibc"
)
class TestKeepFreedMemory:
    def test_pages_are_taken_once(self):
        assert min(count_pages()) > 10_000
        assert max(count_pages("keep")) < 1_000

    def test_the_environment_decides(self):
        environment = {
            "MALLOC_TRIM_THRESHOLD_": "100000",
            "TF_CPU_ALLOCATOR_USE_BFC": "false",
        }
        assert min(count_pages("keep", **environment)) > 10_000
