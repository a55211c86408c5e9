"""The three servers of a rig: the AWS endpoint, Spark's Thrift server and Trino. Starts each and waits for it."""

from __future__ import annotations

import json
import os
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from string import Template
from typing import Any

import boto3
import pyspark
import trino
from pyhive import hive
from thrift.transport.TTransport import TTransportException

from rig import artefacts
from rig.errors import RigError
from rig.home import REPOSITORY, Home, Server
from rig.processes import LOOPBACK, free_port, spawn, wait_until

REGION = "eu-west-1"
LAKE = "s3://portmesh-lake"
SETTINGS = Path(__file__).parent / "settings"
# The access key tells the endpoint who calls.
CLIENT_KEY, SPARK_KEY, TRINO_KEY, ATHENA_KEY = "rig-client", "rig-spark", "rig-trino", "rig-athena"
SECRET = "rig"
PREFERRED = {
    "endpoint": {"http": 5002},
    "spark": {"thrift": 10015, "ui": 4040, "connect": 15002},
    "trino": {"http": 8085},
}
# The server that each engine of the mesh needs.
ENGINES = {"emr": "spark", "athena": "trino"}


def credentials(key: str) -> dict[str, str]:
    """The environment variables that every AWS client reads."""
    return {
        "AWS_ACCESS_KEY_ID": key,
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        # Clients must not look for credentials anywhere else.
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def endpoint_url(home: Home) -> str:
    """The endpoint's URL, which serves all AWS services to every client of this rig."""
    return f"http://{LOOPBACK}:{home.servers['endpoint'].ports['http']}"


def ports_for(name: str, before: Server | None) -> dict[str, int]:
    """The server's earlier ports if they are free, else the preferred ones, else any free ones."""
    return {use: free_port(before.ports.get(use, port) if before else port) for use, port in PREFERRED[name].items()}


def start_endpoint(home: Home, ports: Mapping[str, int]) -> Server:
    """Start moto for S3, Glue and STS, and Athena's API, in one process."""
    work = home.work("endpoint")
    command = [sys.executable, "-m", "rig.endpoint", "--home", str(home.folder), "--port", str(ports["http"])]
    environment = {**os.environ, **credentials(CLIENT_KEY), "PYTHONPATH": str(REPOSITORY), "TMPDIR": str(work)}
    environment.pop("AWS_ENDPOINT_URL", None)
    return spawn(command, ports, log=home.log("endpoint"), folder=work, environment=environment)


def wait_for_endpoint(home: Home, server: Server) -> None:
    """Wait until it answers and has the lake's bucket. An answer of another rig on the same port does not count."""

    def answers() -> bool:
        return _get(f"{endpoint_url(home)}/rig/health") == {"home": str(home.folder)}

    wait_until(answers, server, name="The AWS endpoint", log=home.log("endpoint"))


def client(service: str, url: str, key: str) -> Any:
    """A client for an AWS service of this rig."""
    return boto3.client(
        service, endpoint_url=url, region_name=REGION, aws_access_key_id=key, aws_secret_access_key=SECRET
    )


def start_spark(home: Home, ports: Mapping[str, int], conf: Sequence[str] = ()) -> Server:
    """Start a Thrift server like EMR's; its default catalog is Iceberg on Glue. `conf` (KEY=VALUE) overrides it."""
    work = home.work("spark")
    java = artefacts.java_home("spark")
    jars = artefacts.spark_jars()
    temporary = work / "tmp"
    temporary.mkdir(parents=True, exist_ok=True)
    settings = {**_spark_settings(home, ports, work), **dict(item.split("=", 1) for item in conf)}
    options = " ".join(
        (
            "-XX:+UseSerialGC -XX:ReservedCodeCacheSize=160m -XX:MaxDirectMemorySize=128m -XX:-UsePerfData",
            f"-Djava.io.tmpdir={temporary} -Dderby.system.home={work}",
            f"-Dderby.stream.error.file={work / 'derby.log'}",
        )
    )
    spark_home = Path(pyspark.__file__).parent
    command = [
        str(spark_home / "bin" / "spark-submit"),
        *("--class", "org.apache.spark.sql.hive.thriftserver.HiveThriftServer2"),
        *("--driver-class-path", ":".join(map(str, jars)), "--driver-java-options", options),
        *(word for key, value in settings.items() for word in ("--conf", f"{key}={value}")),
        "spark-internal",
        *("--hiveconf", f"hive.server2.thrift.bind.host={LOOPBACK}"),
        *("--hiveconf", f"hive.server2.thrift.port={ports['thrift']}"),
        *("--hiveconf", "hive.server2.transport.mode=binary", "--hiveconf", "hive.server2.authentication=NONE"),
    ]
    environment = {
        **_without_spark(os.environ),
        **credentials(SPARK_KEY),
        "JAVA_HOME": str(java),
        "SPARK_HOME": str(spark_home),
        "SPARK_LOCAL_IP": LOOPBACK,
        "SPARK_LOCAL_DIRS": str(temporary),
        "SPARK_LAUNCHER_OPTS": "-XX:-UsePerfData",
        # The Python of a model's own functions, with the packages of the process that runs the model.
        "PYSPARK_PYTHON": str(REPOSITORY / ".venv-pyspark" / "bin" / "python"),
        # Without this, glibc keeps hundreds of MB in one arena per thread.
        "MALLOC_ARENA_MAX": "2",
        "TMPDIR": str(temporary),
    }
    return spawn(command, ports, log=home.log("spark"), folder=work, environment=environment)


def _without_spark(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment without the settings of a Spark that is installed on the machine."""
    return {key: value for key, value in environment.items() if not key.startswith(("SPARK_", "HADOOP_", "AWS_"))}


def _spark_settings(home: Home, ports: Mapping[str, int], work: Path) -> dict[str, str]:
    """Spark's configuration. settings/spark-defaults.conf explains each part."""
    template = Template((SETTINGS / "spark-defaults.conf").read_text())
    text = template.substitute(
        endpoint=endpoint_url(home),
        lake=LAKE,
        region=REGION,
        work=work,
        host=LOOPBACK,
        ui_port=ports["ui"],
        connect_port=ports["connect"],
    )
    lines = [line.split(None, 1) for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return {key: value.strip() for key, value in lines}


def wait_for_spark(home: Home, server: Server) -> None:
    """Wait until it answers a query, because the first query takes seconds that a client should not have to wait."""

    def answers() -> bool:
        try:
            connection = hive.connect(host=LOOPBACK, port=server.ports["thrift"], username="rig", auth="NONE")
        except (TTransportException, OSError):
            return False
        except hive.OperationalError as error:
            status = error.args[0].status
            raise RigError(f"Spark runs but cannot use its catalog: {status.errorMessage}") from error
        with connection, connection.cursor() as cursor:
            cursor.execute("select 1")
            return bool(cursor.fetchall() == [(1,)])

    wait_until(answers, server, name="Spark's Thrift server", log=home.log("spark"))


def start_trino(home: Home, ports: Mapping[str, int]) -> Server:
    """Start Trino with two catalogs on one Glue: `awsdatacatalog` for Hive tables, and `iceberg`."""
    work = home.work("trino")
    server = artefacts.trino_server()
    java = artefacts.java_home("trino")
    (work / "catalog").mkdir(parents=True, exist_ok=True)
    (work / "tmp").mkdir(exist_ok=True)
    values = {
        "endpoint": endpoint_url(home),
        "region": REGION,
        "key": TRINO_KEY,
        "secret": SECRET,
        "host": LOOPBACK,
        "port": str(ports["http"]),
        "spills": os.environ.get("RIG_TRINO_SPILLS", "false"),
        "spill": str(work / "spill"),
    }
    shared = Template((SETTINGS / "trino" / "aws.properties").read_text()).substitute(values)
    for catalog in ("awsdatacatalog", "iceberg"):
        own = (SETTINGS / "trino" / f"{catalog}.properties").read_text()
        (work / "catalog" / f"{catalog}.properties").write_text(own + shared)
    for name in ("config.properties", "log.properties"):
        (work / name).write_text(Template((SETTINGS / "trino" / name).read_text()).substitute(values))
    heap = os.environ.get("RIG_TRINO_HEAP", "900M")
    virtual_machine = Template((SETTINGS / "trino" / "jvm.config").read_text()).substitute(heap=heap).split()
    command = [
        str(java / "bin" / "java"),
        *("-cp", f"{server / 'lib'}/*"),
        *virtual_machine,
        f"-Djava.io.tmpdir={work / 'tmp'}",
        f"-Dconfig={work / 'config.properties'}",
        f"-Dlog.levels-file={work / 'log.properties'}",
        *("-Dnode.environment=rig", "-Dnode.id=rig", f"-Dnode.data-dir={work / 'data'}"),
        *(f"-Dcatalog.config-dir={work / 'catalog'}", f"-Dplugin.dir={server / 'plugin'}"),
        "io.trino.server.TrinoServer",
    ]
    environment = {**os.environ, "MALLOC_ARENA_MAX": "2"}
    return spawn(command, ports, log=home.log("trino"), folder=work, environment=environment)


def wait_for_trino(home: Home, server: Server) -> None:
    """Wait until it answers a query that reads Glue."""
    url = f"http://{LOOPBACK}:{server.ports['http']}/v1/info"

    def answers() -> bool:
        info = _get(url)
        if info is None or info["starting"]:
            return False
        connection = trino.dbapi.connect(host=LOOPBACK, port=server.ports["http"], user="rig", catalog="awsdatacatalog")
        try:
            connection.cursor().execute("show tables from awsdatacatalog.default").fetchall()
        except (trino.exceptions.TrinoQueryError, trino.exceptions.TrinoConnectionError):
            return False
        return True

    wait_until(answers, server, name="Trino", log=home.log("trino"))


def _get(url: str) -> dict[str, object] | None:
    """The JSON at a URL, or None if nothing answers yet."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return dict(json.load(answer))
    except (urllib.error.URLError, OSError, ValueError):
        return None
