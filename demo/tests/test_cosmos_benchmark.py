"""What the benchmark beside cosmos reads from /proc."""

from __future__ import annotations

import subprocess
import sys

from demo.benchmarks.cosmos import Tree

BURN = "import time; until = time.process_time() + 0.4\nwhile time.process_time() < until: pass"


def test_what_processes_below_took_is_counted_also_after_they_ended() -> None:
    before = Tree.cpu_seconds()
    subprocess.run(
        [sys.executable, "-c", f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {BURN!r}])"], check=True
    )
    assert 0.3 < Tree.cpu_seconds() - before < 5


def test_memory_is_that_of_the_processes_below() -> None:
    tree = Tree()
    before = tree.bytes()
    holding = "text = b'x' * 100_000_000; print(1, flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", holding], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout
        child.stdout.readline()
        assert 100e6 < tree.bytes() - before < 200e6
        child.communicate(b"\n")
