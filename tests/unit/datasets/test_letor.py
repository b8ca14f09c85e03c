"""The letor plug-in on small files: layouts, grouping, errors with their places, the cache."""

import gzip
import os
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from harness.datasets import letor
from harness.datasets.letor import reading, store
from harness.errors import DataError

GOOD = "2 qid:1 1:0.5 2:-3e-1 #docid = a:b inc = 1\n0 qid:1 2:7\n1 qid:2 1:nan 2:NULL\n"


@pytest.fixture
def write(tmp_path):
    def write_file(name: str, content: str | bytes) -> Path:
        path = tmp_path / name
        data = content if isinstance(content, bytes) else content.encode()
        path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
        return path

    return write_file


@pytest.fixture
def load(tmp_path, write):
    """Loads `content` as train, valid and test at once."""

    def load_content(content: str | bytes, **options):
        path = tmp_path / "data.txt"
        if not path.exists() or path.read_bytes() != (content if isinstance(content, bytes) else content.encode()):
            write("data.txt", content)
        chosen = {"train": path, "valid": path, "test": path} | options
        return letor.load(letor.Options(**chosen), tmp_path / "cache")

    return load_content


def test_absent_is_zero_and_nan_is_missing(load):
    train = load(GOOD).train
    np.testing.assert_array_equal(train.features, np.float32([[0.5, -0.3], [0, 7], [np.nan, np.nan]]))
    assert train.grades.tolist() == [2, 0, 1]
    assert train.group_sizes.tolist() == [2, 1]
    assert train.feature_names == ("f1", "f2")
    assert train.features.dtype == np.float32
    assert train.features.flags.c_contiguous
    assert type(train.features) is np.ndarray


LAYOUTS = {
    "crlf": GOOD.replace("\n", "\r\n"),
    "no line feed at the end": GOOD.rstrip("\n"),
    "blank and comment lines": "# head\n\n" + GOOD.replace("\n", "\n  \n# note: 1:2\n"),
    "trailing and double spaces": GOOD.replace("\n", " \n").replace(" 2:", "  2:"),
    "tabs": GOOD.replace(" ", "\t"),
    "byte order mark": "\ufeff" + GOOD,
    "signs, exponents and whole grades as floats": GOOD.replace("2 qid", "2.0 qid").replace("0.5", "+5.0E-01"),
    "indices out of order": GOOD.replace("1:0.5 2:-3e-1", "2:-0.3 1:.5"),
}


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS.keys())
def test_layouts_read_the_same(load, layout):
    assert load(layout).digest == load(GOOD).digest


def test_gzip_and_lists_of_files(tmp_path, write):
    lines = GOOD.splitlines(keepends=True)
    parts = [write("a.txt.gz", lines[0]), write("b.txt", lines[1] + lines[2])]
    whole = write("whole.txt", GOOD)
    options = letor.Options(train=parts, valid=whole, test=whole)
    splits = letor.load(options, tmp_path / "cache")
    np.testing.assert_array_equal(splits.train.features, splits.test.features)
    assert splits.train.group_sizes.tolist() == [2, 1]


def test_blocks_cut_anywhere_read_the_same(load, monkeypatch):
    whole = load(GOOD * 20).digest
    for n_bytes in (1, 7, 64):
        monkeypatch.setattr(reading, "_BLOCK_BYTES", n_bytes)
        monkeypatch.setattr(store, "_SLAB_VALUES", n_bytes)
        assert load(GOOD * 20 + "\n" * n_bytes).digest == whole  # the padding keeps the cache out of it


def test_rows_of_a_query_may_stand_apart(load, monkeypatch):
    monkeypatch.setattr(store, "_SLAB_VALUES", 4)
    train = load("0 qid:7 1:1\n1 qid:3 1:2\n2 qid:7 1:3 2:1\n0 qid:3 1:4\n4 qid:7 1:5 4:9\n").train
    assert train.features[:, 0].tolist() == [1, 3, 5, 2, 4]
    assert train.features[:, 3].tolist() == [0, 0, 9, 0, 0]
    assert train.grades.tolist() == [0, 2, 4, 1, 0]
    assert train.group_sizes.tolist() == [3, 2]


def test_all_splits_are_as_wide_as_the_widest(tmp_path, write):
    narrow, wide = write("narrow.txt", "1 qid:1 1:1\n"), write("wide.txt", "1 qid:1 3:1\n")
    splits = letor.load(letor.Options(train=narrow, valid=wide, test=narrow), tmp_path)
    assert [split.n_features for split in (splits.train, splits.valid, splits.test)] == [3, 3, 3]
    splits = letor.load(letor.Options(train=narrow, valid=wide, test=narrow, n_features=5), tmp_path)
    assert splits.train.feature_names == ("f1", "f2", "f3", "f4", "f5")


def test_the_largest_doubles_are_missing_as_in_istella(load):
    train = load("1 qid:1 1:1.797693134862316E+308 2:-3.5e38 3:3e38 4:inf 5:1.79769313486232E+308\n").train
    assert np.isnan(train.features[0]).tolist() == [True, True, False, True, True]
    assert train.features[0, 2] == np.float32(3e38)


def test_valid_is_held_out_by_query_when_absent(tmp_path, write):
    path = write("data.txt", "".join(f"{q % 2} qid:{q} 1:{q}\n1 qid:{q} 1:{q}\n" for q in range(1, 21)))
    splits = letor.load(letor.Options(train=path, test=path, valid_share=0.25), tmp_path)
    assert (splits.train.n_groups, splits.valid.n_groups, splits.test.n_groups) == (15, 5, 20)
    assert not set(splits.train.features[:, 0]) & set(splits.valid.features[:, 0])


def test_group_files_stand_in_for_qids(load, write):
    groups = write("groups.txt.gz", "1\r\n2\n\n")
    rows = "1 0:1 3:2\n0 1:1\n2 0:5\n"
    named = {"train_groups": groups, "valid_groups": groups, "test_groups": groups}
    train = load(rows, first_index=0, **named).train
    assert train.group_sizes.tolist() == [1, 2]
    assert train.feature_names == ("f0", "f1", "f2", "f3")
    assert load(GOOD, **named).train.group_sizes.tolist() == [1, 2]


BAD = {
    "no qid": ("1 1:2\n", ":1: no qid", "qid:query"),
    "qid later": (GOOD + "1 1:2 qid:3\n", ":4: no qid", "qid:query"),
    "qid twice": (GOOD + "1 qid:3 1:2 qid:3\n", ":4: 'qid:3' after", "once"),
    "text qid": ("1 qid:abc 1:2\n", "qid 'abc'", "whole numbers"),
    "huge qid": ("1 qid:9007199254740993 1:2\n", "qid '9007199254740993'", "2^53"),
    "nan grade": (GOOD + "nan qid:3 1:1\n", ":4: grade 'nan'", "whole numbers"),
    "unjudged": (GOOD + "# note\n-1 qid:3 1:1\n", ":5: grade '-1'", "drop unjudged"),
    "real grade": ("0.5 qid:3 1:1\n", "grade '0.5'", "grade_bins"),
    "high grade": ("31 qid:3 1:1\n", "grade '31'", "0 to 30"),
    "text value": (GOOD + "1 qid:3 1:x\n", ":4: '1:x'", "missing value as nan"),
    "comma value": (GOOD + "1 qid:3 1:0,5\n", ":4: '1:0,5'", "missing value as nan"),
    "two points": (GOOD + "1 qid:3 1:0.5.5\n", ":4: '1:0.5.5'", "missing value as nan"),
    "no value": (GOOD + "1 qid:3 1: 2:4\n", ":4: '1:'", "missing value as nan"),
    "no index": (GOOD + "1 qid:3 :4 2:4\n", ":4: ':4'", "missing value as nan"),
    "no colon": (GOOD + "1 qid:3 1\n", ":4: '1'", "missing value as nan"),
    "values that even out": (GOOD + "1 qid:3 1:2:3 7\n", ":4: '1:2:3'", "missing value as nan"),
    "double colon": (GOOD + "1 qid:3 1::3\n", ":4: '1::3'", "missing value as nan"),
    "quote": (GOOD + '1 qid:3 1:"3\n', ":4: '1:\"3'", "missing value as nan"),
    "not text": (GOOD.encode() + b"1 qid:3 1:\xff\x00\n", ":4: ", "missing value as nan"),
    "index 0": (GOOD + "1 qid:3 0:1\n", ":4: feature index '0'", "first_index: 0"),
    "negative index": ("1 qid:3 -4:1\n", "feature index '-4'", "begin at 1"),
    "fractional index": ("1 qid:3 1.5:1\n", "'1.5:1'", "missing value as nan"),
    "index twice": (GOOD + "1 qid:3 1:1 2:1 1:1\n", ":4: feature index '1' twice", "once"),
    "stray index": (GOOD + "1 qid:3 99999999:1\n", ":4: feature index '99999999' is above 65536", "n_features"),
    "html": ("<html>\n", ":1: grade '<html>'", "whole numbers"),
}


@pytest.mark.parametrize(("content", "fault", "remedy"), BAD.values(), ids=BAD.keys())
def test_bad_lines_are_named_with_a_remedy(load, content, fault, remedy):
    with pytest.raises(DataError) as caught:
        load(content)
    assert fault in str(caught.value)
    assert "data.txt:" in caught.value.where
    assert remedy in caught.value.remedy


def test_a_bad_line_is_counted_over_blocks(load, monkeypatch):
    monkeypatch.setattr(reading, "_BLOCK_BYTES", 100)
    with pytest.raises(DataError, match=r"data\.txt:61: "):
        load(GOOD * 20 + "1 qid:3 1:x\n")


def test_more_features_than_declared(load):
    with pytest.raises(DataError, match=r"(?s)data\.txt:1: feature index '2' with n_features: 1.*raise n_features"):
        load(GOOD, n_features=1)


@pytest.mark.parametrize(
    ("content", "fault"),
    [("", "no rows"), ("# only a note\n\n", "no rows"), ("1 qid:1\n", "no features"), ("0 qid:1 1:1\n", "above 0")],
)
def test_nothing_to_learn_from(load, content, fault):
    with pytest.raises(DataError, match=fault):
        load(content)


@pytest.mark.parametrize(
    ("groups", "fault"),
    [("1\n1\n", r"groups\.txt: groups of 2 rows.*data\.txt has 3"), ("1\n-2\n", "groups.txt:2: group size '-2'")],
)
def test_group_files_that_do_not_fit(load, write, groups, fault):
    with pytest.raises(DataError, match=fault):
        load(GOOD, train_groups=write("groups.txt", groups))


def test_files_that_can_not_be_read(tmp_path, write, load):
    with pytest.raises(DataError, match=r"(?s)absent\.txt: no such file.*data\.valid.*environment variable"):
        load(GOOD, valid=tmp_path / "absent.txt")
    with pytest.raises(DataError, match="is a folder"):
        load(GOOD, test=tmp_path)
    broken = tmp_path / "broken.txt.gz"
    broken.write_bytes(gzip.compress(GOOD.encode())[:-12])
    with pytest.raises(DataError, match=r"broken\.txt\.gz: broken gzip"):
        load(GOOD, test=broken)
    broken.write_bytes(GOOD.encode())
    with pytest.raises(DataError, match=r"broken\.txt\.gz: broken gzip"):
        load(GOOD, test=broken)


def test_a_file_without_line_ends_is_given_up_early(load, monkeypatch):
    monkeypatch.setattr(reading, "_BLOCK_BYTES", 1 << 18)
    monkeypatch.setattr(reading, "_LONGEST_LINE_BYTES", 1 << 20)
    with pytest.raises(DataError, match=r"data\.txt: a line of more than 1 MiB"):
        load(bytes(3 << 20))


def test_a_failed_read_leaves_nothing_in_the_cache(tmp_path, load):
    with pytest.raises(DataError):
        load("1 1:2\n")
    assert not [path for path in (tmp_path / "cache").rglob("*") if path.is_file() and path.name != ".lock"]


def test_the_cache_serves_the_second_read_and_notices_changes(tmp_path, load, monkeypatch):
    first = load(GOOD)
    with monkeypatch.context() as patch:
        patch.setattr(reading, "parse", None)
        assert load(GOOD).digest == first.digest
    changed = load(GOOD.replace("0.5", "0.7"))
    assert changed.train.features[0, 0] == np.float32(0.7)
    assert first.train.features[0, 0] == np.float32(0.5)
    assert load(GOOD, n_features=9).train.n_features == 9


def test_a_damaged_cache_is_built_anew(tmp_path, load):
    whole = load(GOOD)
    entry = next((tmp_path / "cache").rglob("train.f32"))
    digest = whole.digest
    del whole
    os.truncate(entry, 3)
    assert load(GOOD).digest == digest


def test_features_may_be_written_to_without_touching_the_cache(load):
    splits = load(GOOD)
    splits.train.features[0, 0] = 9
    assert load(GOOD).train.features[0, 0] == np.float32(0.5)


def test_options_that_make_no_sense():
    for wrong in (
        {"train": []},
        {"train": [1]},
        {"train": 1},
        {"test": None},
        {"valid_groups": "g"},
        {"first_index": 2},
        {"valid_share": 1},
    ):
        with pytest.raises(ValidationError):
            letor.Options(**{"train": "a", "test": "b"} | wrong)
