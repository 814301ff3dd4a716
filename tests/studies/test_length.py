import csv

import pytest

from s2s_keras.studies.length import bucket_by_length
from s2s_keras.studies.length import plot_length
from s2s_keras.studies.length import score_by_length
from s2s_keras.studies.tables import save_figure
from s2s_keras.studies.tables import write_table


def words(count):
    return " ".join(["word"] * count)


def test_buckets_hold_their_lengths():
    sources = [words(n) for n in (25, 1, 10, 11, 20, 21)]
    buckets = bucket_by_length(sources, width=10, min_sentences=1)
    assert [sorted(bucket) for bucket in buckets] == [[1, 2], [3, 4], [0, 5]]


def test_small_buckets_join_a_neighbour():
    sources = [words(n) for n in [5] * 3 + [15] * 3 + [25] * 1 + [65] * 1]
    buckets = bucket_by_length(sources, width=10, min_sentences=2)
    assert [sorted(bucket) for bucket in buckets] == [
        [0, 1, 2],
        [3, 4, 5],
        [6, 7],
    ]
    buckets = bucket_by_length([words(5), *sources[3:6]], 10, min_sentences=2)
    assert [sorted(bucket) for bucket in buckets] == [[0, 1, 2, 3]]


@pytest.fixture
def rows():
    sources = [words(4)] * 40 + [words(14)] * 40
    references = [f"a small test sentence {i}" for i in range(80)]
    translations = {
        "right": references,
        "half": references[:40] + ["nothing of the kind at all"] * 40,
    }
    return score_by_length(translations, sources, references, width=10)


def test_scores_are_of_their_bucket_and_model(rows):
    scores = {(row["model"], row["max_words"]): row["bleu"] for row in rows}
    assert scores["right", 4] == scores["right", 14] == scores["half", 4] == 100
    assert scores["half", 14] < 5
    assert {row["sentences"] for row in rows} == {40}


def test_a_mixed_bucket_has_an_interval():
    references = [f"a small test sentence {i}" for i in range(60)]
    texts = references[:30] + ["something else was said here"] * 30
    (row,) = score_by_length({"model": texts}, references, references, 10)
    assert 2 < row["bleu_interval"] < 40


def test_the_picture_shows_the_rows(rows, tmp_path):
    figure = plot_length(rows)
    (axes,) = figure.axes
    labels = [text.get_text() for text in axes.get_legend().get_texts()]
    assert labels == ["right", "half"]
    right = axes.containers[0].lines[0].get_xydata()
    assert right.tolist() == [[4, 100], [14, 100]]
    save_figure(figure, tmp_path / "length.png")
    assert (tmp_path / "length.png").read_bytes()[:4] == b"\x89PNG"
    assert "<svg" in (tmp_path / "length.svg").read_text()


def test_the_table_holds_the_rows(rows, tmp_path):
    write_table(rows, tmp_path / "length.csv")
    with (tmp_path / "length.csv").open() as file:
        read = list(csv.DictReader(file))
    assert [float(row["bleu"]) for row in read] == [row["bleu"] for row in rows]
