import json

import pytest

from s2s_keras import TextTranslator
from s2s_keras import load_corpus
from s2s_keras.training import job
from s2s_keras.training.distillation import add_translations
from s2s_keras.training.evaluation import read_pairs
from s2s_keras.training.settings import Settings

TEACHER = "bahdanau_small_en_es"


def test_sources_come_again_with_the_teachers_translations(corpus, tmp_path):
    pairs = load_corpus(corpus, "test")
    taught = add_translations(pairs, TEACHER, tmp_path / "taught.json")
    sources, targets = read_pairs(pairs)
    teacher = TextTranslator.from_preset(TEACHER)
    said = [translation.text for translation in teacher.translate(sources)]
    assert read_pairs(taught) == (sources * 2, targets + said)


def test_translations_that_are_there_are_taken(corpus, tmp_path):
    pairs = load_corpus(corpus, "test")
    said = [str(number) for number in range(20)]
    (tmp_path / "taught.json").write_text(json.dumps(said))
    taught = add_translations(pairs, "none", tmp_path / "taught.json")
    assert read_pairs(taught)[1][20:] == said


def test_a_teacher_that_is_none_is_named(corpus, tmp_path):
    pairs = load_corpus(corpus, "test")
    with pytest.raises(FileNotFoundError, match="Received: 'no_such_model'"):
        add_translations(pairs, "no_such_model", tmp_path / "taught.json")


@pytest.mark.slow
def test_a_run_has_its_teacher_for_training_alone(
    corpus, tmp_path, monkeypatch
):
    read, tokenize_pairs = [], job.tokenize_pairs

    def spy(pairs, *args):
        read.append(read_pairs(pairs))
        return tokenize_pairs(pairs, *args)

    monkeypatch.setattr(job, "tokenize_pairs", spy)
    settings = Settings(
        dataset=corpus,
        teacher=TEACHER,
        vocabulary_size=400,
        embedding_dim=16,
        units=16,
        epochs=1,
    )
    corpora = job.load_corpora(settings)
    job.train(settings, corpora, tmp_path)
    taught = tmp_path / "taught.json"
    expected = add_translations(corpora.train, TEACHER, taught)
    assert read == [read_pairs(expected), read_pairs(corpora.validation)]
    assert len(read[0][0]) == 400
