# ruff: noqa: E501, F403, F405, RUF001
"""What people print and write by hand, a fourth time (forty-first round): every output of seven further searches, the right reading first."""

from fresh_forms import *

VALS = R("only validation losses")

# training losses with a colon
case(
    "e41-01",
    "# Results\nThe model achieved the following results:\n* Training Loss: 0.027\n* Training Accuracy: 1.0000\n* Validation Loss: 0.1812\n* Validation Accuracy: 0.9412\nThe model demonstrated strong performance.\n",
    P([2], [0.027], [0.1812], "place"),
)
case(
    "e41-03",
    "## Training Results\n\n- Trained to epoch 27 on T4 GPU\n- Final training loss: 0.0560\n- Final validation loss: 0.0561 (near-perfect generalization, no overfitting)\n\n## Technologies Used\n",
    P([27], [0.056], [0.0561]),
)
case(
    "e41-04",
    "- Batch size: 192 effective (4 per GPU × 8 GPUs × 6 gradient accumulation)\n- Max sequence length: 2048 tokens\n\n**Training Metrics:**\n- Final training loss: 0.6188\n- Mean token accuracy: 86.83%\n- Training throughput: ~9.67 samples/sec\n",
    TRAINS,
)
case(
    "e41-05",
    "The model was trained for 20 epochs. Here are the training results:\n\n- **Epoch 1**:\n  - Training Loss: 0.9187\n  - Training Accuracy: 0.8621\n  - Validation Loss: 0.0384\n  - Validation Accuracy: 0.9876\n\n- **Epoch 20**:\n  - Training Loss: 0.0159\n  - Training Accuracy: 0.9940\n  - Validation Loss: 0.0096\n  - Validation Accuracy: 0.9982\n",
    P([1, 20], [0.9187, 0.0159], [0.0384, 0.0096]),
)
case(
    "e41-06",
    rep("Step {S} | Training loss: {a}")
    + "Validation Loss: 1.7812345\n\nOnce upon a time shape in this place:\nThe empty beauty can haste;\n",
    P([6000], [a(6)], [1.7812345], "step"),
)
case(
    "e41-07",
    "1. **Model Convergence:** ✅ PASS\n   - Worst-group accuracy: 0.94 (94%)\n   - Training loss: 0.0044 (converged)\n   - Model learned the task successfully\n",
    TRAINS,
)
case(
    "e41-08",
    "2026-10-29 14:30:50 - INFO - Starting training for 10000 steps...\n2026-10-29 14:32:10 - INFO - Step 200/10000\n2026-10-29 14:32:10 - INFO - Training Loss: 0.8234\n...\n",
    TRAINS,
)
case(
    "e41-09",
    "- **Training Performance**:\n  - Final Validation Accuracy: 99.48%\n  - Training Loss: 0.0179\n  - Epochs: 5\n  - Batch Size: 32\n  - Optimizer: Adam (learning rate: 0.0001)\n",
    TRAINS,
)
case(
    "e41-10",
    "Fine-Tuning Job Status:\n  Job ID: abc123\n  Status: TRAINING\n\n  Timeline:\n    Created: 2026-01-15 10:00:00\n    Training Started: 2026-01-15 10:05:00\n\n  Training Metrics:\n    Training Loss: 0.05\n    Validation Loss: 0.08\n",
    P([2], [0.05], [0.08], "place"),
)
# assigned validation losses
case("e41-11", "                # saves a file like: my/path/epoch=2-val_loss=0.02-other_metric=0.03.ckpt\n", R())
case(
    "e41-12",
    'def test_log_epoch(tmp_path):\n    logger = MetricsLogger(root_dir=tmp_path)\n    logger.log_epoch(epoch=0, val_loss=0.3, val_acc=0.92)\n    assert json.loads(lines[0]) == {"epoch": 0, "val_loss": 0.3, "val_acc": 0.92}\n',
    R(),
)
case(
    "e41-13",
    "# 52M     /tmp/checkpoints/model_name=0--val_loss=0.00-step=19-consumed_samples=1280.0-last\n# 52M     total\n",
    R(),
)
case(
    "e41-14",
    '    {\n      "model_s3_key": "models/tft/tft-epoch=00-val_loss=0.0359.ckpt",\n      "created_at_utc": "2026-12-07T17:03:35Z"\n    }\n',
    R(),
)
case(
    "e41-15",
    rep(
        "Epoch {e}/20",
        "  Batch   0: loss=0.9{e}34, L_u=0.4120, L_v=0.4114, w_u=0.80, w_v=0.00",
        "  Train loss: {a:.4f}, Val loss: {b:.4f}",
        "  ✓ New best model (val_loss={b:.4f})",
    ),
    P(E6, A(), B()),
)
case("e41-17", "3. **Checkpoint issue**: The val_loss=0.0000 suggests potential training issues\n", R())
case(
    "e41-18",
    "| 2 | 7–12 | domain fine-tune (prediction loss only) | **Done** — Early stopped epoch 12, best epoch 2 (val=0.0336). Backbone saved. |\n| 3 | 13–14 | decoder validation (sanity check) | **Skipped** — val_loss=0.0336 strong enough |\n",
    R(),
)
case("e41-19", "Rank 0 | val_loss=0.21543 | params={...}\nRank 1 | val_loss=0.22543 | params={...}\n", VALS)
case(
    "e41-20",
    "- 完整 108M 模型 1-step train + held-out eval 回归：通过，`eval_num_workers=0`，`eval_loss=0.8003`；\n",
    VALS,
)
# "validation loss was"
case(
    "e41-21",
    "steps and all 104 validation batches completed; final validation loss was\n`23.72143` (`2.95559` BPB). Cache adoption took under a second.\n",
    R(),
)
case(
    "e41-25",
    "- A's negative gap (-0.110) is an artifact: dropout is active during training but not\n  during validation, inflating the reported training loss by ~15-20%.\n",
    R(),
)
case(
    "e41-26",
    "exactly 13,797 steps, 23,584.5 seconds, 0.07053 aggregate train loss,\n  and zero truncation across rows.\n- Validation loss was 0.09308, 0.08544, and 0.09364 at epochs 1–3. The fixed profile scored\n  every epoch on all three splits.\n",
    R(),
)
case("e41-27", "The accuracy on validation was 0.9132547. Validation loss was  0.230512.\n", VALS)
case("e41-29", rep("Mean validation loss was {b}"), VALS)
# above one
case(
    "e41-30",
    "Training loss declined from 2.64 at step 1 to 0.67 at step 72 (aggregate train loss 1.048), but this metric did not translate to held-out accuracy.\n",
    TRAINS,
)
case("e41-31", rep("step {s:4d}/28248: train loss {a:.6f} (acc {a:.6f}) (217.807877 ms, 150392.234375 tok/s)"), TRAINS)
case(
    "e41-32",
    "La unica metrica reportada por el autor es la perdida durante el entrenamiento (train loss 1.531, eval loss 1.523, 104 pasos, 2 epocas), que no es comparable.\n\n| Metrica | Valor | Contexto |\n|---|---|---|\n| Train loss | 1.531 | Etapa 1 (SFT + LoRA), 104 pasos |\n| Eval loss | 1.523 | Etapa 1 (SFT + LoRA) |\n",
    P([1], [1.531], [1.523], "place"),
)
case(
    "e41-33",
    "**One variable changed** from v5: epochs 5→3 (r32/α64, lr2e-4, aligned recipe).\nFinal train loss 1.27 (v5: 0.87). Judge = someone.\n",
    TRAINS,
)
case(
    "e41-34",
    rep("Step {x:4d} | train loss {a:.2f} | val loss {b:.2f}", x=lambda e: 100 * e - 100)
    + "...\nFinal train loss: 0.02-0.05\n",
    P([100 * e - 100 for e in E6], A(), B(), "step"),
)
case(
    "e41-35",
    "number of parameters: 0.09M\nrunning on device cpu\n"
    + rep("iter_dt 231.01ms; iter {x}: train loss {a:.5f}", x=lambda e: 100 * e - 100),
    TRAINS,
)
case(
    "e41-36",
    "Trainable parameters: 0.038% (2.884M/7615.617M)\nIter 1: Val loss 1.910, Val took 1.677s\nIter 1: Train loss 1.367, Learning Rate 1.000e-05, It/sec 0.420, Tokens/sec 6.714, Trained Tokens 16, Peak mem 4.493 GB\nSaved final weights to adapter/adapters.safetensors.\n",
    P([1], [1.367], [1.910], "step"),
)
case(
    "e41-38",
    "paged AdamW 8-bit, gradient checkpointing. Ran in under an hour on the 4060, final train loss 1.42.\n  Adapter saved to `models/qg_finetune/`.\n",
    TRAINS,
)
case(
    "e41-39",
    "A well-trained model reaches around `1.4-1.6` validation loss:\n```\nDevice: mps\n10.788929 M parameters\n"
    + rep("step {x}: train loss {a:.4f}, val loss {b:.4f}", x=lambda e: 500 * e - 500)
    + "```\n",
    P([500 * e - 500 for e in E6], A(), B(), "step"),
)
# evaluation losses with a colon
case(
    "e41-40",
    "   CROSS-VALIDATION RESULTS\n   ==========\n   Best Fold: 2\n   Best Model Path: outputs/models/fold_2\n\n   Best Fold Metrics:\n     eval_loss: 0.3245\n     eval_f1_macro: 0.8421\n\n   Aggregate Metrics:\n     f1_macro: 0.8312 ± 0.0145\n",
    VALS,
)
case("e41-41", "eval_loss: 0.1234567\neval_accuracy: 0.987654\n", VALS)
case(
    "e41-43",
    "      { id: 't1', eval_loss: 0.4, learning_rate: 0.001 },\n      { id: 't2', eval_loss: 0.6, learning_rate: 0.002 },\n",
    VALS,
)
case(
    "e41-44",
    "small BERT (scratch) — eval:\n             eval_loss: 0.6885\n         eval_accuracy: 0.5480\n        eval_precision: 0.5614\n               eval_f1: 0.4875\n",
    VALS,
)
case(
    "e41-45",
    "Epoch 3/3:\nStep 10: loss=0.7264, lr=1.8e-06\nStep 20: loss=0.7171, lr=3.8e-06\nStep 30: loss=0.6903, lr=5.8e-06\n\nEval:\n  eval_loss: 0.6705\n  eval_micro_f1: 0.3529\n  eval_V3_f1: 0.6667  ← only V3\n",
    P([30], [0.6903], [0.6705], "step"),
)
case(
    "e41-46",
    "It achieves the following results on the evaluation set:\n- eval_loss: 0.8774\n- eval_model_preparation_time: 0.5433\n- eval_mse: 0.8773\n- eval_pearson: 0.8110\n- eval_runtime: 39.831\n- eval_samples_per_second: 52.07\n- step: 0\n",
    VALS,
)
case(
    "e41-47",
    "- Locked config: rank=4, alpha_ratio=1, dropout=0.05, lr=3.465e-4\n- Phase 2.1 Stage 2 best eval_loss: 0.1424 (100-step sweep trial, 500 samples)\n- Phase 2.1 Stage 2 peak VRAM: 12,153 MB\n",
    R(),
)
case(
    "e41-48", "*** SIMULATED Training Complete ***\nFinal metrics (simulated): eval_loss: 0.15, accuracy: 0.95\n", VALS
)
case(
    "e41-49",
    "    #     batch_size: 64\n    #     lora_r: 8\n    #     num_train_epochs: 27\n    # Best eval_loss: 0.060594797\n",
    R(),
)
# above two
case(
    "e41-50",
    "Iteration 1:   Val loss 2.493\nIteration 100: Val loss 0.326\nPeak memory: 7.009 GB\nTraining time: ~2 minutes\n",
    VALS,
)
case(
    "e41-51",
    "# Example lines:\n#   Iter 10: Train loss 2.345, Learning Rate 1.000e-04, It/sec 1.23, Tokens/sec 412.5, ...\n#   Iter 20: Val loss 2.123, Val took 4.5s\n",
    P([20], [2.345], [2.123], "step"),
)
case(
    "e41-52",
    "".join(
        f"Ep {1 + e // 4} (Step {50 * e - 50:06d}): Train loss {a(e):.3f}, Val loss {b(e):.3f}\n"
        + ("Training accuracy: 70.00% | Validation accuracy: 72.50%\n" if e in (3, 6) else "")
        for e in E6
    ),
    P([50 * e - 50 for e in E6], A(), B(), "step"),
)
case(
    "e41-54",
    "Verified live on the M4 Max — a\nreal mlx-lm LoRA trained (val loss 2.74 → 2.27), loaded at inference, and merged — and\n**end-to-end on CUDA (RTX 5090)**: a 4-bit QLoRA trained via LLaMA-Factory (train_loss 0.31),\nand the served A/B ran.\n",
    R(),
)
case(
    "e41-55",
    "# out/ckpt.pt: iter 60000, val loss 2.6099\n# temp 0.6 | top-k 95 | top-p 1.0 | rep 1.2\n# 120 token in 0.99s = 121 tok/s (kv cache, batch 1)\n",
    VALS,
)
case(
    "e41-56",
    "- 4000 steps, batch_size=16, best eval loss 2.42\n- **Result**: Worse than fine-tuned model — accuracy only 28.6% vs 52.4%\n",
    R(),
)
case(
    "e41-57",
    "# --- Training ---\n" + rep("# step {x}: train loss {a:.4f}, val loss {b:.4f}", x=lambda e: 300 * e - 300),
    P([300 * e - 300 for e in E6], A(), B(), "step"),
)
case(
    "e41-58",
    "| Run C | 1.40 | 1.57 | 0.17 | Stable generalization ✓ |\n\n**Training Progress:**\n```\n"
    + rep("Step {s}: train loss {a:.4f}, val loss {b:.4f}")
    + "Step 700: train loss 0.7900, val loss 0.9300  ← Best validation, gap 0.14!\n```\n",
    P([*H, 700], [*A(), 0.79], [*B(), 0.93], "step"),
)
case(
    "e41-59",
    'setstartText = "To be, or not to be";\n\nUsing device: CPU\n'
    + rep("iter {s}/2000 | lr 4.86E-004 | train loss {a:.4f} | val loss {b:.4f}"),
    P(H, A(), B(), "step"),
)
# with a sign
case(
    "e41-60",
    "        1) simple : depth feat + L 256+1 -> mixer 3x3x128 -> 3x3x64 -> 3x3x32 -> 3x3x2, train loss = 0.048\n        2)        : depth feat + L 2+1   -> mixer 1x1x32  -> 3x3x32 -> 3x3x32 -> 3x3x2\n",
    R(),
)
case(
    "e41-61",
    "**Training vs Validation Loss:**\n```\nEpoch 1:  Train Loss = 0.450   Val Loss = 0.445\nEpoch 5:  Train Loss = 0.380   Val Loss = 0.385\nEpoch 10: Train Loss = 0.320   Val Loss = 0.340\nEpoch 35: Train Loss = 0.250   Val Loss = 0.270  ← BEST\nEpoch 40: Train Loss = 0.240   Val Loss = 0.280  ← Val loss rises\n```\n",
    P([1, 5, 10, 35, 40], [0.45, 0.38, 0.32, 0.25, 0.24], [0.445, 0.385, 0.34, 0.27, 0.28]),
)
case(
    "e41-62",
    "SAMPLE OUTPUT\nEpoch 1: Train Loss = 2.4312, Val Loss = 2.1212\n...\nEpoch 10: Train Loss = 0.5612, Val Loss = 0.4712\n\nLatin: ank → Predicted: अंक | Actual: अंक\n",
    P([1, 10], [2.4312, 0.5612], [2.1212, 0.4712]),
)
case(
    "e41-63",
    "            # Parse epoch logs: \"Epoch  10: Train Loss = 0.912812, Val Loss = 0.904812\"\n            pattern = r'Epoch\\s+(\\d+):\\s+Train Loss\\s*=\\s*([\\d.]+)'\n",
    P([10], [0.912812], [0.904812]),
)
case(
    "e41-65",
    "[epoch 1/10] train loss = 0.72\n[epoch 2/10] train loss = 0.19\n...\neval stats: {'loss': 0.07, 'accuracy': 0.97}\nFinal experiment result:\n{'accuracy': 0.97, 'loss': 0.07}\n",
    P([2], [0.19], [0.07]),
)
case(
    "e41-66",
    '    ax.axhline(0.127, color=GREEN, linestyle="--", alpha=0.6,\n               label="Final Train Loss = 0.127")\n    ax.axhline(0.020, color=BLUE, linestyle="--", alpha=0.6,\n               label="Eval Loss = 0.020")\n',
    P([2], [0.127], [0.02], "place"),
)
case(
    "e41-67",
    "| Activity train loss = 0.0 (zero gradient) | same, `train.activity` |\n| Pose fwd 9.14° / up 7.78° + CI | `bootstrap_ci.json` |\n",
    R(),
)
case(
    "e41-68",
    "### Per-Output Metrics\n| Output | MAE | RMSE | R² |\n|--------|-----|------|-----|\n| LAT | 0.000089 | 0.000112 | 0.9991 |\n| LON | 0.000156 | 0.000198 | 0.9984 |\n\n### Training Progression\n- **Epoch 1**: Train Loss = 0.0234, Val Loss = 0.0198\n- **Epoch 25**: Train Loss = 0.0012, Val Loss = 0.0015\n- **Epoch 50**: Train Loss = 0.0008, Val Loss = 0.0011\n",
    P([1, 25, 50], [0.0234, 0.0012, 0.0008], [0.0198, 0.0015, 0.0011]),
)
case(
    "e41-69",
    rep(
        "Epoch [ {e}/30], train loss = {a:.6f}, train accuracy = 86.0{e}%, valid loss = {b:.6f}, valid accuracy = 84.2{k}%, duration = 0.966373(s)"
    ),
    P(E6, A(), B()),
)
# kin of what was refused
case(
    "e41-k1",
    "The only metric that the author has reported so far is the loss over the whole of training on one machine (train loss 1.531, eval loss 1.523, 104 steps).\n",
    P([1], [1.531], [1.523], "place"),
)
