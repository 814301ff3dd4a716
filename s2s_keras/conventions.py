"""Ids, registration, checks and names of dimensions that all modules share.

Dimensions, each with one name everywhere:

- `batch`: sentences.
- `source_len`, `target_len`: tokens of the padded source and target.
- `embedding_dim`: numbers per embedded token.
- `units`: numbers of the decoder's hidden state.
- `memory_units`: numbers per encoder state.
- `state_units`: numbers of the encoder's final state.
- `vocabulary_size`: pieces of a tokenizer.
- `num_beams`: hypotheses kept per sentence.
- `rows`: hypotheses that a search step advances (`batch * num_beams`).

Token sequences are int32. `source_ids` and `label_ids` close with `END_ID`,
`target_ids` opens with `START_ID`, and all are padded at the end with
`PAD_ID`. A mask is boolean and true on real tokens.
"""

import keras
import numpy as np

PAD_ID = 0
UNK_ID = 1
START_ID = 2
END_ID = 3

register = keras.saving.register_keras_serializable(package="s2s_keras")


def check_positive(**arguments):
    """Raises a `ValueError` unless all arguments are positive integers."""
    for name, number in arguments.items():
        if not isinstance(number, int | np.integer) or number < 1:
            raise ValueError(
                f"`{name}` should be a positive integer. "
                f"Received: {name}={number!r}"
            )


def pass_on_trainable(layer):
    """Freezes the sublayers of a layer that was made frozen, as by a file.

    Args:
        layer: `keras.layers.Layer` with its sublayers.
    """
    if not layer.trainable:
        # An assignment would be skipped, since the value is there already.
        keras.layers.Layer.trainable.fset(layer, False)


def embedding_initializer(embedding_dim):
    """Gives embedded tokens a norm near 1, and tied logits a variance near 1.

    Args:
        embedding_dim: Integer. Width of the embedding.

    Returns:
        A `keras.initializers.Initializer`.
    """
    return keras.initializers.RandomNormal(stddev=embedding_dim**-0.5)
