"""
The UFF wire format.
"""

from __future__ import annotations
import chexnet_trt._core
import collections.abc
import typing

__all__: list[str] = [
    "Blob",
    "DataType",
    "Descriptor",
    "DimensionOrders",
    "MetaGraph",
    "Node",
    "Reference",
    "UffInputOrder",
    "UffParser",
    "encode",
    "read_bytes",
    "read_file",
    "to_text",
    "write_file",
]

class Reference:
    """
    The name of an entry of referenced_data.
    """
    def __eq__(self, arg0: Reference) -> bool: ...
    def __hash__(self) -> int: ...
    def __init__(self, key: str) -> None: ...
    def __repr__(self) -> str: ...
    @property
    def key(self) -> str: ...

class DataType:
    """
    An element type by its number in the UFF schema.
    """
    def __eq__(self, arg0: DataType) -> bool: ...
    def __hash__(self) -> int: ...
    def __init__(self, value: typing.SupportsInt | typing.SupportsIndex) -> None: ...
    def __repr__(self) -> str: ...
    @property
    def value(self) -> int: ...

class DimensionOrders:
    """
    Axis lists by key; -1 is the key in use.
    """

    __hash__: typing.ClassVar[None] = None
    def __eq__(self, arg0: DimensionOrders) -> bool: ...
    def __init__(
        self,
        orders: collections.abc.Mapping[
            typing.SupportsInt | typing.SupportsIndex,
            collections.abc.Sequence[typing.SupportsInt | typing.SupportsIndex],
        ],
    ) -> None: ...
    def __repr__(self) -> str: ...
    @property
    def orders(self) -> dict[int, list[int]]: ...

class Blob:
    """
    Read-only bytes inside a file: memoryview(blob), numpy.frombuffer(blob, ...).
    """
    def __len__(self) -> int: ...

class Descriptor:
    @property
    def id(self) -> str: ...
    @property
    def optional(self) -> bool: ...
    @property
    def version(self) -> int: ...

class MetaGraph:
    """
    A UFF file in memory: one graph 'main' and its referenced data.
    """
    def __init__(self) -> None: ...
    def add_data(self, key: str, value: typing.Any) -> None: ...
    def add_descriptor(
        self,
        id: str,
        version: typing.SupportsInt | typing.SupportsIndex = 1,
        optional: bool = False,
    ) -> None: ...
    def add_extra_field(self, key: str, value: typing.Any) -> None:
        """
        Of the whole file; an older parser skips it.
        """
    def add_node(
        self, id: str, operation: str, inputs: collections.abc.Sequence[str], fields: dict
    ) -> None: ...
    @property
    def descriptors(self) -> list[Descriptor]: ...
    @property
    def extra_fields(self) -> dict: ...
    @property
    def nodes(self) -> list[Node]: ...
    @property
    def referenced_data(self) -> dict: ...
    @property
    def version(self) -> int: ...

class Node:
    """
    A copy of one node; blobs stay views.
    """
    @property
    def fields(self) -> dict: ...
    @property
    def id(self) -> str: ...
    @property
    def inputs(self) -> list[str]: ...
    @property
    def operation(self) -> str: ...

class UffInputOrder:
    """
    How the buffer of an input is laid out.

    Members:

      NCHW

      NHWC

      NC
    """

    NC: typing.ClassVar[UffInputOrder]
    NCHW: typing.ClassVar[UffInputOrder]
    NHWC: typing.ClassVar[UffInputOrder]
    __members__: typing.ClassVar[dict[str, UffInputOrder]]
    @typing.overload
    def __eq__(self, other: UffInputOrder) -> bool: ...
    @typing.overload
    def __eq__(self, other: typing.Any) -> bool: ...
    def __getstate__(self) -> int: ...
    def __hash__(self) -> int: ...
    def __index__(self) -> int: ...
    def __init__(self, value: typing.SupportsInt | typing.SupportsIndex) -> None: ...
    def __int__(self) -> int: ...
    @typing.overload
    def __ne__(self, other: UffInputOrder) -> bool: ...
    @typing.overload
    def __ne__(self, other: typing.Any) -> bool: ...
    def __repr__(self) -> str: ...
    def __setstate__(self, state: typing.SupportsInt | typing.SupportsIndex) -> None: ...
    def __str__(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def value(self) -> int: ...

class UffParser:
    """
    UFF to Graph, with the calls of tensorrt.UffParser.
    """
    def __init__(self) -> None: ...
    def parse(self, path: str) -> chexnet_trt._core.Graph:
        """
        Reads the file; returns its Graph.
        """
    def parse_buffer(self, buffer: bytes) -> chexnet_trt._core.Graph:
        """
        The same from bytes, which the graph keeps for its weights.
        """
    def register_input(
        self,
        name: str,
        shape: collections.abc.Sequence[typing.SupportsInt | typing.SupportsIndex],
        order: UffInputOrder = ...,
        element_type: str = "float32",
    ) -> bool:
        """
        `shape` without the batch.
        """
    def register_output(self, name: str) -> bool:
        """
        A node, or the id of a MarkOutput.
        """

def encode(meta: MetaGraph) -> bytes:
    """
    The bytes of the file.
    """

def read_bytes(data: bytes, name: str = "<bytes>") -> MetaGraph: ...
def read_file(path: str) -> MetaGraph:
    """
    Maps and parses a file. Raises InputError when it is not a sound UFF file.
    """

def to_text(meta: MetaGraph) -> str:
    """
    The text form; blobs of more than 32 bytes are left out.
    """

def write_file(meta: MetaGraph, path: str) -> None:
    """
    Writes the file atomically.
    """
