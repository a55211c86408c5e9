"""What this process and all processes that it started use of the machine, in a thread of their own. Linux only."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import psutil

EVERY_SECONDS = 0.5
PR_SET_CHILD_SUBREAPER = 36
"""Makes this process the parent of those whose own parent ends, such as a Spark that was left: prctl(2)."""


class Tree:
    """CPU and memory of all processes below this one."""

    def __init__(self) -> None:
        if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
            raise OSError(ctypes.get_errno(), "prctl(PR_SET_CHILD_SUBREAPER)")
        self.peak_bytes = 0
        self._stop = threading.Event()

    @contextmanager
    def watched(self) -> Iterator[Tree]:
        """Look at the memory twice a second, for `peak_bytes`."""
        thread = threading.Thread(target=self._sample, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._stop.set()
            thread.join()

    def _sample(self) -> None:
        while not self._stop.wait(EVERY_SECONDS):
            self.peak_bytes = max(self.peak_bytes, self.bytes())

    def bytes(self) -> int:
        """Their memory, each with its share of the pages that it shares."""
        return sum(_bytes_of(each) for each in psutil.Process().children(recursive=True))

    def cpu_seconds(self) -> float:
        """Of all living processes below this one, and of those that ended and were waited for."""
        own = psutil.Process().cpu_times()
        living = (_cpu_of(each) for each in psutil.Process().children(recursive=True))
        return own.children_user + own.children_system + sum(living)


def _bytes_of(process: psutil.Process) -> int:
    try:
        return int(process.memory_full_info().pss)
    except psutil.Error:
        return 0


def _cpu_of(process: psutil.Process) -> float:
    try:
        return sum(process.cpu_times()[:4])
    except psutil.Error:
        return 0.0
