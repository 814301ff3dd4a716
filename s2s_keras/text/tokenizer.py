"""SentencePiece tokenization that runs in the graph and saves with a model."""

import concurrent.futures
import io
import pathlib
import re
import uuid

import keras
import tensorflow as tf

from s2s_keras.conventions import END_ID
from s2s_keras.conventions import PAD_ID
from s2s_keras.conventions import START_ID
from s2s_keras.conventions import UNK_ID
from s2s_keras.conventions import register

ASSET_NAME = "vocabulary.spm"
NUM_SPECIAL_PIECES = 4 + 256  # PAD, UNK, START, END and the bytes


@register
class SentencePieceTokenizer(keras.layers.Layer):
    """Splits text into subword pieces and joins them again.

    Any Unicode text comes back as its NFKC form: characters without a piece
    of their own are spelt in bytes. There are two exceptions, both
    SentencePiece's own: spaces at the beginning are lost, and U+2581, its
    sign for a space, comes back as one. The vocabulary is saved inside the
    `.keras` file of the model that owns the tokenizer.

    Args:
        proto: Bytes of a SentencePiece model with the ids PAD 0, UNK 1, START
            2 and END 3, as `train` makes it. Only loading leaves it out, as
            the vocabulary then comes from the model's file.
        **kwargs: Keyword arguments of `keras.layers.Layer`.

    Example:

    >>> tokenizer = SentencePieceTokenizer.train(texts, vocabulary_size=8000)
    >>> tokenizer.detokenize(tokenizer.tokenize(["Hello, world!"]))
    <tf.Tensor: shape=(1,), dtype=string, numpy=array([b'Hello, world!'],
    dtype=object)>

    Reference:
        [Kudo and Richardson, 2018](https://arxiv.org/abs/1808.06226).
    """

    def __init__(self, proto=None, **kwargs):
        super().__init__(**kwargs)
        self.built = True
        self.proto = None
        self._loaded = None
        if proto is not None:
            self._set_proto(proto)

    @classmethod
    def train(
        cls,
        texts,
        vocabulary_size,
        kind="unigram",
        character_coverage=1.0,
        **kwargs,
    ):
        """Trains a tokenizer on text.

        A corpus too small for `vocabulary_size` pieces gives a smaller
        vocabulary.

        Args:
            texts: Iterable of strings. For a joint vocabulary, both sides.
            vocabulary_size: Integer, the largest number of pieces, of which
                260 are special ones and bytes.
            kind: `"unigram"` or `"bpe"`.
            character_coverage: Float. Share of the text's characters that get
                a piece of their own; the others are spelt in bytes.
            **kwargs: Keyword arguments of the class.

        Returns:
            A `SentencePieceTokenizer`.
        """
        import sentencepiece

        if kind not in ("unigram", "bpe"):
            raise ValueError(
                "`kind` should be one of ['bpe', 'unigram']. "
                f"Received: kind={kind!r}"
            )
        if vocabulary_size <= NUM_SPECIAL_PIECES:
            raise ValueError(
                "`vocabulary_size` should be more than the "
                f"{NUM_SPECIAL_PIECES} special pieces and bytes. "
                f"Received: vocabulary_size={vocabulary_size}"
            )
        proto = io.BytesIO()
        try:
            sentencepiece.SentencePieceTrainer.train(
                sentence_iterator=iter(texts),
                model_writer=proto,
                model_type=kind,
                vocab_size=vocabulary_size,
                hard_vocab_limit=False,
                character_coverage=character_coverage,
                pad_id=PAD_ID,
                unk_id=UNK_ID,
                bos_id=START_ID,
                eos_id=END_ID,
                byte_fallback=True,
                normalization_rule_name="nfkc",
                remove_extra_whitespaces=False,
                max_sentence_length=1 << 20,
                num_threads=1,
                minloglevel=2,
            )
        except RuntimeError as error:
            _refuse_small_vocabulary(vocabulary_size, error)
            raise
        return cls(proto.getvalue(), **kwargs)

    def _set_proto(self, proto):
        import tensorflow_text

        self.proto = proto
        with tf.init_scope():
            self._loaded = tensorflow_text.SentencepieceTokenizer(
                proto, out_type=tf.int32
            )
            self._loaded._model_resource = _make_lasting_resource(proto)
        special = self._tokenizer.id_to_string(tf.range(4)).numpy().tolist()
        expected = [b"<pad>", b"<unk>", b"<s>", b"</s>"]
        if special != expected:
            raise ValueError(
                f"`proto` should hold the first pieces {expected}. "
                f"Received: {special}"
            )

    @property
    def _tokenizer(self):
        if self._loaded is None:
            raise ValueError(
                "This tokenizer has no vocabulary: it should be made with "
                "`proto`, or come with its model from `load_model`; "
                "`from_config` and `clone_model` leave the vocabulary out, "
                "`copy.deepcopy` does not."
            )
        return self._loaded

    @property
    def vocabulary_size(self):
        with tf.init_scope():
            return int(self._tokenizer.vocab_size())

    def tokenize(self, text):
        """Splits text into piece ids, without START or END.

        Args:
            text: String tensor `[batch]`.

        Returns:
            Ragged int32 tensor `[batch, (length)]`.
        """
        return self._tokenizer.tokenize(text)

    def sample(self, texts, seed, alpha):
        """Splits text into piece ids at random, for training.

        Args:
            texts: List of strings.
            seed: Integer. It repeats draws within a process alone, as
                sentencepiece salts it anew in each.
            alpha: Float. For unigrams the inverse temperature at which splits
                are drawn, 0 for all alike; for BPE the share of merges that
                are left out.

        Returns:
            Ragged int32 tensor `[batch, (length)]`.

        Reference:
            [Kudo, 2018](https://arxiv.org/abs/1804.10959), Section 3.2, and
            [Provilkov et al., 2020](https://arxiv.org/abs/1910.13267).
        """
        import sentencepiece

        processor = sentencepiece.SentencePieceProcessor(
            model_proto=self.proto,
            enable_sampling=True,
            nbest_size=-1,
            alpha=alpha,
        )
        # A thread takes over the seed when it first draws.
        sentencepiece.set_random_generator_seed(seed)
        with concurrent.futures.ThreadPoolExecutor(1) as thread:
            rows = list(thread.map(processor.encode, texts))
        return tf.RaggedTensor.from_row_lengths(
            tf.constant([id for row in rows for id in row], tf.int32),
            [len(row) for row in rows],
        )

    def tokenize_with_spans(self, text):
        """Splits text into piece ids and tells where they are.

        Args:
            text: String tensor `[batch]`.

        Returns:
            A tuple of what `tokenize` returns and of a ragged int32 tensor
            `[batch, (length), 2]`: the first character of each piece, and the
            one behind its last.
        """
        ids, starts, ends = self._tokenizer.tokenize_with_offsets(text)
        texts = tf.gather(text, ids.value_rowids())
        spans = [
            tf.strings.length(
                tf.strings.substr(texts, tf.zeros_like(bytes), bytes),
                unit="UTF8_CHAR",
            )
            for bytes in (starts.values, ends.values)
        ]
        return ids, ids.with_values(tf.stack(spans, axis=-1))

    def detokenize(self, ids):
        """Joins piece ids to text; special ids vanish, but UNK, a " ⁇ ".

        Args:
            ids: Integer tensor `[batch, length]`, padded or ragged.

        Returns:
            String tensor `[batch]`, valid UTF-8.
        """
        text = self._tokenizer.detokenize(ids)
        return tf.strings.unicode_transcode(
            text, "UTF-8", "UTF-8", errors="replace"
        )

    def find_spans(self, ids):
        """Tells where each piece is in the text that they give together.

        Args:
            ids: Integer tensor `[batch, length]`, padded.

        Returns:
            Int32 tensor `[batch, length, 2]`: the first character of each
            piece in `detokenize(ids)`, and the one behind its last.
        """
        batch, length = tf.unstack(tf.shape(ids))
        # The pieces so far at every position, [batch, length, length].
        so_far = tf.linalg.band_part(
            tf.repeat(ids[:, None], length, axis=1), -1, 0
        )
        texts = self.detokenize(tf.reshape(so_far, [-1, length]))
        lengths = tf.reshape(
            tf.strings.length(texts, unit="UTF8_CHAR"), [batch, 1, length]
        )
        # The bytes of an unfinished character count one each: a piece ends
        # where no later text is shorter.
        behind = tf.range(length)[:, None] <= tf.range(length)
        ends = tf.reduce_min(
            tf.where(behind, lengths, tf.int32.max), axis=-1
        )  # [batch, length]
        starts = tf.pad(ends[:, :-1], [[0, 0], [1, 0]])
        return tf.stack([starts, ends], axis=-1)

    def id_to_piece(self, ids):
        """Looks pieces up.

        Args:
            ids: Integer tensor of any shape.

        Returns:
            String tensor of the same shape.

        Raises:
            tf.errors.InvalidArgumentError: If an id is not in the vocabulary.
        """
        return tf.ragged.map_flat_values(self._look_up, ids)

    def _look_up(self, ids):
        size = self.vocabulary_size
        message = f"`ids` should be from 0 to {size - 1}."
        ids = tf.convert_to_tensor(ids)
        checks = [
            tf.debugging.assert_non_negative(ids, message),
            tf.debugging.assert_less(ids, tf.cast(size, ids.dtype), message),
        ]
        with tf.control_dependencies(checks):  # the operation looks anywhere
            return self._tokenizer.id_to_string(ids)

    def call(self, text):
        return self.tokenize(text)

    def get_config(self):
        # The vocabulary is an asset of the saved file: see `save_assets`.
        return super().get_config()

    def save_assets(self, dir_path):
        path = pathlib.Path(dir_path) / ASSET_NAME
        path.write_bytes(self.proto)

    def load_assets(self, dir_path):
        self._set_proto((pathlib.Path(dir_path) / ASSET_NAME).read_bytes())


def _refuse_small_vocabulary(vocabulary_size, error):
    """Says it better where sentencepiece misses room for all characters."""
    least = re.search(r"required_chars. \d+ vs (\d+)", str(error))
    if least:
        raise ValueError(
            f"`vocabulary_size` should be at least {least[1]}, for the "
            f"{NUM_SPECIAL_PIECES} special pieces and bytes and for the text's "
            f"characters. Received: vocabulary_size={vocabulary_size}"
        ) from error


def _make_lasting_resource(proto):
    """Makes a resource that outlives a new random seed.

    TF-Text leaves its resource to a kernel that TensorFlow throws away, and
    the vocabulary with it, when `keras.utils.set_random_seed` is called.
    """
    from tensorflow_text.python.ops import sentencepiece_tokenizer

    class LastingResource(sentencepiece_tokenizer._SentencepieceModelResource):
        def _create_resource(self):
            if not tf.executing_eagerly():  # as in an exported model
                return super()._create_resource()
            create = sentencepiece_tokenizer.gen_sentencepiece_tokenizer
            return create.sentencepiece_op(
                model=self._model, shared_name=f"sentencepiece_{uuid.uuid4()}"
            )

        def _destroy_resource(self):
            tf.raw_ops.DestroyResourceOp(
                resource=self.resource_handle, ignore_lookup_error=True
            )

    return LastingResource(proto, "sentencepiece")
