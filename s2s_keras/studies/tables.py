"""What studies leave behind: numbers as CSV, pictures as PNG and SVG."""

import csv
import pathlib


def write_table(rows, path):
    """Writes dictionaries with the same keys as a CSV file."""
    with pathlib.Path(path).open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys(), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def save_figure(figure, path):
    """Saves a Matplotlib figure as `path` with .png and .svg."""
    for suffix in (".png", ".svg"):
        figure.savefig(pathlib.Path(path).with_suffix(suffix), dpi=150)
