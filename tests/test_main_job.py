"""The main job, as a new user runs it: `s2s-keras train` and no option."""

import json
import subprocess
import sys

import pytest

S2S_KERAS = (sys.executable, "-m", "s2s_keras.cli")


@pytest.mark.slow
def test_the_embedded_set_is_learned(tmp_path):
    subprocess.run([*S2S_KERAS, "train"], cwd=tmp_path, check=True)
    run_dir = tmp_path / "runs" / "clause_grammar_en_de"
    evaluation = json.loads((run_dir / "evaluation.json").read_text())
    assert evaluation["bleu"] >= 90
    assert len(evaluation["translations"]) == 1000
    assert (tmp_path / "exported" / "clause_grammar_en_de" / "1").is_dir()
    translated = subprocess.run(
        [
            *(*S2S_KERAS, "translate", "--model", run_dir),
            "The old man reads a letter.",
        ],
        cwd=tmp_path,
        check=True,
        capture_output=True,
        text=True,
    )
    assert translated.stdout == "Der alte Mann liest einen Brief.\n"
