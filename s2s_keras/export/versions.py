"""The folders of a servable model's versions."""

import os


def list_versions(path):
    """Lists the folders of the versions in a directory.

    Args:
        path: Path.

    Returns:
        List of names that are numbers of 64 bits, the lowest first. Of
        `00000001` and `1` it is the latter, the last by name, as in TensorFlow
        Serving.

    Raises:
        OSError: If the directory cannot be read.
    """
    names = [entry.name for entry in os.scandir(path) if entry.is_dir()]
    found = {
        int(name): name
        for name in sorted(names)
        if name.isascii() and name.isdigit() and int(name) < 2**63
    }
    return [found[version] for version in sorted(found)]
