# ruff: noqa: E501, F403, F405, RUF001
"""What people print and write by hand, tables among it (forty-seventh round): every output of three strings and two searches, the right reading first."""

from fresh_forms import *

# "loss_train, loss_val"
case(
    "e47-01",
    rep("epoch: {x}, loss: {a:.7f}, validation_loss: {b:.7f}", x=lambda e: 200 * e),
    P([200 * e for e in E6], A(), B()),
)
case("e47-02", rep("epoch: {e:=4}/6 loss_train: {a:.8f} loss_val: {b:.8f} "), P(E6, A(), B()))
case(
    "e47-03",
    rep(
        "Epoch {e:04d}, train loss {a:.8f}, validation loss {b:.8f}, train/validation {r:0.8f}, learning rate 0.03000000",
        r=lambda e: a(e) / b(e),
    ),
    P(E6, A(), B()),
)
case("e47-04", rep("epoch={k} loss_train={a:.4f} loss_val={b:.4f}"), P(K, A(), B()))
# "| train loss | val loss |"
case(
    "e47-05",
    "| 训练集 | 81,450 样本（clean × noise 随机配对） |\n| 验证集 | 9,050 样本 |\n\n## Loss 曲线\n\n| Epoch | Train Loss | Val Loss | 备注 |\n|-------|-----------|---------|------|\n| 1     | 0.033521  | 0.026332 | |\n| 5     | 0.015488  | 0.016707 | |\n| 10    | 0.012263  | 0.013087 | |\n| 49    | —         | 0.005800 | **最佳 val_loss** → 已保存为 best_model.pt |\n| 50    | 0.006091  | 0.006292 | checkpoint_050.pt 保存 |\n| 53    | 0.005806  | 0.006218 | ← 本次停止点 |\n",
    P(
        [1, 5, 10, 50, 53],
        [0.033521, 0.015488, 0.012263, 0.006091, 0.005806],
        [0.026332, 0.016707, 0.013087, 0.006292, 0.006218],
    ),
)
case(
    "e47-06",
    "#### Loss curve\n| Step | Train Loss | Val Loss | Grad Norm |\n|------|-----------|----------|-----------|\n| 10   | 0.588     | 0.532    | 5.04      |\n| 100  | 0.264     | 0.267    | 0.62      |\n| 500  | 0.094     | 0.089    | 0.64      |\n| 2500 | 0.047     | 0.037    | 0.33      |\n\nLoss drops quickly in first 500 steps (0.6 → 0.08), then gradually settles around 0.04. No train/val divergence.\n",
    P([10, 100, 500, 2500], [0.588, 0.264, 0.094, 0.047], [0.532, 0.267, 0.089, 0.037], "step"),
)
case(
    "e47-07",
    "### Model A: Small GRU\n| Seed | Best Epoch | Train Loss | Val Loss | Train Acc | Val Acc |\n| :---: | :---: | :---: | :---: | :---: | :---: |\n| `42` | 12 | 0.9123 | 0.9512 | 56.12% | **54.12%** |\n| `123` | 9 | 0.9223 | 0.9612 | 55.12% | **53.12%** |\n| `999` | 14 | 0.9023 | 0.9412 | 57.12% | **55.12%** |\n",
    R("runs"),
)
case(
    "e47-08",
    "### 训练过程\n| Epoch | Train Loss | Val Loss | Top-10 | 备注 |\n|-------|-----------|---------|--------|------|\n| 1 | 3.48 | 3.349 | 34.3% | |\n| 3 | 3.32 | 3.338 | 33.5% | |\n| **5** | **3.22** | **3.310** | **34.2%** | **🏆 Best** |\n| 10 | 2.81 | 3.330 | 34.4% | |\n| 20 | 2.57 | 3.372 | 33.6% | 开始过拟合 |\n\n### 训练分析\n- **最佳 epoch: 5**（val_loss=3.310, Top-10=34.2%）\n- **过拟合严重:** train_loss 从 3.48 降到 2.57，val_loss 反而从 3.31 升到 3.37\n",
    P([1, 3, 5, 10, 20], [3.48, 3.32, 3.22, 2.81, 2.57], [3.349, 3.338, 3.31, 3.33, 3.372]),
)
case(
    "e47-09",
    "### Training Metrics\n\n| Epoch | Train Loss | Val Loss | Perplexity |\n|-------|------------|----------|------------|\n"
    + "".join(f"| {e} | {a(e):.4f} | {b(e):.4f} | {math.exp(b(e)):.2f} |\n" for e in E6)
    + "\n- No severe overfitting observed\n",
    P(E6, A(), B()),
)
case(
    "e47-10",
    "One training run recorded so far, 4,900 steps:\n\n| Step | Train loss | Val loss |\n|---|---|---|\n| 0 | 4.186 | 4.164 |\n| 3,000 (best val) | 1.149 | 1.518 |\n| 4,900 (final) | 0.979 | 1.612 |\n\nUntrained loss matches the `ln(V) ≈ 4.17` sanity check.\n",
    P([0, 3000, 4900], [4.186, 1.149, 0.979], [4.164, 1.518, 1.612], "step"),
)
case(
    "e47-11",
    "| Exp | Model | Window | Dataset | Train Loss | Val Loss | Test Loss | Test Acc | Perplexity | Baseline |\n|-----|-------|--------|---------|------------|----------|-----------|----------|------------|----------|\n| 1   | RNN   | 1      | short   | 6.018      | 6.395    | 5.860     | 17.7%    | 350.72     | 9.22     |\n| 2   | RNN   | 2      | short   | 3.981      | 5.132    | 4.065     | 32.6%    | 58.27     | 9.22     |\n| 3   | RNN   | 3      | short   | 3.647      | 5.017    | 3.682     | 41.3%    | 39.73     | 9.22     |\n",
    R("runs"),
)
case(
    "e47-12",
    "**Training loss** (2 epochs, 100 steps, ~1 h 59 m on Colab T4):\n\n| Epoch | Train Loss | Val Loss |\n|-------|-----------|----------|\n| 1 | 1.6211 | 1.6341 |\n| 2 | 1.4707 | 1.6479 |\n\n**Inference evaluation**\n",
    P([1, 2], [1.6211, 1.4707], [1.6341, 1.6479]),
)
case(
    "e47-13",
    "| Experiment | LR | Batch | Weight Decay | Warmup | Train Loss | Val Loss | Perplexity | BLEU |\n|------------|-----|-------|--------------|--------|------------|----------|------------|------|\n| **Baseline** | 5e-5 | 8 | 0.01 | 0 | 0.8759 | 0.7700 | 2.16 | 20.27 |\n| **Higher LR**  | 1e-4 | 8 | 0.01 | 0 | 0.7977 | 0.6860 | 1.99 | 21.78 |\n| **Small Batch** | 3e-5 | 4 | 0.01 | 0 | 0.9018 | 0.7876 | 2.20 | 20.06 |\n",
    R("runs"),
)
case(
    "e47-14",
    "| Epoch | Train loss | Val loss | Grad norm | Train MAE (s) | Val MAE (s) |\n|------:|-----------:|---------:|----------:|--------------:|------------:|\n| 1     | 0.9889     | 0.9460   | 0.530     | 465.9         | 471.7       |\n| 25    | 0.3181     | 0.3059   | 0.310     | 234.7         | 235.2       |\n| 100   | 0.2290     | 0.2492   | 0.019     | 197.6         | 208.0       |\n",
    P([1, 25, 100], [0.9889, 0.3181, 0.229], [0.946, 0.3059, 0.2492]),
)
# "train_loss,valid_loss"
case(
    "e47-15",
    rep(
        "Episode  {x}",
        "train loss :  {a}",
        "valid loss :  {b}",
        "Time :   0.123",
        "*******************",
        x=lambda e: 10 * e - 10,
    ),
    P([2 * e for e in E6], A(), B(), "place"),
)
case("e47-16", "epoch,train_loss,valid_loss,time\n" + rep("{k},{a},{b},12.345678"), P(K, A(), B()), ".csv")
case(
    "e47-17",
    rep(
        "Epoch {e} \t\t Training Loss: {a} \t\t Validation Loss: {b} \t\t Training Accuracy: 0.81 \t\t Validation Accuracy: 0.71"
    ),
    P(E6, A(), B()),
)
case(
    "e47-18",
    rep("epoch {e}, train_loss {a:f},valid_loss {b:f}, time 12.3 sec", "EarlyStopping counter: {e} out of 7"),
    P(E6, A(), B()),
)
case("e47-19", rep("Epoch: {e}/6: Training loss: {a:.3f}. Validation Loss: {b:.3f}."), P(E6, A(), B()))
# pages
case(
    "e47-20",
    rep("Epoch {e}/20", "1213/1213 [==============================] - 0s - loss: {a:.4f}"),
    TRAINS,
)
