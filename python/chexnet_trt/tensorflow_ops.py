"""TensorFlow's ops that have no place in a frozen graph for inference."""

from __future__ import annotations


def _ops(names: str) -> frozenset[str]:
    return frozenset(names.split())


VARIABLES = _ops(
    """Variable VariableV2 VarHandleOp ReadVariableOp AutoReloadVariable TemporaryVariable
    VarIsInitializedOp"""
)
CONTROL_FLOW = _ops(
    """Switch Merge RefSwitch RefMerge Enter RefEnter Exit RefExit NextIteration
    RefNextIteration LoopCond ControlTrigger"""
)
BATCH_NORMS = _ops("FusedBatchNorm FusedBatchNormV2 FusedBatchNormV3")
FUNCTION_CALLS = _ops(
    """If StatelessIf While StatelessWhile Case StatelessCase PartitionedCall
    StatefulPartitionedCall SymbolicGradient"""
)
DATA_PIPELINES = _ops(
    """IteratorGetNext IteratorV2 Iterator OneShotIterator IteratorFromStringHandleV2
    MakeIterator FIFOQueue FIFOQueueV2 PaddingFIFOQueueV2 RandomShuffleQueueV2 QueueDequeueV2
    QueueDequeueManyV2 QueueDequeueUpToV2 ReaderReadV2"""
)
RANDOM = _ops(
    """RandomUniform RandomUniformInt RandomStandardNormal TruncatedNormal StatelessRandomUniform
    StatelessRandomUniformV2 StatelessRandomNormal StatelessRandomNormalV2
    StatelessRandomUniformIntV2 StatelessTruncatedNormalV2 RngReadAndSkip StatefulUniform"""
)
