from __future__ import annotations

from graphlib import CycleError, TopologicalSorter

import hypothesis.strategies as st
from hypothesis import given, settings

from chexnet_trt.integrated.clusters import grow_clusters

Graph = dict[str, set[str]]


@st.composite
def graphs(draw: st.DrawFn) -> tuple[Graph, set[str]]:
    """Dependencies of nodes, each behind its own, and the candidates."""
    names = [f"n{index:02}" for index in range(draw(st.integers(1, 20)))]
    dependencies = {
        name: draw(st.sets(st.sampled_from(names[max(0, index - 6) : index]), max_size=3))
        if index
        else set()
        for index, name in enumerate(names)
    }
    return dependencies, draw(st.sets(st.sampled_from(names)))


def contracted(dependencies: Graph, clusters: list[list[str]]) -> Graph:
    of = {name: min(members) for members in clusters for name in members}
    result: Graph = {}
    for name, producers in dependencies.items():
        mine = of.get(name, name)
        result.setdefault(mine, set()).update(of.get(p, p) for p in producers)
    return {name: producers - {name} for name, producers in result.items()}


def is_acyclic(dependencies: Graph) -> bool:
    try:
        list(TopologicalSorter(dependencies).static_order())
    except CycleError:
        return False
    return True


@settings(max_examples=150, deadline=None, derandomize=True)
@given(graphs())
def test_no_cycle_and_nothing_more_to_join(case):
    dependencies, candidates = case
    clusters = grow_clusters(list(dependencies), dependencies, candidates)
    assert sorted(name for members in clusters for name in members) == sorted(candidates)
    assert is_acyclic(contracted(dependencies, clusters))
    for first in clusters:
        for second in clusters:
            connected = any(dependencies[name] & set(first) for name in second)
            if first is second or not connected:
                continue
            rest = [members for members in clusters if members not in (first, second)]
            assert not is_acyclic(contracted(dependencies, [*rest, first + second]))


def test_a_way_round_keeps_two_nodes_apart():
    """a -> outside -> c, a -> b -> c: b may join one of them, not both."""
    dependencies = {"a": set(), "outside": {"a"}, "b": {"a"}, "c": {"b", "outside"}}
    clusters = grow_clusters(list(dependencies), dependencies, {"a", "b", "c"})
    assert clusters == [["a", "b"], ["c"]]


def test_branches_that_meet_become_one():
    dependencies = {"x": set(), "a": {"x"}, "b": {"x"}, "c": {"a"}, "d": {"c", "b"}}
    clusters = grow_clusters(list(dependencies), dependencies, set("abcd"))
    assert clusters == [["a", "b", "c", "d"]]
