import pytest

from harness.placement import place


@pytest.mark.parametrize(
    ("workers", "processes", "cpus", "generator", "server", "names"),
    [
        (1, 1, (0, 1), (0,), (1,), []),
        (2, 1, (4, 5, 6), (4,), (5, 6), []),
        (4, 1, (0, 1), (0,), (1,), ["too-few-cores"]),
        (1, 1, (3,), (3,), (3,), ["shared-core"]),
        (1, 3, (0, 1, 2, 3, 4), (0, 1, 2), (3,), []),
        (2, 3, (0, 1, 2, 3), (0, 1), (2, 3), ["too-few-cores"]),
        (1, 2, (0, 1), (0,), (1,), ["too-few-cores"]),
        (3, 2, (0, 1), (0,), (1,), ["too-few-cores", "too-few-cores"]),
    ],
)
def test_generator_and_server_are_kept_apart_where_possible(
    workers, processes, cpus, generator, server, names, tmp_path
):
    placement, findings = place(workers, cpus, processes, topology=tmp_path)
    assert (placement.generator, placement.server) == (generator, server)
    assert [finding.name for finding in findings] == names
    assert placement.shared == (names == ["shared-core"])


@pytest.mark.parametrize(("siblings", "names"), [("0,2", []), ("0-1", ["sibling-cores"]), ("0,1", ["sibling-cores"])])
def test_hyper_threads_of_one_core_are_said(siblings, names, tmp_path):
    (tmp_path / "cpu0" / "topology").mkdir(parents=True)
    (tmp_path / "cpu0" / "topology" / "thread_siblings_list").write_text(f"{siblings}\n")
    placement, findings = place(1, (0, 1), topology=tmp_path)
    assert (placement.generator, placement.server) == ((0,), (1,))
    assert [(finding.name, finding.hard) for finding in findings] == [(name, False) for name in names]
