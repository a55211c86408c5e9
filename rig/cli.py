"""`python -m rig up|down|restart|status|env`."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import Annotated

import psutil
import typer

from rig import servers
from rig.errors import RigError
from rig.home import Home, Server, home_folder
from rig.processes import LOOPBACK, find
from rig.runner import down as stop_all
from rig.runner import restart as restart_one
from rig.runner import up as start_up

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Real engines on this machine in place of EMR and Athena.",
)

HomeOption = Annotated[
    Path | None,
    typer.Option("--home", metavar="FOLDER", help="The rig's folder (default: PORTMESH_RIG_HOME, else .rig/home)."),
]
ConfOption = Annotated[list[str] | None, typer.Option("--conf", metavar="KEY=VALUE", help="For Spark; wins.")]


def main() -> None:
    """Run the command. An expected failure prints one message and exits with 1."""
    # Silence the Thrift client: it logs each attempt to connect to a server that is still starting.
    logging.getLogger("thrift").setLevel(logging.CRITICAL)
    try:
        app()
    except RigError as error:
        print(error, file=sys.stderr)
        sys.exit(1)


@app.command()
def up(
    engines: Annotated[list[str] | None, typer.Argument(metavar="[emr] [athena]", help="Default: both.")] = None,
    home: HomeOption = None,
    conf: ConfOption = None,
) -> None:
    """Start every server that is not running."""
    chosen = Home(home_folder(home))
    with chosen.locked():
        for line in start_up(chosen, [_engine(name) for name in engines or servers.ENGINES], conf or []):
            typer.echo(line)


@app.command()
def restart(
    engine: Annotated[str, typer.Argument(metavar="emr|athena")], home: HomeOption = None, conf: ConfOption = None
) -> None:
    """Restart one engine on the same ports. Tables and files are kept."""
    chosen = Home(home_folder(home))
    with chosen.locked():
        for line in restart_one(chosen, _engine(engine), conf or []):
            typer.echo(line)


@app.command()
def down(home: HomeOption = None) -> None:
    """Stop all servers. Tables and files are deleted, logs are kept."""
    chosen = Home(home_folder(home))
    if not chosen.folder.is_dir():
        typer.echo(f"No rig has been started in {chosen.folder}.")
        return
    with chosen.locked():
        for line in stop_all(chosen):
            typer.echo(line)


@app.command()
def status(home: HomeOption = None) -> None:
    """Show what runs, with ports, memory and logs. Exits with 1 if a server has ended."""
    chosen = Home.at(home_folder(home))
    if not chosen.servers:
        typer.echo(f"Nothing runs in {chosen.folder}. To start it: python -m rig up")
        return
    ended = False
    for name, server in chosen.servers.items():
        process = find(server)
        ended = ended or process is None
        typer.echo(_line(name, server, process) + f"   {chosen.log(name)}")
    if ended:
        raise RigError("To start what has ended: python -m rig up")


def _line(name: str, server: Server, process: psutil.Process | None) -> str:
    ports = " ".join(f"{use} {port}" for use, port in server.ports.items())
    memory = f"{process.memory_info().rss / 2**20:,.0f} MB" if process else "ended"
    return f"{name:<9} {ports:<26} pid {server.pid:<8} {memory:>9}"


@app.command()
def env(home: HomeOption = None) -> None:
    """Print this rig's environment variables. Use it as: source <(python -m rig env)."""
    chosen = Home.at(home_folder(home))
    if "endpoint" not in chosen.servers:
        raise RigError(f"Nothing runs in {chosen.folder}. To start it: python -m rig up")
    for name, value in variables(chosen).items():
        typer.echo(f"export {name}={value}")


def variables(home: Home) -> dict[str, str]:
    """The environment variables with which dbt, portmesh, tests and benchmarks find this rig."""
    values = {
        "PORTMESH_RIG_HOME": str(home.folder),
        "AWS_ENDPOINT_URL": servers.endpoint_url(home),
        **servers.credentials(servers.CLIENT_KEY),
        "PORTMESH_S3_LAKE": servers.LAKE,
        "PORTMESH_ATHENA_WORKGROUP": "primary",
    }
    if spark := home.servers.get("spark"):
        values |= {
            "PORTMESH_SPARK_HOST": LOOPBACK,
            "PORTMESH_SPARK_PORT": str(spark.ports["thrift"]),
            "PORTMESH_SPARK_UI": f"http://{LOOPBACK}:{spark.ports['ui']}",
            "PORTMESH_SPARK_CONNECT": f"sc://{LOOPBACK}:{spark.ports['connect']}",
        }
    if trino := home.servers.get("trino"):
        values["RIG_TRINO_PORT"] = str(trino.ports["http"])
    return values


def _engine(name: str) -> str:
    if name not in servers.ENGINES:
        raise RigError(f"There is no engine {name!r}; allowed: {', '.join(servers.ENGINES)}.")
    return servers.ENGINES[name]
