# ruff: noqa: E501, F403, F405, RUF001
"""What people write by hand, in notes and prose (forty-sixth round): every output of four strings, the right reading first."""

from fresh_forms import *

VALS = R("only validation losses")

case(
    "e46-01",
    "Average train loss of bigram model: 2.51\nAverage val loss of bigram model: 2.62\n(should be lower than 4.17)\n--- Inference ---\n",
    P([2], [2.51], [2.62], "place"),
)
case(
    "e46-02",
    rep(
        "==========  Epoch {e:2d} Train  ==========",
        "The average train loss of epoch {e:2d} is {a:.3f}",
        "==========  Epoch {e:2d} Valid  ==========",
    ),
    TRAINS,
)
case(
    "e46-03",
    "The default\n`zig build train` ends at a\ntrain loss of 5.493455 and a validation loss of 5.254903; both are the last row of the committed\n`outputs/loss.csv`. That run is a 64 KiB single-epoch smoke run over 123 windows.\n",
    P([1], [5.493455], [5.254903], "place"),
)
case("e46-04", rep("Batch index [{k}], Train loss is [{a}]"), TRAINS)
case(
    "e46-05",
    rep("INFO:root:train loss of epoch {e}: {a:.5f}", "INFO:root:test  loss of epoch {e}: {b:.5f}"),
    P(E6, A(), B()),
)
case("e46-06", rep("Average train loss of the epoch:{a:.4f}"), TRAINS)
case(
    "e46-07",
    "- **Sharp initial drop**:  \n  - **Epoch 1** starts with a high train loss of ~2.42 and val loss ~1.61 (ADE ≈ 3.46).  \n  - By **epoch 5**, train loss falls to ~1.15, val to ~1.08 (ADE ≈ 2.38).\n",
    P([1, 5], [2.42, 1.15], [1.61, 1.08]),
)
case(
    "e46-08",
    "Run 14's own curve says the same thing from the other side. Val loss went 1.756 → 1.686 → 1.719 →\n1.713 — flat after epoch 1 — while train loss fell 2.04 → 2.02 → 1.52 → 1.45. The model kept\nextracting more from the training set.\n",
    P([1], [1.45], [1.713]),
)
case(
    "e46-09",
    "  medium-v3.1 val loss went 5.03 → 3.28 over 20k steps (1.8 epochs) but the\n  last ~10 evals sit at 3.28-3.30 — **flattened**.\n",
    R(),
)
case(
    "e46-10",
    "The padded model's val loss went from 1.064 at step 2000 to 1.048\n  at step 16000 while its accuracy went from 96% to 99%.\n",
    R(),
)
case(
    "e46-11",
    "2. STILL DECLINING: val loss went 2.68 → 2.51 in the last 1000 steps.\n\n3. EXPECTED FINAL VAL LOSS: ~2.3-2.4 by step 47,400 if the trend holds.\n   For reference, GPT-2 124M on OpenWebText gets ~2.85 val loss.\n",
    R(),
)
case(
    "e46-12",
    "W&B shows: train loss has gone from 2.2 → 1.9 → 1.5 → 1.2 (healthy decrease), but eval loss went from 2.5 → 2.3 → 2.4 → 2.6 (rising after initial small drop). You are at step 200 of 625 planned steps. What do you do?\n",
    P([1], [1.2], [2.6], "place"),
)
case(
    "e46-15",
    "- **Epoch 0:** val_f1=0.228, val_loss=1.070\n- **Epoch 1:** val_f1=0.229, val_loss=1.110 (val loss went UP)\n- **Epoch 2:** still training, no improvement visible\n- Train loss plateau: 1.98 → 1.06 (fast), then stuck at ~1.0 for 2+ epochs\n",
    R(),
)
case(
    "e46-16",
    "### 12 AM\nVal loss goes down with BCE, but the problem is if it will just learn to predict mild for everything.\n### 8 AM\nVal loss went down for the first few before coming back up.\n",
    R(),
)
case(
    "e46-17",
    "[RETAIN] Early stopping.\n[RETAIN] Final Train/Val Loss: 0.5123 / 0.6123\n",
    P([1], [0.5123], [0.6123], "place"),
)
case(
    "e46-18",
    "-   Best tuned config: α=1e-5, hidden=(256,128), activation=tanh, max_iter=15\n-   Final train/val losses: 0.457/0.455\n",
    P([1], [0.457], [0.455], "place"),
)
case(
    "e46-19",
    "\nFinal train/val loss gap: 0.1234\nThe bigger this gap, the worse the overfit — this is what 03 will shrink.\n",
    R(),
)
case(
    "e46-20",
    rep("[iter: {e} ]: Training Loss: {a:.2f} \t Accuracy: 27.50")
    + "\t\t\t\t\t\t\t\t Testing Accuracy: 30.05\n...\n[iter: 997 ]: Training Loss: 0.00 \t Accuracy: 100.00\n",
    TRAINS,
)
case(
    "e46-21",
    "".join(
        f"Epoch: {1 + (e - 1) // 3}/10... Training loss: {a(e):.3f}... Validation loss: {b(e):.3f}... Validation Accuracy: 0.80{e}\n"
        for e in E6
    ),
    P(E6, A(), B(), "place"),
)
case(
    "e46-22",
    "Max epochs: 1000\nActual epochs trained: 746\nEarly stopping patience: 50\nBest validation loss: 0.004895\nFinal training loss: 0.004899\nInitial learning rate: 0.001\n",
    R(),
)
case(
    "e46-23",
    rep("    Epoch {e}:   0%|          | 0/1846 [00:00<?, ?it/s]", "", "    Epoch {e} Training Loss: {a:.4f}", ""),
    TRAINS,
)
case(
    "e46-24",
    "Epoch 50: ReduceLROnPlateau reducing learning rate to 0.0003124999930150807.\nRestoring model weights from the end of the best epoch: 50.\n\nTraining completed!\n  Total epochs run: 50\n  Final training loss: 0.0028\n  Final training accuracy: 1.0000\n  Final validation loss: 0.0012\n  Final validation accuracy: 1.0000\n",
    P([50], [0.0028], [0.0012]),
)
case(
    "e46-25",
    "## (A) Circle data set\n\n### Raw input feature with X1, X2 data:\n\n![](./assets/p1-1.png)\nTraining loss: 0.008  \nTest loss: 0.009\n\n### $X1^2$, $X2^2$ data:\n\n![](./assets/p1-2.png)\nTraining loss: 0.003  \nTest loss: 0.004\n\n## (B) Exclisove-Or data set\n\n### Learning rate 0.03:\n\n![](./assets/p2-1.png)\nTraining loss: 0.056  \nTest loss: 0.071\n",
    P([6], [0.056], [0.071], "place", runs=3),
)
case(
    "e46-26",
    "### Training Results\n- Epochs: 26\n- Training Accuracy: 98.13%\n- Training Loss: 0.0484\n- Validation Accuracy: 90.63%\n- Validation Loss: 0.4870\n\n### Classification Results\nOverall Test Accuracy: 91%\n",
    P([26], [0.0484], [0.487]),
)
case(
    "e46-27",
    "- ✅ Early stopping activated at epoch 66\n\n**Final Training Metrics:**\n- Final Training Loss: 0.0091\n- Final Validation Loss: 0.0068\n- Final Training MAE: 0.0718\n- Final Validation MAE: 0.0611\n",
    P([66], [0.0091], [0.0068]),
)
case(
    "e46-28",
    "E'Mô hình đang bị overfitting khá nặng:\\n\\n- Training accuracy: **98.4%**\\n- Validation accuracy: **72.2%**\\n- Training loss: 0.06\\n- Validation loss: 0.88\\n\\nGap quá lớn. Mình đã thử:\\n- Tăng dropout từ 0.2 lên 0.5\\n',\n",
    P([2], [0.06], [0.88], "place"),
)
case(
    "e46-29",
    "### ResNet50 학습 과정\n- **Epochs**: 10 (설정값)\n- **최종 성능**:\n  - Training Accuracy: 97.3%\n  - Validation Accuracy: 97.2%\n  - Training Loss: 0.0755\n  - Validation Loss: 0.0765\n\n### 기본 CNN 모델 학습 과정\n- **Epochs**: 10 (설정값)\n- **최종 성능**:\n  - Accuracy: 91.7%\n  - Loss: 0.3219\n",
    P([10], [0.0755], [0.0765]),
)
