"""Executes notebooks and keeps what they show.

    python notebooks/execute.py [NOTEBOOK ...]

Each runs in an empty folder. What it says on standard error is not kept.
"""

import pathlib
import sys
import tempfile

import nbclient
import nbformat

FOLDER = pathlib.Path(__file__).parent


def execute(path, folder, timeout=300):
    """Runs the notebook in `path` within `folder`, and returns it."""
    notebook = nbformat.read(path, as_version=4)
    resources = {"metadata": {"path": str(folder)}}
    nbclient.NotebookClient(
        notebook,
        timeout=timeout,
        resources=resources,
        record_timing=False,
    ).execute()
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = [
                output
                for output in cell.outputs
                if output.get("name") != "stderr"
            ]
    return notebook


if __name__ == "__main__":
    for path in sys.argv[1:] or sorted(FOLDER.glob("*.ipynb")):
        with tempfile.TemporaryDirectory() as folder:
            nbformat.write(execute(path, folder), path)
