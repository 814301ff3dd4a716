"""Words, of scripts with spaces between them and of those without."""

import re

_HAN = "\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_KANA = "\u3040-\u30ff"
_THAI_LAO_BURMESE_KHMER = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"
_UNSPACED = _HAN + _KANA + _THAI_LAO_BURMESE_KHMER
_WORD = re.compile(rf"[{_UNSPACED}]|[^\s{_UNSPACED}]+")


def split_words(text):
    """Splits at spaces, and into characters where a script has no spaces.

    Args:
        text: String.

    Returns:
        List of strings.

    Example:

    >>> split_words("NASA在 1958年")
    ['NASA', '在', '1958', '年']
    """
    return _WORD.findall(text)


def bleu_tokenizer(references):
    """Names what sacreBLEU should split references with.

    Args:
        references: List of strings.

    Returns:
        `"13a"`, its default, or, where most words are characters of a script
        without spaces, `"zh"` for Chinese and `"char"` for the others.
    """
    text = "\n".join(references)
    unspaced = len(re.findall(f"[{_UNSPACED}]", text))
    if 2 * unspaced <= len(split_words(text)):
        return "13a"
    han = len(re.findall(f"[{_HAN}]", text))
    return "zh" if han > 0.9 * unspaced else "char"
