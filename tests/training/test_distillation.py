import dataclasses
import json
import subprocess
import sys
import types

import pytest

from s2s_keras import TextTranslator
from s2s_keras import load_corpus
from s2s_keras import make_ensemble
from s2s_keras.presets import PRESETS
from s2s_keras.training import distillation
from s2s_keras.training import job
from s2s_keras.training import side_by_side
from s2s_keras.training.distillation import add_translations
from s2s_keras.training.evaluation import read_pairs
from s2s_keras.training.log import count_cpu_minutes
from s2s_keras.training.log import read_rows
from s2s_keras.training.settings import Settings

TEACHER = "bahdanau_small_en_es"
TINY = {"vocabulary_size": 400, "embedding_dim": 16, "units": 16}


def test_sources_come_again_with_the_teachers_translations(corpus, tmp_path):
    pairs = load_corpus(corpus, "test")
    teacher = TextTranslator.from_preset(TEACHER)
    path = tmp_path / "taught.json"
    taught = add_translations(pairs, lambda: teacher, path)
    sources, targets = read_pairs(pairs)
    translations = teacher.translate(sources)
    said = [translation.text for translation in translations]
    assert read_pairs(taught) == (sources * 2, targets + said)
    scores = sorted(translation.score for translation in translations)
    for least_score in (-1000, scores[10], 0):
        taught = add_translations(pairs, None, path, least_score)
        again = [
            translation.text if translation.score >= least_score else target
            for translation, target in zip(translations, targets, strict=True)
        ]
        assert read_pairs(taught) == (sources * 2, targets + again)
        assert (again == said) == (least_score == -1000)
        assert (again == targets) == (least_score == 0)


def test_translations_that_are_there_are_taken(corpus, tmp_path):
    pairs = load_corpus(corpus, "test")
    said = [str(number) for number in range(20)]
    taught = {"cpu_minutes": 1.5, "translations": said, "scores": [-1.0] * 20}
    (tmp_path / "taught.json").write_text(json.dumps(taught))
    taught = add_translations(pairs, None, tmp_path / "taught.json")
    assert read_pairs(taught)[1][20:] == said


def test_a_teacher_that_was_interrupted_goes_on(corpus, tmp_path, monkeypatch):
    monkeypatch.setattr(distillation, "SENTENCES_AT_ONCE", 8)
    pairs, path = load_corpus(corpus, "test"), tmp_path / "taught.json"
    read = []

    class Killed:
        def translate(self, sources):
            read.extend(sources)
            if len(read) > 16:
                raise KeyboardInterrupt
            return [
                types.SimpleNamespace(text=text[::-1], score=-len(text))
                for text in sources
            ]

    with pytest.raises(KeyboardInterrupt):
        add_translations(pairs, Killed, path)
    assert len(json.loads(path.read_text())["translations"]) == 16
    read.clear()
    taught = add_translations(pairs, Killed, path)
    sources, targets = read_pairs(pairs)
    assert read == sources[16:]
    said = [text[::-1] for text in sources]
    assert read_pairs(taught) == (sources * 2, targets + said)
    scores = json.loads(path.read_text())["scores"]
    assert scores == [-len(text) for text in sources]


def test_a_teacher_that_is_none_is_named(corpus, tmp_path):
    settings = Settings(dataset=corpus, teacher="no_such_model")
    with pytest.raises(FileNotFoundError, match="Received: 'no_such_model'"):
        job.train(settings, job.load_corpora(settings), tmp_path)


@pytest.mark.parametrize(
    "wrong", [{"teachers": 2}, {"teachers": 1, "teacher": "runs/mine"}]
)
def test_teachers_are_trained_of_a_preset(wrong):
    with pytest.raises(ValueError, match="bahdanau_small_en_es.*Received"):
        Settings(**wrong)


def test_a_least_score_is_of_a_teacher():
    with pytest.raises(ValueError, match="no `teacher`. Received: -1.5"):
        Settings(least_score=-1.5)


def test_a_number_of_teachers_is_not_negative():
    with pytest.raises(ValueError, match="Received: teachers=-1"):
        Settings(teacher=TEACHER, teachers=-1)


def test_teachers_are_their_presets_of_the_data_of_the_run():
    settings = Settings(
        dataset="mine.tsv",
        source="de",
        teacher=TEACHER,
        teachers=3,
        seed=2,
        dtype="mixed_bfloat16",
        units=8,
    )
    teachers = [settings.of_teacher(number) for number in range(3)]
    preset = Settings.from_preset(TEACHER)
    assert teachers[1] == dataclasses.replace(
        preset,
        dataset="mine.tsv",
        source="de",
        target=None,
        split="train",
        dtype="mixed_bfloat16",
        seed=7,
    )
    others = dataclasses.replace(settings, seed=3)
    seeds = {teacher.seed for teacher in teachers}
    assert len(seeds | {others.of_teacher(n).seed for n in range(3)}) == 6


@pytest.mark.parametrize(
    ("cores", "num_waiting", "expected"),
    [(1, 2, "one by one"), (2, 1, "one by one"), (2, 2, "side by side")],
)
def test_teachers_share_the_cores(
    tmp_path, monkeypatch, cores, num_waiting, expected
):
    trained = {"one by one": [], "side by side": []}
    monkeypatch.setattr(job, "count_cores", lambda: cores)
    monkeypatch.setattr(
        job, "train_alone", lambda path, _: trained["one by one"].append(path)
    )
    monkeypatch.setattr(
        job, "train_side_by_side", trained["side by side"].extend
    )
    run_dirs = [tmp_path / str(number) for number in range(num_waiting)]
    job._train_all(run_dirs, None)
    assert trained.pop(expected) == run_dirs
    assert not any(trained.values())


def test_runs_that_are_left_over_share_all_cores(monkeypatch):
    threads, process = {}, subprocess.Popen("true")
    monkeypatch.delenv("TF_NUM_INTRAOP_THREADS", raising=False)
    monkeypatch.setattr(side_by_side, "count_cores", lambda: 2)

    def start(path, environment):
        threads[path] = environment["TF_NUM_INTRAOP_THREADS"]
        return process

    monkeypatch.setattr(side_by_side, "_start", start)
    side_by_side.train_side_by_side(["0", "1", "2"])
    assert threads == {"0": "1", "1": "1", "2": "2"}


@pytest.mark.slow
def test_a_run_that_fails_is_named_and_ends_those_beside_it(
    corpus, tmp_path, monkeypatch
):
    monkeypatch.setattr(side_by_side, "count_cores", lambda: 2)
    endless, broken = tmp_path / "endless", tmp_path / "broken"
    for folder in (endless, broken):
        folder.mkdir()
    settings = Settings(dataset=corpus, epochs=10_000, **TINY)
    settings.save(endless / "settings.json")
    started, start = [], side_by_side._start

    def spy(*args):
        started.append(start(*args))
        return started[-1]

    monkeypatch.setattr(side_by_side, "_start", spy)
    with pytest.raises(RuntimeError, match="broken(.|\n)*settings.json"):
        side_by_side.train_side_by_side([endless, broken])
    assert [process.returncode for process in started] == [1, 1]


@pytest.mark.slow
def test_a_run_beside_others_dies_with_what_started_it(corpus, tmp_path):
    settings = Settings(dataset=corpus, epochs=10_000, **TINY)
    settings.save(tmp_path / "settings.json")
    result = subprocess.run(
        [sys.executable, "-m", "s2s_keras.training", str(tmp_path)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=120,
    )
    assert result.returncode == 1
    assert b"Traceback" not in result.stderr


@pytest.mark.slow
def test_a_run_has_its_teacher_for_training_alone(
    corpus, tmp_path, monkeypatch
):
    read, tokenize_pairs = [], job.tokenize_pairs

    def spy(pairs, *args):
        read.append(read_pairs(pairs))
        if len(read) == 2:
            raise InterruptedError
        return tokenize_pairs(pairs, *args)

    monkeypatch.setattr(job, "tokenize_pairs", spy)
    settings = Settings(
        dataset=corpus,
        teacher=TEACHER,
        epochs=1,
        **TINY,
    )
    corpora = job.load_corpora(settings)
    with pytest.raises(InterruptedError):
        job.train(settings, corpora, tmp_path)
    taught = tmp_path / "taught.json"
    expected = add_translations(corpora.train, None, taught)
    assert read == [read_pairs(expected), read_pairs(corpora.validation)]
    assert len(read[0][0]) == 400


@pytest.mark.slow
def test_teachers_are_trained_once_and_translate_together(
    corpus, tmp_path, monkeypatch
):
    recipe = {"architecture": {}, "training": TINY | {"epochs": 1}}
    monkeypatch.setitem(PRESETS, "toy", recipe)
    settings = Settings(
        dataset=corpus, teacher="toy", teachers=2, epochs=1, **TINY
    )
    corpora = job.load_corpora(settings)
    learned = read_pairs(job._training_pairs(settings, corpora, tmp_path))
    teachers = [
        TextTranslator.from_preset(tmp_path / "teachers" / str(number))
        for number in range(2)
    ]
    weights = [t.translator.encoder.embedding.get_weights() for t in teachers]
    assert (weights[0][0] != weights[1][0]).any()
    sources, _ = read_pairs(corpora.train)
    said = make_ensemble(teachers).translate(sources)
    taught = json.loads((tmp_path / "taught.json").read_text())
    assert taught["translations"] == list(map(str, said))
    assert learned[1] == read_pairs(corpora.train)[1] + taught["translations"]
    logs = tmp_path.rglob("log.csv")
    rows = [row for log in logs for row in read_rows(log.parent)]
    assert len(rows) == 2
    assert count_cpu_minutes(tmp_path) == pytest.approx(
        taught["cpu_minutes"] + sum(float(row["cpu_minutes"]) for row in rows)
    )

    def refuse(*_):
        raise AssertionError("There is nothing to train.")

    (tmp_path / "taught.json").unlink()
    monkeypatch.setattr(job, "train", refuse)
    teacher = job._find_teacher(settings, corpora, tmp_path)
    assert list(map(str, teacher.translate(sources))) == taught["translations"]
