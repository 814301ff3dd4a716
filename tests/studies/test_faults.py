import pytest

from s2s_keras.studies.faults import compare
from s2s_keras.studies.faults import count_faults
from s2s_keras.studies.faults import sort_by_chrf

REFERENCES = ["a b c d e", "f g h", "Berlin", "i j"]


def faults_of(translations, sources=("s", "t", "Berlin", "u")):
    return count_faults(sources, translations, REFERENCES)


def test_perfect_translations_have_none():
    faults = faults_of(REFERENCES)
    assert faults.pop("length_ratio") == 1
    assert not any(faults.values())


def test_faults_are_counted_by_hand():
    faults = faults_of(["a b b c e", "", "Berlin", "u"])
    assert faults == {
        "empty": 1 / 4,  # of four translations
        "copied": 1 / 4,  # "u"; "Berlin" is right
        "repeated": 1 / 7,  # the second b, of seven words
        "repeated_in_references": 0,
        "dropped": (1 + 3 + 1) / 11,  # d, f g h, one of i j
        "added": 1 / 7,  # the second b
        "length_ratio": 7 / 11,
    }


def test_other_words_are_neither_dropped_nor_added():
    faults = faults_of(["a X c d e", "f g h", "Berlin", "i j"])
    assert faults["dropped"] == faults["added"] == 0


def test_nothing_of_nothing_is_no_copy():
    assert count_faults([""], [""], ["a"])["copied"] == 0


def test_characters_are_words_where_there_are_no_spaces():
    faults = count_faults(["a"], ["他在在工作"], ["他在NASA工作"])
    assert faults["repeated"] == 1 / 5 and faults["length_ratio"] == 1


def test_nothing_has_no_faults():
    assert count_faults([], [], [])["dropped"] == 0


def test_a_much_worse_system_is_told_apart():
    references = [f"the cat {i} sat on the mat number {i}" for i in range(60)]
    bad = ["the dog lay under a tree"] * 60
    found = compare(references, bad, references)
    assert found["bleu"]["p_value"] < 0.01
    assert found["bleu"]["baseline"] < 10
    same = compare(references, references, references)
    assert same["chrf"]["p_value"] > 0.5


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [(["x"] * 3, ["y"] * 3), (["a b c d"], ["a b c e"])],
    ids=["equal scores", "one sentence"],
)
def test_what_shows_no_difference_is_not_told_apart(ours, theirs):
    found = compare(ours, theirs, ["a b c d"] * len(ours))
    assert [row["p_value"] for row in found.values()] == [1, 1]


def test_worst_comes_first():
    found = sort_by_chrf(["a b c d e", "f x y", "", "i j"], REFERENCES)
    assert [i for i, _ in found] == [2, 1, 0, 3]
    assert found[0][1] == pytest.approx(0)
    assert found[3][1] == pytest.approx(100)
