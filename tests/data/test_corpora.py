import subprocess
import sys

import pytest

from s2s_keras.data.corpora import corpus_languages
from s2s_keras.data.corpora import load_corpus


@pytest.mark.parametrize(
    "option", ["source", "target", "data_dir", "manual_dir"]
)
def test_options_of_tfds_are_refused_for_files(option):
    with pytest.raises(ValueError, match=f"`{option}` should be left out"):
        load_corpus("a.en,a.de", **{option: "de"})


@pytest.mark.parametrize("dataset", [("a", "b", "c"), ["a"], "a,b,c", 3, None])
def test_other_than_names_and_paths_are_refused(dataset):
    with pytest.raises(ValueError, match="`dataset` should be"):
        load_corpus(dataset)


def test_files_have_no_languages():
    assert corpus_languages("a.en,a.de") == (None, None)


def test_a_folder_is_refused_where_nothing_is_prepared(tmp_path):
    with pytest.raises(ValueError, match="`manual_dir` should be left out"):
        load_corpus("mtnt/en-fr", manual_dir=tmp_path, download=False)


@pytest.mark.slow
def test_import_leaves_tensorflow_datasets_alone():
    code = (
        "import sys, s2s_keras.data.corpora; "
        "assert 'tensorflow_datasets' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
