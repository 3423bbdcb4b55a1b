"""What jobs of Slurm's left that ended long ago goes with a later command; nothing else does."""

import json
import os
import time

import pytest

from diagnose.engines import slurm_leftovers

NAMES = ("submitted.pkl", "0_result.pkl", "0_log.out")


def left_by(runs, digest, job, *, finished=True, days=2.0):
    """Write what a job leaves, ended so many days ago; return its files."""
    folder = runs / ".slurm"
    made = [folder / f"{job}_{name}" for name in NAMES]
    made += [folder / f"{digest}.json", folder / f"{digest}.ended.json", runs / ".progress" / f"{digest}.json"]
    for path in made:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("{}")
    (folder / f"{job.partition('_')[0]}_submission.sh").write_text("")
    ended = folder / f"{digest}.ended.json"
    ended.write_text(json.dumps({"format": 1, "job": job, "finished": finished}))
    then = time.time() - days * 86400
    os.utime(ended, (then, then))
    return made


def there(paths):
    return [path.name for path in paths if path.exists()]


def test_what_ended_long_ago_goes_and_the_script_with_the_last_of_its_array(tmp_path):
    first, second = left_by(tmp_path, "a" * 16, "7_0"), left_by(tmp_path, "b" * 16, "7_1", days=0.5)
    slurm_leftovers.clear(tmp_path)
    assert there(first) == []
    assert there(second) == [path.name for path in second]
    assert (tmp_path / ".slurm" / "7_submission.sh").exists()
    left_by(tmp_path, "b" * 16, "7_1")
    slurm_leftovers.clear(tmp_path)
    assert list((tmp_path / ".slurm").iterdir()) == []


def test_the_output_of_a_run_that_failed_is_kept_for_a_month(tmp_path):
    failed = left_by(tmp_path, "a" * 16, "7", finished=False, days=20)
    slurm_leftovers.clear(tmp_path)
    assert there(failed) == [path.name for path in failed]
    left_by(tmp_path, "a" * 16, "7", finished=False, days=40)
    slurm_leftovers.clear(tmp_path)
    assert there(failed) == []


@pytest.mark.parametrize("note", ["[]", "[" * 9999, '{"job": 7}', '{"job": "../x", "finished": true}', "\xff"])
def test_a_note_of_another_kind_is_let_be(tmp_path, note):
    files = left_by(tmp_path, "a" * 16, "7")
    (tmp_path / ".slurm" / f"{'a' * 16}.ended.json").write_text(note, encoding="latin-1")
    os.utime(tmp_path / ".slurm" / f"{'a' * 16}.ended.json", (0, 0))
    slurm_leftovers.clear(tmp_path)
    assert there(files) == [path.name for path in files]


def test_a_link_is_not_followed(tmp_path):
    away = left_by(tmp_path / "away", "a" * 16, "7")
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / ".slurm").symlink_to(tmp_path / "away" / ".slurm")
    slurm_leftovers.clear(tmp_path / "runs")
    assert there(away) == [path.name for path in away]
    slurm_leftovers.clear(tmp_path / "none")
