"""Pictures of what a model attended to, and of how it learned."""

LONGEST_SIDE = 30  # inches; more takes minutes and gigabytes


def plot_attention(translation, axes=None):
    """Draws the attention of one translation as a heatmap.

    Source pieces run along the top and target pieces down the side, `[END]`
    included; every row of cells sums to 1.

    Args:
        translation: `Translation`, as `TextTranslator.translate` gives it.
        axes: Matplotlib axes to draw on, or `None` for a figure of its own.

    Returns:
        The Matplotlib figure.

    Raises:
        ValueError: If the model has no attention.

    Example:

    ```python
    plot_attention(text_translator.translate("Hello!")).savefig("hello.png")
    ```
    """
    if translation.attention is None:
        raise ValueError(
            "`translation` should come from a model with attention. Received "
            f"one with no attention: {translation}"
        )
    target_len, source_len = translation.attention.shape
    if axes is None:
        axes = _make_axes(source_len, target_len)
    image = axes.imshow(
        translation.attention, cmap="Greys", vmin=0, vmax=1, aspect="auto"
    )
    axes.xaxis.tick_top()
    axes.set_xticks(
        range(source_len),
        translation.source_pieces,
        rotation="vertical",
        parse_math=False,
    )
    axes.set_yticks(
        range(target_len), translation.target_pieces, parse_math=False
    )
    axes.set_xlabel("source")
    axes.set_ylabel("translation")
    axes.figure.colorbar(image, ax=axes, label="attention")
    return axes.figure


def _make_axes(*lengths):
    """Axes for so many columns and rows, in small print where it is tight."""
    from matplotlib.figure import Figure

    sides = [min(LONGEST_SIDE, 2 + 0.4 * length) for length in lengths]
    axes = Figure(figsize=sides, layout="constrained").add_subplot()
    for axis, side, length in zip("xy", sides, lengths, strict=True):
        points = 72 * (side - 2) / length
        axes.tick_params(axis, labelsize=min(10, 0.7 * points))
    return axes


def plot_learning_curves(rows):
    """Draws how losses and BLEU moved from epoch to epoch.

    Args:
        rows: List of dictionaries, the rows of a `CSVLogger`: `epoch`, and
            `loss`, `val_loss` and `val_bleu` as far as they were logged.

    Returns:
        The Matplotlib figure.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.5), layout="constrained")
    for axes, label, names in zip(
        figure.subplots(1, 2),
        ("loss, nats per token", "BLEU on the validation split"),
        (("loss", "val_loss"), ("val_bleu",)),
        strict=True,
    ):
        for name in names:
            points = [
                (int(row["epoch"]) + 1, float(row[name]))
                for row in rows
                if name in row
            ]
            if points:
                axes.plot(*zip(*points, strict=True), marker="o", label=name)
                axes.legend()
        axes.set_xlabel("epoch")
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.set_ylabel(label)
        axes.grid(alpha=0.3)
    return figure
