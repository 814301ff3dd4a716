import keras
import numpy as np
import pytest
import tensorflow as tf
from laws import make_text_translator
from laws import make_translator
from laws import variant

from s2s_keras import AttentionDecoder
from s2s_keras import BahdanauAttention
from s2s_keras import CoverageAttention
from s2s_keras import Encoder
from s2s_keras import FusedAdam
from s2s_keras import TokenCrossEntropy
from s2s_keras import Translator
from s2s_keras.decoding.penalties import length_penalty
from s2s_keras.layers.cells import CELLS

SOURCE_IDS = np.array(
    [[4, 5, 6, 7, 8, 3], [9, 8, 3, 0, 0, 0], [5, 5, 5, 3, 0, 0]], "int32"
)
MAX_LENGTHS = np.array([9, 5, 7], "int32")
MIXTURES = [
    ("float32", "mixed_bfloat16", "mixed_bfloat16"),
    ("mixed_bfloat16", "float32", "float32"),
    ("mixed_bfloat16", "mixed_bfloat16", "float32"),
]


def test_padding_changes_no_translation():
    translator = make_translator()
    padded = np.pad(SOURCE_IDS, [(0, 0), (0, 4)])
    for num_beams in (1, 3):
        ours = translator.search(SOURCE_IDS, MAX_LENGTHS, num_beams)
        theirs = translator.search(padded, MAX_LENGTHS, num_beams)
        np.testing.assert_array_equal(ours.ids, theirs.ids)
        np.testing.assert_allclose(ours.score, theirs.score, rtol=1e-5)
        np.testing.assert_allclose(
            ours.attention, theirs.attention[..., :6], atol=1e-5
        )


def test_alone_or_among_63_longer_neighbours():
    translator = make_translator()
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


def test_a_shared_embedding_is_saved_as_one(tmp_path):
    translator = make_translator(variant(joint_vocabulary=True))
    translator.save(tmp_path / "model.keras")
    copy = keras.saving.load_model(tmp_path / "model.keras")
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
    paths = {
        weight.path for weight in make_translator(variant(num_layers=2)).weights
    }
    assert "decoder/attention/score_projection/kernel" in paths
    assert "decoder/stack/gru_cell_1/recurrent_kernel" in paths
    assert not [path for path in paths if path.rsplit("/")[-2][-2:] == "_1_1"]


def test_a_shared_embedding_is_counted_once():
    apart, shared = (
        make_translator(variant(joint_vocabulary=share))
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


@pytest.mark.parametrize(
    "change", [{"query": "conditional"}, {"embedding_in_memory": True}]
)
def test_refuses_what_attention_alone_would_use(change):
    variant(**change)
    (name,) = change
    with pytest.raises(ValueError, match=f"Received: {name}=.*'none'"):
        variant(attention="none", **change)


def test_refuses_residual_connections_around_nothing():
    with pytest.raises(ValueError, match="residual=True, num_layers=1"):
        variant(residual=True, num_layers=1)


@pytest.mark.parametrize("num_beams", [0, -1, 2.5, None])
def test_refuses_bad_beams(num_beams):
    with pytest.raises(ValueError, match=f"num_beams={num_beams}"):
        make_translator().search(SOURCE_IDS, MAX_LENGTHS, num_beams)


def test_batches_of_any_shape_trace_once():
    translator = make_translator()
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


@pytest.mark.slow
@pytest.mark.parametrize(
    "change",
    [
        {"attention": "none", "cell": "lstm"},
        {"query": "current", "attention": "coverage", "cell": "layer_norm_gru"},
    ],
)
def test_xla_trains_the_same_model(change):
    trained = []
    inputs = {"source_ids": SOURCE_IDS, "target_ids": SOURCE_IDS}
    for jit_compile in (False, True):
        translator = make_translator(variant(**change))
        before = translator.get_weights()
        translator.compile(
            FusedAdam(1e-2, global_clipnorm=1.0, epsilon=0.01),
            TokenCrossEntropy(0.1),
            jit_compile=jit_compile,
        )
        assert translator.jit_compile is jit_compile
        for _ in range(2):
            translator.train_on_batch(inputs, SOURCE_IDS)
        trained.append(translator.get_weights())
    moved = [
        np.abs(after - weights).max()
        for weights, after in zip(before, trained[0], strict=True)
    ]
    assert max(moved) > 1e-3
    for plain, compiled in zip(*trained, strict=True):
        np.testing.assert_allclose(compiled, plain, atol=1e-5)


def test_xla_and_cudnn_exclude_each_other():
    translator = make_translator()
    layer = translator.encoder.recurrent_layers[0].forward_layer
    layer.supports_jit = False  # as where there is a GPU
    translator.compile(loss=TokenCrossEntropy())
    assert layer.use_cudnn == "auto" and not translator.jit_compile
    translator.compile(loss=TokenCrossEntropy(), jit_compile=True)
    assert not layer.use_cudnn and translator.jit_compile
    translator.compile(loss=TokenCrossEntropy())
    assert layer.use_cudnn == "auto" and not translator.jit_compile


@pytest.mark.slow
def test_a_loaded_model_goes_on_training_as_the_saved_one(tmp_path):
    translator = make_translator()
    translator.compile(FusedAdam(0.1), TokenCrossEntropy())
    batch = {"source_ids": SOURCE_IDS, "target_ids": SOURCE_IDS}, SOURCE_IDS
    translator.train_on_batch(*batch)
    translator.save(tmp_path / "model.keras")
    copy = keras.saving.load_model(tmp_path / "model.keras")
    for _ in range(2):
        expected = translator.train_on_batch(*batch)
        assert copy.train_on_batch(*batch) == pytest.approx(expected, 1e-5)


@pytest.mark.parametrize("make", [make_translator, make_text_translator])
def test_refuses_layers_of_int8(make):
    with pytest.raises(NotImplementedError, match="weights='int8'"):
        make().quantize("int8")


@pytest.mark.slow
@pytest.mark.parametrize("encoder, decoder, attention", MIXTURES)
def test_parts_of_several_precisions(encoder, decoder, attention):
    attention = CoverageAttention(5, dtype=attention)
    translator = Translator(
        Encoder(20, 4, 6, dtype=encoder),
        AttentionDecoder(20, 4, 12, attention, dtype=decoder),
    )
    translator.compile(FusedAdam(), TokenCrossEntropy())
    ids = {"source_ids": SOURCE_IDS, "target_ids": SOURCE_IDS}
    translator.fit(ids, SOURCE_IDS, verbose=0)
    found = translator.search(SOURCE_IDS, MAX_LENGTHS, num_beams=2)
    best = np.array(found.ids[:, 0])
    forced = translator.force(SOURCE_IDS, best)
    score = np.sum(forced.log_probs, axis=1) / length_penalty(
        np.sum(best != 0, axis=1), 1.0
    )
    np.testing.assert_allclose(found.score[:, 0], score, rtol=0.02)


@pytest.mark.parametrize(
    "dtype",
    [pytest.param("mixed_float16", marks=pytest.mark.slow), "mixed_bfloat16"],
)
@pytest.mark.parametrize("cell", CELLS)
def test_mixed_precision_translates(dtype, cell):
    translator = make_translator(variant(dtype=dtype, cell=cell))
    found = translator.search(SOURCE_IDS, MAX_LENGTHS, num_beams=3)
    assert np.isfinite(np.array(found.score)).all()


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["float32", "mixed_float16"])
def test_float16_scales_the_loss(dtype):
    translator = make_translator(variant(dtype=dtype))
    translator = Translator.from_config(translator.get_config())
    translator.compile(FusedAdam(), TokenCrossEntropy())
    ids = {"source_ids": SOURCE_IDS, "target_ids": SOURCE_IDS}
    before = translator.get_weights()
    translator.fit(ids, SOURCE_IDS, epochs=2, verbose=0)
    moved = translator.get_weights()
    assert all(np.isfinite(weight).all() for weight in moved)
    assert any((a != b).any() for a, b in zip(before, moved, strict=True))
    is_scaled = isinstance(
        translator.optimizer, keras.optimizers.LossScaleOptimizer
    )
    assert is_scaled == (dtype == "mixed_float16")


@pytest.mark.slow
@pytest.mark.parametrize("floatx", ["float16", "float64"])
def test_another_default_type_trains_and_searches(floatx):
    keras.config.set_floatx(floatx)
    try:
        translator = make_translator(variant(dtype=floatx))
        translator.compile(keras.optimizers.SGD(), TokenCrossEntropy())
        ids = {"source_ids": SOURCE_IDS, "target_ids": SOURCE_IDS}
        assert np.isfinite(translator.train_on_batch(ids, SOURCE_IDS))
        for num_beams in (1, 3):
            found = translator.search(SOURCE_IDS, MAX_LENGTHS, num_beams)
            assert np.isfinite(found.score).all()
    finally:
        keras.config.set_floatx("float32")


@pytest.mark.parametrize(
    "dtype", [pytest.param("float16", marks=pytest.mark.slow), "float64"]
)
def test_pure_precision_trains(dtype):
    translator = make_translator(variant(dtype=dtype))
    translator.compile(keras.optimizers.SGD(), TokenCrossEntropy())
    ids = {"source_ids": SOURCE_IDS, "target_ids": SOURCE_IDS}
    assert np.isfinite(translator.train_on_batch(ids, SOURCE_IDS))


@pytest.mark.parametrize("joint_vocabulary", [False, True])
def test_a_frozen_part_comes_back_frozen(joint_vocabulary, tmp_path):
    translator = make_translator(variant(joint_vocabulary=joint_vocabulary))
    translator.encoder.trainable = False
    translator.save(tmp_path / "model.keras")
    copy = keras.saving.load_model(tmp_path / "model.keras")
    assert not any(weight.trainable for weight in copy.encoder.weights)
    assert len(copy.trainable_weights) == len(translator.trainable_weights)


def test_mixed_precision_casts_no_weight_in_the_loop():
    text_translator = make_text_translator(variant(dtype="mixed_bfloat16"))
    graph = tf.function(
        lambda text: text_translator(text, num_beams=2)["translation"],
        input_signature=[tf.TensorSpec([None], tf.string)],
        autograph=False,
    ).get_concrete_function()
    definition = graph.graph.as_graph_def()
    bodies = [
        function
        for function in definition.library.function
        if "while_body" in function.signature.name
    ]
    reads = [
        node.name
        for body in bodies
        for node in body.node_def
        if node.op == "ReadVariableOp"
    ]
    assert bodies and not reads
