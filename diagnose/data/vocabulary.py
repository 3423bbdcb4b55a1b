"""What the tokens of a vocabulary stand for: marks, bytes, words.

V is the size of a vocabulary, T a number of tokens.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from tokenizers import Tokenizer

START, PAD = "<s>", "<pad>"  # START opens a document and closes the one before
BYTES = [f"<0x{byte:02X}>" for byte in range(256)]  # the library's names for bytes it falls back to
BYTE_SET = frozenset(BYTES)
WORDS = r"\w+|\s|[^\w\s]"  # what the kind "word" looks up: words, single spaces, single signs


def marks(tokenizer: Tokenizer) -> tuple[int, int]:
    """Return the ids of START and PAD."""
    vocab = tokenizer.get_vocab(with_added_tokens=True)
    return vocab[START], vocab[PAD]


def vocabulary_size(tokenizer: Tokenizer) -> int:
    """Return V, the largest id and one, the marks included."""
    return max(tokenizer.get_vocab(with_added_tokens=True).values()) + 1


def token_bytes(tokenizer: Tokenizer) -> NDArray[np.int32]:
    """Return the UTF-8 bytes that each token contributes to the text, int32 (V,); marks 0.

    They sum to a text's bytes where `counts_exactly`; elsewhere (decoders that treat a text's first token
    unlike others) they are what decoding a token after another adds.
    """
    vocab = tokenizer.get_vocab(with_added_tokens=True)
    added = {token.content: token.special for token in tokenizer.get_added_tokens_decoder().values()}
    decoding = _decoding(tokenizer)
    table = np.zeros(vocabulary_size(tokenizer), np.int32)
    for token, i in vocab.items():
        if token in added:
            table[i] = 0 if added[token] else len(token.encode())
        elif decoding == "bytes":
            table[i] = len(token)
        elif token in BYTE_SET and decoding != "other":
            table[i] = 1
        else:
            table[i] = len(token.encode()) if decoding == "fallback" else _added_bytes(tokenizer, i)
    table[list(marks(tokenizer))] = 0
    return table


def counts_exactly(tokenizer: Tokenizer) -> bool:
    """Whether `token_bytes` of a text's tokens sum to the text's bytes."""
    return _decoding(tokenizer) != "other"


def _decoding(tokenizer: Tokenizer) -> str:
    """Return how tokens read: "bytes" (a character each), "fallback" (as they stand or a byte), "other"."""
    decoder = json.loads(tokenizer.to_str())["decoder"] or {}
    steps = [step["type"] for step in decoder.get("decoders", [decoder]) if step]
    return {("ByteLevel",): "bytes", ("ByteFallback", "Fuse"): "fallback"}.get(tuple(steps), "other")


def _added_bytes(tokenizer: Tokenizer, i: int) -> int:
    """Return what decoding a token after an ordinary one adds; a lone byte of a character counts as one."""
    if tokenizer.id_to_token(i) in BYTE_SET:
        return 1
    before = tokenizer.encode("a", add_special_tokens=False).ids
    alone, both = (tokenizer.decode(ids, skip_special_tokens=False) for ids in (before, [*before, i]))
    return max(0, len(both.encode()) - len(alone.encode()))


def whole_words(tokenizer: Tokenizer) -> NDArray[np.bool_]:
    """Return which tokens are words of two characters or more (no bytes, no marks), bool (V,)."""
    table = np.zeros(vocabulary_size(tokenizer), bool)
    for token, i in tokenizer.get_vocab(with_added_tokens=True).items():
        table[i] = len(token) > 1 and token not in BYTE_SET and token not in (START, PAD)
    return table


def spelled(tokenizer: Tokenizer, tokens: NDArray[np.integer]) -> NDArray[np.bool_]:
    """Return which tokens of a sequence of the kind "word" spell a word that has no token, bool (T,).

    A letter stands for itself where it is a word ("a"), and is part of a spelled one where its neighbour is a
    letter or a byte too; bytes always are.
    """
    vocab = tokenizer.get_vocab(with_added_tokens=True)
    piece, byte = (np.zeros(vocabulary_size(tokenizer), bool) for _ in range(2))
    byte[[vocab[name] for name in BYTES if name in vocab]] = True
    piece[[i for token, i in vocab.items() if len(token) == 1 and _is_letter(token)]] = True
    part: NDArray[np.bool_] = (piece | byte)[tokens]
    beside = np.zeros(len(part), bool)
    beside[1:] |= part[:-1]
    beside[:-1] |= part[1:]
    out: NDArray[np.bool_] = byte[tokens] | (part & beside)
    return out


def _is_letter(character: str) -> bool:
    """Whether the tokenizers' own expressions count a character into words (Python's differ in marks)."""
    from tokenizers import Regex, pre_tokenizers

    return not pre_tokenizers.Split(Regex(r"\w"), "removed").pre_tokenize_str(character)
