"""What is going on, on a terminal; nothing where there is none."""

import sys


def track(items, label):
    """Goes through a list, with a bar and the time that is left.

    Args:
        items: List.
        label: String, what is being done.

    Returns:
        An iterator over `items`.
    """
    if not sys.stderr.isatty():
        return iter(items)
    import rich.console
    import rich.progress

    console = rich.console.Console(stderr=True)
    return rich.progress.track(items, label, console=console, transient=True)


def status(label):
    """Shows that something goes on that cannot tell how long it will take.

    Args:
        label: String, what is being done.

    Returns:
        A context manager.
    """
    import rich.console

    return rich.console.Console(stderr=True).status(label)
