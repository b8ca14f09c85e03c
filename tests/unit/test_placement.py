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
def test_generator_and_server_are_kept_apart_where_possible(workers, processes, cpus, generator, server, names):
    placement, findings = place(workers, cpus, processes)
    assert (placement.generator, placement.server) == (generator, server)
    assert [finding.name for finding in findings] == names
    assert placement.shared == (names == ["shared-core"])
