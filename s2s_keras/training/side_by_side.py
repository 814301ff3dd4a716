"""Runs that are trained side by side, each in a process of its own."""

import concurrent.futures
import os
import pathlib
import subprocess
import sys

from s2s_keras.threads import count_cores

OUTPUT = "output.txt"


def train_side_by_side(run_dirs):
    """Trains runs at once, as many as there are cores.

    What a run prints goes to `output.txt` in its folder.

    Args:
        run_dirs: Folders, each with the settings of its run, which goes on
            where it was.

    Raises:
        RuntimeError: If one of them fails.
    """
    num_at_once = min(len(run_dirs), count_cores())
    threads = str(count_cores() // num_at_once)
    environment = {
        "TF_NUM_INTRAOP_THREADS": threads,
        "TF_NUM_INTEROP_THREADS": threads,
        **os.environ,
    }
    with concurrent.futures.ThreadPoolExecutor(num_at_once) as pool:
        for _ in pool.map(lambda path: _train(path, environment), run_dirs):
            pass


def _train(run_dir, environment):
    output = pathlib.Path(run_dir, OUTPUT)
    with (
        output.open("a") as file,
        subprocess.Popen(
            [sys.executable, "-m", __package__, str(run_dir)],
            stdin=subprocess.PIPE,  # ends when this process does
            stdout=file,
            stderr=subprocess.STDOUT,
            env=environment,
        ) as process,
    ):
        process.wait()
    if process.returncode:
        raise RuntimeError(
            f"Training in {run_dir} should have ended well. Received, at the "
            f"end of {output}:\n{output.read_text()[-1000:]}"
        )
