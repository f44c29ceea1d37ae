"""The journal in a folder does what every journal must, with segments of all sizes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from msgcode.journal import file
from msgcode.journal.file import FileJournal
from tests.core.journal.contract import Join, JournalContract


class TestFileJournal(JournalContract):
    @pytest.fixture(params=["large segments", "small segments"])
    def join(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
    ) -> Iterator[Join]:
        if request.param == "small segments":
            monkeypatch.setattr(file, "SEGMENT_BYTES", 300)
            monkeypatch.setattr(file, "SNAPSHOT_BYTES", 500)
        opened: list[FileJournal] = []

        def join() -> FileJournal:
            opened.append(FileJournal(str(tmp_path / "room")))
            return opened[-1]

        yield join
        for journal in opened:
            journal.close()
