"""The TensorFlow op `ChexnetTrtEngine`: compiled for the TensorFlow that is installed, and loaded.

Its source and the library of engines that it calls lie beside the compiled core, in the
installation as in a build tree.
"""

from __future__ import annotations

import ctypes
import fcntl
import functools
import hashlib
import os
import shlex
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from chexnet_trt import _core
from chexnet_trt._core import InputError
from chexnet_trt.engine import logger
from chexnet_trt.inputs import make_folder
from chexnet_trt.tensorflow_import import import_tensorflow

CACHE_VARIABLE = "CHEXNET_TRT_CACHE"
_COMPILERS = ("c++", "g++", "clang++")
_FLAGS = ("-shared", "-fPIC", "-O2", "-fvisibility=hidden", "-w")  # TensorFlow's headers warn.
_LOCK = threading.Lock()


def load_op_library() -> Path:
    """Loads the op into TensorFlow, once a process; returns the library, for tf.load_op_library.

    Call it before a graph with engines is loaded. The op is compiled when this TensorFlow first
    needs it, which takes seconds and a C++ compiler, and kept in the user's cache folder, or that
    of the environment variable CHEXNET_TRT_CACHE. Raises InputError when it cannot be.
    """
    with _LOCK:
        return _loaded()


def fallback_calls() -> int:
    """How often, in this process, TensorFlow ran the native segment because an engine failed."""
    count = ctypes.CDLL(str(load_op_library())).chexnet_trt_fallback_calls
    count.restype = ctypes.c_int64
    return int(count())


@functools.cache
def _loaded() -> Path:
    import_tensorflow("a graph with engines")
    import tensorflow as tf

    path = _library()
    try:
        tf.load_op_library(str(path))
    except tf.errors.NotFoundError as error:
        raise InputError(f"TensorFlow {tf.__version__} does not load '{path}': {error}") from None
    return path


def _library() -> Path:
    """Compiled with chexnet_trt, or before, or now."""
    import tensorflow as tf

    installation = Path(_core.__file__).resolve().parent
    folder = installation / "tensorflow_op"
    ready = folder / f"libchexnet_trt_op-{tf.__version__}.so"
    if ready.exists():
        return ready
    recipe = Recipe(
        source=folder / "engine_op.cpp",
        engines=installation / "libchexnet_trt.so",
        flags=(*_FLAGS, *tf.sysconfig.get_compile_flags()),
        links=tuple(tf.sysconfig.get_link_flags()),
        release=tf.__version__,
    )
    path = cache_folder() / "tensorflow_op" / recipe.key() / "libchexnet_trt_op.so"
    if not path.exists():
        _make_cache(path.parent)
        with _one_process(path.parent / "lock"):
            if not path.exists():
                logger.warning("compiling the op for TensorFlow %s, once", tf.__version__)
                compile_op(recipe, path)
    return path


def _make_cache(folder: Path) -> None:
    try:
        make_folder(folder)
    except InputError as error:
        raise InputError(f"{error}; name another with {CACHE_VARIABLE}") from None


def cache_folder() -> Path:
    """CHEXNET_TRT_CACHE, else chexnet_trt in the user's cache folder."""
    named = os.environ.get(CACHE_VARIABLE)
    if named:
        return Path(named)
    user = os.environ.get("XDG_CACHE_HOME")
    return (Path(user) if user else Path.home() / ".cache") / "chexnet_trt"


@dataclass(frozen=True)
class Recipe:
    """What the compiled op depends on. `engines`: the library that it links to, where it lies."""

    source: Path
    engines: Path
    flags: tuple[str, ...]
    links: tuple[str, ...]
    release: str

    def key(self) -> str:
        digest = hashlib.sha256(repr((self.release, self.flags, self.links)).encode())
        for path in (self.source, self.source.with_name("chexnet_trt.h"), self.engines):
            digest.update(str(path).encode() + _content(path))
        return digest.hexdigest()[:16]


def compile_op(recipe: Recipe, target: Path) -> None:
    """Writes the library, all of it or nothing. Raises InputError when there is no compiler or it
    fails.
    """
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        made = Path(folder) / target.name
        command = [
            *_compiler(),
            *recipe.flags,
            str(recipe.source),
            "-o",
            str(made),
            str(recipe.engines),
            *recipe.links,
            f"-Wl,-rpath,{recipe.engines.parent}",
        ]
        done = subprocess.run(command, capture_output=True, text=True, errors="replace")
        if done.returncode:
            said = [line for line in done.stderr.splitlines() if "error" in line.lower()]
            first = said[0].strip() if said else f"exit status {done.returncode}"
            raise InputError(
                f"{command[0]} cannot compile the op for TensorFlow {recipe.release}: {first}"
            )
        made.replace(target)


def _compiler() -> list[str]:
    """A command, of which CXX may give several words."""
    named = os.environ.get("CXX", "")
    for command in [shlex.split(named)] if named.strip() else [[name] for name in _COMPILERS]:
        if shutil.which(command[0]):
            return command
    raise InputError(
        (f"there is no compiler '{named}' (CXX)" if named.strip() else "there is no C++ compiler")
        + ", which the op for this TensorFlow has to be compiled with: install g++ or clang++"
    )


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(
            f"cannot read '{path}', a part of the op for TensorFlow ({error.strerror}); install "
            "chexnet_trt again"
        ) from None


@contextmanager
def _one_process(path: Path) -> Iterator[None]:
    """Others wait."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
