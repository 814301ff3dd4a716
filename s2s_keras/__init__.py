"""Recurrent sequence-to-sequence translation in Keras."""

from s2s_keras.data.batching import make_batches
from s2s_keras.data.batching import tokenize_pairs
from s2s_keras.data.corpora import load_corpus
from s2s_keras.export.serving import export
from s2s_keras.layers.attention import Attention
from s2s_keras.layers.attention import BahdanauAttention
from s2s_keras.layers.attention import ConcatAttention
from s2s_keras.layers.attention import CoverageAttention
from s2s_keras.layers.attention import DotAttention
from s2s_keras.layers.attention import GeneralAttention
from s2s_keras.layers.attention import MultiHeadBahdanauAttention
from s2s_keras.layers.attention import ScaledDotAttention
from s2s_keras.layers.attention_decoder import AttentionDecoder
from s2s_keras.layers.attention_decoder import LuongDecoder
from s2s_keras.layers.decoder import StandardDecoder
from s2s_keras.layers.encoder import Encoder
from s2s_keras.models.architecture import Architecture
from s2s_keras.models.text_translator import TextTranslator
from s2s_keras.models.translator import Translator
from s2s_keras.plotting import plot_attention
from s2s_keras.text.tokenizer import SentencePieceTokenizer
from s2s_keras.training.evaluation import TranslationScore
from s2s_keras.training.losses import TokenCrossEntropy
from s2s_keras.training.metrics import Perplexity
from s2s_keras.training.metrics import TokenAccuracy
from s2s_keras.training.sampling import ScheduledSampling
