"""Length penalty: what makes hypotheses of different lengths comparable."""

from keras import ops


def length_penalty(length, alpha):
    """Computes the divisor of a hypothesis's log-probability.

    Args:
        length: Integer tensor of any shape: tokens, END included.
        alpha: Float. 0 compares plain log-probabilities, which favours short
            translations; 1 nearly compares log-probabilities per token.

    Returns:
        Float32 tensor of the same shape, `((5 + length) / 6) ** alpha`.

    Reference:
        [Wu et al., 2016](https://arxiv.org/abs/1609.08144), Equation 14.
    """
    return ((5.0 + ops.cast(length, "float32")) / 6.0) ** alpha
