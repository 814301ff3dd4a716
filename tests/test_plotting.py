import numpy as np
import pytest

from s2s_keras.models.translation import Translation
from s2s_keras.plotting import plot_attention

TRANSLATION = Translation(
    "zwei drei",
    -1.0,
    ["▁one", "▁two", "▁three", "[END]"],
    ["▁zwei", "▁drei", "[END]"],
    np.eye(3, 4, dtype="float32"),
    False,
)


def test_every_row_and_column_has_its_label():
    axes = plot_attention(TRANSLATION).axes[0]
    columns = [label.get_text() for label in axes.get_xticklabels()]
    rows = [label.get_text() for label in axes.get_yticklabels()]
    assert columns == TRANSLATION.source_pieces
    assert rows == TRANSLATION.target_pieces
    np.testing.assert_array_equal(axes.get_xticks(), range(4))
    np.testing.assert_array_equal(axes.get_yticks(), range(3))


def test_the_heatmap_is_the_attention():
    image = plot_attention(TRANSLATION).axes[0].images[0]
    np.testing.assert_array_equal(image.get_array(), TRANSLATION.attention)


def test_it_is_a_picture(tmp_path):
    for name in ("attention.png", "attention.svg"):
        plot_attention(TRANSLATION).savefig(tmp_path / name)
        assert (tmp_path / name).stat().st_size > 1000


@pytest.mark.parametrize("piece", ["$$", "$a^$"])
def test_dollars_are_drawn_as_they_are(piece, tmp_path):
    translation = Translation(
        piece, -1.0, [piece, "[END]"], [piece, "[END]"], np.eye(2), False
    )
    figure = plot_attention(translation)
    figure.savefig(tmp_path / "attention.svg")
    text = (tmp_path / "attention.svg").read_text()
    assert text.count(f"<!-- {piece} -->") == 2


def test_a_long_sentence_makes_no_larger_picture_but_smaller_labels():
    pieces = ["piece"] * 200
    translation = Translation(
        "long", -1.0, pieces, ["[END]"], np.full((1, 200), 0.005), False
    )
    axes = plot_attention(translation).axes[0]
    assert axes.figure.get_size_inches()[0] == 30
    assert len(axes.get_xticklabels()) == 200
    assert axes.get_xticklabels()[0].get_size() < 8
    assert axes.get_yticklabels()[0].get_size() == 10
