import csv

import pytest
from click.testing import CliRunner
from laws import TEXTS
from laws import make_text_translator
from laws import variant

from s2s_keras.cli import main
from s2s_keras.studies import complexity


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two saved models and a corpus with links."""
    folder = tmp_path_factory.mktemp("study")
    for name, attention in (("plain", "none"), ("attends", "bahdanau")):
        model = make_text_translator(variant(attention=attention), num_beams=1)
        model.save(folder / f"{name}.keras")
    for side in ("en", "de"):
        (folder / f"test.{side}").write_text("".join(f"{t}\n" for t in TEXTS))
    (folder / "test.links").write_text("0-0\n" * len(TEXTS))
    return folder


def study(*arguments):
    return CliRunner().invoke(main, ["study", *map(str, arguments)])


def corpus(folder):
    return f"{folder}/{{split}}.en,{folder}/{{split}}.de"


def test_length_takes_trained_models(folder, tmp_path):
    result = study(
        *("length", "--standard", folder / "plain.keras"),
        *("--with-attention", folder / "attends.keras"),
        *("--dataset", corpus(folder), "--out", tmp_path / "out"),
    )
    assert result.exit_code == 0, result.output
    with (tmp_path / "out" / "length.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["model"] for row in rows] == ["standard", "attention"]
    assert {row["sentences"] for row in rows} == {str(len(TEXTS))}
    assert (tmp_path / "out" / "length.svg").exists()


def test_length_tells_trained_models_apart(folder, tmp_path):
    result = study(
        *("length", "--standard", folder / "attends.keras"),
        *("--with-attention", folder / "plain.keras"),
        *("--dataset", corpus(folder), "--out", tmp_path / "out"),
    )
    assert result.exit_code == 1 and "--standard should have" in result.output
    assert not (tmp_path / "out").exists()


def test_length_wants_both_models(folder, tmp_path):
    result = study(
        *("length", "--standard", folder / "plain.keras"),
        *("--out", tmp_path / "out"),
    )
    assert result.exit_code == 1 and "come together" in result.output
    assert not (tmp_path / "out").exists()


def test_length_refuses_training_options_for_trained_models(folder, tmp_path):
    result = study(
        *("length", "--standard", folder / "plain.keras"),
        *("--with-attention", folder / "attends.keras", "--units", 9),
        *("--dataset", corpus(folder), "--out", tmp_path / "out"),
    )
    assert result.exit_code == 1 and "options: --units." in result.output


@pytest.mark.parametrize(
    "lengths", ["8,16", "8,16,long", "8,16,16", "0,8,16", ""]
)
def test_complexity_wants_three_lengths(tmp_path, lengths):
    result = study(
        *("complexity", "--lengths", lengths, "--out", tmp_path / "out")
    )
    assert result.exit_code == 1
    assert f"Received: {lengths!r}" in result.output
    assert not (tmp_path / "out").exists()


def test_alignment_wants_links_for_files(folder, tmp_path):
    result = study(
        *("alignment", folder / "attends.keras", "--dataset", corpus(folder)),
        *("--out", tmp_path / "out"),
    )
    assert result.exit_code == 1 and "links=None" in result.output


def test_alignment_scores_and_draws(folder, tmp_path):
    result = study(
        *("alignment", folder / "attends.keras", "--dataset", corpus(folder)),
        *("--links", folder / "{split}.links", "--partial-links"),
        *("--out", tmp_path / "out", "--pictures", 2),
    )
    assert result.exit_code == 0, result.output
    with (tmp_path / "out" / "alignment.csv").open() as file:
        (row,) = csv.DictReader(file)
    assert 0 <= float(row["alignment_error_rate"]) <= 1
    assert row["counted"] == str(len(TEXTS))
    assert len(list((tmp_path / "out").glob("*.png"))) == 2


def test_alignment_needs_attention(folder, tmp_path):
    result = study(
        *("alignment", folder / "plain.keras", "--dataset", corpus(folder)),
        *("--links", folder / "{split}.links", "--out", tmp_path / "out"),
    )
    assert result.exit_code == 1 and "no attention" in result.output
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_complexity_times_and_weighs(folder, tmp_path, monkeypatch):
    def measure_memory(architectures, vocabulary_size, lengths):
        assert vocabulary_size == 8000 and lengths == [4, 16, 32]
        return [
            {
                "model": name,
                "source_len": length,
                "target_len": length,
                "megabytes": 1.0 * architecture.units,
            }
            for name, architecture in architectures.items()
            for length in lengths
        ]

    monkeypatch.setattr(complexity, "measure_memory", measure_memory)
    result = study(
        *("complexity", "--lengths", "4,16,32", "--units", 16),
        *("--out", tmp_path / "out"),
    )
    assert result.exit_code == 0, result.output
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {
        *("time.csv", "memory.csv", "fits.json"),
        *("complexity.png", "complexity.svg"),
    }


@pytest.mark.parametrize("name", ["length", "complexity", "alignment"])
def test_nothing_is_overwritten(folder, tmp_path, name):
    (tmp_path / "kept").write_text("kept")
    options = {
        "length": [
            *("--standard", folder / "plain.keras"),
            *("--with-attention", folder / "attends.keras"),
            *("--dataset", corpus(folder)),
        ],
        "complexity": [],
        "alignment": [
            *(folder / "attends.keras", "--dataset", corpus(folder)),
            *("--links", folder / "{split}.links"),
        ],
    }
    result = study(name, *options[name], "--out", tmp_path)
    assert result.exit_code == 1 and "left as it is" in result.output
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]
