import keras
import numpy as np
import pytest
import tensorflow as tf
from laws import PARTS
from laws import make_translator

from s2s_keras import AttentionDecoder
from s2s_keras import BahdanauAttention
from s2s_keras import Encoder
from s2s_keras import Translator
from s2s_keras.conventions import END_ID
from s2s_keras.conventions import START_ID
from s2s_keras.decoding.penalties import length_penalty

SOURCE_IDS = np.array(
    [[4, 5, 6, 7, 8, 3], [9, 8, 3, 0, 0, 0], [5, 5, 5, 3, 0, 0]], "int32"
)
MAX_LENGTHS = np.array([9, 5, 7], "int32")


def teacher_forced_score(translator, source_ids, ids):
    """Log-probability of `ids`, which close with END, after `source_ids`."""
    target_ids = np.array([[START_ID, *ids[:-1]]], "int32")
    logits = translator({"source_ids": source_ids, "target_ids": target_ids})
    log_probs = tf.nn.log_softmax(logits).numpy()[0]
    return log_probs[np.arange(len(ids)), ids].sum()


@PARTS
def test_source_padding_changes_nothing(cell, num_layers):
    translator = make_translator(cell, num_layers)
    padded = np.pad(SOURCE_IDS, [(0, 0), (0, 4)])
    for num_beams in (1, 3):
        ours = translator.search(SOURCE_IDS, MAX_LENGTHS, num_beams)
        theirs = translator.search(padded, MAX_LENGTHS, num_beams)
        np.testing.assert_array_equal(ours.ids, theirs.ids)
        np.testing.assert_allclose(ours.score, theirs.score, rtol=1e-5)
        np.testing.assert_allclose(
            ours.attention, theirs.attention[..., :6], atol=1e-5
        )


@PARTS
def test_target_padding_changes_nothing(cell, num_layers):
    translator = make_translator(cell, num_layers)
    target_ids = np.array([[2, 5, 6], [2, 7, 4], [2, 9, 9]], "int32")
    inputs = {"source_ids": SOURCE_IDS, "target_ids": target_ids}
    padded = inputs | {"target_ids": np.pad(target_ids, [(0, 0), (0, 3)])}
    np.testing.assert_allclose(
        translator(inputs), translator(padded)[:, :3], atol=1e-5
    )


@PARTS
def test_a_beam_of_one_equals_greedy(cell, num_layers):
    translator = make_translator(cell, num_layers)
    greedy = translator.search(SOURCE_IDS, MAX_LENGTHS)
    for i, ids in enumerate(np.array(greedy.ids)[:, 0]):
        ids = ids[: list(ids).index(END_ID) + 1]
        target_ids = np.array([[START_ID, *ids[:-1]]], "int32")
        logits = translator(
            {"source_ids": SOURCE_IDS[i : i + 1], "target_ids": target_ids}
        ).numpy()[0]
        logits[:, [0, START_ID]] = -np.inf
        free = len(ids) - (len(ids) == MAX_LENGTHS[i])  # the last may be forced
        np.testing.assert_array_equal(logits.argmax(-1)[:free], ids[:free])


@PARTS
@pytest.mark.parametrize("num_beams", [1, 4])
def test_a_score_is_the_teacher_forced_score(cell, num_layers, num_beams):
    translator = make_translator(cell, num_layers)
    found = translator.search(
        SOURCE_IDS, MAX_LENGTHS, num_beams, length_penalty=0.6
    )
    for i in range(len(SOURCE_IDS)):
        for beam in range(num_beams):
            ids = np.array(found.ids)[i, beam]
            ids = ids[: list(ids).index(END_ID) + 1]
            expected = teacher_forced_score(
                translator, SOURCE_IDS[i : i + 1], ids
            ) / float(length_penalty(len(ids), 0.6))
            score = float(found.score[i, beam])
            assert score == pytest.approx(expected, rel=1e-4)


@PARTS
def test_attention_rows_sum_to_one_and_are_zero_on_padding(cell, num_layers):
    found = make_translator(cell, num_layers).search(
        SOURCE_IDS, MAX_LENGTHS, num_beams=3
    )
    attention, ids = np.array(found.attention), np.array(found.ids)
    np.testing.assert_allclose(attention.sum(-1), ids != 0, atol=1e-5)
    for i, source_ids in enumerate(SOURCE_IDS):
        assert not attention[i, ..., source_ids == 0].any()


@PARTS
def test_alone_or_among_longer_neighbours(cell, num_layers):
    translator = make_translator(cell, num_layers)
    alone = translator.search(SOURCE_IDS[1:2, :3], MAX_LENGTHS[1:2], 4)
    random = np.random.default_rng(0).integers(4, 20, (63, 30))
    neighbours = np.concatenate(
        [np.pad(SOURCE_IDS[1:2], [(0, 0), (0, 24)]), random]
    ).astype("int32")
    lengths = np.array([MAX_LENGTHS[1]] + [40] * 63, "int32")
    together = translator.search(neighbours, lengths, 4)
    width = alone.ids.shape[-1]
    np.testing.assert_array_equal(together.ids[:1, :, :width], alone.ids)
    np.testing.assert_allclose(together.score[:1], alone.score, rtol=1e-5)


@PARTS
def test_saved_and_loaded_it_is_the_same(cell, num_layers, tmp_path):
    translator = make_translator(cell, num_layers, share_embedding=True)
    translator.save(tmp_path / "model.keras")
    copy = keras.saving.load_model(tmp_path / "model.keras")
    assert type(copy) is Translator
    assert copy.encoder.embedding is copy.decoder.embedding
    inputs = {"source_ids": SOURCE_IDS, "target_ids": SOURCE_IDS}
    np.testing.assert_array_equal(translator(inputs), copy(inputs))


def test_is_built_when_it_is_made():
    translator = Translator(
        Encoder(20, 4, 6), AttentionDecoder(20, 4, 12, BahdanauAttention(5))
    )
    lines = []
    translator.summary(print_fn=lines.append, expand_nested=True)
    assert "Unbuilt" not in "\n".join(lines)
    assert translator.count_params() == sum(
        int(np.prod(weight.shape)) for weight in translator.weights
    )


def test_names_every_weight_by_its_place():
    paths = {weight.path for weight in make_translator("gru", 2).weights}
    assert "decoder/attention/score_projection/kernel" in paths
    assert "decoder/gru_cell_1/recurrent_kernel" in paths
    assert not [path for path in paths if path.rsplit("/")[-2][-2:] == "_1_1"]


def test_a_shared_embedding_is_counted_once():
    apart, shared = (
        make_translator("gru", 1, share_embedding=share)
        for share in (False, True)
    )
    assert apart.count_params() - shared.count_params() == 20 * 4


def test_refuses_to_share_embeddings_of_other_sizes():
    with pytest.raises(ValueError, match=r"encoder=\(10, 4\)"):
        Translator(
            Encoder(10, 4, 6),
            AttentionDecoder(20, 4, 12, BahdanauAttention(5)),
            share_embedding=True,
        )


@pytest.mark.parametrize("num_beams", [0, -1, 2.5, None])
def test_refuses_bad_beams(num_beams):
    with pytest.raises(ValueError, match=f"num_beams={num_beams}"):
        make_translator("gru", 1).search(SOURCE_IDS, MAX_LENGTHS, num_beams)


def test_batches_of_any_shape_trace_once():
    translator = make_translator("gru", 1)
    traces = []

    @tf.function(
        input_signature=[
            tf.TensorSpec([None, None], tf.int32),
            tf.TensorSpec([None], tf.int32),
        ]
    )
    def search(source_ids, max_lengths):
        traces.append(1)
        return translator.search(source_ids, max_lengths, num_beams=2).ids

    for batch, source_len in ((1, 3), (2, 5), (3, 1)):
        search(
            np.full((batch, source_len), 5, "int32"),
            np.full((batch,), 4, "int32"),
        )
    assert len(traces) == 1


@pytest.mark.parametrize("dtype", ["mixed_float16", "mixed_bfloat16"])
def test_mixed_precision_translates(dtype):
    translator = make_translator("gru", 1, dtype=dtype)
    found = translator.search(SOURCE_IDS, MAX_LENGTHS, num_beams=3)
    assert np.isfinite(np.array(found.score)).all()
