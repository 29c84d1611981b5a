"""Convex clusters: sets of nodes that can run as one without waiting for themselves.

Two clusters join along an edge unless another path leads from the one to the other, as XLA's and
TF-TRT's segmenters do.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence


def grow_clusters(
    order: Sequence[str],
    dependencies: Mapping[str, Iterable[str]],
    candidates: Collection[str],
) -> list[list[str]]:
    """order: the nodes, each behind its dependencies. Returns clusters of candidates, each in that
    order; a candidate that joins no other is a cluster of its own.
    """
    graph = _ContractedGraph(order, dependencies)
    position = {name: index for index, name in enumerate(order)}
    edges = [
        (producer, name)
        for name in order
        if name in candidates
        for producer in sorted(set(dependencies[name]) & set(candidates), key=position.__getitem__)
    ]
    while sum(graph.contract(producer, name) for producer, name in edges):
        edges = [edge for edge in edges if graph.find(edge[0]) != graph.find(edge[1])]
    clusters: dict[str, list[str]] = {}
    for name in order:
        if name in candidates:
            clusters.setdefault(graph.find(name), []).append(name)
    return list(clusters.values())


class _ContractedGraph:
    """Union-find over the nodes, with the edges between the sets."""

    def __init__(self, order: Sequence[str], dependencies: Mapping[str, Iterable[str]]) -> None:
        self._parent = {name: name for name in order}
        self._before: dict[str, set[str]] = {name: set(dependencies[name]) for name in order}
        self._after: dict[str, set[str]] = {name: set() for name in order}
        for name, producers in self._before.items():
            for producer in producers:
                self._after[producer].add(name)

    def find(self, name: str) -> str:
        while self._parent[name] != name:
            self._parent[name] = self._parent[self._parent[name]]
            name = self._parent[name]
        return name

    def contract(self, producer: str, consumer: str) -> bool:
        """Joins the two sets, which an edge connects; False when that would make a cycle or has
        been done."""
        first, second = self.find(producer), self.find(consumer)
        if first == second or self._has_detour(first, second):
            return False
        self._parent[second] = first
        for neighbours, reverse in ((self._before, self._after), (self._after, self._before)):
            for other in neighbours.pop(second):
                reverse[other].discard(second)
                if other != first:
                    neighbours[first].add(other)
                    reverse[other].add(first)
        return True

    def _has_detour(self, first: str, second: str) -> bool:
        """Whether a path of more than one edge leads from `first` to `second`."""
        waiting = [name for name in self._after[first] if name != second]
        seen = set(waiting)
        while waiting:
            for name in self._after[waiting.pop()] - seen:
                if name == second:
                    return True
                seen.add(name)
                waiting.append(name)
        return False
