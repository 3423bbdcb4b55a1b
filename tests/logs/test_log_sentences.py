"""A single pair as people write it: in sentences, notes and prints of their own; both values are found."""

import pytest

from diagnose.errors import DiagnoseError
from diagnose.logs.pairs import pairs
from diagnose.logs.read import read

WRITTEN = [
    "Training loss = 0.25 and validation loss = 0.31 after 10 epochs.",
    "train loss is 0.25 while val loss is 0.31",
    "I get a train loss of 0.25 but a validation loss of 0.31",
    "loss: 0.25 (train), 0.31 (val)",
    "train loss ~0.25, val loss ~0.31",
    "train loss ≈ 0.25, val loss ≈ 0.31",
    "Training loss 0.25, validation 0.31",
    "training/validation loss: 0.25/0.31",
    "training and validation losses are 0.25 and 0.31 respectively",
    "the training and validation loss were 0.25 and 0.31",
    "train_loss 0.25 | val_loss 0.31 @ epoch 12",
    "Epoch 12 (best): train loss 0.25, val loss 0.31",
    "best epoch 12: train_loss=0.25 val_loss=0.31",
    "At epoch 12, training loss was 0.25 and validation loss was 0.31.",
    "By epoch 12 the train loss had dropped to 0.25 and the val loss to 0.31",
    "train loss reached 0.25; val loss plateaued at 0.31",
    "train loss: 0.25 (epoch 12), val loss: 0.31 (epoch 12)",
    "Loss (train) = 0.25, Loss (val) = 0.31",
    "training loss of ~0.25 and a val loss of ~0.31",
    "final losses: train 0.25 / val 0.31",
    "Final loss - train: 0.25, validation: 0.31",
    "train loss 0.25±0.01, val loss 0.31±0.02",
    "train loss 0.25 (val 0.31)",
    "train loss 0.25, val 0.31, test 0.33",
    "Loss on train set: 0.25. Loss on validation set: 0.31.",
    "- train: loss 0.25, acc 0.9\n- val: loss 0.31, acc 0.85",
    "train loss stays around 0.25 and val loss around 0.31",
    "Epochs: 12\nFinal training loss: 0.25\nFinal validation loss: 0.31\nGap: 0.06",
    "|Train loss|0.25|\n|Val loss|0.31|",
    "train loss 0.25 vs val loss 0.31",
    "(train loss=0.25, val loss=0.31)",
    "My loss is 0.25 on the training set and 0.31 on the validation set.",
    "The loss on the training set is 0.25 and on the test set 0.31.",
    "0.25 training loss and 0.31 validation loss",
    "train loss decreases to 0.25, but val loss increases to 0.31",
    "I trained for 20 epochs and ended with a training loss of 0.25 and a validation loss of 0.31",
    "Train loss -> 0.25\nVal loss -> 0.31",
    "**Train loss:** 0.25\n**Val loss:** 0.31",
    "* Train Loss : 0.25\n* Validation Loss : 0.31",
    "Training Loss - 0.25\nValidation Loss - 0.31",
    "Train loss - 0.25, Val loss - 0.31",
    "Training loss:0.25 Validation loss:0.31",
    "train_loss: 0.25 eval_loss: 0.31 epoch: 3",
    "loss=0.25;val_loss=0.31",
    "tr loss 0.25 va loss 0.31",
    "Tr. loss: 0.25, Val. loss: 0.31",
    "T loss: 0.25, V loss: 0.31",
    "training error 0.25 validation error 0.31",
    "Cost train 0.25 cost test 0.31",
    "After epoch 3, loss on training data: 0.25, loss on held-out data: 0.31",
    "Mean training loss 0.25, mean validation loss 0.31",
    "avg loss train 0.25 val 0.31",
    "Loss/train: 0.25 Loss/val: 0.31",
    "loss (tr/val): 0.25/0.31",
    "train: 0.25 loss, val: 0.31 loss",
    "validation loss = 0.31 (train = 0.25)",
    "Train CE 0.25 / Val CE 0.31",
    "train NLL: 0.25, val NLL: 0.31",
    "train MSE 0.25, val MSE 0.31",
    "train: mse=0.25, val: mse=0.31",
    "RMSE: 0.25 (train), 0.31 (test)",
    "Training RMSE: 0.25, Test RMSE: 0.31",
    "loss: train=0.25 val=0.31",
    "losses -- train: 0.25, val: 0.31",
    "losses = {'train': 0.25, 'val': 0.31}",
    "{'train': {'loss': 0.25}, 'val': {'loss': 0.31}}",
    "train {'loss': 0.25, 'acc': 0.9} val {'loss': 0.31, 'acc': 0.85}",
    "Train loss 2.5e-1, val loss 3.1e-1",
    "Train loss .25, val loss .31",
    "Train Loss: 0.25 | Val Loss: 0.31 | Gap: 0.06",
    "Train Loss: 0.25 ↓ | Val Loss: 0.31 ↑",
    "✅ train loss 0.25 ❌ val loss 0.31",
    "Loss [train]: 0.25, Loss [val]: 0.31",
    "train.loss=0.25 val.loss=0.31",
    "train-loss 0.25 val-loss 0.31",
    "loss_tr 0.25 loss_va 0.31",
    "lossTrain 0.25 lossVal 0.31",
    "Training:\tloss 0.25\nValidation:\tloss 0.31",
    "TRAIN LOSS 0.25\nVALIDATION LOSS 0.31",
    "The final training and validation losses were 0.25 and 0.31.",
    "We end up with train loss 0.25 and validation loss 0.31, a gap of 0.06",
    "Train loss is around 0.25, val loss is at 0.31",
    "training loss (0.25) and validation loss (0.31)",
    "a training loss as low as 0.25 and validation loss as high as 0.31",
]
UNSAID = [  # of what, or which of the two is whose
    "Train: 0.25, Val: 0.31",
    "L_train = 0.25, L_val = 0.31",
    "loss 0.25 / val 0.31",
]


@pytest.mark.parametrize("text", WRITTEN)
def test_both_values_of_a_pair_are_found(text, tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text(f"{text}\n")
    found = pairs(read([path]), {})
    assert (found.train_N.tolist(), found.val_N.tolist()) == ([0.25], [0.31])


@pytest.mark.parametrize("text", UNSAID)
def test_a_pair_that_does_not_say_of_what_it_is_is_refused(text, tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text(f"{text}\n")
    with pytest.raises(DiagnoseError):
        pairs(read([path]), {})


def test_an_infinite_value_that_is_told_again_is_none(tmp_path):
    """The fuzz found it: a line above had it without a place."""
    path = tmp_path / "notes.txt"
    path.write_text(
        "val loss -inf\n"
        + "".join(f"epoch {e}: train loss {2 / e}, val loss {-1e999 if e == 1 else 3 / e}\n" for e in (1, 2, 4))
    )
    assert pairs(read([path]), {}).val_N.tolist() == [1.5, 0.75]
