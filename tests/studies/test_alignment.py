import gzip

import numpy as np
import pytest
from laws import make_text_translator

from s2s_keras.data.alignments import load_aligned_pairs
from s2s_keras.data.clause_grammar.grammar import SPLITS
from s2s_keras.data.clause_grammar.grammar import generate_split
from s2s_keras.models.translation import Translation
from s2s_keras.studies.alignment import align_pairs
from s2s_keras.studies.alignment import alignment_error_rate
from s2s_keras.studies.alignment import read_links


def make_translation(source_pieces, target_pieces, attention):
    return Translation("", 0.0, source_pieces, target_pieces, attention, False)


def test_links_go_by_word_and_leave_end_out():
    translation = make_translation(
        ["▁a", "▁lo", "ng", "▁word", ".", "[END]"],
        ["▁lan", "ges", "▁Wort", ".", "[END]"],
        np.array(
            [
                [0.3, 0.25, 0.25, 0.1, 0, 0.1],  # 0.5 on the pieces of "long"
                [0.3, 0.1, 0.1, 0.2, 0, 0.3],
                [0.1, 0, 0, 0.4, 0, 0.5],  # END is of no word
                [0, 0, 0, 0, 0.9, 0.1],
                [0, 0, 0, 0, 0, 1],
            ]
        ),
    )
    links = read_links(
        translation, ["a", "long", "word", "."], ["langes", "Wort", "."]
    )
    # "langes" looked at "a" with 0.6 and at "long", both pieces, with 0.7.
    assert links == {(1, 0), (2, 1), (3, 2)}


def test_a_space_of_its_own_is_of_the_word_behind_it():
    translation = make_translation(
        ["▁a", "▁", "and", "[END]"],
        ["▁x", "▁", "und", "[END]"],
        np.array(
            [
                [1, 0, 0, 0],
                [0.2, 0.5, 0, 0.3],
                [0, 0.1, 0, 0.9],
                [0, 0, 0, 1],
            ]
        ),
    )
    assert read_links(translation, ["a", "and"], ["x", "und"]) == {
        (0, 0),
        (1, 1),
    }


def test_a_piece_over_two_words_is_of_both():
    translation = make_translation(
        ["▁ab", "[END]"], ["▁x.", "[END]"], np.array([[0.9, 0.1], [0, 1]])
    )
    assert read_links(translation, ["ab"], ["x", "."]) == {(0, 0), (0, 1)}


def test_pieces_that_do_not_spell_the_words_have_no_links():
    translation = make_translation(["▁fi", "[END]"], ["▁x", "[END]"], np.eye(2))
    assert read_links(translation, ["ﬁ"], ["x"]) is None


def test_the_error_rate_by_hand():
    found = [{(0, 0), (1, 1)}, {(0, 0)}]
    gold = [{(0, 0), (1, 2), (2, 2)}, {(0, 0)}]
    # 2 of 3 found links are among the 4 gold ones: 1 - 2 * 2 / 7.
    assert alignment_error_rate(found, gold) == pytest.approx(3 / 7)
    assert alignment_error_rate(gold, gold) == 0
    assert alignment_error_rate([{(0, 1)}], [{(0, 0)}]) == 1


@pytest.fixture
def files(tmp_path):
    (tmp_path / "test.en").write_text("one two\nthree four\nseven\n")
    (tmp_path / "test.de").write_text("two one\nfour three\neight\n")
    links = gzip.compress(b"0-1 1-0\n0-1\n-\n")
    (tmp_path / "test.align.gz").write_bytes(links)
    return tmp_path


def load(files, split="test"):
    paths = f"{files}/{{split}}.en,{files}/{{split}}.de"
    return load_aligned_pairs(paths, split, files / "{split}.align.gz")


def test_links_are_sliced_as_their_pairs_are(files):
    assert load(files, "test[1:]+test[:1]") == load(files)[1:] + load(files)[:1]


def test_no_link_at_all_is_refused(files):
    (files / "test.align.gz").write_bytes(gzip.compress(b"-\n-\n-\n"))
    with pytest.raises(ValueError, match="Received: 3 pairs, 3 of them spelt"):
        align_pairs(make_text_translator(), load(files))


def test_files_bring_links(files):
    pairs = load(files)
    assert [pair.links for pair in pairs] == [{(0, 1), (1, 0)}, {(0, 1)}, set()]
    assert pairs[0].source_words == ["one", "two"]


def test_links_must_fit_the_pairs(files):
    path = files / "test.align.gz"
    path.write_bytes(gzip.compress(b"0-1\n"))
    with pytest.raises(ValueError, match="Received: 1 lines, 3 pairs"):
        load(files)
    path.write_bytes(gzip.compress(b"0-1\n0-2\n-\n"))
    with pytest.raises(ValueError, match="Received: 0-2 for 'three four'"):
        load(files)


@pytest.mark.parametrize("link", ["1p1", "1", "1-", "-1-0", "1-1-1", "a-b"])
def test_what_is_no_link_is_named_with_its_place(files, link):
    path = files / "test.align.gz"
    path.write_bytes(gzip.compress(f"0-1\n0-0 {link}\n-\n".encode()))
    with pytest.raises(ValueError, match="links like '0-0 1-2'") as info:
        load(files)
    received = f"{link!r} in line 2 of {files}/{{split}}.align.gz, 'test'"
    assert str(info.value).endswith(f"Received: {received}")


@pytest.mark.slow
def test_the_synthetic_set_brings_gold_links(tmp_path, monkeypatch):
    monkeypatch.setitem(SPLITS, "train", {**SPLITS["train"], "num_pairs": 50})
    pairs = load_aligned_pairs(
        "clause_grammar/en_de", "validation[:5]", data_dir=tmp_path
    )
    expected = list(generate_split("validation"))[:5]
    for pair, gold in zip(pairs, expected, strict=True):
        assert (pair.source_text, pair.target_text) == gold[:2]
        assert pair.links == set(gold.alignment)
        assert max(target for _, target in pair.links) < len(pair.target_words)


def test_a_model_is_compared_with_the_links(files):
    text_translator = make_text_translator()
    pairs = load(files)
    rate, counted, translations = align_pairs(text_translator, pairs)
    found = [
        read_links(translation, pair.source_words, pair.target_words)
        for pair, translation in zip(pairs, translations, strict=True)
    ]
    assert counted == 3 and sum(map(len, found)) == 5
    assert rate == alignment_error_rate(found, [pair.links for pair in pairs])
    partial, _, _ = align_pairs(text_translator, pairs, partial_links=True)
    linked = [found[0], {link for link in found[1] if link[1] == 1}, set()]
    assert partial == alignment_error_rate(
        linked, [pair.links for pair in pairs]
    )
