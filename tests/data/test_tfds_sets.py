import pytest
import tensorflow as tf
import tensorflow_datasets as tfds

from s2s_keras.data.clause_grammar import ClauseGrammar
from s2s_keras.data.corpora import corpus_languages
from s2s_keras.data.corpora import load_corpus


def read(pairs):
    return list(pairs.as_numpy_iterator())


MULTI_ROWS = {
    b"language": [
        [b"de", b"en", b"fr"],
        [b"en", b"fr"],
        [b"de", b"en", b"en"],
        [b"de"],
    ],
    b"translation": [
        [b"eins", b"one", b"un"],
        [b"two", b"deux"],
        [b"drei", b"three", b"3"],
        [b"vier"],
    ],
}


def make_multi_rows(self, *args, **kwargs):
    def generate():
        for languages, translations in zip(*MULTI_ROWS.values(), strict=True):
            yield {
                "talk_name": "talk",
                "translations": {
                    "language": languages,
                    "translation": translations,
                },
            }

    strings = tf.TensorSpec([None], tf.string)
    return tf.data.Dataset.from_generator(
        generate,
        output_signature={
            "talk_name": tf.TensorSpec([], tf.string),
            "translations": {"language": strings, "translation": strings},
        },
    )


@pytest.mark.parametrize(
    "dataset, languages, fields",
    [
        ("ted_hrlr_translate/pt_to_en", ("pt", "en"), ("pt", "en")),
        ("wmt14_translate/de-en", ("de", "en"), ("de", "en")),
        ("opus", ("de", "en"), ("de", "en")),
        ("para_crawl/enbg", ("en", "bg"), ("en", "bg")),
        ("flores/neen", ("ne", "en"), ("ne", "en")),
        ("mtnt/fr-en", ("fr", "en"), ("src", "dst")),
        (
            "tatoeba/tatoeba_fr",
            ("fr", "en"),
            ("source_sentence", "target_sentence"),
        ),
        ("bucc/bucc_de", ("de", "en"), ("source_sentence", "target_sentence")),
        ("multi30k_translate/fr_de", ("fr", "de"), ("fr", "de")),
        ("clause_grammar/en_de", ("en", "de"), ("en", "de")),
    ],
)
def test_default_pair_and_its_reverse_of_each_schema(
    dataset, languages, fields, tmp_path
):
    source, target = languages
    with tfds.testing.mock_data(num_examples=3):
        pairs = load_corpus(dataset, data_dir=tmp_path)
        reverse = load_corpus(dataset, data_dir=tmp_path, source=target)
        rows = tfds.load(dataset, split="train", data_dir=tmp_path)
        expected = [
            tuple(row[field].strip() for field in fields)
            for row in rows.as_numpy_iterator()
        ]
        assert read(pairs) == expected
        assert read(reverse) == [pair[::-1] for pair in expected]
        assert pairs.cardinality() == 3
    assert pairs.element_spec == (tf.TensorSpec([], tf.string),) * 2
    assert corpus_languages(dataset) == languages
    assert corpus_languages(dataset, target=source) == languages[::-1]


def test_rows_lacking_a_language_are_skipped(tmp_path):
    with tfds.testing.mock_data(as_dataset_fn=make_multi_rows):
        pairs = load_corpus(
            "ted_multi_translate", source="de", target="en", data_dir=tmp_path
        )
        assert read(pairs) == [(b"eins", b"one"), (b"drei", b"three")]
        assert pairs.element_spec == (tf.TensorSpec([], tf.string),) * 2


@pytest.mark.parametrize(
    "dataset, options, message",
    [
        ("ted_multi_translate", {"source": "de"}, "both given.*target=None"),
        ("ted_multi_translate", {}, "both given"),
        ("ted_multi_translate", {"source": "xx"}, "one of .*'zh-cn'"),
        (
            "multi30k_translate/en_de",
            {"target": "fr"},
            r"`target` should be one of \['de', 'en'\]. Received: target='fr'",
        ),
        (
            "multi30k_translate/en_de",
            {"source": "de", "target": "de"},
            "two languages",
        ),
        ("mtnt/en-fr", {"source": "src"}, r"one of \['en', 'fr'\]"),
        ("mnist", {}, "texts in at least two languages"),
        ("squad", {}, "both given"),
    ],
)
def test_unknown_and_unnamed_languages_are_refused(dataset, options, message):
    with pytest.raises(ValueError, match=message):
        load_corpus(dataset, **options)


@pytest.mark.parametrize(
    "dataset, message",
    [
        ("ted_hrl_translate/pt_to_en", "close ones: .*'ted_hrlr_translate'"),
        ("multi30k/en_de", "close ones: .*'multi30k_translate'"),
        ("corpus.txt", "a path that ends in .tsv"),
        ("multi30k_translate/en_cs", "config of .*'en_de'"),
        ("multi30k_translate/en_de:9.9.9", "9.9.9, only: 1.0.0"),
        ("", "a path that ends in .tsv"),
    ],
)
def test_unknown_data_sets_and_configs_are_refused(dataset, message, tmp_path):
    with pytest.raises(ValueError, match=message) as info:
        load_corpus(dataset, data_dir=tmp_path)
    assert str(info.value).endswith(f"Received: dataset={dataset!r}")
    assert "\n" not in str(info.value)


def test_missing_folders_and_data_are_named(tmp_path):
    dataset = "multi30k_translate/en_de"
    with pytest.raises(FileNotFoundError, match="`manual_dir` should be a"):
        load_corpus(dataset, data_dir=tmp_path, manual_dir=tmp_path / "none")
    with pytest.raises(FileNotFoundError, match="`data_dir` should hold"):
        load_corpus(dataset, data_dir=tmp_path, download=False)


def test_a_half_built_data_set_is_not_read(tmp_path):
    (tmp_path / "multi30k_translate/en_de/1.0.0").mkdir(parents=True)
    with pytest.raises(ValueError, match="an incomplete one"):
        load_corpus("multi30k_translate/en_de", data_dir=tmp_path)


ROW = {"en": "one", "de": "eins", "alignment": "0-0"}


def test_a_data_set_that_another_prepares_meanwhile_is_read(
    tmp_path, monkeypatch
):
    def load():
        return read(load_corpus("clause_grammar/en_de", data_dir=tmp_path))

    def generate(self, split):
        monkeypatch.setattr(
            ClauseGrammar, "_generate_examples", lambda *_: [(0, ROW)]
        )
        assert load() == [(b"one", b"eins")]
        return [(0, {**ROW, "de": "zwei"})]

    monkeypatch.setattr(ClauseGrammar, "_generate_examples", generate)
    assert load() == [(b"one", b"eins")]


def test_a_data_set_that_nobody_could_prepare_is_an_error(
    tmp_path, monkeypatch
):
    def generate(self, split):
        raise FileExistsError("no room")

    monkeypatch.setattr(ClauseGrammar, "_generate_examples", generate)
    with pytest.raises(FileExistsError, match="no room"):
        load_corpus("clause_grammar/en_de", data_dir=tmp_path)
