"""Strings as callers give them."""

import numpy as np


def out_of_tensor(texts):
    """The strings that datasets give are tensors."""
    texts = texts.numpy() if hasattr(texts, "numpy") else texts
    is_one = isinstance(texts, np.ndarray) and texts.ndim == 0
    return texts.item() if is_one else texts


def check_texts(texts, name):
    """Returns a list of UTF-8 bytes, or says which entry is not text."""
    if not isinstance(texts, list | tuple | np.ndarray):
        raise TypeError(
            f"`{name}` should be a string or a list of strings. "
            f"Received: {texts!r} of type {type(texts).__name__}"
        )
    for i, text in enumerate(texts):
        if not isinstance(text, str | bytes):
            raise TypeError(
                f"`{name}` should hold strings only. "
                f"Received: {name}[{i}]={text!r} of type {type(text).__name__}"
            )
    return [
        text if isinstance(text, bytes) else text.encode(errors="replace")
        for text in texts
    ]
