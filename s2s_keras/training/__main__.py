"""`python -m s2s_keras.training FOLDER` trains the run set up in the folder.

It stops when its standard input ends, as when what started it was killed.
"""

import os
import pathlib
import sys
import threading

from s2s_keras.memory import keep_freed_memory


def main(run_dir):
    threading.Thread(target=_stop_with_the_input, daemon=True).start()
    keep_freed_memory()
    from s2s_keras.training import job

    job.train_alone(pathlib.Path(run_dir))


def _stop_with_the_input():
    while os.read(sys.stdin.fileno(), 1):
        pass
    os._exit(1)


if __name__ == "__main__":
    main(sys.argv[1])
