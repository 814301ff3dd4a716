"""Tests of what a process keeps of what it frees."""

import os
import platform
import subprocess
import sys

import pytest

# Makes and frees 64 MiB; prints which share of it took new pages in the end.
_PROGRAM = """
import ctypes, resource, sys
import tensorflow as tf
from s2s_keras import keep_freed_memory

no_huge_pages = 41  # PR_SET_THP_DISABLE of prctl.h
ctypes.CDLL(None).prctl(no_huge_pages, 1, 0, 0, 0)
if "keep" in sys.argv:
    keep_freed_memory()
for fill in (lambda: b"x" * 2**26, lambda: tf.ones(2**24)):
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        fill()
    pages = resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
    print(pages * resource.getpagesize() / 2**26)
"""


def share_of_new_pages(*arguments, **environment):
    """Of bytes, and of a tensor of TensorFlow."""
    inherited = dict(os.environ)
    inherited.pop("TF_CPU_ALLOCATOR_USE_BFC", None)  # these tests set it
    # With oneDNN, the default on some processors, TensorFlow keeps tensors.
    inherited["TF_ENABLE_ONEDNN_OPTS"] = "0"
    result = subprocess.run(
        [sys.executable, "-c", _PROGRAM, *arguments],
        env=inherited | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return [float(line) for line in result.stdout.split()]


@pytest.mark.skipif(
    platform.libc_ver()[0] != "glibc", reason="the C library is not glibc"
)
@pytest.mark.slow
class TestKeepFreedMemory:
    def test_pages_are_taken_once(self):
        assert min(share_of_new_pages()) > 0.9
        assert max(share_of_new_pages("keep")) < 0.1

    def test_the_environment_decides(self):
        environment = {
            "MALLOC_TRIM_THRESHOLD_": "100000",
            "TF_CPU_ALLOCATOR_USE_BFC": "false",
        }
        assert min(share_of_new_pages("keep", **environment)) > 0.9
