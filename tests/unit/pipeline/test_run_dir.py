"""What can't be written is told by name, and what there was stays."""

import pytest

from harness.errors import HarnessError
from harness.pipeline.run_dir import RunDir
from harness.pipeline.suite import save_suite


def test_a_file_of_a_run_that_can_not_be_written(tmp_path):
    (tmp_path / "note.txt").mkdir()
    with pytest.raises(HarnessError, match=r"note.txt: can't write: Is a directory\n  -> free some space"):
        RunDir(tmp_path).write("note.txt", "new")
    assert [path.name for path in tmp_path.iterdir()] == ["note.txt"]


def test_a_suite_that_can_not_be_written_says_how_to_see_it_all_the_same(tmp_path):
    with pytest.raises(HarnessError, match=r"can't write: No such file or directory\n  -> .* `harness report RUN_DIR"):
        save_suite([], tmp_path / "gone", "suite")
