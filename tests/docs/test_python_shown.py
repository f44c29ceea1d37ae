"""The Python that the guides show."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.pages import block


def test_the_python_example_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MSGCODE_STORE", str(tmp_path / "room"))
    exec(block("python") + "\n    assert [m.body for m in store.inbox('alice')] == ['It is.']\n", {})
