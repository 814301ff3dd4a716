"""The model that `fit` trains: ids in, logits out."""

import contextlib
import functools
from typing import Any
from typing import NamedTuple

import keras
from keras import ops

from s2s_keras.conventions import PAD_ID
from s2s_keras.conventions import START_ID
from s2s_keras.conventions import check_positive
from s2s_keras.conventions import pass_on_trainable
from s2s_keras.conventions import register
from s2s_keras.decoding.hypotheses import repeat_for_beams
from s2s_keras.decoding.search import StepResult
from s2s_keras.decoding.search import beam_search
from s2s_keras.decoding.search import greedy_search
from s2s_keras.layers.attention_decoder import AttentionDecoder
from s2s_keras.models.architecture import Architecture
from s2s_keras.presets import PRESETS
from s2s_keras.presets import find_model
from s2s_keras.presets import save_model
from s2s_keras.training.losses import cross_entropy


class ForcedResult(NamedTuple):
    """What a model makes of translations that are given.

    Attributes:
        log_probs: Float32 tensor `[batch, target_len]`, the log-probability
            of every token, END included, and 0 on padding.
        attention: Float32 tensor `[batch, target_len, source_len]`, zeros on
            padding. `()` where the decoder has no attention.
    """

    log_probs: Any
    attention: Any


@register
class Translator(keras.Model):
    """An encoder and a decoder, joined.

    The model is built when it is made. It takes a dictionary of `source_ids`
    `[batch, source_len]` and `target_ids` `[batch, target_len]` and gives
    logits `[batch, target_len, vocabulary_size]`. `copy.deepcopy` copies it;
    `keras.models.clone_model` makes another kind of model.

    Args:
        encoder: An `Encoder`.
        decoder: A `StandardDecoder`, an `AttentionDecoder`, a
            `ConditionalDecoder` or a `LuongDecoder`.
        share_embedding: Boolean. Whether the encoder reads with the decoder's
            embedding; both then need one joint vocabulary.
        **kwargs: Keyword arguments of `keras.Model`.

    Example:

    ```python
    translator = Translator(
        Encoder(vocabulary_size=8000, embedding_dim=256, units=256),
        AttentionDecoder(
            vocabulary_size=8000,
            embedding_dim=256,
            units=512,
            attention=BahdanauAttention(512),
        ),
    )
    translator.compile(
        optimizer="adam",
        loss=TokenCrossEntropy(label_smoothing=0.1),
        weighted_metrics=[TokenAccuracy(), Perplexity()],
    )
    translator.fit(batches)
    ```

    Reference:
        [Bahdanau et al., 2015](https://arxiv.org/abs/1409.0473).
    """

    presets = PRESETS

    def __init__(self, encoder, decoder, share_embedding=False, **kwargs):
        # === Layers ===
        if share_embedding:
            _check_same_embedding(encoder, decoder)
            del encoder.embedding
            encoder.embedding = decoder.embedding
            pass_on_trainable(encoder)

        # === Functional Model ===
        source_ids = keras.Input((None,), dtype="int32", name="source_ids")
        target_ids = keras.Input((None,), dtype="int32", name="target_ids")
        memory, encoder_state, memory_mask = encoder(source_ids)
        logits = decoder(
            target_ids, memory, encoder_state, memory_mask=memory_mask
        )
        super().__init__(
            inputs={"source_ids": source_ids, "target_ids": target_ids},
            outputs=logits,
            **kwargs,
        )
        # Keras gives functional models the global policy. That of their layers
        # tells `compile` whether the loss wants scaling.
        self.dtype_policy = decoder.dtype_policy

        # === Config ===
        self.encoder = encoder
        self.decoder = decoder
        self.share_embedding = share_embedding

    @classmethod
    def from_architecture(
        cls, architecture, source_vocabulary_size, target_vocabulary_size=None
    ):
        """Makes an untrained translator.

        Args:
            architecture: `Architecture`.
            source_vocabulary_size: Integer. Number of source pieces.
            target_vocabulary_size: Integer. Number of target pieces; as many
                as of the source if `None`.

        Returns:
            A `Translator`.
        """
        if target_vocabulary_size is None:
            target_vocabulary_size = source_vocabulary_size
        return cls(
            architecture.make_encoder(source_vocabulary_size),
            architecture.make_decoder(target_vocabulary_size),
            share_embedding=architecture.joint_vocabulary,
            name="translator",
        )

    @classmethod
    def from_preset(cls, preset, load_weights=True):
        """Loads a translator of ids, without its tokenizers.

        Args:
            preset: A name in `Translator.presets`, a `.keras` file, or a
                folder that holds a `model.keras`.
            load_weights: Boolean. Whether it comes trained. Otherwise its
                weights are drawn anew.

        Returns:
            A `Translator`.

        Raises:
            FileNotFoundError: If there is no such preset, or none with
                weights.
            ValueError: If the file holds something else.
        """
        if preset in PRESETS and not load_weights:
            architecture = Architecture(**PRESETS[preset]["architecture"])
            size = PRESETS[preset]["card"]["pieces"]
            return cls.from_architecture(architecture, size)
        path = find_model(preset)
        model = keras.saving.load_model(path)
        translator = getattr(model, "translator", model)
        if not isinstance(translator, cls):
            raise ValueError(
                f"`preset` should hold a {cls.__name__}. Received: {path} "
                f"with a {type(translator).__name__}"
            )
        if load_weights:
            return translator
        return cls.from_config(translator.get_config())

    def compile(self, *args, jit_compile=False, **kwargs):
        """Says how to train, as `keras.Model.compile`, but without XLA.

        XLA makes one program of all steps of the loops, and so spares a GPU
        the wait between their operations; a CPU gains little. It takes seconds
        for every shape of a batch: see `num_shapes` of `make_batches`.

        Args:
            *args: Arguments of `keras.Model.compile`.
            jit_compile: Boolean. Whether XLA compiles training. Recurrent
                layers then do without cuDNN, which it cannot compile.
            **kwargs: Keyword arguments of `keras.Model.compile`.
        """
        for layer in self._flatten_layers():
            if hasattr(layer, "use_cudnn"):
                layer.use_cudnn = False if jit_compile else "auto"
                layer.supports_jit = layer.supports_jit or bool(jit_compile)
        super().compile(*args, jit_compile=jit_compile, **kwargs)

    def compile_from_config(self, config):
        """Compiles a loaded model as the saved one was."""
        self.compile(**keras.saving.deserialize_keras_object(config))
        if self.optimizer:
            self.optimizer.build(self.trainable_variables)

    def quantize(self, *args, **kwargs):
        """Is refused: weights of Keras's int8 layers have scales beside them.

        Raises:
            NotImplementedError: Always.
        """
        raise NotImplementedError(
            "Searches read weights that `quantize` replaces. For int8 weights, "
            "export: `export(text_translator, path, weights='int8')`, or "
            "`export_litert`."
        )

    def save_to_preset(self, folder):
        """Writes `model.keras` to a folder, for `from_preset`.

        Args:
            folder: Path of the folder, which is made if need be.

        Raises:
            FileExistsError: If the folder holds a model already.
        """
        save_model(self, folder)

    def search(self, source_ids, max_lengths, num_beams=1, length_penalty=1.0):
        """Translates ids to ids.

        Args:
            source_ids: Integer tensor `[batch, source_len]`.
            max_lengths: Integer tensor `[batch]`, the longest translation
                allowed for each sentence, END included.
            num_beams: Integer. Width of the beam; 1 searches greedily.
            length_penalty: Float. See `decoding.penalties.length_penalty`.

        Returns:
            A `SearchResult`, without attention where the decoder has none.
        """
        check_positive(num_beams=num_beams)
        source_len = ops.shape(source_ids)[1] if self.has_attention else None
        with _weights_read_once(self.members()):
            attended, state = self.start(source_ids)
            attended, state = repeat_for_beams((attended, state), num_beams)
            step = functools.partial(
                self.step, output_kernel=self.output_kernel()
            )
            arguments = (step, state, attended, max_lengths, source_len)
            if num_beams == 1:
                return greedy_search(*arguments, alpha=length_penalty)
            return beam_search(*arguments, num_beams, length_penalty)

    def force(self, source_ids, label_ids):
        """Follows translations that are given.

        Args:
            source_ids: Integer tensor `[batch, source_len]`.
            label_ids: Integer tensor `[batch, target_len]`, the translations,
                which close with END and are padded with PAD.

        Returns:
            `ForcedResult`.
        """
        label_ids = ops.cast(label_ids, "int32")
        start = ops.full_like(label_ids[:, :1], START_ID)
        target_ids = ops.concatenate([start, label_ids[:, :-1]], axis=1)
        attended, state = self._read(source_ids)
        tokens = self.decoder.embed(target_ids)
        states = self.decoder.unroll(tokens, state, attended)
        losses = cross_entropy(self.decoder.readout(tokens, states), label_ids)
        real = label_ids != PAD_ID
        attention = keras.tree.map_structure(
            lambda weights: ops.where(real[..., None], weights, 0.0),
            _attention(states),
        )
        return ForcedResult(ops.where(real, -losses, 0.0), attention)

    def start(self, source_ids):
        """Reads the source.

        Args:
            source_ids: Integer tensor `[batch, source_len]`.

        Returns:
            A tuple of what the decoder looks at in every step, and of what
            the first step takes of its `DecoderState`.
        """
        attended, state = self._read(source_ids)
        return attended, state.carried()

    def _read(self, source_ids):
        memory, encoder_state, memory_mask = self.encoder(source_ids)
        attended = self.decoder.attend_to(memory, memory_mask)
        return attended, self.decoder.initial_state(encoder_state, attended)

    def step(self, token_ids, state, attended, output_kernel=None):
        """Takes one step.

        Args:
            token_ids: Integer tensor `[rows]`, the latest tokens.
            state: What the step before gave, or `start`.
            attended: What `start` returned.
            output_kernel: What `output_kernel()` returned. Computed when
                absent.

        Returns:
            A `StepResult`.
        """
        token = self.decoder.embed(token_ids)
        state = self.decoder.step(token, state, attended)
        logits = self.decoder.readout(token, state, output_kernel=output_kernel)
        return StepResult(logits, state.carried(), _attention(state))

    def output_kernel(self):
        """Prepares, once per search, what all steps project with."""
        return self.decoder.output_kernel()

    def members(self):
        """The translators that search together: this one."""
        return [self]

    @property
    def has_attention(self):
        """Whether a search returns attention."""
        return isinstance(self.decoder, AttentionDecoder)

    def get_config(self):
        return {
            "name": self.name,
            "trainable": self.trainable,
            "encoder": _serialize_unbuilt(self.encoder),
            "decoder": _serialize_unbuilt(self.decoder),
            "share_embedding": self.share_embedding,
        }

    @classmethod
    def from_config(cls, config, custom_objects=None):
        config = dict(config)
        for part in ("encoder", "decoder"):
            config[part] = keras.saving.deserialize_keras_object(
                config[part], custom_objects=custom_objects
            )
        return cls(**config)


@contextlib.contextmanager
def _weights_read_once(translators):
    """Reads weights, and casts them, before loops that would in every step."""
    scope = keras.StatelessScope()
    layers = [layer for t in translators for layer in t._flatten_layers()]
    for layer in layers:
        for variable in layer._trainable_variables:
            is_cast = variable._autocast
            dtype = layer.compute_dtype if is_cast else variable.dtype
            scope.add_update((variable, ops.cast(variable, dtype)))
    with scope:
        yield


def _attention(state):
    """The attention `[..., source_len]` of states, in float32, or `()`."""
    return keras.tree.map_structure(
        lambda attention: ops.cast(attention, "float32"), state.attention
    )


def _serialize_unbuilt(layer):
    """Serializes a layer that the model's constructor will build."""
    config = keras.saving.serialize_keras_object(layer)
    config.pop("build_config", None)
    return config


def _check_same_embedding(encoder, decoder):
    if encoder.built:
        raise ValueError(
            "`share_embedding` needs an encoder that is not built yet. "
            f"Received: encoder={encoder}"
        )
    sizes = [
        (part.vocabulary_size, part.embedding_dim)
        for part in (encoder, decoder)
    ]
    if sizes[0] != sizes[1]:
        raise ValueError(
            "`share_embedding` needs an encoder and a decoder with the same "
            "(vocabulary_size, embedding_dim). Received: "
            f"encoder={sizes[0]}, decoder={sizes[1]}"
        )
