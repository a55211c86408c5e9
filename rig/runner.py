"""Starts, repairs and stops the servers of one rig. Each function yields the lines that the command prints."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence

from rig import servers
from rig.home import Home, Server
from rig.processes import find, stop


def up(home: Home, engines: Sequence[str], conf: Sequence[str]) -> Iterator[str]:
    """Start the endpoint and these engines, and wait until all are ready. Both engines start in parallel."""
    endpoint = home.servers.get("endpoint")
    if endpoint is None or find(endpoint) is None:
        # The endpoint kept everything in memory, so engines that used it have nothing left to read.
        engines = [*engines, *(name for name in home.servers if name not in ("endpoint", *engines))]
        for name in list(home.servers):
            stop(home.servers[name])
        if endpoint is not None:
            yield "endpoint  had ended, and all tables and files with it"
        _start(home, "endpoint", ())
        servers.wait_for_endpoint(home, home.servers["endpoint"])
        yield _says("endpoint", home.servers["endpoint"], "started")
    else:
        yield _says("endpoint", endpoint, "runs")
    fresh = [name for name in engines if name not in home.servers or find(home.servers[name]) is None]
    for name in fresh:
        _start(home, name, conf)
    for name in fresh:
        _wait(home, name)
    for name in engines:
        yield _says(name, home.servers[name], "started" if name in fresh else "runs")


def restart(home: Home, engine: str, conf: Sequence[str]) -> Iterator[str]:
    """Stop an engine if it runs, and start it. The endpoint and its data are kept."""
    if engine in home.servers:
        stop(home.servers[engine])
    yield from up(home, [engine], conf)


def down(home: Home) -> Iterator[str]:
    """Stop every server, engines first, and remove everything except the logs."""
    for name in reversed(home.servers):
        stop(home.servers[name])
        yield f"{name:<9} stopped"
    home.servers.clear()
    shutil.rmtree(home.folder / "work", ignore_errors=True)
    home.state_file.unlink(missing_ok=True)
    (home.folder / "lock").unlink(missing_ok=True)


def _start(home: Home, name: str, conf: Sequence[str]) -> None:
    before = home.servers.get(name)
    ports = servers.ports_for(name, before)
    shutil.rmtree(home.work(name), ignore_errors=True)
    if name == "endpoint":
        home.servers[name] = servers.start_endpoint(home, ports)
    elif name == "spark":
        kept = list(conf) or (before.conf if before else [])
        home.servers[name] = servers.start_spark(home, ports, kept)
        home.servers[name].conf = kept
    else:
        home.servers[name] = servers.start_trino(home, ports)
    # Save the state immediately: an interrupted command must not leave a process that `down` does not know.
    home.save()


def _wait(home: Home, name: str) -> None:
    if name == "spark":
        servers.wait_for_spark(home, home.servers[name])
    else:
        servers.wait_for_trino(home, home.servers[name])


def _says(name: str, server: Server, what: str) -> str:
    ports = ", ".join(f"{use} {port}" for use, port in server.ports.items())
    return f"{name:<9} {what:<8} {ports}"
