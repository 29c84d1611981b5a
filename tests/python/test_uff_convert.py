from __future__ import annotations

import pytest

from chexnet_trt._core import InputError, uff
from chexnet_trt.uff import from_tensorflow, from_tensorflow_frozen_model
from graph_defs import DType, GraphMaker, Shape, convert, nodes_of


def canonical(meta):
    """Everything but the order of map entries."""

    def plain(value):
        return bytes(value) if isinstance(value, uff.Blob) else value

    nodes = [(n.id, n.operation, n.inputs, n.fields) for n in meta.nodes]
    return nodes, {key: plain(value) for key, value in meta.referenced_data.items()}


def with_blobs_of(meta, other):
    """A copy of `meta` whose blobs are those of `other`."""
    out = uff.MetaGraph()
    for descriptor in meta.descriptors:
        out.add_descriptor(descriptor.id, descriptor.version, descriptor.optional)
    for node in meta.nodes:
        out.add_node(node.id, node.operation, node.inputs, node.fields)
    blobs = other.referenced_data
    for key, value in meta.referenced_data.items():
        out.add_data(key, blobs[key] if isinstance(value, uff.Blob) else value)
    return out


@pytest.mark.models
class TestRealFiles:
    @pytest.mark.parametrize(
        ("pb", "expected"),
        [
            ("zhucheng725-lenet5/lenet5.pb", "zhucheng725-lenet5/lenet5.uff"),
            ("xuansan915-mnist/model.pb", "xuansan915-mnist/model.uff"),
            ("xuansan915-mnist/model.pb", "xuansan915-mnist/dot.uff"),
            ("grumperka-lenet5/lenet5.pb", "grumperka-lenet5/lenet5.uff"),
        ],
    )
    def test_is_canonically_equal(self, models_dir, pb, expected):
        data = from_tensorflow_frozen_model(models_dir / pb, ["dense_1/Softmax"], quiet=True)
        reference = models_dir / expected
        assert len(data) == reference.stat().st_size
        assert canonical(uff.read_bytes(data)) == canonical(uff.read_file(str(reference)))

    def test_is_byte_identical(self, models_dir):
        folder = models_dir / "zhucheng725-lenet5"
        data = from_tensorflow_frozen_model(folder / "lenet5.pb", ["dense_1/Softmax"], quiet=True)
        assert data == (folder / "lenet5.uff").read_bytes()

    def test_is_byte_identical_with_the_files_own_blobs(self, models_dir):
        folder = models_dir / "allarobot-lenet5"
        data = from_tensorflow_frozen_model(folder / "lenet5.pb", ["dense_1/Softmax"], quiet=True)
        reference = (folder / "lenet5.uff").read_bytes()
        assert data != reference
        ours = with_blobs_of(uff.read_bytes(data), uff.read_bytes(reference))
        assert uff.encode(ours) == reference

    def test_deduces_the_output(self, models_dir):
        pb = models_dir / "zhucheng725-lenet5" / "lenet5.pb"
        assert from_tensorflow_frozen_model(pb, quiet=True) == from_tensorflow_frozen_model(
            pb, ["dense_1/Softmax"], quiet=True
        )


def small() -> GraphMaker:
    maker = GraphMaker()
    maker.placeholder()
    maker.node("Relu", "a", ["x"])
    maker.node("Tanh", "b", ["a"])
    maker.node("Sigmoid", "c", ["a"])
    return maker


def operations(meta):
    return [(node.operation, node.id) for node in meta.nodes]


class TestTraversal:
    def test_explores_the_last_output_first_and_marks_in_order(self):
        assert operations(convert(small(), "b", "c")) == [
            ("Activation", "c"),
            ("Activation", "a"),
            ("Input", "x"),
            ("Activation", "b"),
            ("MarkOutput", "MarkOutput_0"),
            ("MarkOutput", "MarkOutput_1"),
        ]

    def test_emits_a_bias_before_its_add_and_other_constants_when_reached(self):
        maker = GraphMaker()
        maker.placeholder(shape=(-1, 4))
        maker.const("w", [[1.0]])
        maker.const("bias", [1.0])
        maker.node("MatMul", "m", ["x", "w"])
        maker.node("BiasAdd", "out", ["m", "bias"])
        assert [name for _, name in operations(convert(maker, "out"))] == [
            "bias", "out", "m", "w", "x", "MarkOutput_0",
        ]  # fmt: skip

    def test_skips_one_level_of_identity(self):
        maker = small()
        maker.node("Identity", "i", ["a"])
        maker.node("Identity", "j", ["i"])
        maker.node("Neg", "one", ["i"])
        maker.node("Neg", "two", ["j"])
        meta = nodes_of(convert(maker, "one", "two"))
        assert meta["one"].inputs == ["a"]
        assert meta["two"].inputs == ["i"]
        assert meta["i"].operation == "Identity"

    def test_looks_through_nodes_that_hand_their_input_on(self):
        maker = small()
        maker.node("StopGradient", "s", ["a"])
        maker.node("CheckNumerics", "n", ["s"])
        maker.node("Neg", "out", ["n"])
        assert nodes_of(convert(maker, "out"))["out"].inputs == ["a"]

    def test_drops_control_inputs(self):
        maker = small()
        maker.node("NoOp", "noop", ["^b"])
        maker.node("Neg", "out", ["a", "^noop"])
        meta = nodes_of(convert(maker, "out"))
        assert meta["out"].inputs == ["a"]
        assert "noop" not in meta

    def test_needs_no_recursion(self):
        maker = GraphMaker()
        maker.placeholder()
        last = "x"
        for i in range(5000):
            last = maker.node("Relu", f"r{i}", [last])
        assert len(convert(maker, last).nodes) == 5002

    def test_a_cycle_ends(self):
        maker = GraphMaker()
        maker.node("Relu", "a", ["b"])
        maker.node("Relu", "b", ["a"])
        assert len(convert(maker, "a").nodes) == 3


class TestOutputs:
    @pytest.mark.parametrize(
        ("wanted", "name"), [("b", "b"), ("b:0", "b"), ("3", "b"), (3, "b"), ("-1", "c")]
    )
    def test_takes_names_and_indices(self, wanted, name):
        assert convert(small(), wanted).nodes[-1].inputs == [name]

    def test_deduces_what_nothing_reads(self):
        maker = small()
        maker.node("NoOp", "done", ["^b"])
        maker.const("unused", [1.0])
        meta = convert(maker)
        assert [n.inputs for n in meta.nodes if n.operation == "MarkOutput"] == [["b"], ["c"]]

    @pytest.mark.parametrize(
        ("wanted", "message"),
        [
            (["d1"], "'d1' is not in the graph: list the nodes with -l"),
            (["aa"], "did you mean 'a'"),
            (["0"], "index 0 is not between"),
            (["5"], "index 5 is not between 1 and 4"),
            (["b", "3"], "named twice"),
        ],
    )
    def test_refuses(self, wanted, message):
        with pytest.raises(InputError, match=message):
            convert(small(), *wanted)

    def test_says_when_nothing_can_be_deduced(self):
        maker = GraphMaker()
        maker.placeholder()
        with pytest.raises(InputError, match="name one with -O"):
            convert(maker)


class TestInputReplacement:
    def test_stops_at_the_replaced_node(self):
        meta = convert(small(), "b", input_node=["a,,float32,-1,8"])
        assert operations(meta)[:2] == [("Activation", "b"), ("Input", "a")]
        assert nodes_of(meta)["a"].fields == {"shape": [-1, 8], "dtype": uff.DataType(0x20020)}

    def test_renames_for_the_readers_too(self):
        meta = nodes_of(convert(small(), "b", input_node=["a,image,half,1,8,8,3"]))
        assert meta["b"].inputs == ["image"]
        assert meta["image"].fields["dtype"] == uff.DataType(0x20010)
        assert "a" not in meta

    @pytest.mark.parametrize("op", ["Identity", "StopGradient", "IteratorGetNext"])
    def test_replaces_nodes_that_would_be_skipped_or_refused(self, op):
        maker = GraphMaker()
        maker.node("IteratorV2", "iterator")
        maker.node(op, "feed", ["iterator"])
        maker.node("Relu", "out", ["feed"])
        meta = convert(maker, "out", input_node=["feed,,float32,-1,4"])
        assert operations(meta)[:2] == [("Activation", "out"), ("Input", "feed")]

    def test_warns_when_nothing_reads_it(self, capsys):
        convert(small(), "b", input_node=["c,,float32,1"])
        assert "does not read 'c'" in capsys.readouterr().err

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("a", "NAME,NEW_NAME,DTYPE"),
            ("zzz,,float32,1", "'zzz', which is not in the graph"),
            ("a,,complex,1", "no type 'complex'"),
            ("a,,float32,x", "whole numbers"),
            ("a,,float32,-2", "-1 .unknown. or a size"),
            ("a,b,float32,1", "a name in use"),
        ],
    )
    def test_refuses(self, text, message):
        with pytest.raises(InputError, match=message):
            convert(small(), "b", input_node=[text])


class TestRefusals:
    def test_lists_every_node_of_training_in_one_line(self):
        maker = GraphMaker()
        maker.node("IteratorV2", "iterator")
        maker.node("IteratorGetNext", "next", ["iterator"])
        maker.node("VarHandleOp", "handle")
        maker.node("ReadVariableOp", "read", ["handle"])
        maker.node("BiasAdd", "biased", ["next", "read"])
        maker.node("Switch", "switch", ["biased", "biased"])
        maker.node("Relu", "out", ["switch:1"])
        with pytest.raises(InputError) as error:
            convert(maker, "out")
        text = str(error.value)
        assert "\n" not in text
        for part in ("'next' (IteratorGetNext)", "-I NAME", "'handle' (VarHandleOp)",
                     "'read' (ReadVariableOp)", "freeze the graph", "'switch' (Switch)",
                     "training=False"):  # fmt: skip
            assert part in text

    def test_names_function_calls(self):
        maker = small()
        function = maker.graph.library.function.add()
        function.signature.name = "block"
        maker.node("block", "call", ["a"])
        with pytest.raises(InputError, match=r"function calls: 'call' \(block\)"):
            convert(maker, "call")

    def test_names_missing_inputs(self):
        maker = GraphMaker()
        maker.node("Relu", "out", ["nowhere"])
        with pytest.raises(InputError, match="'out' reads 'nowhere', which is not in the graph"):
            convert(maker, "out")

    def test_names_two_nodes_of_one_name(self):
        maker = small()
        maker.node("Relu", "a", ["x"])
        with pytest.raises(InputError, match="two nodes are called 'a'"):
            convert(maker, "b")

    def test_refuses_the_statistics_of_a_batch_norm(self):
        maker = GraphMaker()
        maker.placeholder()
        for name in ("gamma", "beta", "mean", "variance"):
            maker.const(name, [1.0, 1.0, 1.0])
        maker.node("FusedBatchNormV3", "bn", ["x", "gamma", "beta", "mean", "variance"],
                   is_training=False)  # fmt: skip
        maker.node("Relu", "out", ["bn:1"])
        with pytest.raises(InputError, match="'out' reads output 1 of 'bn'"):
            convert(maker, "out")


class TestCustomOps:
    def maker(self):
        maker = small()
        maker.node(
            "BatchMatMulV2", "custom", ["a", "b"],
            T=DType("float32"), adj_x=False, ksize=[1, 2], empty=[], data_format="NHWC",
            scale=0.5, shape=Shape((2, -1)), flag=DType("bool"),
        )  # fmt: skip
        return maker

    def test_keep_their_attributes(self):
        meta = convert(self.maker(), "custom")
        assert [d.id for d in meta.descriptors] == ["tensorflow_extension", "custom"]
        node = nodes_of(meta)["custom"]
        assert node.operation == "_BatchMatMulV2"
        assert node.inputs == ["a", "b"]
        assert node.fields == {
            "T": uff.DataType(0x20020), "adj_x": False, "ksize": [1, 2], "data_format": "b'NHWC'",
            "scale": 0.5, "shape": [2, -1], "flag": uff.DataType(7),
        }  # fmt: skip

    def test_are_named_in_warnings(self, capsys):
        convert(self.maker(), "custom")
        lines = capsys.readouterr().err.splitlines()
        assert lines[0] == (
            "Warning: No conversion function registered for layer: BatchMatMulV2 yet."
        )
        assert lines[1] == "Converting custom as custom op: BatchMatMulV2"
        assert "1 nodes have no UFF op" in lines[2]
        assert "'custom' (_BatchMatMulV2)" in lines[2]

    def test_warnings_show_control_characters_and_do_not_send_them(self, capsys):
        maker = GraphMaker()
        maker.placeholder()
        maker.node("Wavelet", "a\nb\x1b[2J", ["x"])
        convert(maker, "a\nb\x1b[2J")
        lines = capsys.readouterr().err.splitlines()
        assert lines[1] == "Converting a\\nb\\x1b[2J as custom op: Wavelet"


class TestInterface:
    def test_prints_progress_unless_quiet(self, capsys, tmp_path):
        path = tmp_path / "out.uff"
        data = from_tensorflow(small().graph, ["b"], output_filename=path, text=True)
        out = capsys.readouterr().out
        for line in ('Placeholder: "x"', "Using output node b", "Converting to UFF graph",
                     "No. nodes: 4", f"UFF Output written to {path}",
                     f"UFF Text Output written to {tmp_path / 'out.pbtxt'}"):  # fmt: skip
            assert line in out.splitlines()
        assert path.read_bytes() == data
        assert 'id: "main"' in (tmp_path / "out.pbtxt").read_text()

    def test_lists_nodes_and_returns_nothing(self, capsys, tmp_path):
        path = tmp_path / "out.uff"
        assert from_tensorflow(small().graph, list_nodes=True, output_filename=path) is None
        assert capsys.readouterr().out.splitlines()[:2] == ['1 Placeholder: "x"', '2 Relu: "a"']
        assert not path.exists()

    def test_returns_graph_info(self):
        data, inputs, outputs = from_tensorflow(
            small().graph, ["c"], quiet=True, return_graph_info=True, not_an_option=1
        )
        assert uff.read_bytes(data).nodes
        assert [node.name for node in inputs] == ["x"]
        assert [node.name for node in outputs] == ["c"]

    def test_runs_a_preprocessor_on_a_copy(self, tmp_path):
        script = tmp_path / "edit.py"
        script.write_text(
            "def preprocess(graph):\n"
            "    for node in graph.node:\n"
            "        if node.op == 'Tanh':\n"
            "            node.op = 'Elu'\n"
        )
        maker = small()
        data = from_tensorflow(
            maker.graph, ["b"], script, quiet=True, write_preprocessed=True,
            output_filename=tmp_path / "n.uff",
        )  # fmt: skip
        assert nodes_of(uff.read_bytes(data))["b"].fields == {"func": "elu"}
        assert maker.graph.node[2].op == "Tanh"
        written = type(maker.graph).FromString((tmp_path / "n_preprocessed.pb").read_bytes())
        assert written.node[2].op == "Elu"

    @pytest.mark.parametrize(
        ("text", "message"),
        [("x = 1", "does not define preprocess"), ("1 / 0", "ZeroDivisionError")],
    )
    def test_names_a_preprocessor_that_fails(self, tmp_path, text, message):
        script = tmp_path / "bad.py"
        script.write_text(text)
        with pytest.raises(InputError, match=message):
            from_tensorflow(small().graph, ["b"], script, quiet=True)
        with pytest.raises(InputError, match=r"none\.py"):
            from_tensorflow(small().graph, ["b"], tmp_path / "none.py", quiet=True)

    def test_names_a_folder_that_is_missing(self, tmp_path):
        with pytest.raises(InputError, match="cannot write"):
            from_tensorflow(
                small().graph, ["b"], quiet=True, output_filename=tmp_path / "no" / "n.uff"
            )
