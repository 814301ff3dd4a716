"""Models for phones and small boards, which LiteRT runs."""

import functools
import importlib.util
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import keras
import tensorflow as tf
from keras import ops

from s2s_keras.conventions import END_ID
from s2s_keras.conventions import PAD_ID
from s2s_keras.conventions import START_ID
from s2s_keras.decoding.candidates import best_ended
from s2s_keras.decoding.candidates import best_going_on
from s2s_keras.decoding.candidates import likeliest_continuations
from s2s_keras.export import stepping
from s2s_keras.export import warmup
from s2s_keras.layers.products import element_by_element

LOOP = pathlib.Path(__file__).with_name("edge_loop.py")
# How weights are stored, and by what share that may move a score.
WEIGHTS = {"float32": 1e-3, "float16": 0.02, "int8": 0.3}


def export_litert(text_translator, folder, weights="float32", **settings):
    """Writes a model that LiteRT runs, and the loop that searches with it.

    The folder holds `model.tflite`; `source.spm` and `target.spm`, the
    vocabularies; `settings.json`; and `translate.py`, which needs but
    ai-edge-litert, numpy and sentencepiece. The model, of built-in operations
    only, has the signatures `encode` and `encode_4` (`source_ids`
    `[1, source_len]` and `[4, source_len]`) and `decode`, a step of a search.

    `decode` takes what `encode` gave, each row `num_beams` times, and each
    hypothesis's latest `token_ids`; their `log_probs` `[batch, num_beams]`, at
    first 0 and then -1e9; and `must_end` `[batch]`, where only END may come. It
    tells how they go on, `log_probs`, `parents` and `token_ids`, and which of
    them `ended`, with `end_log_probs` and `end_parents`, all
    `[batch, num_beams]`; and the `state_...` of every parent.

    The folder appears when a fresh process has translated with it, and when it
    scores translations, and finds some that are as good, as `text_translator`
    does.

    Args:
        text_translator: `TextTranslator`.
        folder: Path of the folder, which must not exist.
        weights: `"float32"`, `"float16"` or `"int8"`: how weights are stored.
        **settings: `num_beams`, `length_penalty` or `max_source_len`; `None`
            leaves the model's own.

    Returns:
        `pathlib.Path` of the folder.

    Raises:
        FileExistsError: If the folder exists.
        ImportError: If ai-edge-litert is missing.
        RuntimeError: If the exported model does not answer as it should.

    Example:

    ```python
    export_litert(text_translator, "exported/edge", weights="int8")
    ```
    """
    if weights not in WEIGHTS:
        raise ValueError(
            f"`weights` should be one of {list(WEIGHTS)}. Received: {weights!r}"
        )
    folder = pathlib.Path(folder)
    if folder.exists():
        raise FileExistsError(f"{folder} exists and is left as it is.")
    if importlib.util.find_spec("ai_edge_litert") is None:
        raise ImportError(
            "A LiteRT export is run before it is published, with "
            "ai-edge-litert: `pip install 's2s-keras[litert]'`."
        )
    # LiteRT knows no bfloat16.
    servable = text_translator.with_settings(**settings).with_dtype("float32")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as temporary:
        new = pathlib.Path(temporary, "model")
        new.mkdir()
        _write(servable, new, weights)
        _verify(servable, new, WEIGHTS[weights])
        os.rename(new, folder)
    return folder


def _write(text_translator, folder, weights):
    translator = text_translator.translator
    started = stepping.name_start(_trace_start(translator))
    model = convert(translator, text_translator.num_beams, weights)
    (folder / "model.tflite").write_bytes(model)
    for side in ("source", "target"):
        tokenizer = getattr(text_translator, f"{side}_tokenizer")
        (folder / f"{side}.spm").write_bytes(tokenizer.proto)
    settings = text_translator.settings
    del settings["num_beams"]  # the model's own
    settings |= {
        "pad_id": PAD_ID,
        "start_id": START_ID,
        "end_id": END_ID,
        "source_axes": {
            name: [i for i, size in enumerate(tensor.shape) if size is None]
            for name, tensor in started.items()
        },
        "weights": weights,
    }
    text = json.dumps(settings, indent=2, allow_nan=False)
    (folder / "settings.json").write_text(text + "\n")
    shutil.copyfile(LOOP, folder / "translate.py")


def convert(translator, num_beams, weights="float32"):
    """Converts encoder and decoder to one LiteRT model that shares weights.

    Args:
        translator: `Translator`.
        num_beams: Integer. Width of the beam.
        weights: One of `WEIGHTS`.

    Returns:
        Bytes of the flatbuffer.
    """
    with tempfile.TemporaryDirectory() as folder:
        _write_archive(translator, folder, num_beams)
        converter = tf.lite.TFLiteConverter.from_saved_model(
            folder, signature_keys=["decode", "encode", "encode_4"]
        )
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
        if weights != "float32":
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
        if weights == "float16":
            converter.target_spec.supported_types = [tf.float16]
        return converter.convert()


def _source_ids(num_sentences):
    shape = [num_sentences, None]
    return tf.TensorSpec(shape, tf.int32, name="source_ids")


def _trace_start(translator):
    """Traces what `start` gives, of which only `source_len` is open."""
    start = tf.function(
        translator.start, input_signature=[_source_ids(1)], autograph=False
    )
    return start.get_concrete_function().structured_outputs


def _write_archive(translator, folder, num_beams):
    """Writes a SavedModel with the signatures that LiteRT gets."""
    started = _trace_start(translator)

    def encode(source_ids):
        return stepping.name_start(translator.start(source_ids))

    def decode(inputs):
        go_on = functools.partial(
            _go_on, log_probs=inputs["log_probs"], must_end=inputs["must_end"]
        )
        return stepping.step(translator, started, inputs, go_on)

    beams = {
        "log_probs": tf.TensorSpec([None, num_beams], tf.float32, "log_probs"),
        "must_end": tf.TensorSpec([None], tf.bool, "must_end"),
    }
    archive = keras.export.ExportArchive()
    archive.track(translator)
    with element_by_element():
        # LiteRT's loops know how many they read; sixteen gain nothing more.
        archive.add_endpoint("encode", encode, [_source_ids(1)])
        archive.add_endpoint("encode_4", encode, [_source_ids(4)])
        archive.add_endpoint(
            "decode", decode, [stepping.step_inputs(started) | beams]
        )
        archive.write_out(folder, verbose=False)


def _go_on(logits, log_probs, must_end):
    """Tells how the hypotheses go on, and all probabilities.

    Args:
        logits: Float tensor `[batch * num_beams, vocabulary_size]`.
        log_probs: Float tensor `[batch, num_beams]`, of the hypotheses.
        must_end: Boolean tensor `[batch]`, where only END may come next.

    Returns:
        Dictionary of tensors, `[batch, num_beams]` but for the
        `probabilities`, `[batch * num_beams, vocabulary_size]`.
    """
    found = likeliest_continuations(logits, log_probs, must_end)
    names = "log_probs", "parents", "token_ids"
    ended, end_log_probs, end_parents = best_ended(*found)
    return {
        **dict(zip(names, best_going_on(*found), strict=True)),
        "ended": ended,  # as float16 weights make float16 of -1e9, too
        "end_log_probs": end_log_probs,
        "end_parents": end_parents,
        "probabilities": ops.softmax(logits),
    }


def _verify(text_translator, folder, tolerance):
    """Has a fresh process translate, and compares scores and translations."""
    from s2s_keras.export.edge_loop import LiteRTTranslator

    texts = sum(warmup.make_texts(text_translator)[1::2], [])
    result = subprocess.run(
        [sys.executable, folder / "translate.py", texts[0]],
        capture_output=True,
    )
    if result.returncode:
        raise RuntimeError(
            "The exported model should run. Received:\n"
            f"{result.stderr.decode(errors='replace')}"
        )
    exported = LiteRTTranslator(folder)
    translations = exported.translate(texts)
    expected = [item.text for item in text_translator.translate(texts)]
    for source, translation, own, scored, found in zip(
        *(texts, translations, expected),
        *(text_translator.score(texts, x) for x in (expected, translations)),
        strict=True,
    ):
        allowed = tolerance * max(1.0, abs(scored.score))
        score = exported.score(source, own)
        if not abs(score - scored.score) <= allowed:
            raise RuntimeError(
                f"The exported model should give {source!r}, {own!r} the "
                f"score {scored.score}. Received: {score}"
            )
        if not found.score >= scored.score - allowed:
            raise RuntimeError(
                f"The exported model should translate {source!r} as well as "
                f"{own!r}, with the score {scored.score}. Received: "
                f"{translation!r}, with {found.score}"
            )
