"""Memory: what a process keeps of what it frees."""

import contextlib
import ctypes
import os

# Of glibc's malloc.h.
_TRIM_THRESHOLD, _MMAP_MAX, _ARENA_MAX = -1, -4, -8


def keep_freed_memory():
    """Keeps what tensors free for the next ones, instead of giving it back.

    An update of a training makes and frees tensors of hundreds of megabytes.
    glibc asks the system for each of the large ones, and gives it back; the
    system then hands out every page anew, which takes up to half of the time of
    an update. Call this before the first operation of TensorFlow, which then
    also keeps its tensors together; later it costs more memory. The process
    stays as large as it has been at its largest. Where oneDNN is on, as it is
    by itself on some processors, TensorFlow keeps its tensors anyway.

    Where `MALLOC_TRIM_THRESHOLD_` or `TF_CPU_ALLOCATOR_USE_BFC` are set in the
    environment, they decide. Elsewhere than with glibc only the latter is set.

    Example:

    ```python
    s2s_keras.keep_freed_memory()
    translator.fit(batches)
    ```
    """
    os.environ.setdefault("TF_CPU_ALLOCATOR_USE_BFC", "true")
    if "MALLOC_TRIM_THRESHOLD_" not in os.environ:
        _set_malloc({_TRIM_THRESHOLD: -1, _MMAP_MAX: 0, _ARENA_MAX: 1})


def limit_heaps(count):
    """Keeps glibc from growing a heap for each of TensorFlow's threads.

    Memory that one of them frees is of no use to the others, and a server
    grows for as long as requests are of many shapes.

    Args:
        count: Integer. Number of heaps.
    """
    _set_malloc({_ARENA_MAX: count})


def _set_malloc(options):
    with contextlib.suppress(AttributeError, OSError):  # another C library
        for option, value in options.items():
            ctypes.CDLL(None).mallopt(option, value)
