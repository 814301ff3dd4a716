import ast
import json
import pathlib
import re
import shutil
import subprocess
import sys

import pytest
from laws import export_unverified
from laws import make_text_translator

from s2s_keras.endpoint.manager import Manager

README = pathlib.Path(__file__).parents[2] / "README.md"
NAME, TEXT = "clause_grammar_en_de", "The old man reads a letter."
COMMANDS = {
    "bash": ["bash", "-c"],
    "python": [sys.executable, "-c"],
    "javascript": ["node", "--input-type=module", "-e"],
}


@pytest.fixture(scope="module")
def served(serve_on, tmp_path_factory):
    """A model, and the endpoint that serves its export."""
    model = make_text_translator(num_beams=1)
    path = tmp_path_factory.mktemp("exported") / NAME
    export_unverified(model, path)
    return model, serve_on(Manager(path))


def example(language, title="### Clients"):
    """The README's client in a language."""
    section = README.read_text().split(f"\n{title}\n")[1].split("\n#")[0]
    return re.search(f"```{language}\n(.*?)```", section, re.DOTALL)[1]


@pytest.mark.parametrize("language", COMMANDS)
def test_the_clients_of_the_readme(served, language):
    command = COMMANDS[language]
    if not shutil.which(command[0]):
        pytest.skip(f"there is no {command[0]}")
    model, endpoint = served
    answer = ask(endpoint, command, example(language))
    expected = model.translate(TEXT).text
    if language == "bash":
        assert json.loads(answer) == {"predictions": [expected]}
    else:
        assert answer == f"{expected}\n"


def test_the_client_of_the_readme_that_goes_step_by_step(served):
    model, endpoint = served
    expected = model.translate(TEXT)
    most = f"len(token_ids) < {len(expected.target_pieces)}"
    code = example("python", "#### Step by step")
    assert "len(token_ids) < 100" in code
    code = code.replace("len(token_ids) < 100", most)
    answer = ask(endpoint, COMMANDS["python"], code)
    assert ast.literal_eval(answer) == [expected.text]


def ask(endpoint, command, code):
    """What a client prints."""
    code = code.replace("localhost:8501", f"{endpoint.host}:{endpoint.port}")
    result = subprocess.run([*command, code], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return result.stdout
