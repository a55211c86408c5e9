"""The macro lint accepts what is right, and says what is wrong, where, and what is allowed."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.mesh import REPOSITORY
from tools import lint_macros
from tools.lint_macros import Repository, lint

OF_DBT = frozenset({"materialization_view", "create_schema"})
# A public macro, which a hook calls, and below it the private macro that it uses.
GOOD = """
{# What it is for. #}
{% macro greet(name, polite=true) %}
  {{- return(portmesh._greeting(polite) ~ name) -}}
{% endmacro %}

{% macro _greeting(polite) %}{{ return('Good day, ' if polite else 'Hi ') }}{% endmacro %}
"""
PROPERTIES = """
macros:
  - name: greet
    description: Greets.
    arguments:
      - {name: name, type: string, description: Whom.}
      - {name: polite, type: boolean, description: How.}
"""
CHECK = """
{% test is_fine(model, column_name) %}
select 1 from {{ model }} where not {{ adapter.dispatch('fine', 'portmesh')(column_name) }}
{% endtest %}

{% macro default__fine(column_name) %}{{ column_name }} = 1{% endmacro %}

{% macro spark__fine(column_name) %}{{ column_name }} == 1{% endmacro %}
"""


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with one good macro and one good check."""
    write(tmp_path, "macros/mesh/greet.sql", GOOD)
    write(tmp_path, "macros/mesh/_mesh.yml", PROPERTIES)
    write(tmp_path, "macros/checks/is_fine.sql", CHECK)
    write(tmp_path, "macros/checks/_checks.yml", described("test_is_fine", "model", "column_name"))
    write(tmp_path, "dbt_project.yml", "on-run-start: [\"{{ greet('you') }}\"]\n")
    return tmp_path


def write(root: Path, path: str, text: str) -> None:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(text.lstrip("\n"))


def described(name: str, *arguments: str) -> str:
    given = [{"name": argument, "type": "string", "description": "Some."} for argument in arguments]
    text: str = yaml.safe_dump({"macros": [{"name": name, "description": "Does it.", "arguments": given}]})
    return text


def findings(root: Path) -> list[str]:
    return [str(finding) for finding in lint(Repository(root), OF_DBT)]


def test_the_repositorys_macros_conform(capsys: pytest.CaptureFixture[str]) -> None:
    exit_code = lint_macros.run()
    said = capsys.readouterr().out
    assert exit_code == lint_macros.FINE, said
    assert len(Repository(REPOSITORY).linted) > 45


def test_good_macros_have_no_finding(repository: Path) -> None:
    assert len(Repository(repository).linted) == 2
    assert findings(repository) == []


# Shape


def test_a_second_public_macro_is_found(repository: Path) -> None:
    write(repository, "macros/mesh/greet.sql", GOOD.replace("_greeting", "greeting"))
    allowed = "allowed is 1, or several that all use one private macro of the file"
    fix = "Give each a file of its own, or a name that starts with _ if only this file calls it."
    assert findings(repository) == [
        f"macros/mesh/greet.sql: It has 2 public macros (greet, greeting); {allowed}. {fix}",
        "macros/mesh/greet.sql:6: greeting is not described. Describe it in macros/mesh/_mesh.yml.",
    ]


def test_a_file_without_a_public_macro_is_found(repository: Path) -> None:
    write(
        repository,
        "macros/mesh/less.sql",
        "{% macro _less() %}{{ portmesh._less() }}{{ greet('you') }}{% endmacro %}\n",
    )
    found = findings(repository)
    assert found[0] == "macros/mesh/less.sql: It has no public macro. Put its macros into the file that calls them."


def test_a_file_of_another_name_is_found(repository: Path) -> None:
    (repository / "macros/mesh/greet.sql").rename(repository / "macros/mesh/hello.sql")
    (repository / "macros/checks/is_fine.sql").rename(repository / "macros/checks/fine.sql")
    assert findings(repository) == [
        "macros/checks/fine.sql:1: Its public macro is is_fine. Name the file is_fine.sql.",
        "macros/mesh/hello.sql:2: Its public macro is greet. Name the file greet.sql.",
    ]


def test_a_private_macro_above_the_public_one_is_found(repository: Path) -> None:
    public, private = GOOD.split("\n\n")
    write(repository, "macros/mesh/greet.sql", f"{private}\n\n{public}\n")
    assert findings(repository) == [
        "macros/mesh/greet.sql:1: _greeting is above greet. Put private macros below the public one."
    ]


def test_a_private_macro_that_another_file_calls_is_found(repository: Path) -> None:
    write(repository, "macros/checks/is_fine.sql", CHECK.replace("select 1", "select {{ portmesh._greeting(true) }}"))
    assert findings(repository) == [
        "macros/mesh/greet.sql:6: _greeting is private, and macros/checks/is_fine.sql calls it. "
        "Give it a file and a name without _."
    ]


@pytest.mark.parametrize("shared", [True, False])
def test_several_public_macros_are_one_thing_where_all_use_the_same_private_one(repository: Path, shared: bool) -> None:
    """One of them is used by another macro of the file."""
    own = "portmesh._greeting(true)" if shared else "'Bye '"
    third = "{% macro wave() %}{{ portmesh.part() if true else portmesh.wave() }}{% endmacro %}"
    write(
        repository, "macros/mesh/greet.sql", f"{GOOD}\n{{% macro part() %}}{{{{ {own} }}}}{{% endmacro %}}\n{third}\n"
    )
    write(repository, "domains/orders/models/lines.sql", "select {{ part() }}, {{ wave() }}\n")
    properties = PROPERTIES + "  - {name: part, description: Parts.}\n  - {name: wave, description: Waves.}\n"
    write(repository, "macros/mesh/_mesh.yml", properties)
    found = findings(repository)
    assert [f.partition(";")[0] for f in found] == (
        [] if shared else ["macros/mesh/greet.sql: It has 3 public macros (greet, part, wave)"]
    )


def test_a_materialization_needs_no_file_of_its_name(repository: Path) -> None:
    text = "{% materialization view, default %}{{ return({'relations': []}) }}{% endmaterialization %}\n"
    write(repository, "macros/mesh/made.sql", text)
    write(repository, "macros/mesh/greet.sql", GOOD + "\n" + text.replace("view", "table"))
    assert findings(repository) == []


# Engines


DOOR = "{% macro add(a, b) %}{{ return(portmesh.engine_macro('add')(a, b)) }}{% endmacro %}\n"
VARIANT = "{% macro spark__add(a, b) %}{{ a ~ portmesh._plus() ~ b }}{% endmacro %}\n"
PLUS = "{% macro _plus() %}+{% endmacro %}\n"


@pytest.fixture
def engines(repository: Path) -> Path:
    """The repository with a door and an engine's macro behind it."""
    write(repository, lint_macros.DOORS, DOOR)
    write(repository, "macros/engines/spark/sums.sql", VARIANT + PLUS)
    write(repository, "domains/orders/models/lines.sql", "select {{ portmesh.add(1, 2) }}\n")
    return repository


def test_good_engines_have_no_finding(engines: Path) -> None:
    """The file of doors may be long, and comments describe the doors."""
    with (engines / lint_macros.DOORS).open("a") as file:
        file.write("{# A comment. #}\n" * lint_macros.LONGEST_FILE)
    assert len(Repository(engines).linted) == 4
    assert findings(engines) == []


@pytest.mark.parametrize(
    "other",
    [
        DOOR.replace("engine_macro('add')(a, b)", "engine_macro('add')(b, a)"),
        DOOR.replace("engine_macro('add')", "engine_macro('subtract')"),
        DOOR.replace("return(portmesh", "return(2 * portmesh"),
    ],
)
def test_what_is_no_door_is_found(engines: Path, other: str) -> None:
    write(engines, lint_macros.DOORS, other)
    call = "{{ return(portmesh.engine_macro('add')(a, b)) }}"
    expected = f"{lint_macros.DOORS}:1: add is not a door, because it lacks {call}. Move it to its own file."
    assert expected in findings(engines)


def test_a_variant_with_other_arguments_than_its_door_is_found(engines: Path) -> None:
    write(engines, "macros/engines/spark/sums.sql", VARIANT.replace("add(a, b)", "add(a, b, c)") + PLUS)
    assert findings(engines) == [
        "macros/engines/spark/sums.sql:1: The arguments of spark__add are a, b, c; "
        "macros/engines/interface.sql has a, b."
    ]


def test_a_public_macro_of_an_engine_is_found(engines: Path) -> None:
    """A macro that replaces one of dbt's, such as create_schema, is not a public macro."""
    own = "{% macro create_schema() %}{% endmacro %}\n"
    write(engines, "macros/engines/spark/sums.sql", (VARIANT + PLUS).replace("_plus", "plus") + own)
    assert findings(engines) == [
        "macros/engines/spark/sums.sql:2: plus is not a variant of an engine. "
        "Name it spark__plus, or _plus if only this file calls it."
    ]


def test_a_private_macro_of_another_file_of_the_engine_is_found(engines: Path) -> None:
    write(engines, "macros/engines/spark/sums.sql", VARIANT)
    write(engines, "macros/engines/spark/signs.sql", PLUS)
    assert findings(engines) == [
        "macros/engines/spark/signs.sql:1: _plus is private, and macros/engines/spark/sums.sql calls it. "
        "Give it a file and a name without _."
    ]


@pytest.mark.parametrize("engine", lint_macros.ENGINES)
def test_a_variant_outside_its_engines_folder_is_found(repository: Path, engine: str) -> None:
    variant = f"\n{{% macro {engine}__greeting() %}}Hej{{% endmacro %}}\n"
    write(repository, "macros/mesh/greet.sql", GOOD.replace("portmesh._greeting(polite)", "of('greeting')") + variant)
    assert (
        f"macros/mesh/greet.sql:8: {engine}__greeting is a variant for one engine; "
        f"allowed is macros/engines/{engine}/, or the file of a check that dispatches greeting. Move it there."
    ) in findings(repository)


@pytest.mark.parametrize(("folder", "is_fine"), [("spark", True), ("athena", False)])
def test_a_variant_is_in_the_folder_of_its_own_engine(repository: Path, folder: str, is_fine: bool) -> None:
    file = f"macros/engines/{folder}/spark__create_schema.sql"
    write(repository, file, "{% macro spark__create_schema() %}{% endmacro %}\n")
    found = lint_macros.check_variants(Repository(repository).macros[file], file)
    assert [f.message.partition(";")[0] for f in found] == (
        [] if is_fine else ["spark__create_schema is a variant for one engine"]
    )


def test_a_variant_beside_a_check_that_does_not_dispatch_it_is_found(repository: Path) -> None:
    write(repository, "macros/checks/is_fine.sql", CHECK.replace("dispatch('fine'", "dispatch('greet'"))
    found = findings(repository)
    assert (
        "macros/checks/is_fine.sql:5: default__fine is a variant for one engine; allowed is the file of a check that"
        in found[0]
    )
    assert any("spark__fine is a variant for one engine" in finding for finding in found)


def test_a_domains_macro_has_its_variants_beside_it(repository: Path) -> None:
    text = CHECK.replace("test is_fine(model, ", "macro is_fine(").replace("endtest", "endmacro")
    write(
        repository,
        "domains/orders/macros/is_fine.sql",
        text.replace("'portmesh'", "'orders'").replace("{{ model }}", "t"),
    )
    write(repository, "domains/orders/macros/_orders__macros.yml", described("is_fine", "column_name"))
    write(repository, "domains/orders/models/lines.sql", "select * from t where {{ is_fine('a') }}\n")
    assert findings(repository) == []


# Length


@pytest.mark.parametrize(("before", "is_fine"), [("", False), ("  {% set sql = none %}\n", True)])
def test_a_name_of_the_node_that_a_branch_alone_sets_is_found(repository: Path, before: str, is_fine: bool) -> None:
    branch = f"{before}  {{% if polite %}}{{% set sql = 'select 1' %}}{{% endif %}}\n"
    write(
        repository,
        "macros/mesh/greet.sql",
        GOOD.replace("  {{- return(portmesh", f"{branch}  {{{{- return(portmesh", 1),
    )
    found = findings(repository)
    assert found == [] if is_fine else "greet sets sql only inside a branch" in found[0]


def test_a_long_macro_is_found(repository: Path) -> None:
    body = "{% do x %}\n" * (lint_macros.LONGEST_MACRO - 4)
    write(repository, "macros/mesh/greet.sql", GOOD.replace("{{-", f"{body}{{{{-"))
    assert findings(repository) == []
    write(repository, "macros/mesh/greet.sql", GOOD.replace("{{-", f"{body}{{# one more #}}\n\n{{{{-"))
    assert findings(repository) == [
        "macros/mesh/greet.sql:2: greet has 26 lines; allowed are 25. "
        "Move a part of it to another macro, named for what it does."
    ]


def test_a_long_file_is_found(repository: Path) -> None:
    with (repository / "macros/mesh/greet.sql").open("a") as file:
        file.write("\n" * (lint_macros.LONGEST_FILE - 6))
        file.flush()
        assert findings(repository) == []
        file.write("\n")
    assert findings(repository) == ["macros/mesh/greet.sql: It has 121 lines; allowed are 120. Split it."]


def test_a_long_line_is_found(repository: Path) -> None:
    write(repository, "macros/mesh/greet.sql", GOOD.replace("What it is for.", "x" * 114))
    assert findings(repository) == []
    write(repository, "macros/mesh/greet.sql", GOOD.replace("What it is for.", "x" * 115))
    assert findings(repository) == ["macros/mesh/greet.sql:1: 121 characters in a line; allowed are 120. Break it."]


# Use


def test_a_macro_that_nothing_calls_is_found(repository: Path) -> None:
    write(repository, "macros/mesh/greet.sql", GOOD.replace("portmesh._greeting(polite)", "'Hi '"))
    assert findings(repository) == ["macros/mesh/greet.sql:6: Nothing calls _greeting. Delete it."]


def test_what_is_offered_to_models_needs_no_model_that_calls_it(repository: Path) -> None:
    write(repository, "macros/models/wave.sql", "{# Waves. #}\n{% macro wave() %}wave{% endmacro %}\n")
    write(repository, "macros/models/_models.yml", described("wave"))
    assert findings(repository) == []
    private = "\n{# Shrugs. #}\n{% macro _shrug() %}shrug{% endmacro %}\n"
    write(repository, "macros/models/wave.sql", "{# Waves. #}\n{% macro wave() %}wave{% endmacro %}\n" + private)
    assert findings(repository) == ["macros/models/wave.sql:5: Nothing calls _shrug. Delete it."]


def test_a_macro_that_only_calls_itself_is_found(repository: Path) -> None:
    write(repository, "dbt_project.yml", "name: portmesh\n")
    write(repository, "macros/mesh/greet.sql", GOOD.replace("~ name", "~ greet(name)"))
    assert findings(repository) == ["macros/mesh/greet.sql:2: Nothing calls greet. Delete it."]


def test_a_variable_of_that_name_is_no_call(repository: Path) -> None:
    write(repository, "dbt_project.yml", "name: portmesh\n")
    write(repository, "domains/orders/models/lines.sql", "{% set greet = 1 %}select {{ greet }}, {{ this.greet }}\n")
    assert findings(repository) == ["macros/mesh/greet.sql:2: Nothing calls greet. Delete it."]


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("domains/orders/models/lines.sql", "select {{ greet('you') }}\n"),
        ("domains/orders/models/lines.sql", "select {{ portmesh.greet('you') }}\n"),
        ("domains/orders/models/lines.yml", "models: [{description: \"{{ greet('you') }}\"}]\n"),
        (
            "macros/output_port/call.sql",
            "{% macro call() %}{{ adapter.dispatch('greet', 'portmesh')() }}{% endmacro %}\n",
        ),
        ("macros/output_port/call.sql", "{% macro call() %}{{ context['portmesh']['greet']() }}{% endmacro %}\n"),
        ("macros/output_port/call.sql", "{% macro call() %}{{ portmesh.engine_macro('greet')() }}{% endmacro %}\n"),
        ("macros/output_port/call.sql", "{% macro call() %}{% set all = [portmesh.greet] %}{% endmacro %}\n"),
        ("src/portmesh/call.py", 'run_operation("greet")\n'),
        ("docs/call.md", "    dbt run-operation greet\n"),
    ],
)
def test_what_counts_as_a_call(repository: Path, file: str, text: str) -> None:
    write(repository, "dbt_project.yml", "name: portmesh\n")
    assert findings(repository) == ["macros/mesh/greet.sql:2: Nothing calls greet. Delete it."]
    write(repository, file, text)
    assert not [finding for finding in findings(repository) if "greet" in finding]


def test_a_macro_that_replaces_dbts_is_called_by_dbt(repository: Path) -> None:
    for name in ("create_schema", "ref"):
        write(repository, f"macros/models/{name}.sql", f"{{% macro {name}() %}}{{% endmacro %}}\n")
    properties = [{"name": name, "description": "As dbt's."} for name in ("create_schema", "ref")]
    write(repository, "macros/models/_models.yml", yaml.safe_dump({"macros": properties}))
    assert findings(repository) == []


def test_dbts_macros_are_found() -> None:
    names = lint_macros.macros_of_dbt()
    assert {"generate_schema_name", "is_incremental", "create_schema", "spark__create_schema"} <= names
    assert "greet" not in names


# Documentation


@pytest.mark.parametrize(
    ("properties", "message"),
    [
        ("{}", "greet.sql:2: greet is not described. Describe it in macros/mesh/_mesh.yml."),
        (PROPERTIES.replace("Greets.", "' '"), "greet.sql:2: greet is not described. Describe it in"),
        (
            PROPERTIES.replace("name: name", "name: whom"),
            "The arguments of greet are whom, polite; its signature has name, polite.",
        ),
        (PROPERTIES.replace("type: string, ", ""), "The argument name of greet needs type and description."),
        (
            PROPERTIES + "  - {name: gone, description: Was.}\n",
            "_mesh.yml: It describes gone, but no file of macros/mesh has that macro. Remove the description.",
        ),
    ],
)
def test_wrong_documentation_is_found(repository: Path, properties: str, message: str) -> None:
    write(repository, "macros/mesh/_mesh.yml", properties)
    (finding,) = findings(repository)
    assert message in finding


def test_a_folder_is_described_by_the_folder_above(repository: Path) -> None:
    (repository / "macros/mesh/deep").mkdir()
    (repository / "macros/mesh/greet.sql").rename(repository / "macros/mesh/deep/greet.sql")
    assert findings(repository) == []


# The whole


def test_jinja_that_dbt_cannot_read_is_found(repository: Path) -> None:
    write(repository, "macros/mesh/greet.sql", "{% macro greet( %}{% endmacro %}\n")
    assert any("macros/mesh/greet.sql: dbt cannot read its Jinja: " in finding for finding in findings(repository))


def test_what_it_says_and_exits_with(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert lint_macros.run(repository) == lint_macros.FINE
    assert "5 macros in 2 files linted: 0 findings." in capsys.readouterr().out
    write(repository, "macros/mesh/greet.sql", GOOD.replace("What it is for.", "x" * 115))
    assert lint_macros.run(repository) == lint_macros.FINDINGS
    said = capsys.readouterr().out
    assert "121 characters" in said
    assert "5 macros in 2 files linted: 1 findings." in said


def test_nothing_to_lint_is_a_failure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert lint_macros.run(tmp_path) == lint_macros.MISSING_ARTIFACT
    assert "There is no macro to lint in macros, " in capsys.readouterr().out
