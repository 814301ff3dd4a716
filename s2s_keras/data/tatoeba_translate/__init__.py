"""Everyday sentences of Tatoeba as a TensorFlow Datasets builder."""

from s2s_keras.data.tatoeba_translate.builder import TatoebaTranslate

__all__ = ["TatoebaTranslate"]
