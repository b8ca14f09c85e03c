import multiprocessing
import os
import signal

import pytest

from harness.cache import Cache, key_of
from harness.errors import HarnessError, ModelError


def write(text):
    return lambda path: (path / "value").write_text(text)


def read(path):
    if not (path / "value").is_file():
        raise ModelError("damaged")
    return (path / "value").read_text()


def test_the_second_time_is_reused_and_disabled_is_not(tmp_path):
    cache = Cache(tmp_path)
    assert cache.obtain("room", "k" * 64, write("one"), read) == ("one", False)
    assert cache.obtain("room", "k" * 64, write("two"), read) == ("one", True)
    assert Cache(tmp_path, enabled=False).obtain("room", "k" * 64, write("three"), read) == ("three", False)


def test_a_failed_build_leaves_nothing_behind(tmp_path):
    def fail(path):
        (path / "value").write_text("half")
        raise ModelError("no")

    with pytest.raises(ModelError):
        Cache(tmp_path).obtain("room", "key", fail, read)
    assert not list((tmp_path / "room").glob("[!.]*")) + list((tmp_path / "room").glob(".work-*"))


def test_a_damaged_entry_is_built_again(tmp_path):
    cache = Cache(tmp_path)
    cache.obtain("room", "key", write("one"), read)
    (tmp_path / "room" / "key" / "value").unlink()
    assert cache.obtain("room", "key", write("two"), read) == ("two", False)


def test_what_a_killed_process_left_half_built_is_removed_by_the_next(tmp_path):
    child = multiprocessing.get_context("spawn").Process(target=build_and_die, args=(tmp_path,))
    child.start()
    child.join(60)
    assert child.exitcode == -signal.SIGKILL
    (left,) = (tmp_path / "room").glob(".work-*")
    (tmp_path / "room" / ".work-never-locked").mkdir()
    Cache(tmp_path).obtain("room", "other", write("one"), read)
    assert not list((tmp_path / "room").glob(".work-*")), left


def build_and_die(root):
    def half(path):
        write("half")(path)
        os.kill(os.getpid(), signal.SIGKILL)

    Cache(root).obtain("room", "key", half, read)


def test_what_is_being_built_beside_stays(tmp_path):
    cache = Cache(tmp_path)

    def slow(path):
        cache.obtain("room", "other", write("other"), read)
        write("one")(path)

    assert cache.obtain("room", "key", slow, read) == ("one", False)
    assert cache.obtain("room", "other", write("anew"), read) == ("other", True)


def test_what_another_has_finished_meanwhile_stands(tmp_path):
    def slow(path):
        Cache(tmp_path).obtain("room", "key", write("theirs"), read)
        write("ours")(path)

    assert Cache(tmp_path).obtain("room", "key", slow, read) == ("theirs", False)
    assert [path.name for path in (tmp_path / "room").glob("[!.]*")] == ["key"]
    assert not list((tmp_path / "room").glob(".work-*"))


def test_a_damaged_entry_that_another_has_mended_meanwhile_stands(tmp_path):
    cache = Cache(tmp_path)
    cache.obtain("room", "key", write("one"), read)
    (tmp_path / "room" / "key" / "value").unlink()

    def slow(path):
        cache.obtain("room", "key", write("mended"), read)
        write("ours")(path)

    assert cache.obtain("room", "key", slow, read) == ("mended", False)


def test_a_full_disk_names_the_place_and_the_remedy(tmp_path):
    def full(path):
        raise OSError(28, "No space left on device")

    with pytest.raises(HarnessError, match="No space left") as caught:
        Cache(tmp_path).obtain("room", "key", full, read)
    assert "HARNESS_CACHE" in caught.value.remedy


def test_a_file_where_the_cache_should_be(tmp_path):
    (tmp_path / "room").write_text("")
    with pytest.raises(HarnessError, match="can't create a folder"):
        Cache(tmp_path).obtain("room", "key", write("x"), read)


def test_keys_do_not_depend_on_order_but_on_every_value():
    assert key_of({"a": 1, "b": [1, 2]}) == key_of({"b": [1, 2], "a": 1})
    assert key_of({"a": 1, "b": [1, 2]}) != key_of({"a": 1, "b": [2, 1]})
