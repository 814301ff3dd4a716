"""The notebooks, which are kept executed, and run again."""

import json
import pathlib
import re

import pytest
from execute import execute

FOLDER = pathlib.Path(__file__).parents[1] / "notebooks"
EVERY_NOTEBOOK = pytest.mark.parametrize(
    "path", sorted(FOLDER.glob("*.ipynb")), ids=lambda path: path.stem
)


def code_cells(notebook):
    return [c for c in notebook["cells"] if c["cell_type"] == "code"]


def check_outputs(notebook):
    cells = code_cells(notebook)
    counts = [cell["execution_count"] for cell in cells]
    assert counts == list(range(1, len(cells) + 1))
    for cell in cells:
        for output in cell["outputs"]:
            assert output["output_type"] != "error"
            assert output.get("name") != "stderr"


def test_there_are_five():
    assert len(list(FOLDER.glob("*.ipynb"))) == 5


@EVERY_NOTEBOOK
def test_outputs_are_there_and_small_and_of_no_machine(path):
    assert path.stat().st_size < 400_000
    notebook = json.loads(path.read_text())
    check_outputs(notebook)
    for cell in code_cells(notebook):
        for output in cell["outputs"]:
            text = json.dumps(output.get("text", output.get("data")))
            without_pictures = re.sub(r'"image/\w+": "[^"]*"', "", text)
            assert not re.search(r"/(home|root|work|tmp)/", without_pictures)


@pytest.mark.slow
@EVERY_NOTEBOOK
def test_it_runs(path, tmp_path):
    # On a twentieth of the training pairs, with a tenth of the requests.
    text = path.read_text().replace("SHARE = 20 ", "SHARE = 1 ")
    small = tmp_path / path.name
    small.write_text(text.replace("REQUESTS = 200", "REQUESTS = 20"))
    check_outputs(execute(small, tmp_path))
