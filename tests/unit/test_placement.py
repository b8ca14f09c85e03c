import pytest

from harness.placement import place


@pytest.mark.parametrize(
    ("workers", "cpus", "generator", "server", "names"),
    [
        (1, (0, 1), (0,), (1,), []),
        (2, (4, 5, 6), (4,), (5, 6), []),
        (4, (0, 1), (0,), (1,), ["too-few-cores"]),
        (1, (3,), (3,), (3,), ["shared-core"]),
    ],
)
def test_generator_and_server_are_kept_apart_where_possible(workers, cpus, generator, server, names):
    placement, findings = place(workers, cpus)
    assert (placement.generator, placement.server) == (generator, server)
    assert [finding.name for finding in findings] == names
    assert placement.shared == (names == ["shared-core"])
