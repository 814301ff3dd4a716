import os
import subprocess
import sys

import pytest

from s2s_keras import progress

# Without the rest of the package, and with it TensorFlow.
PROGRAM = f"""
import runpy, time
progress = runpy.run_path({progress.__file__!r})
status, track = progress["status"], progress["track"]
with status("Waiting"):
    time.sleep(0.3)
for i in track([1, 2, 3], "Counting"):
    time.sleep(0.1)
print("done")
"""


def test_every_item_comes(capfd):
    assert list(progress.track(range(3), "Counting")) == [0, 1, 2]
    assert capfd.readouterr() == ("", "")


def test_nothing_is_shown_without_a_terminal():
    result = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True
    )
    assert (result.stdout, result.stderr) == ("done\n", "")


def test_a_terminal_sees_what_goes_on():
    pty = pytest.importorskip("pty", reason="no pseudo-terminals here")
    seen = b""
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        stdout=subprocess.DEVNULL,
        stderr=(ends := pty.openpty())[1],
        env={"TERM": "xterm", "PATH": "", "PYTHONPATH": ":".join(sys.path)},
    ) as process:
        os.close(ends[1])
        try:
            while chunk := os.read(ends[0], 1 << 16):
                seen += chunk
        except OSError:  # the other end is closed
            pass
        assert process.wait() == 0
    assert b"Waiting" in seen and b"Counting" in seen
