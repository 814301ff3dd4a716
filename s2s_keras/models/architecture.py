"""Everything that decides what a translator is made of, as one record."""

import dataclasses
import math

import keras

from s2s_keras.layers.attention import BahdanauAttention
from s2s_keras.layers.attention import ConcatAttention
from s2s_keras.layers.attention import CoverageAttention
from s2s_keras.layers.attention import DotAttention
from s2s_keras.layers.attention import GeneralAttention
from s2s_keras.layers.attention import MultiHeadBahdanauAttention
from s2s_keras.layers.attention import ScaledDotAttention
from s2s_keras.layers.attention_decoder import AttentionDecoder
from s2s_keras.layers.attention_decoder import ConditionalDecoder
from s2s_keras.layers.attention_decoder import LuongDecoder
from s2s_keras.layers.cells import CELLS
from s2s_keras.layers.decoder import StandardDecoder
from s2s_keras.layers.encoder import Encoder

ATTENTIONS = {
    "none": None,
    "bahdanau": BahdanauAttention,
    "multi_head": MultiHeadBahdanauAttention,
    "coverage": CoverageAttention,
    "scaled_dot": ScaledDotAttention,
    "dot": DotAttention,
    "general": GeneralAttention,
    "concat": ConcatAttention,
}
QUERIES = {
    "previous": AttentionDecoder,
    "conditional": ConditionalDecoder,
    "current": LuongDecoder,
}
# Bounds of options: the least value, and what all are below.
AT_LEAST_0 = (0, math.inf)
AT_LEAST_1 = (1, math.inf)
SHARE = (0, 1)


def option(default, help, choices=None, bounds=None):
    """A field of a record that is also an option of the command line.

    Args:
        default: Its value where none is given.
        help: String. What it is.
        choices: Tuple of the values that it may have.
        bounds: Its least value, and what it is below.

    Returns:
        A dataclass field.
    """
    metadata = {"help": help, "choices": choices, "bounds": bounds}
    return dataclasses.field(default=default, metadata=metadata)


def _check(field, value):
    choices, bounds = field.metadata["choices"], field.metadata["bounds"]
    if choices and value not in choices:
        raise ValueError(
            f"`{field.name}` should be one of {list(choices)}. "
            f"Received: {field.name}={value!r}"
        )
    if bounds and not bounds[0] <= value < bounds[1]:
        raise ValueError(
            f"`{field.name}` should lie in [{bounds[0]}, {bounds[1]}). "
            f"Received: {field.name}={value!r}"
        )


def check_dtype(dtype):
    """Raises a `ValueError` unless models can be made in a dtype policy."""
    if keras.dtype_policies.get(dtype).variable_dtype == "bfloat16":
        raise ValueError(
            "`dtype` should have variables of another type, as in "
            "'mixed_bfloat16': TensorFlow cannot make orthogonal matrices "
            f"of bfloat16. Received: dtype={dtype!r}"
        )


@dataclasses.dataclass(frozen=True)
class Architecture:
    """What `Translator.from_architecture` makes a translator of."""

    attention: str = option(
        "bahdanau",
        "Attention; none makes a standard Seq2Seq model.",
        tuple(ATTENTIONS),
    )
    query: str = option(
        "previous",
        "Decoder state that the attention is asked with: previous as in "
        "Bahdanau et al., conditional on the token as in Sennrich et al., "
        "current with input feeding as in Luong et al.",
        tuple(QUERIES),
    )
    cell: str = option("gru", "Recurrent cell.", tuple(CELLS))
    num_layers: int = option(
        1, "Recurrent layers on each side.", bounds=AT_LEAST_1
    )
    bidirectional: bool = option(True, "Read the source in both directions.")
    reverse_source: bool = option(False, "Read the source from its end.")
    residual: bool = option(
        False, "Layers above the first add their input to their output."
    )
    embedding_dim: int = option(
        256, "Width of the embeddings.", bounds=AT_LEAST_1
    )
    units: int = option(384, "Width of decoder and memory.", bounds=AT_LEAST_1)
    embedding_in_memory: bool = option(
        False, "Attend to the embedded source tokens, too."
    )
    tie_embedding: bool = option(True, "Project logits by the embedding.")
    joint_vocabulary: bool = option(
        True, "One vocabulary, and one embedding, for both languages."
    )
    dropout: float = option(0.25, "Dropped share of activations.", bounds=SHARE)
    locked_dropout: bool = option(
        False, "One dropout mask for all steps of a sentence."
    )
    recurrent_dropout: float = option(
        0.0, "Dropped share of the states.", bounds=SHARE
    )
    word_dropout: float = option(
        0.0, "Share of tokens dropped whole.", bounds=SHARE
    )
    dtype: str = option("float32", "Keras dtype policy.")

    def __post_init__(self):
        for field in dataclasses.fields(self):
            _check(field, getattr(self, field.name))
        check_dtype(self.dtype)
        if self.attention == "none" and self.query != "previous":
            raise ValueError(
                "`query` needs an attention that is asked with it. Received: "
                f"query={self.query!r}, attention='none'"
            )
        if self.attention == "none" and self.embedding_in_memory:
            raise ValueError(
                "`embedding_in_memory` needs an attention that looks at the "
                "memory. Received: embedding_in_memory=True, attention='none'"
            )

        if self.residual and self.num_layers == 1:
            raise ValueError(
                "`residual` needs layers above the first. Received: "
                "residual=True, num_layers=1"
            )

    def make_encoder(self, vocabulary_size):
        """Makes the `Encoder`, for so many source pieces."""
        return Encoder(
            vocabulary_size,
            units=self.units // (2 if self.bidirectional else 1),
            bidirectional=self.bidirectional,
            reverse_source=self.reverse_source,
            embedding_in_memory=self.embedding_in_memory,
            name="encoder",
            **self._common(),
        )

    def make_decoder(self, vocabulary_size):
        """Makes the decoder, for so many target pieces."""
        options = {
            "units": self.units,
            "tie_embedding": self.tie_embedding,
            "name": "decoder",
            **self._common(),
        }
        if self.attention == "none":
            return StandardDecoder(vocabulary_size, **options)
        attention = self._make_attention()
        make_decoder = QUERIES[self.query]
        return make_decoder(vocabulary_size, attention=attention, **options)

    def _common(self):
        names = (
            "embedding_dim",
            "num_layers",
            "cell",
            "residual",
            "dropout",
            "locked_dropout",
            "recurrent_dropout",
            "word_dropout",
            "dtype",
        )
        return {name: getattr(self, name) for name in names}

    def _make_attention(self):
        options = {"dtype": self.dtype, "name": "attention"}
        if self.attention in ("dot", "general"):
            return ATTENTIONS[self.attention](**options)
        return ATTENTIONS[self.attention](self.units, **options)
