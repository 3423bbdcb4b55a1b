"""What cannot be run or read is refused in one line, before anything is run where that can be known."""

import json

import numpy as np
import pytest

from diagnose import report_scores
from diagnose.ablation.commands import command_axes, command_template, result_reading
from diagnose.ablation.commands.command_plan import CommandPlan
from diagnose.engines.resources import seconds_of
from diagnose.errors import DiagnoseError
from diagnose.runs import command_store, score_file

RUN = "python train.py --lr {lr} --seed {seed} --out {dir}"
READ = "{dir}/metrics.json:val_loss"


def plan(run=RUN, axes=("lr=1e-4,3e-4",), read=(READ,), seeds=3, **more):
    return CommandPlan.of(
        command_template.CommandTemplate.of(run), [command_axes.axis_of(text) for text in axes], seeds,
        [result_reading.readout_of(text) for text in read], **more,
    )  # fmt: skip


def line_of(call, *args, **more):
    with pytest.raises(DiagnoseError) as caught:
        call(*args, **more)
    said = str(caught.value).replace("\N{NO-BREAK SPACE}", " ")
    assert "\n" not in said
    assert len(said) < 400
    return said


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"run": "python train.py --lr {lr} --out {dir}"}, "--run holds no {seed}: without it every run of an arm is"),
        ({"run": RUN + " --w {widht}"}, "--run: {widht} is no axis"),
        ({"run": RUN.replace("{lr}", "{lrr}")}, "--run: {lrr} is no axis; did you mean 'lr'?"),
        ({"run": "python train.py --seed {seed} --out {dir}"}, "--run holds no {lr}, so that axis would"),
        ({"run": "python train.py --lr {lr} --seed {seed}"}, "--run holds no {dir}, the folder of each run"),
        ({"run": "pyhton train.py --lr {lr} --seed {seed} --out {dir}"}, "'pyhton' is no program that is found here"),
        ({"run": RUN + " 'oops"}, "--run: no closing quotation in"),
        ({"run": "  "}, "--run is empty"),
        ({"run": RUN + " > log.txt"}, "--run holds '>', which only a shell understands"),
        ({"run": "cd x && " + RUN}, "--run holds '&&', which only a shell understands"),
        ({"run": "python t.py --seed ${seed} --lr {lr} --out {dir}"}, "--run holds no {seed}"),
        ({"axes": ("lr",)}, "--axis lr: with --run an axis is name=level,level"),
        ({"axes": ("lr=",)}, "--axis lr=: with --run an axis is name=level,level"),
        ({"axes": ("lr=1",)}, "--axis lr: one level leaves nothing to compare"),
        ({"axes": ("lr=1,1",)}, "--axis lr: the level 1 comes twice"),
        ({"axes": ("lr=1,,2",)}, "--axis lr: a level is empty"),
        ({"axes": ("lr=1,a\x1b[31m",)}, "is too long, or holds characters that are not"),
        ({"axes": ("lr=1,a\u202eb",)}, "is too long, or holds characters that are not"),
        ({"axes": ("a=1,11", "b=1,11"), "run": "python t.py {a}{b} {seed} {dir}"}, "11, 1 are the same command"),
        ({"axes": ("seed=1,2",)}, "--axis: {seed} is filled by diagnose itself"),
        ({"axes": ("l r=1,2",)}, "--axis: 'l r' cannot be a placeholder"),
        ({"axes": ("lr=1,2", "lr=3,4")}, "lr is varied twice"),
        ({"axes": ()}, "--run: say what is varied"),
        ({"axes": ("val_loss=1,2",), "run": RUN.replace("{lr}", "{val_loss}")}, "val_loss is both varied and read"),
        ({"axes": ("lr=" + ",".join(map(str, range(70))),)}, "70 levels make 70 arms; give --full"),
        ({"seeds": 0}, "--seeds 0: give 1 to 1000"),
        ({"read": ("metrics.json",)}, "--read metrics.json: give FILE:KEY"),
        ({"read": ("/tmp/metrics.json:loss",)}, "the file must lie in {dir}, which every run has for itself"),
        ({"read": ("{dir}/../metrics.json:loss",)}, "the file must lie in {dir}"),
        ({"read": (READ, READ)}, "--read asks for the same number twice"),
    ],
)  # fmt: skip
def test_a_plan_that_makes_no_sense(given, said):
    assert said in line_of(plan, **given)


def test_a_script_that_cannot_be_executed_is_told_how(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "train.py").touch()
    said = line_of(plan, run="./train.py --lr {lr} --seed {seed} --out {dir}")
    assert said == "--run: './train.py' is a file that cannot be executed: try python ./train.py"


@pytest.mark.parametrize("given", ["soon", "-3", "0", "5x", "nan", "inf", "h"])
def test_time_limits_that_are_none(given):
    assert f"--timeout {given}" in line_of(seconds_of, given, "--timeout")


@pytest.mark.parametrize(("given", "seconds"), [("90", 90), ("90s", 90), ("1.5m", 90), ("2h", 7200), ("1d", 86400)])
def test_time_limits(given, seconds):
    assert seconds_of(given, "--timeout") == seconds


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x = 1", "an arm is a table, [name] with a value for each placeholder; 'x' stands in none"),
        ("", "an arm is a table"),
        ("[a]\nlr = 1\n[a]\nlr = 2", "is no TOML"),
        ("[a]\nlr = 1", "one level leaves nothing to compare"),
        ("[a]\nlr = 1\n[b]\nlrr = 1", "[a] and [b] must give the same names, and lr is in one alone"),
        ("[a]\nlr = 1\n[b]\nlr = 1", "[a] and [b] are the same arm"),
        ("[a]\nbias = true\n[b]\nbias = false", 'write true or false as the text that the command takes, as "true"'),
        ("[a]\nlr = {x = 1}\n[b]\nlr = 2", "a text, a number or a list of them is wanted"),
        ("[a]\nseed = 1\n[b]\nseed = 2", "{seed} is filled by diagnose itself"),
    ],
)
def test_files_of_arms_that_are_none(text, said, tmp_path):
    (tmp_path / "arms.toml").write_text(text)
    assert said in line_of(command_axes.axis_of_file, tmp_path / "arms.toml")


def test_a_missing_file_of_arms(tmp_path):
    assert "cannot be read: No such file or directory" in line_of(command_axes.axis_of_file, tmp_path / "arms.toml")


def test_several_arguments_within_one_are_refused(tmp_path):
    (tmp_path / "arms.toml").write_text('[a]\nflags = []\n[b]\nflags = ["-x"]')
    axis = command_axes.axis_of_file(tmp_path / "arms.toml")
    template = command_template.CommandTemplate.of("python train.py --flags={flags} --seed {seed}")
    assert "{flags} stands for several arguments in an arm" in line_of(CommandPlan.of, template, [axis], 3)


def test_braces_that_are_no_placeholder_stay():
    template = command_template.CommandTemplate.of(
        """python t.py '{"lr": {lr}}' '{{name}}' '${model.width}' '{}' '{ lr }' --seed={seed}"""
    )
    template.check(["lr"])
    assert template.filled({"lr": "3e-4"}, 2) == (
        "python", "t.py", '{"lr": 3e-4}', "{name}", "${model.width}", "{}", "{ lr }", "--seed=2",
    )  # fmt: skip


def test_a_level_is_never_a_template_itself():
    template = command_template.CommandTemplate.of("python t.py {a} {seed}")
    assert template.filled({"a": "{seed} {dir}"}, 1)[2] == "{seed} {dir}"


@pytest.fixture
def run(tmp_path):
    for name in (command_store.FILES, command_store.SCORES):
        (tmp_path / name).mkdir()
    return tmp_path


def value(run, text, higher=None):
    return result_reading.value_of(run, result_reading.readout_of(text), higher)


METRICS = {"val_loss": 0.5, "eval": {"acc/top.1": 0.75, "loss": 2}, "curve": [3.0, 1.0, 2.0], "bad": None, "word": "x"}


@pytest.mark.parametrize(
    ("key", "wanted"),
    [
        ("val_loss", 0.5), ("eval.loss", 2.0), ("eval/loss", 2.0), ("eval.acc/top.1", 0.75), ("curve", 2.0),
        ("curve:min", 1.0), ("curve:max", 3.0), ("curve.0", 3.0),
    ],
)  # fmt: skip
def test_numbers_of_json_by_their_path(run, key, wanted):
    (run / "files" / "metrics.json").write_text(json.dumps(METRICS))
    assert value(run, f"{{dir}}/metrics.json:{key}") == wanted


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{dir}/metrics.json:val_los", "there is no val_los in metrics.json; did you mean 'val_loss'?"),
        ("{dir}/metrics.json:accuracy", "there is no accuracy in metrics.json; it has val_loss, eval.acc/top.1"),
        ("{dir}/metrics.json:word", "word is 'x', which is no number"),
        ("{dir}/metrics.json:eval", "there is no eval in metrics.json"),
        ("{dir}/metrics.json:curve:best", "its name does not say which side is better; give :min or :max"),
        ("{dir}/other.json:val_loss", "it wrote no other.json; it wrote metrics.json"),
        ("log:val_loss", "its output cannot be read as a log"),
    ],
)
def test_numbers_that_are_not_there(run, text, said):
    (run / "files" / "metrics.json").write_text(json.dumps(METRICS))
    (run / "output.txt").touch()
    assert said in line_of(value, run, text)


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity"])
def test_a_result_that_is_no_finite_number_is_none(run, text):
    (run / "files" / "metrics.json").write_text(f'{{"val_loss": {text}}}')
    assert line_of(value, run, READ).startswith("val_loss is ")


@pytest.mark.parametrize("text", ["", "{", "[1, 2", "nonsense"])
def test_a_damaged_file_is_said_to_be_one(run, text):
    (run / "files" / "metrics.json").write_text(text)
    assert "is no whole JSON" in line_of(value, run, READ)


def test_columns_of_a_table_with_gaps(run):
    (run / "files" / "metrics.csv").write_text("step,train_loss,val_loss\n1,3,\n1,,2.5\n2,2,\n2,,1.5\n3,1,\n3,,1.75\n")
    assert value(run, "{dir}/metrics.csv:val_loss") == 1.75
    assert value(run, "metrics.csv:val_loss:best") == 1.5
    assert value(run, "{dir}/*.csv:val_loss:max") == 2.5
    assert "there is no val_lss in metrics.csv; did you mean 'val_loss'?" in line_of(value, run, "metrics.csv:val_lss")


def test_the_best_accuracy_is_the_highest(run):
    (run / "files" / "metrics.csv").write_text("epoch;accuracy\n1;0.5\n2;0.75\n3;0.625\n")
    assert value(run, "metrics.csv:accuracy:best") == 0.75
    assert value(run, "metrics.csv:accuracy:best", higher=False) == 0.5


def test_a_nan_in_the_course_does_not_pass_for_the_best(run):
    (run / "files" / "metrics.csv").write_text("epoch,val_loss\n1,0.5\n2,nan\n3,0.625\n")
    assert value(run, "metrics.csv:val_loss") == 0.625
    assert line_of(value, run, "metrics.csv:val_loss:best") == "val_loss is nan in metrics.csv"


def test_the_state_of_a_trainer_and_lines_of_json(run):
    history = [{"loss": 2.0, "step": 1}, {"eval_loss": 1.5, "step": 1}, {"eval_loss": 1.25, "step": 2}]
    (run / "files" / "trainer_state.json").write_text(json.dumps({"log_history": history}))
    (run / "files" / "log.jsonl").write_text("\n".join(map(json.dumps, history)))
    for name in ("trainer_state.json", "log.jsonl"):
        assert value(run, f"{{dir}}/{name}:eval_loss") == 1.25
        assert f"there is no eval_los in {name}; did you mean 'eval_loss'?" in line_of(value, run, f"{name}:eval_los")


def test_the_newest_of_several_files_is_read(run):
    import os

    for place, number in enumerate((1.0, 2.0)):
        folder = run / "files" / "lightning_logs" / f"version_{place}"
        folder.mkdir(parents=True)
        (folder / "metrics.csv").write_text(f"step,val_loss\n1,{number}\n")
        os.utime(folder / "metrics.csv", (1000 + place, 1000 + place))
    assert value(run, "{dir}/lightning_logs/*/metrics.csv:val_loss") == 2.0


def test_what_a_command_prints_is_read_as_any_log(run):
    (run / "output.txt").write_text(
        "\n".join(f"step {k}: train loss {3 / k:.4f}, val loss {4 / k:.4f}" for k in range(1, 9))
    )
    assert value(run, "log:val_loss") == 0.5
    assert "did you mean" in line_of(value, run, "log:vall_loss")


def test_a_log_that_turns_to_nan_gives_no_result(run):
    (run / "output.txt").write_text("\n".join(f"step {k} | val_loss {'nan' if k > 5 else k}" for k in range(1, 9)))
    assert "val_loss is nan in its output" in line_of(value, run, "log:val_loss")


def test_a_link_out_of_the_folder_is_not_followed(run, tmp_path_factory):
    other = tmp_path_factory.mktemp("other") / "metrics.json"
    other.write_text('{"val_loss": 1}')
    (run / "files" / "metrics.json").symlink_to(other)
    assert "is a link out of" in line_of(value, run, READ)


def test_reported_scores_come_back_by_example(run, monkeypatch):
    assert report_scores([1.0, 2.0], examples=["a", "b"]) is None
    monkeypatch.setenv(score_file.VARIABLE, str(run / "scores"))
    report_scores(np.array([1.0, 2.0], np.float32), examples=[3, 4])
    report_scores([5.0, 6.0], examples=[4, 10])  # the last report of an example counts
    table, metrics = score_file.read_scores(run / "scores")
    assert metrics == ["loss"]
    assert dict(zip(table.example, table.loss, strict=True)) == {"3": 1.0, "4": 5.0, "10": 6.0}


def test_reported_scores_may_be_tensors_of_any_kind(run, monkeypatch):
    import torch

    monkeypatch.setenv(score_file.VARIABLE, str(run / "scores"))
    losses = torch.tensor([1.0, 2.0], requires_grad=True).bfloat16()
    report_scores({"loss": losses, "right": torch.tensor([True, False])}, torch.tensor([7, 8]), clusters=["x", "x"])
    table, metrics = score_file.read_scores(run / "scores")
    assert metrics == ["loss", "right"]
    assert table.to_dict("list") == {
        "example": ["7", "8"], "cluster": ["x", "x"], "loss": [1.0, 2.0], "right": [1.0, 0.0],
    }  # fmt: skip


def test_a_script_without_diagnose_writes_a_table_itself(run):
    (run / "scores" / "mine.csv").write_text("example,cluster,loss\n007,a,1.5\nNA,b,2\n")
    table, metrics = score_file.read_scores(run / "scores")
    assert metrics == ["loss"]
    assert table.to_dict("list") == {"example": ["007", "NA"], "cluster": ["a", "b"], "loss": [1.5, 2.0]}


@pytest.mark.parametrize("text", ["", "loss\n1\n2\n", "example,loss\n", "example,loss\na,x\n", "example\na\n"])
def test_tables_that_hold_no_scores(run, text):
    (run / "scores" / "mine.csv").write_text(text)
    assert line_of(plan(read=()).scores_of, run)


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (([1.0, 2.0],), "2 scores without examples: name them (examples=ids)"),
        (([1.0, 2.0], [1]), "1 examples for 2 scores"),
        (([1.0, 2.0], [1, 1]), "the example 1 comes twice in one call"),
        ((["x"],), "loss holds what is no number"),
        (([],), "loss is empty"),
        (({"a": [1.0], "b": [1.0, 2.0]}, [1]), "scores of 2 names have different lengths"),
        (({"example": [1.0]},), "a score cannot be called 'example'"),
    ],
)
def test_reports_that_are_none(args, said):
    assert said in line_of(report_scores, *args)


def test_reported_scores_that_are_nan_are_no_result(run, monkeypatch):
    monkeypatch.setenv(score_file.VARIABLE, str(run / "scores"))
    report_scores([1.0, float("nan")], examples=["a", "b"])
    assert line_of(plan(read=()).scores_of, run) == "1 of 2 scores of loss are NaN or infinite"


def test_a_command_that_reports_nothing_is_told_how(run):
    assert "it reported no scores: give --read FILE:KEY, or call diagnose.report_scores" in line_of(
        plan(read=()).scores_of, run
    )


def test_a_command_may_run_over_several_lines():
    template = command_template.CommandTemplate.of("python t.py \\\n  --lr {lr}\n  --seed {seed}")
    assert template.parts == ("python", "t.py", "--lr", "{lr}", "--seed", "{seed}")
