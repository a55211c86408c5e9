"""Writes the SQL of a port from the block in its YAML."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping

from portmesh.errors import UsageError
from portmesh.scaffold import yaml_port_types as types
from portmesh.scaffold.yaml_port import (
    SIMPLE_NAME,
    SQL_INSTEAD,
    PortModel,
    in_file,
    problem,
    read_port_model,
    unknown,
)
from portmesh.scaffold.yaml_port_inputs import KnownModel, KnownModels, texts_in
from portmesh.scaffold.yaml_port_printing import TooLongError
from portmesh.scaffold.yaml_port_steps import RESERVED, Builder, Pipeline
from portmesh.scaffold.yaml_port_tables import InputTable, refuse_unused

REFERENCE = re.compile(r"""ref\(\s*['"](\w+)['"]\s*(?:,\s*['"](\w+)['"]\s*)?\)""")


def render_sql(port: KnownModel, known: KnownModels) -> str:
    """The SQL of a port that is written in YAML alone. Raises UsageError with the file and the key of a problem."""
    path = str(port.yaml_file.relative_to(known.root))
    try:
        return _render(port, known)
    except TooLongError as error:
        found = problem("", "A part of an expression does not fit into a line of SQL.", str(error), fix="use two steps")
        raise in_file(found, path) from error
    except UsageError as error:
        raise in_file(error, path) from error


def _render(port: KnownModel, known: KnownModels) -> str:
    model = read_port_model(port.meta["model"])
    contract = _contract(port)
    _assert_grain(port, model, contract)
    inputs = {name: _find_input(name, label, port, known) for name, label in model.inputs.items()}
    builder = Builder({name: _input_table(name, found, model, port) for name, found in inputs.items()})
    for name, prepared in model.prepare.items():
        key = f"prepare.{name}"
        if name in builder.by_name or name in RESERVED:
            raise problem(key, f"{name} cannot be the name of another table.", fix="choose another name")
        made = Pipeline(builder, prepared.from_, f"{key}.from")
        made.run(prepared.steps, f"{key}.steps")
        builder.by_name[name] = made.close(name)
    pipeline = Pipeline(builder, model.from_ or next(iter(model.inputs)), "from")
    pipeline.run(model.steps, "steps")
    pipeline.finish(model.columns, contract)
    for name, table in builder.by_name.items():
        if not table.is_read:
            raise problem(f"inputs.{name}" if name in inputs else f"prepare.{name}", f"Nothing reads {name}.",
                          fix="remove it, or join or stack it")  # fmt: skip
    refuse_unused(builder.selects)
    return "\n".join([*_first_lines(port, model, inputs.values()), *_ctes(builder), ""])


def _contract(port: KnownModel) -> dict[str, str]:
    """The columns of the port with their types."""
    if port.entry.get("versions"):
        raise problem("", "A port with versions has SQL for each, so it cannot be in YAML alone.", fix=SQL_INSTEAD[3:])
    found: dict[str, str] = {}
    for column in port.columns:
        name, stated = str(column["name"]), str(column.get("data_type", ""))
        if column.get("quote") or not SIMPLE_NAME.fullmatch(name):
            raise problem(f"columns.{name}", f"The column {name} needs quotes, which the language does not have.",
                          fix=f"choose another name, {SQL_INSTEAD}")  # fmt: skip
        found[name] = types.contract_type(stated)
        if not found[name]:
            raise unknown(f"columns.{name}", "type", stated, types.CONTRACT_TYPES, f"correct data_type of {name}")
    if not found:
        raise problem("", "The port has no columns.", fix="add `columns` with name, data_type and description")
    return found


def _assert_grain(port: KnownModel, model: PortModel, contract: Mapping[str, str]) -> None:
    for name in model.grain:
        if name not in contract:
            raise unknown("grain", "column in the contract", name, contract)
    if frozenset(model.grain) in port.keys:
        return
    columns = ", ".join(model.grain)
    checks = "; ".join(", ".join(sorted(key)) for key in port.keys) or "none"
    check = (
        f"add `unique` to data_tests of {columns}" if len(model.grain) == 1
        else f"add to the port: data_tests: [{{unique_combination: {{arguments: {{columns: [{columns}]}}}}}}]"
    )  # fmt: skip
    raise problem(
        "grain", "No check of the port says that the grain is unique.", columns, f"what is checked: {checks}", check
    )


def _find_input(name: str, label: str, port: KnownModel, known: KnownModels) -> KnownModel:
    key = f"inputs.{name}"
    if name in RESERVED:
        raise problem(key, f"{name} is a reserved word of SQL.", fix="choose another name")
    first, _, second = label.rpartition(".")
    domain = first or port.domain
    visible = {m.name if m.domain == port.domain else m.label for m in known.by_label.values()
               if m.domain == port.domain or m.is_port}  # fmt: skip
    found = known.by_label.get(f"{domain}.{second}")
    if found is None:
        raise unknown(key, "port or model", label, visible - {port.name},
                      "name a port of another domain (domain.port), or a port or model of this domain; "
                      "only staging models read sources")  # fmt: skip
    if found.label == port.label:
        raise problem(key, "A port cannot read itself.", label, fix=SQL_INSTEAD[3:])
    if domain != port.domain and not found.is_port:
        ports = ", ".join(m.label for m in known.by_label.values() if m.is_port and m.domain == domain)
        raise problem(key, f"{label} is not a port, so only {domain} may read it.", label, ports or "nothing")
    if found.entry.get("versions"):
        raise problem(key, f"{label} has versions; the language cannot say which one.", label, fix=SQL_INSTEAD[3:])
    return found


def _reference(found: KnownModel, port: KnownModel) -> str:
    own = f"'{found.name}'"
    return f"ref({own})" if found.domain == port.domain else f"ref('{found.domain}', {own})"


def _input_table(name: str, found: KnownModel, model: PortModel, port: KnownModel) -> InputTable:
    select = f"select * from {{{{ {_reference(found, port)} }}}}"
    if model.new_batches_of == name:
        select = f"{{{{ rows_of_new_batches({_reference(found, port)}) }}}}"
    return InputTable(name, select, found.types, found.is_complete, found.keys)


def _first_lines(port: KnownModel, model: PortModel, inputs: Iterable[KnownModel]) -> Iterator[str]:
    """What stands before the statement: how the port is incremental, and what only its checks read."""
    if model.new_batches_of is not None:
        if model.new_batches_of not in model.inputs:
            raise unknown("new_batches_of", "input", model.new_batches_of, model.inputs)
        if not any(column["name"] == "_batch_id" for column in port.columns):
            raise problem("new_batches_of", "The contract has no column _batch_id, by which batches are replaced.",
                          fix="add _batch_id to the columns")  # fmt: skip
        yield from ("{{ config(unique_key='_batch_id') }}", "")
    read = {(found.domain, found.name) for found in inputs}
    for domain, name in dict.fromkeys(_read_by_checks(port)):
        if (domain, name) not in {*read, (port.domain, port.name)}:
            yield (
                f"-- depends_on: {{{{ ref('{name}') }}}}"
                if domain == port.domain
                else (f"-- depends_on: {{{{ ref('{domain}', '{name}') }}}}")
            )
    yield "with"


def _read_by_checks(port: KnownModel) -> Iterator[tuple[str, str]]:
    for entry in (port.entry, *port.columns):
        for text in texts_in([entry.get("data_tests"), entry.get("tests")]):
            for first, second in REFERENCE.findall(text):
                yield (first, second) if second else (port.domain, first)


def _ctes(builder: Builder) -> Iterator[str]:
    last = builder.tables[-1]
    for table in builder.tables:
        yield ""
        yield from textwrap.wrap(table.why, 116, initial_indent="-- ", subsequent_indent="-- ")
        yield from (f"{table.name} as (", "", *table.lines(), "", ")" if table is last else "),")
    yield ""
    yield f"select * from {last.name}"
