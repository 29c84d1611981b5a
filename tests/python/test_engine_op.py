from __future__ import annotations

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from chexnet_trt import InputError
from networks import INPUT, SCORES, small_images

tf = pytest.importorskip("tensorflow")
pytestmark = [pytest.mark.tensorflow, pytest.mark.usefixtures("op_library")]

import engine_graphs  # noqa: E402
from chexnet_trt.integrated import engine_op, fallback_calls, make_callable  # noqa: E402
from engine_graphs import NODE, engine_graph, expected_scores  # noqa: E402

TOLERANCE = 1e-5


def session_of(graph_def):
    graph = tf.Graph()
    with graph.as_default():
        tf.import_graph_def(graph_def, name="")
    return tf.compat.v1.Session(graph=graph)


def run(session, images):
    return session.run(f"{SCORES}:0", {"images:0": images})


@pytest.fixture(scope="module")
def engine(small_engine: Path) -> bytes:
    return small_engine.read_bytes()


@pytest.fixture(scope="module")
def session(engine):
    session = session_of(engine_graph(engine=engine))  # not entered: that would end eager mode
    yield session
    session.close()


@pytest.mark.parametrize("batch", [0, 1, 3, 4])
def test_a_session_runs_every_batch(session, batch):
    images = small_images(batch)
    scores = run(session, images)
    assert scores.shape == (batch, 14)
    np.testing.assert_allclose(scores, expected_scores(images), atol=TOLERANCE)


@pytest.mark.parametrize("suffix", ["", ":0"])
def test_a_callable_computes_what_the_session_does(session, suffix):
    scores = make_callable(session, [f"images{suffix}"], f"{SCORES}{suffix}")
    for batch in (1, 4):
        images = small_images(batch)
        np.testing.assert_array_equal(scores(images), run(session, images))
    with pytest.raises(tf.errors.InvalidArgumentError, match="batch 5 is above"):
        scores(small_images(5))


def test_shapes_are_inferred(session):
    scores = session.graph.get_tensor_by_name(f"{SCORES}:0")
    assert scores.shape.as_list() == [None, 14]
    with tf.Graph().as_default():
        images = tf.zeros([2, 3, 8, 8])
        graph_def = session.graph.as_graph_def()
        (fixed,) = tf.import_graph_def(
            graph_def, input_map={"images": images}, return_elements=[f"{SCORES}:0"]
        )
        assert fixed.shape.as_list() == [2, 14]


def test_an_engine_of_a_file(small_engine):
    with session_of(engine_graph(engine_path=str(small_engine).encode())) as session:
        np.testing.assert_allclose(
            run(session, small_images(2)), expected_scores(small_images(2)), atol=TOLERANCE
        )


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((5, 3, 8, 8), "batch 5 is above the engine's 4"),
        ((2, 3, 9, 8), rf"'{INPUT}' has shape \[2,3,9,8\], the engine takes \[batch,3,8,8\]"),
        ((1, 8, 8, 3), r"the engine takes \[batch,3,8,8\]"),
    ],
)
def test_images_that_do_not_fit(session, shape, message):
    with pytest.raises(tf.errors.InvalidArgumentError, match=f"{NODE}: .*{message}"):
        run(session, np.zeros(shape, np.float32))


def damaged(engine: bytes) -> bytes:
    middle = len(engine) // 2
    return engine[:middle] + bytes([engine[middle] ^ 1]) + engine[middle + 1 :]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"engine": b"not an engine" * 10}, f"engine of {NODE}"),
        ({"engine": None}, "give the node either an engine or an engine_path"),
        ({"engine": None, "engine_path": b"/no/such.engine"}, "/no/such.engine"),
        ({"max_batch_size": 5}, "max_batch_size 5 is above the engine's 4"),
        ({"input_names": ["images"]}, "'images', which the engine has not"),
        ({"output_names": [SCORES, SCORES]}, "output_names has 2 names"),
    ],
)
def test_nodes_that_do_not_fit(engine, changes, message):
    attributes = {"engine": engine} | changes
    given = {name: value for name, value in attributes.items() if value is not None}
    with (
        session_of(engine_graph(**given)) as session,
        pytest.raises(tf.errors.InvalidArgumentError, match=message),
    ):
        run(session, small_images(1))


def test_an_engine_that_is_damaged(engine):
    with (
        session_of(engine_graph(engine=damaged(engine))) as session,
        pytest.raises(tf.errors.InvalidArgumentError, match=f"engine of {NODE}.*damaged"),
    ):
        run(session, small_images(1))


def test_a_type_that_is_not_the_engines(engine):
    graph_def = engine_graph(engine=engine)
    for node in graph_def.node:
        name = {"Placeholder": "dtype", "ChexnetTrtEngine": "InT"}.get(node.op)
        if name == "dtype":
            node.attr[name].type = tf.float16.as_datatype_enum
        elif name:
            node.attr[name].list.type[:] = [tf.float16.as_datatype_enum]
    with (
        session_of(graph_def) as session,
        pytest.raises(tf.errors.InvalidArgumentError, match="half in the graph and float in the"),
    ):
        run(session, small_images(1).astype(np.float16))


def test_an_engine_of_another_device_is_compiled_again_with_a_warning(capfd):
    """The golden engine computes 2 x + 1 of [batch, 3]."""
    golden = Path(__file__).parents[1] / "data" / "golden_v1.engine"
    graph_def = engine_graph(engine=golden.read_bytes(), input_names=["x"], output_names=["y"])
    graph_def.node[0].attr["shape"].shape.CopyFrom(tf.TensorShape(None).as_proto())
    with session_of(graph_def) as session:
        np.testing.assert_array_equal(run(session, [[0, 1, 2]]), [[1, 3, 5]])
    assert "compiling it again from the graph" in capfd.readouterr().err


def test_eight_threads(session):
    start = threading.Barrier(8)

    def work(seed):
        start.wait()
        for turn in range(20):
            images = small_images(1 + (seed + turn) % 4, seed=100 * seed + turn)
            np.testing.assert_allclose(
                run(session, images), expected_scores(images), atol=TOLERANCE
            )

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))


def test_a_function(engine):
    scores = engine_graphs.as_function(engine_graph(engine=engine))
    for batch in (1, 4):
        images = small_images(batch)
        np.testing.assert_allclose(scores(images), expected_scores(images), atol=TOLERANCE)
    with pytest.raises(tf.errors.InvalidArgumentError, match="batch 5 is above"):
        scores(small_images(5))


def test_a_failing_engine_without_and_with_fallback(engine, capfd):
    before = fallback_calls()
    graph_def = engine_graph(engine=damaged(engine), native=True)
    with session_of(graph_def) as session:
        for turn in range(3):
            images = small_images(5, seed=turn)
            np.testing.assert_allclose(
                run(session, images), expected_scores(images), atol=TOLERANCE
            )
    assert fallback_calls() == before + 3
    said = capfd.readouterr().err
    assert f"TensorFlow computes '{engine_graphs.NATIVE}' itself, the engine failed" in said
    assert "damaged" in said


def test_there_is_one_fallback_at_most(engine):
    graph_def = engine_graph(engine=engine, native=True)
    node = next(node for node in graph_def.node if node.name == NODE)
    node.attr["fallback"].list.func.add(name=node.attr["fallback"].list.func[0].name)
    with (
        session_of(graph_def) as session,
        pytest.raises(tf.errors.InvalidArgumentError, match="2 fallbacks"),
    ):
        run(session, small_images(1))


def test_the_fallback_takes_what_is_above_the_maximum_and_no_other_shape(engine):
    before = fallback_calls()
    scores = engine_graphs.as_function(engine_graph(engine=engine, native=True))
    images = small_images(5)
    np.testing.assert_allclose(scores(images), expected_scores(images), atol=TOLERANCE)
    np.testing.assert_allclose(scores(images[:2]), expected_scores(images[:2]), atol=TOLERANCE)
    assert fallback_calls() == before + 1
    with pytest.raises(tf.errors.InvalidArgumentError, match="the engine takes"):
        scores(np.zeros((1, 3, 16, 16), np.float32))
    assert fallback_calls() == before + 1


def test_saved_models_in_a_fresh_process(engine, tmp_path):
    """The engine's, and one whose engine is damaged: its function follows it."""
    engine_graphs.save_model(engine_graph(engine=engine), tmp_path / "sound")
    broken = engine_graph(engine=damaged(engine), native=True)
    engine_graphs.save_model(broken, tmp_path / "broken")
    images = small_images(3)
    np.save(tmp_path / "images.npy", images)
    code = (
        "import sys, numpy as np\n"
        "from chexnet_trt.integrated import fallback_calls, load_op_library\n"
        "load_op_library()\n"
        "import tensorflow as tf\n"
        "images = tf.constant(np.load(sys.argv[1] + '/images.npy'))\n"
        "for name in ('sound', 'broken'):\n"
        "    model = tf.saved_model.load(sys.argv[1] + '/' + name)\n"
        "    scores = model.signatures['serving_default'](images)['output_0'].numpy()\n"
        "    np.save(f'{sys.argv[1]}/{name}.npy', scores)\n"
        "    print(name, fallback_calls())\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "sound 0\nbroken 1\n"
    assert "the engine failed" in done.stderr
    for name in ("sound", "broken"):
        scores = np.load(tmp_path / f"{name}.npy")
        np.testing.assert_allclose(scores, expected_scores(images), atol=TOLERANCE)


@pytest.mark.parametrize("native", [False, True])
def test_a_saved_model_that_a_program_of_tensorflow_1_wrote(engine, tmp_path, native):
    with tf.Graph().as_default() as graph, tf.compat.v1.Session() as session:
        tf.import_graph_def(engine_graph(engine=engine, native=native), name="")
        image, scores = (graph.get_tensor_by_name(f"{name}:0") for name in ("images", SCORES))
        tf.compat.v1.saved_model.simple_save(
            session, str(tmp_path / "model"), {"image": image}, {"scores": scores}
        )
    images = small_images(2)
    signature = tf.saved_model.load(str(tmp_path / "model")).signatures["serving_default"]
    result = signature(image=tf.constant(images))["scores"]
    np.testing.assert_allclose(result, expected_scores(images), atol=TOLERANCE)


@pytest.fixture
def fresh_cache(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv(engine_op.CACHE_VARIABLE, str(tmp_path / "cache"))
    return tmp_path / "cache"


def compiler(path: Path, then: str) -> str:
    """A stand-in for one: counts its calls; its argument after -o is the file to write."""
    path.write_text(
        f'#!/bin/sh\necho called >> {path}.calls\nwhile [ "$1" != -o ]; do shift; done\n{then}\n'
    )
    path.chmod(0o755)
    return str(path)


def test_threads_and_processes_compile_once(fresh_cache, tmp_path, monkeypatch):
    slow = compiler(tmp_path / "slow", 'sleep 0.3; echo library > "$2"')
    monkeypatch.setenv("CXX", slow)
    with ThreadPoolExecutor(2) as pool:
        one, other = pool.map(lambda _: engine_op._library(), range(2))
    assert one == other
    assert one.read_text() == "library\n"
    assert Path(f"{slow}.calls").read_text() == "called\n"
    assert sorted(path.name for path in one.parent.iterdir()) == [one.name, "lock"]


def test_a_compiler_that_fails(fresh_cache, tmp_path, monkeypatch):
    failing = compiler(tmp_path / "bad", 'echo "x.cpp:1: error: no" >&2; exit 1')
    monkeypatch.setenv("CXX", failing)
    with pytest.raises(InputError, match=r"bad cannot compile the op .*: x.cpp:1: error: no"):
        engine_op._library()
    assert [path.name for path in fresh_cache.rglob("*.so")] == []


def test_no_compiler(fresh_cache, monkeypatch):
    monkeypatch.setenv("CXX", "no-such-compiler")
    with pytest.raises(InputError, match=r"no compiler 'no-such-compiler' \(CXX\)"):
        engine_op._library()
    monkeypatch.delenv("CXX")
    monkeypatch.setenv("PATH", "")
    with pytest.raises(InputError, match=r"there is no C\+\+ compiler.*install g\+\+"):
        engine_op._library()


def test_a_compiler_of_several_words(fresh_cache, tmp_path, monkeypatch):
    made = compiler(tmp_path / "made", 'echo library > "$2"')
    monkeypatch.setenv("CXX", f"/bin/sh {made}")
    assert engine_op._library().read_text() == "library\n"


def test_a_cache_that_cannot_be_written(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv(engine_op.CACHE_VARIABLE, str(tmp_path / "file"))
    with pytest.raises(InputError, match=r"cannot make the folder .*; name another with CHEXNET_"):
        engine_op._library()


def test_where_the_cache_lies(monkeypatch):
    monkeypatch.delenv(engine_op.CACHE_VARIABLE, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", "/caches")
    assert engine_op.cache_folder() == Path("/caches/chexnet_trt")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert engine_op.cache_folder() == Path.home() / ".cache" / "chexnet_trt"


def test_another_engine_library_is_another_key(tmp_path):
    source = tmp_path / "engine_op.cpp"
    engines = tmp_path / "libchexnet_trt.so"
    for path in (source, engines, tmp_path / "chexnet_trt.h"):
        path.write_text(path.name)
    recipe = engine_op.Recipe(source, engines, ("-O2",), (), "2.21.0")
    key = recipe.key()
    assert key == recipe.key()
    engines.write_text("another")
    assert recipe.key() != key
    assert engine_op.Recipe(source, engines, ("-O2",), (), "2.22.0").key() != recipe.key()
