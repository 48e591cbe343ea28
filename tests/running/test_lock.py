"""One process at a time has a lock, and whoever dies lets go of it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from backend.config import ROOT
from backend.running.lock import Taken, alone

HOLDS = "import sys, time; from pathlib import Path; from backend.running.lock import alone\n"
HOLDS += "with alone(Path(sys.argv[1])): print('mine', flush=True); time.sleep(60)"


def test_only_one_at_a_time_has_the_lock_and_the_next_one_gets_it_after(tmp_path: Path) -> None:
    path = tmp_path / "new" / "calls.db.lock"
    for _ in range(2):
        with alone(path, patience=0), pytest.raises(Taken), alone(path, patience=0):
            raise AssertionError("two have it")


def test_the_lock_of_a_process_that_was_killed_is_free(tmp_path: Path) -> None:
    path = tmp_path / "calls.db.lock"
    with subprocess.Popen([sys.executable, "-c", HOLDS, str(path)], stdout=subprocess.PIPE, cwd=ROOT) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"mine\n"
        with pytest.raises(Taken), alone(path, patience=0.1):
            raise AssertionError("two have it")
        holder.kill()
        with alone(path, patience=5):
            assert holder.poll() is not None or holder.wait(5)
