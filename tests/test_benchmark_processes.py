"""What the benchmarks count of the processes that they start."""

from __future__ import annotations

import subprocess
import sys
import time

from benchmarks.processes import Tree

BURN = "import time; until = time.process_time() + 0.4\nwhile time.process_time() < until: pass"
IN_A_CHILD = f"import subprocess, sys\nchild = subprocess.Popen([sys.executable, '-c', {BURN!r}])\n"


def test_what_processes_below_took_is_counted_also_after_they_ended() -> None:
    tree = Tree()
    before = tree.cpu_seconds()
    subprocess.run([sys.executable, "-c", IN_A_CHILD + "child.wait()"], check=True)
    assert 0.3 < tree.cpu_seconds() - before < 5


def test_a_process_that_outlives_its_parent_is_counted() -> None:
    tree = Tree()
    before = tree.cpu_seconds()
    subprocess.run([sys.executable, "-c", IN_A_CHILD], check=True)
    until = time.monotonic() + 60
    while tree.cpu_seconds() - before < 0.4 and time.monotonic() < until:
        time.sleep(0.1)
    assert 0.4 <= tree.cpu_seconds() - before < 5


def test_memory_is_that_of_the_processes_below() -> None:
    tree = Tree()
    before = tree.bytes()
    holding = "text = b'x' * 100_000_000; print(1, flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", holding], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout
        child.stdout.readline()
        assert 80e6 < tree.bytes() - before < 200e6
        child.communicate(b"\n")
