"""Causal attention within documents by torch's `flex_attention`, whose kernel works out who sees whom.

Nothing of the size (B, T, T) is read, and blocks of keys that no query of a block sees are passed over. It knows no
dropout of attention weights (pytorch/pytorch issue 141784), and is for graphs that are compiled for a card.

Shapes: B rows, H heads, T positions, D width of a head.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch.nn.attention.flex_attention import BlockMask, create_block_mask, flex_attention

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["BlockMask", "attend", "document_blocks"]


def document_blocks(segments_BT: Tensor) -> BlockMask:
    """Return which blocks of positions see which, and by what rule within them, for all heads and layers."""
    rows, length = segments_BT.shape

    def sees(row: Tensor, _: Tensor, query: Tensor, key: Tensor) -> Tensor:
        return (key <= query) & (segments_BT[row, query] == segments_BT[row, key])

    return create_block_mask(sees, rows, None, length, length, device=segments_BT.device)


def attend(qkv_BT3HD: Tensor, blocks: BlockMask) -> Tensor:
    """Return softmax(q k' / sqrt(D)) v over what each position sees (B, T, H, D)."""
    q_BHTD, k_BHTD, v_BHTD = qkv_BT3HD.permute(2, 0, 3, 1, 4)
    y_BHTD: Tensor = flex_attention(q_BHTD, k_BHTD, v_BHTD, block_mask=blocks)
    return y_BHTD.transpose(1, 2)
