"""Runs that are trained side by side, each in a process of its own."""

import contextlib
import os
import pathlib
import subprocess
import sys

from s2s_keras.threads import count_cores

OUTPUT = "output.txt"


def train_side_by_side(run_dirs):
    """Trains runs of about the same length at once, as many as there are cores.

    Those that are left over share all cores. What a run prints goes to
    `output.txt` in its folder.

    Args:
        run_dirs: Folders, each with the settings of its run, which goes on
            where it was.

    Raises:
        RuntimeError: If one of them fails; the others end then, too.
    """
    cores = count_cores()
    for first in range(0, len(run_dirs), cores):
        _train_at_once(run_dirs[first : first + cores], cores)


def _train_at_once(run_dirs, cores):
    threads = str(cores // len(run_dirs))
    environment = {
        "TF_NUM_INTRAOP_THREADS": threads,
        "TF_NUM_INTEROP_THREADS": threads,
        **os.environ,
    }
    with contextlib.ExitStack() as stack:
        # Those that run when one fails are ended on the way out.
        waiting = {
            path: stack.enter_context(_start(path, environment))
            for path in run_dirs
        }
        while waiting:
            for path, process in list(waiting.items()):
                with contextlib.suppress(subprocess.TimeoutExpired):
                    _check_end(path, process.wait(timeout=1))
                    del waiting[path]


def _start(run_dir, environment):
    with pathlib.Path(run_dir, OUTPUT).open("a") as file:
        return subprocess.Popen(
            [sys.executable, "-m", __package__, str(run_dir)],
            stdin=subprocess.PIPE,  # ends when this process does
            stdout=file,
            stderr=subprocess.STDOUT,
            env=environment,
        )


def _check_end(run_dir, status):
    if status:
        output = pathlib.Path(run_dir, OUTPUT)
        raise RuntimeError(
            f"Training in {run_dir} should have ended well. Received, at the "
            f"end of {output}:\n{output.read_text()[-1000:]}"
        )
