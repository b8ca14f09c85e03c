"""The table plug-in: formats, columns, grades, and errors that name file, column and row."""

import gzip
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from harness.datasets import table
from harness.errors import DataError

CSV = "user,label,price,name,clicks,fresh\nu1,2,1.5,a,3,True\nu2,0,,b,4,False\nu1,0,2.5,c,,True\nu2,1,-1e3,d,6,True\n"
FEATURES = [[1.5, 3, 1], [2.5, np.nan, 1], [np.nan, 4, 0], [-1000, 6, 1]]


@pytest.fixture
def load(tmp_path):
    """Loads `content` as train, valid and test at once."""

    def load_content(content: str | bytes = CSV, name: str = "data.csv", **options):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        chosen = {"train": path, "valid": path, "test": path, "query": "user", "grade": "label"} | options
        return table.load(table.Options(**chosen), Path())

    return load_content


def test_columns_find_their_parts(load):
    train = load().train
    assert train.feature_names == ("price", "clicks", "fresh")
    np.testing.assert_array_equal(train.features, np.float32(FEATURES))
    assert train.grades.tolist() == [2, 0, 0, 1]
    assert train.group_sizes.tolist() == [2, 2]
    assert train.features.dtype == np.float32
    assert train.features.flags.c_contiguous


def parquet(frame: pd.DataFrame, path: Path) -> bytes:
    pytest.importorskip("pyarrow")
    frame.to_parquet(path)
    return path.read_bytes()


def test_csv_tsv_gzip_and_parquet_hold_the_same(load, tmp_path):
    digest = load().digest
    assert load(CSV.replace(",", "\t"), "data.tsv").digest == digest
    assert load(gzip.compress(CSV.replace(",", "\t").encode()), "data.txt.gz").digest == digest
    assert load(CSV.replace(",", ";"), "data.dat", separator=";").digest == digest
    assert load("\ufeff" + CSV.replace("\n", "\r\n")).digest == digest
    (tmp_path / "source.csv").write_text(CSV)
    frame = pd.read_csv(tmp_path / "source.csv")
    assert load(parquet(frame, tmp_path / "made"), "data.parquet").digest == digest
    assert load(parquet(frame.set_index("user"), tmp_path / "made"), "data", format="parquet").digest == digest
    nullable = frame.convert_dtypes()
    assert load(parquet(nullable, tmp_path / "made"), "data.pq").digest == digest


def test_without_a_header_columns_are_named_by_position(load):
    content = CSV.split("\n", 1)[1]
    train = load(content, header=False, query=0, grade="1").train
    assert train.feature_names == ("2", "4", "5")
    np.testing.assert_array_equal(train.features, np.float32(FEATURES))
    assert load(content, header=False, query=0, grade=1, features=[4, 2]).train.feature_names == ("4", "2")
    assert load(content, header=False, query=0, grade=1, ignore=[5]).train.feature_names == ("2", "4")


def test_lists_of_files_are_read_one_after_the_other(tmp_path, load):
    head, *rows = CSV.splitlines(keepends=True)
    paths = [tmp_path / "a.csv", tmp_path / "b.csv"]
    paths[0].write_text(head + "".join(rows[:3]))
    paths[1].write_text(head + "".join(rows[3:]))
    splits = load(train=paths)
    np.testing.assert_array_equal(splits.train.features, splits.test.features)
    assert splits.train.group_sizes.tolist() == [2, 2]


def test_grade_bins_turn_relevance_into_grades(load):
    content = "q,r,x\n1,0.07,1\n1,0.0699,2\n1,0.61,3\n1,0.5,4\n1,0.14,5\n"
    train = load(content, query="q", grade="r", grade_bins=[0.07, 0.14, 0.41, 0.61]).train
    assert train.grades.tolist() == [1, 0, 4, 3, 2]


def test_valid_is_held_out_by_query_when_absent(load):
    content = "q,g,x\n" + "".join(f"{q},1,{q}\n" for q in range(20)) * 2
    splits = load(content, query="q", grade="g", valid=None, valid_share=0.25)
    assert (splits.train.n_groups, splits.valid.n_groups, splits.test.n_groups) == (15, 5, 20)
    assert not set(splits.train.features[:, 0]) & set(splits.valid.features[:, 0])


def test_quotes_are_text_when_quoting_is_off(load):
    quoted = 'user,label,x,note\n1,1,2,"a,b"\n'
    assert load(quoted).train.n_features == 1
    assert load(quoted.replace(",b", ""), quoting=False).train.n_rows == 1
    inch = 'user,label,x,note\n1,1,2,"3\n1,0,4,5\n'
    assert load(inch, quoting=False, features=["x"]).train.n_rows == 2


BAD = {
    "empty grade": (CSV.replace("u2,0,", "u2,,"), "column 'label', row 2: grade (the cell is empty)", "whole numbers"),
    "real grade": (CSV.replace("u2,0,", "u2,0.5,"), "column 'label', row 2: grade 0.5", "grade_bins"),
    "negative grade": (CSV.replace("u2,1", "u2,-1"), "column 'label', row 4: grade -1", "0 to 30"),
    "text grade": (CSV.replace("u2,0,", "u2,good,"), "column 'label', row 2: grade 'good'", "whole numbers"),
    "empty query": (CSV.replace("\nu1,0", "\n,0"), "column 'user', row 3: no query (the cell is empty)", "every row"),
    "text among numbers": (CSV.replace("2.5", "2.5 EUR"), "column 'price', row 3: not a number", "data.ignore"),
    "short of rows": ("user,label,price\n", "data.csv: no rows", "at least one"),
    "empty file": ("", "data.csv: no rows", "at least one"),
    "only text": ("user,label,x\nu,1,a\n", "no numeric column beside query and grade, only x", "data.features"),
    "ragged": (CSV + "u,1,2,3,4,5,6,7\n", "not a table", "separator"),
    "latin-1": (CSV.replace("a,3", "é,3").encode("latin-1"), "not a table", "UTF-8"),
    "no positive": (CSV.replace("u1,2", "u1,0").replace("u2,1", "u2,0"), "no candidate has a grade above 0", "grade"),
}


@pytest.mark.parametrize(("content", "fault", "remedy"), BAD.values(), ids=BAD.keys())
def test_bad_tables_are_named_with_a_remedy(load, content, fault, remedy):
    with pytest.raises(DataError) as caught:
        load(content)
    assert fault in str(caught.value)
    assert remedy in caught.value.remedy


def test_named_features_must_be_numbers_and_exist(load):
    with pytest.raises(DataError, match=r"data\.csv: column 'name', row 1: not a number: 'a'"):
        load(features=["price", "name"])
    with pytest.raises(DataError, match=r"data\.csv: no column 'prize' \(did you mean 'price'\?"):
        load(features=["prize"])
    with pytest.raises(DataError, match=r"(?s)no column 'user'.*by position"):
        load(header=False)


def test_every_split_needs_the_columns_of_train(load, tmp_path):
    other = tmp_path / "other.csv"
    other.write_text(CSV.replace("clicks", "views"))
    with pytest.raises(DataError, match=r"other\.csv: no column 'clicks'"):
        load(test=other)
    other.write_text(CSV.replace("u2,1,-1e3,d,6", "u2,1,-1e3,d,six"))
    with pytest.raises(DataError, match=r"other\.csv: column 'clicks', row 4: not a number: 'six'"):
        load(test=other)


def test_relevance_to_be_binned_must_be_there(load):
    with pytest.raises(DataError, match=r"column 'label', row 2: relevance \(the cell is empty\)"):
        load(CSV.replace("u2,0,", "u2,,"), grade_bins=[1])


def test_files_that_can_not_be_read(load, tmp_path):
    with pytest.raises(DataError, match=r"(?s)absent\.csv: no such file.*data\.test"):
        load(test=tmp_path / "absent.csv")
    with pytest.raises(DataError, match=r"data\.csv\.gz: broken gzip"):
        load(gzip.compress(CSV.encode())[:-10], "data.csv.gz")
    pytest.importorskip("pyarrow")
    with pytest.raises(DataError, match=r"data\.parquet: not a Parquet file"):
        load(CSV, "data.parquet")


def test_parquet_without_pyarrow_names_the_extra(tmp_path):
    (tmp_path / "data.parquet").write_bytes(b"PAR1")
    code = (
        "import sys; sys.modules['pyarrow'] = None\n"
        "from pathlib import Path; from harness.datasets import table; from harness.errors import DataError\n"
        f"path = {str(tmp_path / 'data.parquet')!r}\n"
        "try: table.load(table.Options(train=path, test=path, query='q', grade='g'), Path())\n"
        "except DataError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "ranking-latency-harness[parquet]" in done.stdout


def test_options_that_make_no_sense():
    good = {"train": "a", "test": "b", "query": "q", "grade": "g"}
    for wrong in (
        {"grade": "q"},
        {"features": ["a", "g"]},
        {"features": ["a", "a"]},
        {"features": ["a"], "ignore": ["a"]},
        {"features": []},
        {"grade_bins": [0.5, 0.1]},
        {"separator": "||"},
        {"query": None},
        {"query": True},
    ):
        with pytest.raises(ValidationError):
            table.Options(**good | wrong)
