import dataclasses

import pytest
from laws import make_text_translator

from s2s_keras.studies.twins import count_parameters
from s2s_keras.studies.twins import make_twin
from s2s_keras.studies.twins import train_twins
from s2s_keras.training import job
from s2s_keras.training.settings import SYNTHETIC
from s2s_keras.training.settings import Settings


@pytest.mark.parametrize(
    "settings",
    [
        SYNTHETIC,
        Settings(cell="lstm", num_layers=2, query="current", units=64),
        Settings(embedding_in_memory=True, units=64),
        Settings(attention="dot", units=64),
        Settings(  # the twin is more than twice as wide
            query="conditional",
            units=64,
            embedding_dim=512,
            embedding_in_memory=True,
            tie_embedding=False,
        ),
    ],
)
def test_twins_are_as_large_as_one_another(settings):
    twin = make_twin(settings, 900)
    ratio = count_parameters(twin, 900) / count_parameters(settings, 900)
    assert 0.95 < ratio < 1.1
    same = dataclasses.replace(
        twin,
        units=settings.units,
        attention=settings.attention,
        query=settings.query,
        embedding_in_memory=settings.embedding_in_memory,
    )
    assert twin.attention == "none" and same == settings


def test_twins_are_runs_that_go_on(corpus, tmp_path, monkeypatch):
    trained = []

    def train(settings, corpora, run_dir):
        trained.append(settings)
        (run_dir / "backup").mkdir()
        return make_text_translator()

    monkeypatch.setattr(job, "train", train)
    make_text_translator().save_to_preset(tmp_path / "standard")
    settings = Settings(dataset=corpus, vocabulary_size=300, units=8)
    models = train_twins(settings, tmp_path)
    assert list(models) == ["standard", "attention"]
    assert trained == [settings]  # the other one was there
    files = {path.name for path in (tmp_path / "attention").iterdir()}
    assert files == {"settings.json", "model.keras"}
    assert Settings.load(tmp_path / "attention" / "settings.json") == settings


def test_teachers_translate_for_one_twin_alone(corpus, tmp_path, monkeypatch):
    taught = []

    def train(settings, corpora, run_dir):
        path = run_dir / "taught.json"
        taught.append(path.exists())
        path.write_text("{}")
        (run_dir / "backup").mkdir()
        return make_text_translator()

    monkeypatch.setattr(job, "train", train)
    train_twins(
        Settings(dataset=corpus, vocabulary_size=300, units=8), tmp_path
    )
    assert taught == [False, True]


def test_a_twin_needs_attention():
    with pytest.raises(ValueError, match="attention='none'"):
        make_twin(Settings(attention="none"), 900)
