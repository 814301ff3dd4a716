"""Splits of a corpus, their slices and sums, as TFDS understands them."""


def parse_split(split):
    """Parses `split` and refuses what is no split, slice or sum.

    Args:
        split: A string such as `"train[:10%]+test"`.

    Returns:
        An instruction of TFDS.

    Raises:
        ValueError: If `split` cannot be parsed.
    """
    import tensorflow_datasets as tfds

    try:
        return tfds.core.ReadInstruction.from_spec(split)
    except (ValueError, NotImplementedError) as error:
        raise ValueError(
            "`split` should be the name of a split, a slice such as "
            "'train[:10%]' or a sum such as 'train+validation'. "
            f"Received: split={split!r}"
        ) from error


def slice_splits(split, infos):
    """Resolves `split` to ranges of examples.

    Args:
        split: A string such as `"train[:10%]+test"`.
        infos: Mapping from the names of all splits to their TFDS infos.

    Returns:
        A list of ranges with the fields `splitname`, `from_` and `to`.

    Raises:
        ValueError: If a name is not in `infos` or a slice exceeds its split.
    """
    instruction = parse_split(split)
    try:
        return instruction.to_absolute(infos)
    except ValueError as error:
        raise ValueError(
            f"`split` should be one of {sorted(infos)} or slices of them "
            f"within their length. Received: split={split!r} ({error})"
        ) from error
