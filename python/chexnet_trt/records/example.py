"""tf.train.Example without TensorFlow: features of bytes and of integers by name."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from chexnet_trt._core import InputError

Value: TypeAlias = "Sequence[bytes] | Sequence[int]"

# tensorflow/core/example/{example,feature}.proto as far as it is needed; a map is a list of pairs
# in protobuf's encoding, and a list of floats is skipped.
_EXAMPLE_PROTO = """
name: "chexnet_trt_example.proto" syntax: "proto3"
message_type { name: "Example"
  field { name: "features" number: 1 label: LABEL_OPTIONAL type_name: "Features" } }
message_type { name: "Features"
  field { name: "feature" number: 1 label: LABEL_REPEATED type_name: "Pair" } }
message_type { name: "Pair"
  field { name: "key" number: 1 label: LABEL_OPTIONAL type: TYPE_BYTES }
  field { name: "value" number: 2 label: LABEL_OPTIONAL type_name: "Feature" } }
message_type { name: "Feature"
  field { name: "bytes_list" number: 1 label: LABEL_OPTIONAL type_name: "BytesList" }
  field { name: "int64_list" number: 3 label: LABEL_OPTIONAL type_name: "Int64List" } }
message_type { name: "BytesList"
  field { name: "value" number: 1 label: LABEL_REPEATED type: TYPE_BYTES } }
message_type { name: "Int64List"
  field { name: "value" number: 1 label: LABEL_REPEATED type: TYPE_INT64 } }
"""


def serialise(features: Mapping[str, Value]) -> bytes:
    """The same bytes for the same features, in their order."""
    example = _example_class()()
    for name, values in features.items():
        pair = example.features.feature.add(key=name.encode())
        if values and isinstance(values[0], bytes):
            pair.value.bytes_list.value.extend(values)
        else:
            pair.value.int64_list.value.extend(values)
    content: bytes = example.SerializeToString(deterministic=True)
    return content


def parse(data: bytes) -> dict[str, Value]:
    """Features by name; one of floats is empty. Raises InputError for what is no Example."""
    from google.protobuf.message import DecodeError

    try:
        example = _example_class().FromString(data)
    except DecodeError:
        raise InputError("is not a tf.train.Example") from None
    return {
        pair.key.decode(errors="replace"): (
            list(pair.value.bytes_list.value) or list(pair.value.int64_list.value)
        )
        for pair in example.features.feature
    }


@functools.cache
def _example_class() -> Any:  # noqa: ANN401 - generated
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, text_format

    pool = descriptor_pool.DescriptorPool()
    pool.Add(text_format.Parse(_EXAMPLE_PROTO, descriptor_pb2.FileDescriptorProto()))
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("Example"))
