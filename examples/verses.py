"""Verses of the bundled corpus: as character tokens for the examples beside this file, or as a text file.

python examples/verses.py 30 > verses.txt    # every 30th verse of the Bible, a line each
"""

import sys

import torch


def verses(count=600):
    """Return verses as lists of character ids below 128."""
    from pythonbible_akjv.plain_text_readers_bible import bible

    text, ends = bible.scripture_content, bible.verse_end_indices
    some = [" ".join(text[a : ends[v]].split()) for v, a in list(bible.verse_start_indices.items())[:count]]
    return [[ord(c) % 128 for c in verse] for verse in some]


def stream(count=600):
    """Return the same as one tensor of tokens, a line feed after each verse."""
    return torch.tensor([token for verse in verses(count) for token in [*verse, 10]])


def padded(rows, most=96):
    """Return rows of ids as one batch: tokens, padded with 0, and which of them are real."""
    rows = [row[:most] for row in rows]
    width = max(map(len, rows))
    tokens = torch.tensor([row + [0] * (width - len(row)) for row in rows])
    return tokens, torch.arange(width) < torch.tensor([[len(row)] for row in rows])


def every(number):
    """Return every so-many-th verse of all books, as text."""
    from pythonbible_akjv.plain_text_readers_bible import bible

    text, ends = bible.scripture_content, bible.verse_end_indices
    starts = list(bible.verse_start_indices.items())[::number]
    return [" ".join(text[a : ends[v]].split()) for v, a in starts]


if __name__ == "__main__":
    print("\n".join(every(int(sys.argv[1]) if len(sys.argv) > 1 else 30)))
