# ruff: noqa: E501, F403, F405, RUF001
"""What people print and write by hand, an eighth time (forty-fifth round): every output of two strings and four searches, the right reading first."""

from fresh_forms import *

case(
    "e45-01",
    rep(
        "Epoch: {k} \tTraining Loss: {a:.6f} \tValidation Loss: {b:.6f}",
        "#########################",
        "Validation loss decreased by 0.123456 (12.345)%      Saving model....",
        "#########################",
    ),
    P(K, A(), B()),
)
case("e45-02", rep("epoch: {e}, train_loss: {a:.3}, val_loss: {b:.3}"), P(E6, A(), B()))
case("e45-03", rep("Iterations: {s:>4} --- Train loss: {a:>6.3f} --- Val loss: {b:>6.3f}"), P(H, A(), B(), "step"))
case(
    "e45-04",
    "        if batch_idx % valid_idx == 0:\n            val_loss = validate(model, test_loader)\n    print('Epoch {}/{}: Train Loss: {:.4f}, Val Loss: {:.4f}'.format(\n        epoch+1, num_epochs, train_loss, val_loss))\n```\n\n```\nAccuracy: 0.9312\nPrecision: 0.9325\n```\n",
    R(),
)
case(
    "e45-05",
    rep("Epoch {e:03d} | Train {a:.4f} | Val {b:.4f} | LR 0.001000") + "Early stopping triggered.\n",
    P(E6, A(), B()),
)
case(
    "e45-06",
    rep(
        "Train loss: {a:.5f} | Val loss: {b:.5f}",
        "Valid ap improved from {b:.5f} to {b:.5f} saving model to ckpt/best.pth",
    ),
    P(E6, A(), B(), "place"),
)
case("e45-07", rep("{e}, 0.00100, {a:.5f}, {b:.5f}"), R())
case("e45-08", rep("Epoch [{e}/6], train_loss: {a:.4f}, val_loss: {b:.4f}, val_accuracy: 0.7123"), P(E6, A(), B()))
case(
    "e45-09",
    "".join(
        f"\repoch: {e:4d} || loss: {a(e):4.4f} || val_loss: {b(e):4.4f}:  {10 * e}%|███       | {e}/6 [00:1{e}<00:30, 12.1s/it]"
        for e in E6
    )
    + "\n",
    P(E6, A(), B()),
)
case(
    "e45-11",
    "".join(
        "".join(
            f"Epoch: [{e}][{i}/400] Elapsed 0m {i // 10}s (remain 6m 3s) Loss: {2 / (e + i / 400) + 0.5:.4f}({2 / (e + i / 800) + 0.5:.4f}) Grad: 1.2345  LR: 0.000020  \n"
            for i in (0, 100, 200, 300, 399)
        )
        + "".join(
            f"EVAL: [{i}/40] Elapsed 0m {i}s (remain 0m 3s) Loss: {1.5 / (e + 1) + 0.9:.4f}({1.5 / (e + 1) + 0.7 + (39 - i) / 100:.4f}) \n"
            for i in (0, 20, 39)
        )
        for e in (1, 2, 3)
    ),
    P([1, 2, 3], [2 / (e + 399 / 800) + 0.5 for e in (1, 2, 3)], [1.5 / (e + 1) + 0.7 for e in (1, 2, 3)]),
)
case("e45-13", rep(" Epoch[{e:06d}], Train Loss: {a:.9f}, Valid Loss: {b:.9f}"), P(E6, A(), B()))
case(
    "e45-14",
    "".join(
        f"\rTraining Epoch:  {10 * e}%|███       | {e}/6 [00:1{e}<00:30, 12.1s/it, train_loss={a(e)}, val_loss={b(e)}]"
        for e in E6
    )
    + "\n",
    P(E6, A(), B()),
)
case(
    "e45-17",
    rep(
        "Epoch: {k}\tTraining Loss: [{a:.5f}]\tValidate Loss: [{b:.5f}]\tValidate PSNR: [31.23456]\tPixel Loss: [0.12345]",
        "\t\tFinished an epoch, Check and Save the model weights",
    ),
    P(K, A(), B()),
)
case(
    "e45-20",
    rep(
        " Iter[{S:06d}], Epoch[{e:06d}], learning rate : 0.000100000, Train Loss: {a:.9f}, Test Loss: {b:.9f}, Test PSNR: 31.234567890 ",
        "12:30:15 INFO Iter[{S:06d}],  Epoch[{e:06d}], learning rate : 0.000100000, Train Loss: {a:.9f}, Test Loss: {b:.9f}, Test PSNR: 31.234567890 ",
    ),
    P([1000 * e for e in E6], A(), B(), "step"),
)
case(
    "e45-21", "```\n" + rep("epoch: {x}; loss: {y:.8f}", x=lambda e: 94 + e, y=lambda e: 1e-5 * a(e)) + "```\n", TRAINS
)
case(
    "e45-22",
    "The following is the training log：\n"
    + "".join(
        f" {e:2d}/102 [{'=' * (e - 1)}>{'.' * (29 - e)}] - ETA: 8:0{e} - loss: 0.6{9 - e}12 - accuracy: 0.60{e}2\n"
        for e in E6
    ),
    TRAINS,
)
case("e45-23", "为什么训练中会出现   Train loss: 3.21234 Val loss:nan...  \nval loss 怎么运算出了 nan\n", R())
case(
    "e45-25",
    rep(
        "INFO:tensorflow:Restoring parameters from ../models\\model.ckpt-4{e}9999",
        "INFO:tensorflow:loss = {a:.4e}",
        "INFO:tensorflow:acc_top1 = 5.0553e-01",
        "INFO:tensorflow:l2_loss = 4.1757e-01",
    ),
    TRAINS,
)
case(
    "e45-26",
    "Here is an example from the logs:\n```\ntrain_loss: 0.012128\nvalid_loss: 0.683989\n```\n",
    P([2], [0.012128], [0.683989], "place"),
)
case(
    "e45-27",
    "".join(
        "".join(
            f"Epoch {e} | iter {100 * e - 4 + i} step {100 * e - 4 + i} | loss train: {a(e) + 0.01 * i:.3f}, val_loss valid: {b(e - 1) if e > 1 else 9.5:.3f} | iter time: 38.925 s (step)\n"
            for i in (1, 2, 3, 4)
        )
        + f"Epoch {e} | iter {100 * e}          | val_loss: {b(e):.3f} | val_time: 79.079 s\n"
        for e in E6
    ),
    P(H, lambda v: all(abs(x - a(e)) < 0.06 for x, e in zip(v, E6, strict=True)), B(), "step"),
)
