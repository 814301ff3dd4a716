"""Multi30k image captions as a TensorFlow Datasets builder."""

from s2s_keras.data.multi30k_translate.builder import Multi30kConfig
from s2s_keras.data.multi30k_translate.builder import Multi30kTranslate

__all__ = ["Multi30kConfig", "Multi30kTranslate"]
