# ruff: noqa: E501, F403, F405
"""Tools that no round before had, and loops with sides in odd places (twenty-eighth round): the right reading was written down before the reader was run."""

from fresh_forms import *

TAKEN = ("taken for losses",)
TRAINS = R("no validation loss")


case(
    "e28-01",
    rep(
        "step#: {s}  learning rate: 0.1  train loss: {a:.6f}  test loss: {b:.6f}  steps without apparent progress: train=0, test=0"
    ),
    P(H, A(), B(), "step", says=("test",)),
)
case(
    "e28-02",
    rep("step#: {s}     learning rate: 0.1   average loss: {a:.6f}    steps without apparent progress: 12"),
    TRAINS,
)
case("e28-04", rep("Epochs     {s:10d}. Current error: {a:.10f}. Bit fail 12."), R())
case(
    "e28-05",
    rep(
        "2024-05-01 10:00:00,000: Epoch {e} average loss: avg_loss: {a:.5f}, avg_total_loss: {a:.5f}",
        "2024-05-01 10:01:00,000: Epoch {e} average validation loss: {b:.5f} -- Median validation metrics: avg_loss: {b:.5f}, avg_total_loss: {b:.5f}, NSE: 0.51234",
    ),
    P(E6, A(), B()),
)
case(
    "e28-06",
    rep(
        "2024-05-01 10:00:00 (INFO): energy_mae: 1.23e+00, forces_mae: 4.50e-02, loss: {a:.2e}, lr: 1.00e-04, epoch: {e}.00e+00, step: {s}.00e+00",
        "2024-05-01 10:01:00 (INFO): Evaluating on val.",
        "device 0: 100%|██████████| 12/12 [00:02<00:00,  5.12it/s]",
        "2024-05-01 10:02:00 (INFO): energy_mae: 1.1234, forces_mae: 0.0412, loss: {b:.4f}, epoch: {e}.0000",
    ),
    P(H, A(), B(), "step"),
)
case(
    "e28-07",
    rep(
        "Epoch {k}   [Train |████████████████████|  235/235  batches, {a:.2f} cost, 1.20s] [CrossEntropyMulti Loss {b:.2f}, 0.10s]"
    ),
    R(),
)
case(
    "e28-08",
    "\r".join(
        f"Training epochs on cpu: {100 * e // 6}%|███       | {e}/6 [00:0{e}<00:0{6 - e}, 1.02epoch/s, loss={a(e):.3f}, prev_loss={a(max(1, e - 1)):.3f}]"
        for e in E6
    )
    + "\n",
    TRAINS,
)
case(
    "e28-09",
    rep(
        "[proc 0][Train]({s}/600) average pos_loss: {c:.4f}",
        "[proc 0][Train]({s}/600) average neg_loss: {c:.4f}",
        "[proc 0][Train]({s}/600) average loss: {a:.4f}",
        "[proc 0][Train] 100 steps take 1.234 seconds",
        c=lambda e: a(e) / 2,
    ),
    TRAINS,
)
case(
    "e28-10",
    rep(
        "Epoch {e}/6 (lr=0.0005), train loss {a:.5f}, valid loss {b:.5f}",
        "Model performance:",
        "  metrics/test.rmse:           12.34",
    ),
    P(E6, A(), B()),
)
case(
    "e28-11",
    rep("epoch: {e}, step: {s}, time: 12.1, train: {a:.3f}, valid: {b:.3f}, train_acc: 0.512, valid_acc: 0.491"),
    P(H, A(), B(), "step", says=TAKEN),
)
case(
    "e28-12",
    rep("Epoch {e} (Update {s}).\tTrain loss: {a:.4f}, Val root_mean_squared_error: -0.51{e}, Best Epoch: {e}"),
    R(),
)
case(
    "e28-14",
    rep(
        "Epoch {e}/6",
        "100/100 - 12s - loss: {a:.4f} - CER: 0.1234 - val_loss: {b:.4f} - val_CER: 0.1134 - 12s/epoch - 120ms/step",
    ),
    P(E6, A(), B()),
)
case(
    "e28-19",
    rep("train_opt_callback: iter=   {s} sample=1/100 sched=0.100000 loss={a:.6f} dt=00:00:01 eta=00:10:00 |->"),
    TRAINS,
)
case(
    "e28-21",
    " Training neural network. Epochs trained: 1\n Training neural network. Epochs trained: 2\n Neural network successfully converged after 6 epochs.\n Best validation performance: -1.2345\n",
    R(),
)
case(
    "e28-22",
    rep(
        "INFO:gensim.models.ldamodel:-{b:.3f} per-word bound, {q:.1f} perplexity estimate based on a held-out corpus of 100 documents with 1234 words",
        q=lambda e: 2 ** b(e),
    ),
    R(),
)
case(
    "e28-24",
    {
        "train.log": rep(
            "INFO:tensorflow:Global Step: {s}, Learning Rate: 0.001000, Loss: {a:.3f}, Perplexity: 12.123, steps/sec: 1.23"
        ),
        "eval.log": rep("INFO:tensorflow:Global Step: {s}, Loss: {b:.3f}, Perplexity: 9.123"),
    },
    P(H, A(), B(), "step", errors=("log/perplexity",)),
)
case("e28-28", rep("Training loss for epoch {e}: {a:.4f}", "Validation loss for epoch {e}: {b:.4f}"), P(E6, A(), B()))
case("e28-30", rep("epoch - {e}", "iter - {s}", "loss - {a:.5f}"), TRAINS)
case(
    "e28-31",
    rep(
        "2024-05-01,10:00:00 | INFO | Train Epoch: {k} [10000/10000 (100%)] Data (t): 0.100 Batch (t): 0.200, 123.4/s LR: 0.000500 Logit Scale: 14.286 Contrastive_loss: {c:.4f} ({a:.4f}) Loss: {c:.4f} ({a:.4f})",
        "2024-05-01,10:01:00 | INFO | Eval Epoch: {e} image_to_text_mean_rank: 12.0000\tclip_val_loss: {b:.4f}\tepoch: {e}.0000\tnum_samples: 1000.0000",
        c=lambda e: a(e) + 0.1,
    ),
    P(K, None, B()),
)
case(
    "e28-33",
    rep(
        "[2024-05-01 10:00:00,000] [    INFO] - loss: {a:.4f}, learning_rate: 1e-05, global_step: {s}, interval_runtime: 1.2345, epoch: {e}.0",
        "[2024-05-01 10:01:00,000] [    INFO] - ***** Running Evaluation *****",
        "[2024-05-01 10:02:00,000] [    INFO] - eval_loss: {b:.4f}, eval_accuracy: 0.491, eval_runtime: 1.2345, epoch: {e}.0",
    ),
    P(H, A(), B(), "step"),
)
case(
    "e28-36",
    rep(
        "[Epoch {e} / Train]: 100%|██████████| 50/50 [00:05<00:00, 9.87it/s, loss={a:.3f}]",
        "[Epoch {e} / Eval]: 100%|██████████| 10/10 [00:01<00:00, 9.87it/s, loss={b:.3f}]",
    ),
    P(E6, A(), B()),
)
case(
    "e28-38",
    rep(
        "24/05/01 10:00:0{e} INFO LBFGS: Step Size: 1.000",
        "24/05/01 10:00:0{e} INFO LBFGS: Val and Grad Norm: {a:.5f} (rel: 0.123) 0.51234",
    ),
    R(),
)
case(
    "e28-50",
    "row ID,epoch,accuracy,loss,val accuracy,val loss\n" + rep("Row{k},{e},0.512,{a:.6f},0.491,{b:.6f}"),
    P(E6, A(), B()),
    ".csv",
)
case("e28-51", rep("Epoch: {e}, Training Score: 0.51{e}, Validation Score: 0.49{e}"), R())
case(
    "e28-52",
    " round   train-loss   validation-loss   learning-rate\n"
    + rep("     {e}       {a:.4f}            {b:.4f}        1.00e-3"),
    P(E6, A(), B(), "step"),
)
case(
    "e28-53",
    rep(
        "Beginning of Epoch {e}/6, Total Micro Batches 100",
        "Epoch: {k}, Step: 99, Rank: 0, loss = {a:.6f}",
        "***** Evaluating perplexity, Epoch {e}/6 *****",
        "ppl: {q:.6f}, loss: {b:.6f}",
        q=ex(b),
    ),
    P(K, A(), B()),
)
case("e28-54", rep("Epoch:   {e},   500 samples, 0:00:12, loss: {a:.4f} / val {b:.4f}"), P(E6, A(), B()))
case("e28-55", rep("lr 0.1 | epoch {e} | loss {a:.4f}/{b:.4f} (train/val)"), P(E6, A(), B()))
case("e28-56", rep("Trained on: loss {a:.4f}; Evaluated on: loss {b:.4f}; epoch: {e}"), P(E6, A(), B()))
case(
    "e28-57",
    rep(
        "[2024-05-01 10:00:00] epoch:{e} phase:train loss:{a:.4f} acc:0.512",
        "[2024-05-01 10:00:10] epoch:{e} phase:valid loss:{b:.4f} acc:0.491",
    ),
    P(E6, A(), B()),
)
case("e28-59", rep("tr {a:.4f} vl {b:.4f} te {c:.4f} ep {e}", c=lambda e: b(e) + 0.1), P(E6, A(), B(), says=TAKEN))
case(
    "e28-60", rep("loss: train {a:.4f} | eval {b:.4f} || acc: train 0.5120 | eval 0.4910 || epoch {e}"), P(E6, A(), B())
)
case("e28-62", rep("e={e} | L_tr={a:.4f} | L_va={b:.4f} | A_tr=51.2 | A_va=49.1"), P(E6, A(), B(), says=TAKEN))
case(
    "e28-63",
    rep(
        "Epoch {e}: cost on batch = {c:.4f}; mean cost over training set = {a:.4f}; mean cost over validation set = {b:.4f}",
        c=lambda e: a(e) + 0.1,
    ),
    P(E6, A(), B()),
)
