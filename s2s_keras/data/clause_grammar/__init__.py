"""Synthetic English-German sentence pairs from a hand-written grammar."""

from s2s_keras.data.clause_grammar.builder import ClauseGrammar

__all__ = ["ClauseGrammar"]
