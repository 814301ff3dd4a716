import numpy as np
import pytest
import tensorflow as tf
from laws import TEXTS
from laws import VARIANTS
from laws import export_unverified
from laws import make_text_translator

from s2s_keras.conventions import END_ID
from s2s_keras.conventions import PAD_ID
from s2s_keras.conventions import START_ID
from s2s_keras.decoding.penalties import length_penalty
from s2s_keras.endpoint.failure import Failure
from s2s_keras.endpoint.servable import Servable
from s2s_keras.export import stepping
from s2s_keras.export.signatures import BATCH_SIZE
from s2s_keras.export.signatures import Signatures
from s2s_keras.models.packing import round_weights

NUM_BEAMS = 3
KINDS = [
    ("bahdanau-gru-1", "float32"),
    *(
        pytest.param(kind, marks=pytest.mark.slow)
        for kind in (
            ("standard-gru-1", "float32"),
            ("coverage-lstm-2", "int8"),
        )
    ),
]
SOURCES = [*TEXTS[:4], "", "  two\tspaces ", "ﬁve Ⅳ é ½", "三 \U0001f600!"]


@pytest.fixture(scope="module", params=KINDS, ids="-".join)
def kind(request):
    """A variant's name, and how its weights are stored."""
    return request.param


@pytest.fixture(scope="module")
def model(kind):
    model = make_text_translator(VARIANTS[kind[0]], num_beams=NUM_BEAMS)
    return model if kind[1] == "float32" else round_weights(model)


@pytest.fixture(scope="module")
def path(kind, model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("exported")
    return export_unverified(model, folder / "model", weights=kind[1])


@pytest.fixture(scope="module")
def exported(model, path):
    """A model, and the signatures of its export."""
    loaded = tf.saved_model.load(str(path))
    loaded.signatures.kept_alive = loaded
    return model, loaded.signatures


def ask(signature, **inputs):
    outputs = signature(**{k: tf.constant(v) for k, v in inputs.items()})
    return {name: value.numpy() for name, value in outputs.items()}


def decode(texts):
    return [text.decode() for text in texts]


def surfaces(text, spans):
    return [text[start:end] for start, end in spans]


def test_the_default_gives_the_translation_alone(exported):
    model, signatures = exported
    outputs = ask(signatures["serving_default"], text=SOURCES)
    assert list(outputs) == ["translation"]
    expected = [item.text for item in model.translate(SOURCES)]
    assert decode(outputs["translation"]) == expected


def test_translate_tells_what_translate_tells(exported):
    model, signatures = exported
    outputs = ask(signatures["translate"], text=SOURCES)
    has_attention = model.translator.has_attention
    assert ("attention" in outputs) == has_attention
    for i, item in enumerate(model.translate(SOURCES)):
        source_len = len(item.source_pieces)
        target_len = len(item.target_pieces)
        assert outputs["translation"][i].decode() == item.text
        assert outputs["score"][i] == pytest.approx(item.score, rel=1e-4)
        source = decode(outputs["source_pieces"][i])
        target = decode(outputs["target_pieces"][i])
        assert source[:source_len] == item.source_pieces
        assert target[:target_len] == item.target_pieces
        assert set(source[source_len:] + target[target_len:]) <= {""}
        if has_attention:
            attention = outputs["attention"][i]
            np.testing.assert_allclose(
                attention[:target_len, :source_len], item.attention, atol=1e-4
            )
            assert not attention[target_len:].any()


def test_spans_tile_the_texts(exported):
    outputs = ask(exported[1]["translate"], text=SOURCES)
    for i in range(len(SOURCES)):
        for side, text in (
            ("source", outputs["source_text"][i].decode()),
            ("target", outputs["translation"][i].decode()),
        ):
            spans = outputs[f"{side}_spans"][i]
            assert spans[0, 0] == 0 and spans[-1, 1] == len(text)
            assert (spans[1:, 0] == spans[:-1, 1]).all()
            assert (spans[:, 0] <= spans[:, 1]).all()


def test_spans_are_those_of_the_pieces(exported):
    outputs = ask(exported[1]["translate"], text=TEXTS[:4])
    for i in range(4):
        for side, text in (
            ("source", outputs["source_text"][i].decode()),
            ("target", outputs["translation"][i].decode()),
        ):
            pieces = decode(outputs[f"{side}_pieces"][i])
            found = surfaces(text, outputs[f"{side}_spans"][i])
            for position, (piece, surface) in enumerate(
                zip(pieces, found, strict=True)
            ):
                if piece in ("[END]", ""):
                    assert surface == ""
                elif not piece.startswith("<0x"):
                    piece = piece.replace("▁", " ")
                    # A text's first space is SentencePiece's own.
                    assert surface == (piece if position else piece.lstrip())


def test_n_best_comes_best_first(exported):
    model, signatures = exported
    outputs = ask(signatures["n_best"], text=TEXTS[:4])
    assert outputs["translations"].shape == (4, NUM_BEAMS)
    assert (np.diff(outputs["scores"], axis=1) <= 0).all()
    for row, item in zip(
        outputs["translations"], model.translate(TEXTS[:4]), strict=True
    ):
        assert row[0].decode() == item.text


def test_paragraphs_are_those_of_translate_paragraphs(exported):
    model, signatures = exported
    texts = ["one two\n\nthree", *SOURCES, "EIGHT\n"]
    outputs = ask(signatures["paragraphs"], text=texts)
    found = decode(outputs["translation"])
    assert found == model.translate_paragraphs(texts)
    assert found[0].count("\n") == 2 and found[-1].endswith("\n")


def test_paragraphs_are_searched_a_few_sentences_at_a_time(model, monkeypatch):
    def search(sentences):
        size = tf.strings.as_string(tf.size(sentences))
        return {"translation": tf.strings.join([sentences, size], " of ")}

    signatures = Signatures(model)
    monkeypatch.setattr(signatures, "_search", search)
    paragraphs = tf.function(signatures.paragraphs, autograph=False)
    sizes = [BATCH_SIZE] * (2 * BATCH_SIZE) + [1]
    text = "\n".join(f"line {i}" for i in range(len(sizes)))
    found = paragraphs(tf.constant([text]))["translation"].numpy()
    expected = [f"line {i} of {size}" for i, size in enumerate(sizes)]
    assert decode(found) == ["\n".join(expected)]


def test_score_gives_probabilities(exported):
    model, signatures = exported
    targets = ["one", "two three", "", "seven and six"]
    outputs = ask(
        signatures["score"], source_text=TEXTS[:4], target_text=targets
    )
    assert (outputs["token_log_probs"] <= 0).all()
    np.testing.assert_allclose(
        outputs["log_prob"], outputs["token_log_probs"].sum(axis=1), rtol=1e-5
    )
    for i, item in enumerate(model.score(TEXTS[:4], targets)):
        target_len = len(item.target_pieces)
        penalty = length_penalty(np.array(target_len), model.length_penalty)
        assert outputs["log_prob"][i] == pytest.approx(
            item.score * float(penalty), rel=1e-4
        )
        pieces = decode(outputs["target_pieces"][i])
        assert pieces[:target_len] == item.target_pieces
        assert not outputs["token_log_probs"][i, target_len:].any()


def test_a_client_can_decode_by_itself(exported):
    model, signatures = exported
    texts, steps = TEXTS[:4], 20
    inputs = signatures["encode"](text=tf.constant(texts))
    token_ids = tf.fill([len(texts)], START_ID)
    ids = np.zeros((len(texts), steps), "int32")
    done = np.zeros(len(texts), bool)
    for step in range(steps):
        outputs = signatures["step"](token_ids=token_ids, **inputs)
        token_ids = tf.argmax(outputs.pop("log_probs"), -1, tf.int32)
        attention = outputs.pop("attention", None)
        assert (attention is not None) == model.translator.has_attention
        ids[:, step] = np.where(done, PAD_ID, token_ids)
        done |= token_ids.numpy() == END_ID
        inputs |= outputs
    # One more than compared, as the last allowed token has to be END.
    found = model.translator.search(
        model.read(tf.constant(texts))[0], np.full(len(texts), steps + 1)
    )
    expected = np.zeros_like(ids)
    found_ids = np.asarray(found.ids)[:, 0, :steps]
    expected[:, : found_ids.shape[1]] = found_ids
    np.testing.assert_array_equal(ids, expected)
    outputs = ask(signatures["detokenize"], token_ids=ids)
    expected = model.target_tokenizer.detokenize(ids).numpy()
    assert outputs["translation"].tolist() == expected.tolist()


def test_clients_carry_what_json_has_of_any_precision():
    model = make_text_translator().with_dtype("mixed_bfloat16")
    signatures = Signatures(model)
    text, token_ids = tf.constant(TEXTS[:3]), tf.fill([3], START_ID)
    encoded = signatures.encode(text)
    stepped = signatures.step({"token_ids": token_ids, **encoded})
    attended, state = model.translator.start(model.read(text)[0])
    assert state.recurrent[0][0].dtype == tf.bfloat16
    expected = stepping.name_start((attended, state))
    result = model.translator.step(token_ids, state, attended)
    expected_states = stepping.name_start(((), result.state))
    for found, tensors in ((encoded, expected), (stepped, expected_states)):
        for name, tensor in tensors.items():
            assert found[name].dtype in (tf.float32, tf.int32, tf.bool)
            np.testing.assert_allclose(
                tf.cast(found[name], tf.float32),
                tf.cast(tensor, tf.float32),
                atol=0.01,
            )


@pytest.mark.parametrize(
    "name", ["serving_default", "translate", "n_best", "paragraphs", "encode"]
)
def test_nothing_gives_nothing(exported, name):
    outputs = ask(exported[1][name], text=np.array([], dtype="S"))
    assert all(len(value) == 0 for value in outputs.values())


@pytest.mark.slow
def test_the_graph_refuses_other_ranks(path):
    servable = Servable(path)  # leaves shapes to the graph, as the server does
    types = {"string": object, "float": "float32"}
    for signature in servable.signatures.values():
        inputs = {
            name: np.full(
                [size or 1 for size in spec.shape],
                b"one" if spec.dtype == "string" else 1,
                types.get(spec.dtype, spec.dtype),
            )
            for name, spec in signature.inputs.items()
        }
        for name in inputs:
            with pytest.raises(Failure) as failure:
                servable.run(signature, {**inputs, name: inputs[name][None]})
            assert failure.value.code == "INVALID_ARGUMENT"
            assert "shape" in failure.value.message.lower()
