"""An evaluation as one HTML page that needs nothing else."""

import html
import io

STYLE = """
body { font: 1rem/1.5 system-ui, sans-serif; margin: 2rem auto;
  max-width: 60rem; padding: 0 1rem; }
table { border-collapse: collapse; margin: 1rem 0; }
h1 { overflow-wrap: anywhere; }
th, td { padding: .2rem .6rem; text-align: right; }
.text { min-width: 4rem; overflow-wrap: anywhere; text-align: left; }
tr { border-bottom: 1px solid #ddd; }
.scroll { overflow-x: auto; }
svg { height: auto; max-width: 100%; }
.attention th { font-weight: normal; }
.attention thead th { vertical-align: bottom; writing-mode: vertical-rl; }
.attention td { background: rgb(20 60 140 / var(--weight)); min-width: 1.2rem;
  padding: .2rem; }
.attention td:hover { outline: 2px solid #d60; }
"""


def write_report(path, title, tables, pictures, sentences):
    """Writes a page of tables, pictures, and sentences with their attention.

    Args:
        path: `pathlib.Path` of the page.
        title: String.
        tables: Dictionary from a heading to a list of dictionaries with the
            same keys.
        pictures: Dictionary from a heading to a Matplotlib figure.
        sentences: List of tuples of a heading, a dictionary of texts, and a
            `Translation`, whose attention can be hovered over.
    """
    parts = [f"<h1>{_text(title)}</h1>"]
    for heading, rows in tables.items():
        parts += [f"<h2>{_text(heading)}</h2>", _table(rows)]
    for heading, figure in pictures.items():
        parts += [f"<h2>{_text(heading)}</h2>", _picture(figure)]
    for heading, texts, translation in sentences:
        parts.append(f"<h2>{_text(heading)}</h2>")
        parts += [
            f"<p><b>{_text(name)}</b> {_text(text)}</p>"
            for name, text in texts.items()
        ]
        if translation.attention is not None:
            parts.append(_attention(translation))
    path.write_text(
        '<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width">\n'
        f"<title>{_text(title)}</title>\n<style>{STYLE}</style>\n"
        + "\n".join(parts)
        + "\n</html>\n"
    )


def _text(value):
    shown = f"{value:.2f}" if isinstance(value, float) else str(value)
    return html.escape(shown)


def _table(rows):
    kinds = [
        ' class="text"' if isinstance(value, str) else ""
        for value in rows[0].values()
    ]
    lines = "".join(_line("td", kinds, row.values()) for row in rows)
    head = _line("th", kinds, [name.replace("_", " ") for name in rows[0]])
    return f'<div class="scroll"><table>{head}{lines}</table></div>'


def _line(tag, kinds, values):
    cells = (
        f"<{tag}{kind}>{_text(value)}</{tag}>"
        for kind, value in zip(kinds, values, strict=True)
    )
    return f"<tr>{''.join(cells)}</tr>"


def _picture(figure):
    """A Matplotlib figure as an element of a page."""
    drawn = io.StringIO()
    figure.savefig(drawn, format="svg")
    text = drawn.getvalue()
    return text[text.index("<svg") :]


def _attention(translation):
    """A heatmap: source pieces along the top, target pieces down the side."""
    head = "".join(f"<th>{_text(p)}</th>" for p in translation.source_pieces)
    body = "".join(
        f"<tr><th>{_text(piece)}</th>"
        + "".join(
            f'<td style="--weight:{weight:.3f}" '
            f'title="{_text(piece)} ← {_text(source)}: {weight:.2f}"></td>'
            for source, weight in zip(
                translation.source_pieces, weights, strict=True
            )
        )
        + "</tr>"
        for piece, weights in zip(
            translation.target_pieces, translation.attention, strict=True
        )
    )
    return (
        '<div class="scroll"><table class="attention"><thead><tr><th></th>'
        f"{head}</tr></thead>{body}</table></div>"
    )
