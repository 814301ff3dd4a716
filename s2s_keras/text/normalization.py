"""What happens to raw text before it is tokenized."""

import tensorflow as tf


def normalize_text(text):
    """Makes text valid UTF-8 with single spaces.

    Invalid bytes become U+FFFD; runs of white space (tabs and line breaks
    included) become one space; white space at both ends goes. Training,
    translation and serving all pass through here.

    Args:
        text: String tensor of any shape.

    Returns:
        String tensor of the same shape.
    """
    text = tf.strings.unicode_transcode(
        text, "UTF-8", "UTF-8", errors="replace"
    )
    text = tf.strings.regex_replace(text, r"[\s\p{Z}\x{85}\x{0b}]+", " ")
    return tf.strings.strip(text)
