from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def models_dir() -> Path:
    path = Path(__file__).resolve().parents[3] / "shared" / "models"
    if not path.is_dir():
        pytest.skip("the real networks of shared/models are not beside this checkout")
    return path
