"""Threads: what the processor's cores share."""

import contextlib
import os


def count_cores():
    """The cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def one_thread_an_operation(num_at_once):
    """Lets the cores share what runs at once, if they are not more than that.

    Where they share single operations, they wait for each other. What the
    environment says stays as it is.

    Args:
        num_at_once: Integer. Batches or requests that run side by side.
    """
    import tensorflow as tf

    if "TF_NUM_INTRAOP_THREADS" in os.environ:
        return
    if count_cores() <= num_at_once:
        # It is too late in a process that has run operations before.
        with contextlib.suppress(RuntimeError):
            tf.config.threading.set_intra_op_parallelism_threads(1)
