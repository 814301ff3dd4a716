"""The kinds of dropout that sequences have."""

import keras


def make_dropout(rate, locked=False, whole_words=False, **kwargs):
    """Makes a dropout layer for tensors `[batch, length, units]`.

    Args:
        rate: Float. Dropped share.
        locked: Boolean. Whether all positions of a sequence share one mask.
        whole_words: Boolean. Whether a position is dropped whole or not at
            all.
        **kwargs: Keyword arguments of `keras.layers.Dropout`.

    Returns:
        A `keras.layers.Dropout`.

    Reference:
        [Gal and Ghahramani, 2016](https://arxiv.org/abs/1512.05287) for
        locked dropout, [Sennrich et al., 2016](
        https://arxiv.org/abs/1606.02891) for whole words.
    """
    noise_shape = (None, 1 if locked else None, 1 if whole_words else None)
    return keras.layers.Dropout(
        rate,
        noise_shape=noise_shape if locked or whole_words else None,
        **kwargs,
    )
