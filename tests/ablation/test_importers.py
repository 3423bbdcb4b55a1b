"""Results as other tools leave them: layouts as the tools write them, filled with numbers of our own."""

import json
import sqlite3
import struct
import zipfile
import zlib

import numpy as np
import pytest

from diagnose.ablation.importers import imported, knows
from diagnose.ablation.importers.sweeps import SETTING, arms_and_seeds
from diagnose.ablation.results.score_sources import Wanted, compared, is_results
from diagnose.errors import DiagnoseError
from diagnose.logs.folders import wandb_runs

ARMS, SEEDS = ("relu", "gelu"), (0, 1, 2)


def loss(arm, seed):
    return 2.0 - 0.1 * (arm == "gelu") + 0.003 * seed + 0.001 * (seed == 1) * (arm == "gelu")


def outcome(path, *paths, **wanted):
    return compared([path, *paths], Wanted(**wanted), higher=None, levels=None, pairs=False, margin=None, command="")


def seeds_of(found):
    return {arm.level: arm.seeds for arm in found.arms}


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def lm_eval(folder, model, right, task="arc_easy", date="2026-01-05T10-11-12.123456", filters=("none",)):
    """Write what `lm_eval --log_samples --output_path` leaves of one model."""
    own = folder / model.replace("/", "__")
    results = {
        "model_name": model, "config": {"model": "hf", "random_seed": 0},
        "higher_is_better": {task: {"acc": True, "ppl": False}},
    }  # fmt: skip
    write(own / f"results_{date}.json", json.dumps(results))
    lines = [
        {"doc_id": n, "doc": {"question": f"q{n}"}, "filter": name, "metrics": ["acc", "ppl"],
         "doc_hash": f"{n:x}", "acc": float(one), "ppl": 3.0 - one, "resps": [["a"]]}
        for n, one in enumerate(right) for name in filters
    ]  # fmt: skip
    write(own / f"samples_{task}_{date}.jsonl", "".join(json.dumps(line) + "\n" for line in lines))


@pytest.fixture
def answers():
    random = np.random.default_rng(0)
    return {(arm, seed): random.random(40) < 0.6 + 0.2 * (arm == "gelu") for arm in ARMS for seed in SEEDS}


def test_lm_eval_of_trained_seeds(tmp_path, answers):
    for (arm, seed), right in answers.items():
        lm_eval(tmp_path, f"out/{arm}-seed{seed}", right)
    found = outcome(tmp_path)
    assert seeds_of(found) == {"out/gelu": ("0", "1", "2"), "out/relu": ("0", "1", "2")}
    assert (found.design.layout, found.design.over, found.design.examples) == ("crossed", "seeds and examples", 40)
    assert [(m.name, m.kind, m.better, m.told_by) for m in found.metrics] == [("acc", "binary", "higher", "option")]
    gelu = found.arms[0].score("acc").value
    assert gelu == pytest.approx(np.mean([answers["gelu", seed].mean() for seed in SEEDS]))


def test_lm_eval_of_one_evaluation_a_model_is_never_resolved(tmp_path, answers):
    lm_eval(tmp_path, "org/small", answers["relu", 0])
    lm_eval(tmp_path, "org/large", answers["gelu", 0])
    found = outcome(tmp_path, scores=("ppl",))
    assert found.design.over == "examples"
    assert not any(effect.resolved for effect in found.effects)
    assert found.metrics[0].better == "lower"  # as the results say


def test_lm_eval_takes_the_last_evaluation_and_every_task(tmp_path, answers):
    for arm in ARMS:
        lm_eval(tmp_path, arm, ~answers[arm, 0], date="2026-01-01T00-00-00.000000")
        lm_eval(tmp_path, arm, answers[arm, 0])
        lm_eval(tmp_path, arm, answers[arm, 1], task="boolq")
    found = outcome(tmp_path)
    assert found.design.examples == 80
    assert found.arms[0].score("acc").value == pytest.approx(np.mean([*answers["gelu", 0], *answers["gelu", 1]]))
    assert any("2 older files" in note.replace("\xa0", " ") for note in found.notes)
    assert any("2 tasks are taken together" in note for note in found.notes)


def test_lm_eval_of_one_model_in_two_settings(tmp_path, answers):
    lm_eval(tmp_path / "zero-shot", "org/model", answers["relu", 0])
    lm_eval(tmp_path / "five-shot", "org/model", answers["gelu", 0])
    assert [arm.level for arm in outcome(tmp_path).arms] == ["five-shot/org/model", "zero-shot/org/model"]


def test_lm_eval_names_scores_by_their_filter(tmp_path, answers):
    for arm in ARMS:
        lm_eval(tmp_path, arm, answers[arm, 0], filters=("strict-match", "flexible-extract"))
    assert outcome(tmp_path).metrics[0].name == "acc,strict-match"
    with pytest.raises(DiagnoseError, match="--score accc: no example has it"):
        outcome(tmp_path, scores=("accc",))


def test_hydra_multirun(tmp_path):
    jobs = [(arm, seed) for arm in ARMS for seed in SEEDS]
    for number, (arm, seed) in enumerate(jobs):
        job = tmp_path / "2026-01-05" / "10-11-12" / str(number)
        write(job / ".hydra" / "overrides.yaml", f"- model.activation={arm}\n- seed={seed}\n- '+trainer.steps=10'\n")
        write(job / ".hydra" / "config.yaml", "seed: 0\n")
        write(job / "metrics.json", json.dumps({"val": {"loss": loss(arm, seed)}, "epoch": 3}))
        write(job / "train.log", "nothing of interest")
    write(tmp_path / "2026-01-05" / "10-11-12" / "multirun.yaml", "hydra: {}\n")
    found = outcome(tmp_path)
    assert seeds_of(found) == {"relu": ("0", "1", "2"), "gelu": ("0", "1", "2")}
    assert [axis.name for axis in found.axes] == ["model.activation"]
    assert found.metrics[0].name == "val/loss"
    assert found.effects[0].value == pytest.approx(-0.1 + 0.001 / 3)
    with pytest.raises(DiagnoseError, match="--score nothing: no run has it"):
        outcome(tmp_path, scores=("nothing",))


def test_hydra_jobs_that_leave_a_csv(tmp_path):
    for number, (arm, seed) in enumerate((arm, seed) for arm in ARMS for seed in SEEDS):
        write(tmp_path / str(number) / ".hydra" / "overrides.yaml", f"- act={arm}\n- seed={seed}\n")
        rows = f"epoch,train_loss,val_loss\n0,3,\n0,,2.9\n1,2,\n1,,{loss(arm, seed)}\n"
        write(tmp_path / str(number) / "lightning_logs" / "version_0" / "metrics.csv", rows)
    found = outcome(tmp_path)
    assert found.arms[0].score("val_loss").per_seed == pytest.approx([loss("relu", seed) for seed in SEEDS])


def test_hugging_face_output_folders(tmp_path):
    for arm in ARMS:
        for seed in SEEDS:
            for step, end in ((50, 3.0), (100, loss(arm, seed))):
                history = [{"loss": 2.5, "step": step}, {"eval_loss": end, "eval_runtime": 1.0, "step": step}]
                state = {"global_step": step, "log_history": history}
                write(tmp_path / f"{arm}-seed{seed}" / f"checkpoint-{step}" / "trainer_state.json", json.dumps(state))
    found = outcome(tmp_path)
    assert seeds_of(found) == {"gelu": ("0", "1", "2"), "relu": ("0", "1", "2")}
    assert found.metrics[0].name == "eval_loss"
    assert found.effects[0].value == pytest.approx(0.1 - 0.001 / 3)


def proto(field, data):
    """Return a field of Protocol Buffers that holds bytes."""
    size, out = len(data), bytearray((field << 3 & 0x7F | 2 | 0x80, field >> 4) if field > 15 else (field << 3 | 2,))
    while size > 0x7F:
        out.append(size & 0x7F | 0x80)
        size >>= 7
    return bytes(out) + bytes([size]) + data


def offline_run(folder, name, config, numbers, code=b""):
    """Write what `wandb.init(mode="offline")` leaves of a run: its records, each in a frame of its own."""
    items = b"".join(proto(1, proto(1, k.encode()) + proto(16, json.dumps(v).encode())) for k, v in config.items())
    late = proto(5, proto(1, proto(1, b"late") + proto(16, b'"yes"')))
    summary = b"".join(proto(1, proto(2, k.encode()) + proto(16, str(v).encode())) for k, v in numbers.items())
    run = proto(17, proto(1, b"id") + proto(4, items) + proto(8, name.encode()))
    records = [run, proto(2, proto(1, proto(2, b"val_loss") + proto(16, b"9.0"))), late, proto(3, summary)]
    records += [] if code is None else [proto(18, code)]
    framed = [struct.pack("<IHB", zlib.crc32(b"\1" + body), len(body), 1) + body for body in records]
    path = folder / f"offline-run-{name}" / f"run-{name}.wandb"
    path.parent.mkdir(parents=True)
    path.write_bytes(wandb_runs.HEADER + b"".join(framed))


def test_wandbs_offline_runs(tmp_path):
    for arm in ARMS:
        for seed in SEEDS:
            config = {"model": {"act": arm}, "seed": seed, "_wandb": {}, "lr": 0.1}
            offline_run(tmp_path / "wandb", f"{arm}-{seed}", config, {"val_loss": loss(arm, seed), "_runtime": 3})
    offline_run(tmp_path / "wandb", "killed", {"model": {"act": "tanh"}, "seed": 0}, {"val_loss": 1.0}, code=None)
    offline_run(tmp_path / "wandb", "failed", {"model": {"act": "tanh"}, "seed": 1}, {"val_loss": 1.0}, code=b"\x08\1")
    found = outcome(tmp_path / "wandb")
    assert seeds_of(found) == dict.fromkeys(ARMS, ("0", "1", "2"))
    assert [axis.name for axis in found.axes] == ["model.act"]
    assert found.effects[0].value == pytest.approx(0.1 - 0.001 / 3)  # of relu: gelu, the first by name, leads
    assert "2\N{NO-BREAK SPACE}runs that did not end well are left out." in found.notes


def test_tensorboard_log_folders(tmp_path):
    pytest.importorskip("tensorboard")
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.summary.writer.event_file_writer import EventFileWriter

    for arm in ARMS:
        for seed in SEEDS:
            writer = EventFileWriter(str(tmp_path / f"act={arm},seed={seed}"))
            for step, value in ((1, 3.0), (2, loss(arm, seed))):
                summary = Summary(value=[Summary.Value(tag="loss/val", simple_value=value)])
                writer.add_event(Event(step=step, wall_time=1.0, summary=summary))
            writer.close()
    found = outcome(tmp_path)
    assert seeds_of(found) == {"gelu": ("0", "1", "2"), "relu": ("0", "1", "2")}
    assert found.effects[0].value == pytest.approx(0.1 - 0.001 / 3, abs=1e-6)


def test_mlflow_file_store(tmp_path):
    for number, (arm, seed) in enumerate((arm, seed) for arm in ARMS for seed in SEEDS):
        run = tmp_path / "mlruns" / "1" / f"{number:032x}"
        write(
            run / "meta.yaml", f"run_id: {number:032x}\nrun_name: bold-{number}\nstatus: 3\nlifecycle_stage: active\n"
        )
        write(run / "params" / "activation", arm)
        write(run / "params" / "seed", str(seed))
        write(run / "params" / "output_dir", f"/tmp/{number}")
        write(run / "metrics" / "val_loss", f"1 3.0 0\n2 {loss(arm, seed)} 1\n")
    failed = tmp_path / "mlruns" / "1" / ("f" * 32)
    write(failed / "meta.yaml", f"run_id: {'f' * 32}\nrun_name: x\nstatus: 4\nlifecycle_stage: active\n")
    write(failed / "metrics" / "val_loss", "1 9.0 0\n")
    found = outcome(tmp_path / "mlruns")
    assert seeds_of(found) == {"relu": ("0", "1", "2"), "gelu": ("0", "1", "2")}
    assert [axis.name for axis in found.axes] == ["activation"]
    assert found.notes == ("1\xa0run that did not finish is left out.",)


def test_mlflow_database(tmp_path):
    path = tmp_path / "mlflow.db"
    base = sqlite3.connect(path)
    base.execute("CREATE TABLE runs (run_uuid TEXT, name TEXT, status TEXT, start_time INT, lifecycle_stage TEXT)")
    base.execute("CREATE TABLE params (key TEXT, value TEXT, run_uuid TEXT)")
    base.execute("CREATE TABLE metrics (key TEXT, value REAL, timestamp INT, run_uuid TEXT, step INT, is_nan INT)")
    for number, (arm, seed) in enumerate((arm, seed) for arm in ARMS for seed in SEEDS):
        base.execute("INSERT INTO runs VALUES (?, ?, 'FINISHED', ?, 'active')", (str(number), f"n{number}", number))
        base.executemany(
            "INSERT INTO params VALUES (?, ?, ?)", [("act", arm, str(number)), ("seed", seed, str(number))]
        )
        rows = [("val_loss", 3.0, 1, str(number), 0, 0), ("val_loss", loss(arm, seed), 2, str(number), 1, 0)]
        base.executemany("INSERT INTO metrics VALUES (?, ?, ?, ?, ?, ?)", rows)
    base.commit()
    base.close()
    assert knows(path)
    assert is_results([str(path)], Wanted())
    assert outcome(path).effects[0].value == pytest.approx(-0.1 + 0.001 / 3)


def inspect_log(path, model, right, *, epochs=1, status="success", plain=False):
    samples = [
        {"id": n, "epoch": epoch + 1, "scores": {"match": {"value": "C" if one else "I"}}}
        for epoch in range(epochs)
        for n, one in enumerate(right)
    ]
    header = {"version": 2, "status": status, "eval": {"task": "arc", "model": model}}
    path.parent.mkdir(parents=True, exist_ok=True)
    if plain:
        path.write_text(json.dumps({**header, "samples": samples}))
        return
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("header.json", json.dumps(header))
        for one in samples:
            archive.writestr(f"samples/{one['id']}_epoch_{one['epoch']}.json", json.dumps(one))


def pack_by_zstandard(path):
    """Rewrite an archive as inspect_ai packs it: entries by Zstandard, which `zipfile` cannot write."""
    import zstandard

    with zipfile.ZipFile(path) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in entries.items():
            archive.writestr(name, zstandard.ZstdCompressor().compress(data))
        infos = archive.infolist()
    data = bytearray(path.read_bytes())
    for info in infos:
        data[info.header_offset + 8] = 93
    at = 0
    while (at := data.find(b"PK\x01\x02", at)) >= 0:
        data[at + 10] = 93
        at += 1
    path.write_bytes(data)


def test_inspect_archives_that_are_packed_by_zstandard(tmp_path, answers):
    for arm in ARMS:
        inspect_log(tmp_path / f"{arm}.eval", arm, answers[arm, 0])
    before = outcome(tmp_path).effects
    for path in tmp_path.glob("*.eval"):
        pack_by_zstandard(path)
        with zipfile.ZipFile(path) as archive:
            assert {info.compress_type for info in archive.infolist()} == {93}
    assert outcome(tmp_path).effects == before


def test_no_inspect_log_that_ended_well(tmp_path, answers):
    inspect_log(tmp_path / "a.eval", "org/small", answers["relu", 0], status="error")
    with pytest.raises(DiagnoseError, match=r"none of 1.log of inspect_ai ended in success"):
        outcome(tmp_path)


def test_inspect_logs(tmp_path, answers):
    inspect_log(tmp_path / "a.eval", "org/small", answers["relu", 0], epochs=2)
    inspect_log(tmp_path / "b.json", "org/large", answers["gelu", 0], plain=True)
    inspect_log(tmp_path / "c.eval", "org/other", answers["gelu", 1], status="error")
    found = outcome(tmp_path)
    assert [arm.level for arm in found.arms] == ["org/small", "org/large"]
    assert found.design.over == "examples"
    assert found.arms[0].score("match").value == pytest.approx(answers["relu", 0].mean())
    assert any("epochs are averaged" in note for note in found.notes)
    assert any("did not end in success" in note for note in found.notes)
    alone = outcome(tmp_path / "a.eval", tmp_path / "b.json")
    assert alone.effects[0].low == pytest.approx(found.effects[0].low)


def test_an_archive_that_swells_is_not_read(tmp_path, answers):
    inspect_log(tmp_path / "a.eval", "org/small", answers["relu", 0])
    with zipfile.ZipFile(tmp_path / "a.eval", "a", zipfile.ZIP_DEFLATED) as archive:
        for number in range(5):  # each within bounds, all of them not
            archive.writestr(f"samples/x{number}.json", b" " * (60 << 20) + b"{}")
    with pytest.raises(DiagnoseError, match=r"its entries hold more than 268.MB"):
        outcome(tmp_path)


def test_a_damaged_log_is_told_in_one_line(tmp_path):
    (tmp_path / "a.eval").write_bytes(b"PK\x03\x04 and no more")
    with pytest.raises(DiagnoseError, match=r"a\.eval is damaged"):
        outcome(tmp_path)
    lm_eval(tmp_path / "lm", "org/a", [True, False])
    (damaged,) = (tmp_path / "lm").rglob("samples*.jsonl")
    damaged.write_text(damaged.read_text() + '{"doc_id":')
    with pytest.raises(DiagnoseError, match=r"line 3, is no whole JSON"):
        outcome(tmp_path / "lm")


def test_an_export_of_wandb_leaves_failed_runs_out(tmp_path):
    rows = ["Name,State,Created,activation,seed,val_loss"]
    rows += [f"run-{arm}-{seed},finished,2026-01-05,{arm},{seed},{loss(arm, seed)}" for arm in ARMS for seed in SEEDS]
    rows += ["run-x,crashed,2026-01-05,relu,7,"]
    write(tmp_path / "wandb_export.csv", "\n".join(rows) + "\n")
    found = outcome(tmp_path / "wandb_export.csv", arms=("activation",), scores=("val_loss",))
    assert seeds_of(found) == {"relu": ("0", "1", "2"), "gelu": ("0", "1", "2")}
    assert found.notes == ("1\xa0run whose state is not finished is left out.",)
    with pytest.raises(DiagnoseError, match=r"with --arm and --score: it has Name, State"):
        outcome(tmp_path / "wandb_export.csv")


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (["relu-seed0", "relu-seed1"], [("relu", "0"), ("relu", "1")]),
        (["a/seed=3", "b/seed=3"], [("a", "3"), ("b", "3")]),
        (["seed1-relu", "seed2-relu"], [("relu", "1"), ("relu", "2")]),
        (["relu-1", "relu-2", "gelu-1", "gelu-2"], [("relu", "1"), ("relu", "2"), ("gelu", "1"), ("gelu", "2")]),
        (["vit-16", "vit-32", "resnet-50"], [("vit-16", ""), ("vit-32", ""), ("resnet-50", "")]),
        (["vit-16", "vit-32"], [("vit-16", ""), ("vit-32", "")]),
    ],
)
def test_what_names_say_of_seeds(names, told):
    assert arms_and_seeds(names, numbered=True) == told


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("lr=0.1,seed=0", {"lr": "0.1", "seed": "0"}),
        ("lr=1e-4_seed=0", {"lr": "1e-4", "seed": "0"}),
        ("lr=1e-4-seed=0", {"lr": "1e-4", "seed": "0"}),
        ("lr=3e-4_weight_decay=0.1_seed=1", {"lr": "3e-4", "weight_decay": "0.1", "seed": "1"}),
        ("ema=True_weight_decay=1", {"ema": "True", "weight_decay": "1"}),
        ("model=vit-b_seed=0", {"model": "vit-b", "seed": "0"}),
        ("act=leaky_relu seed=3", {"act": "leaky_relu", "seed": "3"}),
        ("exp/opt.lr=0.1,seed=2", {"opt.lr": "0.1", "seed": "2"}),
    ],
)
def test_settings_in_a_name(name, told):
    assert dict(SETTING.findall(name)) == told


def test_bare_numbers_of_models_are_sizes():
    names = ["gpt-1", "gpt-2", "llama-1", "llama-2"]
    assert arms_and_seeds(names) == [(name, "") for name in names]


def test_a_folder_of_nothing(tmp_path):
    with pytest.raises(DiagnoseError, match=r"holds no results of .*lm-evaluation-harness"):
        imported([tmp_path], ())


def test_one_run_is_no_comparison(tmp_path):
    write(tmp_path / "out" / "trainer_state.json", json.dumps({"log_history": [{"eval_loss": 1.0}]}))
    with pytest.raises(DiagnoseError, match=r"a comparison takes two runs, and 1.run was found"):
        outcome(tmp_path)


def test_tables_and_folders_are_not_mixed(tmp_path):
    write(tmp_path / "t.csv", "a,b\n1,2\n")
    (tmp_path / "folder").mkdir()
    with pytest.raises(DiagnoseError, match="cannot be compared with each other"):
        outcome(tmp_path / "folder", tmp_path / "t.csv", arms=("a",), scores=("b",))
