from __future__ import annotations

import os
from pathlib import Path

import pytest

import chexnet_trt as ct
import networks


@pytest.fixture(scope="session")
def models_dir() -> Path:
    path = Path(__file__).resolve().parents[3] / "shared" / "models"
    if not path.is_dir():
        pytest.skip("the real networks of shared/models are not beside this checkout")
    return path


@pytest.fixture(scope="session")
def small_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("small")


@pytest.fixture(scope="session")
def small_pb(small_folder: Path) -> Path:
    """The network of networks.py as a frozen graph; not to be changed, like the two below."""
    pytest.importorskip("tensorboard")
    return networks.write_pb(small_folder / "small.pb")


@pytest.fixture(scope="session")
def small_uff(small_folder: Path) -> Path:
    pytest.importorskip("tensorboard")
    return networks.write_uff(small_folder / "small.uff")


@pytest.fixture(scope="session")
def small_engine(small_uff: Path) -> Path:
    path = small_uff.with_suffix(".engine")
    networks.build_small(small_uff).save(path)
    return path


@pytest.fixture(scope="session")
def small(small_engine: Path) -> ct.Engine:
    """The engine file, loaded."""
    return ct.load(small_engine, require_exact_device=True)


@pytest.fixture(scope="session")
def op_library() -> Path:
    """Compiled once a checkout, for this process and those that it starts."""
    pytest.importorskip("tensorflow")
    cache = Path(__file__).resolve().parents[2] / "build" / "cache"
    os.environ.setdefault("CHEXNET_TRT_CACHE", str(cache))
    from chexnet_trt.integrated import load_op_library

    return load_op_library()
