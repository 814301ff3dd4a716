"""The code blocks of the README; those of clients have tests of their own."""

import pathlib
import re
import shlex
import subprocess
import sys

import pytest
from click.testing import CliRunner

from s2s_keras.cli import main

README = (pathlib.Path(__file__).parents[1] / "README.md").read_text()
BEFORE, AFTER = README.split("### Clients")
WITHOUT_CLIENTS = BEFORE + AFTER[AFTER.index("\n### ") :]


def blocks(language, text=README):
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


COMMANDS = [
    line
    for block in blocks("bash")
    for line in block.replace("\\\n", " ").splitlines()
    if line.startswith("s2s-keras ")
]


@pytest.mark.parametrize("line", COMMANDS)
def test_a_command_is_one_that_there_is(line, tmp_path, monkeypatch):
    for folder in ("english_spanish", "clause_grammar_en_de"):
        (tmp_path / "exported" / folder).mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    name, *arguments = shlex.split(line.split("<")[0], comments=True)[1:]
    command = main.commands[name]
    while hasattr(command, "commands"):  # a group
        name, *arguments = arguments
        command = command.commands[name]
    assert command.make_context(name, arguments).params


def test_there_are_commands_to_try():
    assert len(COMMANDS) > 15
    assert len(blocks("python", WITHOUT_CLIENTS)) >= 4


# Exports are not checked here.
PREAMBLE = """
import keras, s2s_keras
s2s_keras.export.__globals__["verify"] = lambda *_: None
"""


@pytest.mark.slow
def test_the_python_runs_from_top_to_bottom(tmp_path):
    program = "\n".join(blocks("python", WITHOUT_CLIENTS))
    for split, part in (
        ("train[:10%]", "train[:1%]"),
        ("validation", "validation[:5%]"),
    ):
        assert f'"{split}"' in program
        program = program.replace(f'"{split}"', f'"{part}"')
    program = f"{PREAMBLE}\n{program}"
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=True)
    for name in ("attention.png", "model.keras", "exported/my_model/1"):
        assert (tmp_path / name).exists(), name


def test_the_table_of_presets_is_what_the_command_prints():
    printed = CliRunner().invoke(main, ["presets"]).stdout
    table, _ = printed.split("\n\n", 1)
    assert f"```\n{table}\n```" in README
