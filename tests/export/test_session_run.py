import pathlib
import shutil
import subprocess

import pytest
import tensorflow as tf
import tensorflow_text
from laws import TEXTS
from laws import VARIANTS
from laws import export_unverified
from laws import make_text_translator

SOURCE = pathlib.Path(__file__).with_name("session_run.cc")


def build(program):
    """Builds the program against the libraries of the installed wheel."""
    libraries = tf.sysconfig.get_lib()
    command = [
        *("g++", SOURCE, "-o", program, "-std=c++17"),
        "-DEIGEN_MAX_ALIGN_BYTES=64",
        *tf.sysconfig.get_compile_flags(),
        *(f"-L{libraries}", "-l:libtensorflow_cc.so.2"),
        *("-l:libtensorflow_framework.so.2", f"-Wl,-rpath,{libraries}"),
    ]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("g++"), reason="there is no g++")
def test_a_program_without_python_translates_alike(tmp_path):
    program = tmp_path / "session_run"
    build(program)
    folder = pathlib.Path(tensorflow_text.__file__).parent / "python" / "ops"
    ops = sorted(map(str, folder.glob("*.so")))
    texts = [*TEXTS[:4], "", "\U0001f600"]
    model = make_text_translator(
        VARIANTS["bahdanau-layer_norm_lstm-2"], num_beams=3
    )
    version = export_unverified(model, tmp_path / "model")
    result = subprocess.run(
        [program, version, *ops, "--", *texts], capture_output=True, text=True
    )
    assert result.returncode == 0, result.stderr
    expected = [item.text for item in model.translate(texts)]
    assert result.stdout == "".join(f"{text}\n" for text in expected)
