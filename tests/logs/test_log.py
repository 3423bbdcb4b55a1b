# ruff: noqa: E501
"""`diagnose log`: what it finds by itself, what it refuses, and that hostile text stays text."""

import json
from pathlib import Path

import pytest

from diagnose.baselines.placement import Yardstick
from diagnose.logs.judge import judge as judged

LOGS = Path(__file__).parent


def judge(paths, **options):
    """The record as `--json` prints it."""
    return judged(paths, **options).model_dump(mode="json")


def rules(record):
    return {one["rule"] for one in record["findings"]}


def ids(rows):
    return {row["id"] for row in rows}


@pytest.fixture
def scale(monkeypatch):
    """Stand in for the yardsticks, which take a while."""
    bars = [Yardstick("xz", "compressor", 1.61), Yardstick("PPMd of order 8", "compressor", 1.33)]
    monkeypatch.setattr("diagnose.baselines.scoring.yardsticks", lambda *_, **__: bars)


def test_the_first_user_s_log_gives_itself_away(scale, diagnose):
    code, out, err = diagnose("log", LOGS / "first-user.txt", "--data", "akjv", "--json")
    record = json.loads(out)
    assert (code, err) == (1, "")
    assert next(iter(record)) == "format"
    assert {"log/overlapping-samples", "log/implausible"} <= rules(record)
    assert record["implied"]["train_samples"] == 8359 * 192
    assert record["implied"]["val_samples"] == 928 * 192
    overlap = next(one for one in record["findings"] if one["rule"] == "log/overlapping-samples")
    assert overlap["measured"]["ratio"] == pytest.approx(1, abs=0.05)
    assert [cut["each"] for cut in record["plausibility"]["cuts"]] == ["position"]
    assert record["plausibility"]["tokens"] == "word"
    assert record["plausibility"]["bits_per_byte"] == pytest.approx(0.21, abs=0.02)
    assert (record["gap"]["sign"]["below"], record["gap"]["sign"]["p"]) == (3, 0.25)
    assert {"mode", "leak"} <= ids(record["possible"])
    assert "unseen" in ids(record["ruled_out"])
    draw = next(one for one in record["possible"] if one["id"] == "draw")
    assert "not the luck of single batches" in draw["why"]
    assert "split" in record["next"]["command"]
    assert len(record["verdict"].split()) <= 40


def test_without_its_corpus_the_log_cannot_say_how_samples_were_cut():
    record = judge([LOGS / "first-user.txt"])
    assert not rules(record) & {"log/overlapping-samples", "log/implausible"}
    assert record["plausibility"] is None
    assert "eval()" in record["next"]["what"]


def test_disjoint_samples_are_not_said_to_overlap(tmp_path, scale):
    """The same log with the batches that chunks of 128 words would have: 14,162 samples, 69 batches and 8."""
    text = (LOGS / "first-user.txt").read_text().replace("8359", "66").replace("928", "7")
    text = text.replace("8200", "20").replace("8300", "40").replace("0.36015996870038836", "1.8")
    path = tmp_path / "log"
    path.write_text(text.replace("0.358", "1.79").replace("0.346", "1.81"))
    record = judge([path], data="akjv")
    assert "log/overlapping-samples" not in rules(record)
    assert [cut["each"] for cut in record["plausibility"]["cuts"]] == ["context"]


def test_a_loss_of_unknown_tokens_is_bounded_by_characters(scale):
    low = judge([LOGS / "below-training.txt"], data="akjv")["plausibility"]
    assert low["at_most"] is True
    assert low["tokens"] is None
    given = judge([LOGS / "below-training.txt"], data="akjv", tokens="word")["plausibility"]
    assert given["bits_per_byte"] < low["bits_per_byte"]


def test_plain_runs_find_nothing(diagnose):
    for name in ("nanogpt.txt", "tensorboard-scalars", "trainer_state.json", "keras-history.json", "resumed.txt"):
        code, out, _ = diagnose("log", LOGS / name)
        assert code == 0, out
        assert "What would tell" in out
        assert len(out.splitlines()) <= 15


FOUND = {
    "below-training.txt": "log/validation-below-training", "diverged.txt": "log/not-finite",
    "nanogpt-overfits.txt": "log/overfitting", "nanochat.txt": "log/units",
}  # fmt: skip


@pytest.mark.parametrize("name", FOUND)
def test_what_is_wrong_is_found(name):
    assert FOUND[name] in rules(judge([LOGS / name]))


def lines(tmp_path, rows):
    path = tmp_path / "log.txt"
    path.write_text("\n".join(rows))
    return judge([path])


def falling(k):
    return 4 * 0.9**k + 1 + 0.01 * ((k * 7) % 5 - 2)


PLANTED = {
    "log/factor": [f"step {k} train loss {falling(k)} val loss {falling(k) / 0.6931}" for k in range(30)],
    "log/identical": [f"step {k} train loss {falling(k)} val loss {falling(k)}" for k in range(30)],
    "log/frozen": [f"step {k} train loss {falling(k)} val loss 1.5" for k in range(30)],
    "log/perplexity": [f"step {k} train loss {falling(k)} val loss 2.0{k} val ppl 9.0" for k in range(30)],
    "log/start": ["vocab_size = 65", *(f"step {k} train loss {falling(k)} val loss {falling(k) + 2}" for k in range(30))],
    "log/closing-mean": [*(f"step {k} train loss {falling(k)} batch val loss {falling(k) + 0.1}" for k in range(40)),
                         "Mean val loss: 3.5"],
}  # fmt: skip


@pytest.mark.parametrize("rule", PLANTED)
def test_contradictions_are_found(rule, tmp_path):
    assert rule in rules(lines(tmp_path, PLANTED[rule]))


def test_a_clock_that_contradicts_the_steps_is_found(tmp_path):
    rows = [
        json.dumps({"step": 10 * k, "_runtime": 5e4 + k, "loss": falling(k), "val_loss": falling(k) + 0.1})
        for k in range(30)
    ]
    assert "log/time" in rules(lines(tmp_path, rows))


def test_what_a_tool_does_rules_causes_out():
    record = judge([LOGS / "nanogpt.txt"])
    assert ids(record["possible"]) == {"unseen", "draw", "leak"}
    assert {"mode", "lag", "objective", "reduction"} <= ids(record["ruled_out"])


def test_an_averaged_loss_that_lags_is_possible_only_while_it_falls(tmp_path):
    """Both runs lie 0.3 above validation; one falls by 0.6 a print, which an average lags by 0.3, the other is level."""
    for fall, possible in ((0.6, True), (0.0, False)):
        record = lines(
            tmp_path,
            [
                f"step {100 * k} train loss {20 - fall * k + 0.01 * (k * 7 % 5)} val loss {19.7 - fall * k + 0.01 * (k * 3 % 5)}"
                for k in range(30)
            ],
        )
        assert ("lag" in ids(record["possible"])) is possible
        assert ("lag" in ids(record["ruled_out"])) is not possible


def test_a_dropout_of_zero_leaves_what_else_acts_in_training_mode(tmp_path):
    rows = [f"step {k} train loss {falling(k)} val loss {falling(k) - 0.2 + 0.003 * (k % 3)}" for k in range(30)]
    mode = {True: "", False: ""}
    for stated in mode:
        record = lines(tmp_path, ["dropout = 0.0", *rows] if stated else rows)
        mode[stated] = next(one["why"] for one in record["possible"] if one["id"] == "mode")
    assert "dropout of 0; batch norm" in mode[True]
    assert "does not say that dropout is off" in mode[False]


BAD = {
    "nothing there": (["nowhere.txt"], "does not exist"),
    "empty": (["empty.txt"], "empty"),
    "no losses": (["words.txt"], "no loss was found"),
    "no validation": (["half.txt"], "only training losses and no validation loss: 'train loss' (2\xa0values)"),
    "unknown column": (["table.csv", "--columns", "train=los,val=val_loss"], "did you mean 'loss'"),
    "columns of no role": (["table.csv", "--columns", "trian=loss"], "did you mean 'train'"),
    "columns that are none": (["table.csv", "--columns", "loss"], "role=name"),
    "format": (["table.csv", "--format", "cvs"], "did you mean 'csv'"),
    "not that format": (["table.csv", "--format", "tensorboard"], "no TensorBoard file"),
    "pickle": (["history.pkl"], "never loaded"),
    "checkpoint": (["model.pt"], "zip"),
    "wandb's own": (["run.wandb"], "version of its format"),
    "binary": (["noise.bin"], "binary"),
    "half a gzip": (["half.gz"], "damaged"),
    "half a zstandard": (["half.zst"], "no loss"),
    "broken JSON": (["broken.json"], "JSON"),
    "an empty folder": (["folder"], "holds no log"),
    "no data": (["table.csv", "--data", "nowhere.txt"], "does not exist"),
    "no tokens": (["table.csv", "--data", "akjv", "--tokens", "wrd"], "word, char or bpe"),
    "no split": (["table.csv", "--data", "akjv", "--split", "docs"], "split"),
    "all NaN": (["nan.txt"], "NaN"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_gets_one_line(name, diagnose, tmp_path):
    import gzip
    import pickle

    import zstandard

    (tmp_path / "empty.txt").write_text("\n \n")
    (tmp_path / "words.txt").write_text("In the beginning\nGod created 2 things\n")
    (tmp_path / "half.txt").write_text("step 1: train loss 2.0\nstep 2: train loss 1.9\n")
    (tmp_path / "table.csv").write_text("epoch,loss,val_loss\n0,2,2.1\n1,1.9,2.0\n2,1.8,1.9\n")
    (tmp_path / "history.pkl").write_bytes(pickle.dumps({"loss": [1.0]}))
    (tmp_path / "model.pt").write_bytes(b"PK\x03\x04" + bytes(99))
    (tmp_path / "run.wandb").write_bytes(b":W&B" + bytes(99))
    (tmp_path / "noise.bin").write_bytes(bytes(range(256)) * 40)
    (tmp_path / "half.gz").write_bytes(gzip.compress((LOGS / "nanogpt.txt").read_bytes())[:-400])
    (tmp_path / "half.zst").write_bytes(zstandard.compress(b"In the beginning 1, 2")[:-6])
    (tmp_path / "broken.json").write_text('{"log_history"\n [{"loss": 1,')
    (tmp_path / "folder").mkdir()
    (tmp_path / "nan.txt").write_text("step 1: train loss nan, val loss 2\nstep 2: train loss nan, val loss 2\n")
    arguments, said = BAD[name]
    code, out, err = diagnose("log", *arguments)
    assert (code, out) == (2, ""), err
    assert said in err
    assert err.count("\n") == 1


HOSTILE = "\u202e<script>alert(1)</script>\x1b]0;owned\x07\x00</svg>"


def test_hostile_names_stay_text(tmp_path, diagnose):
    names = [f"{HOSTILE} - train/loss", f"{HOSTILE} - val/loss"]
    rows = [
        ",".join(["Step", *(f'"{name}"' for name in names)]),
        *(f"{k},{falling(k)},{falling(k) + 0.1}" for k in range(20)),
    ]
    (tmp_path / "export.csv").write_text("\n".join(rows), encoding="utf-8")
    code, out, _ = diagnose("log", "export.csv")
    assert code == 0
    assert not set(out) & set("\u202e\x1b\x07\x00")
    code, out, _ = diagnose("log", "export.csv", "--json")
    assert not set(out) & set("\x1b\x07\x00")
    assert json.loads(out)["source"]["train"].endswith("train/loss")


def test_hostile_lines_and_file_names_stay_text(tmp_path, diagnose):
    name = "run\u202e\x1b[31m.log"
    (tmp_path / name).write_text(
        "\n".join(f"{HOSTILE} step {k} train loss {falling(k)} val loss {falling(k)}" for k in range(20))
    )
    _, out, err = diagnose("log", name)
    assert not set(out + err) & set("\u202e\x1b\x07\x00")
    _, out, err = diagnose("log", f"no{name}")
    assert not set(err) & set("\u202e\x1b\x07\x00")


def test_the_terminal_holds_its_width_and_fifteen_lines(diagnose):
    for name in ("first-user.txt", "nanogpt-overfits.txt", "below-training.txt", "diverged.txt", "nanochat.txt"):
        _, out, _ = diagnose("log", LOGS / name)
        assert max(map(len, out.splitlines())) <= 100
        assert len(out.splitlines()) <= 15
        _, out, _ = diagnose("log", LOGS / name, "--all")
        assert max(map(len, out.splitlines())) <= 100
        assert len(out.splitlines()) < 90
