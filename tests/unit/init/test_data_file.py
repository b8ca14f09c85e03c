import pytest

from harness.errors import UsageError
from harness.init.data_file import DataKeys, feature_keys, read_data


@pytest.fixture
def keys_of(tmp_path):
    def read(text, name="data.csv", query="", grade=""):
        (tmp_path / name).write_text(text)
        return read_data(tmp_path / name, query, grade)

    return read


ROWS = [(0, 7, 0.5, 3.5), (1, 7, 0.1, 3.5), (0, 9, 0.2, 1.5), (2, 9, 0.3, 1.5)]


def table(header, separator=","):
    lines = [separator.join(map(str, row)) for row in ROWS]
    return "\n".join([separator.join(header), *lines] if header else lines) + "\n"


@pytest.mark.parametrize(
    ("header", "grade", "query"),
    [
        (["label", "qid", "a", "b"], "label", "qid"),
        (["Relevance_Grade", "srch_id", "a", "b"], "Relevance_Grade", "srch_id"),
        (["rel", "query-id", "a", "b"], "rel", "query-id"),
    ],
)
def test_columns_are_known_by_their_names(keys_of, header, grade, query):
    found = keys_of(table(header))
    assert (found.kind, found.format, found.guessed) == ("table", "CSV", ())
    assert found.keys == {"query": query, "grade": grade}
    assert found.columns == ("a", "b")


def test_names_that_the_user_gives_go_before(keys_of):
    found = keys_of(table(["label", "qid", "stars", "user"]), query="user", grade="label")
    assert found.keys == {"query": "user", "grade": "label"}
    assert found.columns == ("qid", "stars")


def test_columns_without_known_names_are_guessed_from_what_they_hold(keys_of):
    found = keys_of(table(["how_good", "visit", "a", "b"]))
    assert found.keys == {"query": "visit", "grade": "how_good"}
    assert found.guessed == ("query", "grade")


def test_a_table_without_header(keys_of):
    assert keys_of(table([])).keys == {"header": False, "query": "1", "grade": "0"}


@pytest.mark.parametrize(
    ("name", "separator", "keys"),
    [
        ("d.tsv", "\t", {}),
        ("d.csv", ";", {"separator": ";"}),
        ("d.csv", "\t", {"separator": "\t"}),
        ("d.txt", "\t", {}),
    ],
)
def test_separators(keys_of, name, separator, keys):
    found = keys_of(table(["label", "qid", "a", "b"], separator), name)
    assert found.keys == {**keys, "query": "qid", "grade": "label"}


def test_svmlight(keys_of, tmp_path):
    assert keys_of("# made\n2 qid:1 1:0.5 7:1e-3 # doc\n0 qid:1 2:NULL\n", "d.txt") == DataKeys("letor", "SVMlight")
    assert keys_of("0 qid:1 0:0.5\n", "d.txt").keys == {"first_index": 0}
    (tmp_path / "d.txt.query").write_text("1\n")
    assert keys_of("0 1:0.5\n", "d.txt").groups_beside


def columns(*names):
    return DataKeys("table", "CSV", {"query": "qid", "grade": "label"}, columns=names)


@pytest.mark.parametrize(
    ("data", "n_features", "names", "keys"),
    [
        (columns("a", "b"), 2, (), {}),
        (columns("a", "b"), 2, ("a", "b"), {}),
        (columns("a", "b"), 2, ("b", "a"), {"features": ["b", "a"]}),
        (columns("a", "b", "c"), 2, ("c", "a"), {"features": ["c", "a"]}),
        (columns("item_id", "a", "b"), 2, ("Column_0", "Column_1"), {"ignore": ["item_id"]}),
        (columns("item_id", "a", "b"), None, (), {"ignore": ["item_id"]}),
        (columns("item_id", "a", "b"), 3, (), {}),
        (DataKeys("letor", "SVMlight"), 46, (), {"n_features": 46}),
        (DataKeys("letor", "SVMlight"), None, (), {}),
    ],
)
def test_a_model_gets_its_features(data, n_features, names, keys):
    assert feature_keys(data, n_features, names) == keys


def test_a_model_that_the_columns_do_not_fit(keys_of):
    with pytest.raises(UsageError, match="takes 5 features, the data has 2 numeric columns"):
        feature_keys(columns("a", "b"), 5, ())
