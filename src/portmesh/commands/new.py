"""`portmesh new`: make a domain, a source or a port, so that it parses, passes lint and holds no placeholder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

import typer

from portmesh.commands.made import generate, print_made
from portmesh.commands.new_port import new_port
from portmesh.commands.new_source import source
from portmesh.commands.options import AsJson, epilog
from portmesh.commands.questions import Question, answers
from portmesh.keys import ENGINES, KINDS
from portmesh.output import errors_as_json
from portmesh.repository import find_root
from portmesh.scaffold.domain import (
    NewDomain,
    assert_email,
    assert_engine,
    assert_handle,
    assert_is_free,
    assert_kind,
    make_domain,
)
from portmesh.scaffold.register import CODEOWNERS
from portmesh.scaffold.rendering import assert_text

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Make a domain, a source or a port.",
    epilog=epilog("portmesh new domain finance"),
)

OWNER = Question("--owner", "Which team owns it?", "The team that answers for its data: Finance data team", assert_text)
EMAIL = Question("--email", "How is the team reached by mail?", "finance-data@example.com", assert_email)
CHANNEL = Question("--channel", "Where do consumers ask?", 'A channel of your chat: "#data-finance"', assert_text)
DESCRIPTION = Question(
    "--description",
    "What does its data hold, in one sentence?",
    "It opens the domain's page in the catalog: What the stores earn, day by day.",
    assert_text,
)
PURPOSE = Question(
    "--purpose",
    "What is it for?",
    "Why someone would use it rather than something else: One place where the stores' earnings are counted.",
    assert_text,
)
KIND = Question(
    "--kind",
    "What kind of data product is it?",
    "source-aligned: close to a source system. aggregate: combined from other products. consumer-aligned: made for one "
    "use.",
    assert_kind,
)
ENGINE = Question(
    "--engine",
    "Which engine builds it in production?",
    "athena: nothing to keep running, paid by the bytes read. emr: Spark, for large increments.",
    assert_engine,
    "athena",
)
GITHUB = Question(
    "--github",
    "Who approves changes to its files on GitHub?",
    "The team's handle, for CODEOWNERS: @company/finance-data",
    assert_handle,
)


@app.command(epilog=epilog("portmesh new domain finance --kind consumer-aligned"))
def domain(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The domain's name: finance, store_costs.")],
    owner: Annotated[str | None, typer.Option(metavar="TEAM", help="The team that owns it.")] = None,
    email: Annotated[str | None, typer.Option(metavar="ADDRESS", help="The team's address.")] = None,
    channel: Annotated[str | None, typer.Option(metavar="CHANNEL", help="Where consumers ask: #data-finance.")] = None,
    description: Annotated[
        str | None, typer.Option(metavar="SENTENCE", help="What its data hold, in one sentence.")
    ] = None,
    purpose: Annotated[str | None, typer.Option(metavar="SENTENCE", help="What it is for.")] = None,
    kind: Annotated[str | None, typer.Option(metavar="KIND", help=f"{', '.join(KINDS)}.")] = None,
    engine: Annotated[
        str | None, typer.Option(metavar="ENGINE", help=f"Builds it in production: {' or '.join(ENGINES)} (athena).")
    ] = None,
    github: Annotated[
        str | None, typer.Option(metavar="HANDLE", help="Who approves its changes, if there is a CODEOWNERS.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make a domain: its dbt package, its data product and its README.

    Asks for what no option says, and lists the domain wherever domains are listed. Its stage is proposed.
    """
    given = {
        "--owner": owner, "--email": email, "--channel": channel, "--description": description, "--purpose": purpose,
        "--kind": kind, "--engine": engine, "--github": github,
    }  # fmt: skip
    new_domain(name, given, as_json)


def new_domain(
    name: str, given: Mapping[str, str | None], as_json: bool, facts: Sequence[tuple[str, str]] = ()
) -> None:
    """Make a domain from the answers that are `given` by option, and ask for the others. Prints `facts`, too."""
    root = find_root()
    with errors_as_json(as_json):
        assert_is_free(root, name)
        optional = Question(GITHUB.option, GITHUB.text, GITHUB.explained, GITHUB.check, "")
        last = GITHUB if (root / CODEOWNERS).is_file() else optional
        said = answers(given, [OWNER, EMAIL, CHANNEL, DESCRIPTION, PURPOSE, KIND, ENGINE, last])
        new = NewDomain(name, **{option.removeprefix("--"): answer for option, answer in said.items()})
        written = make_domain(root, new)
        written += generate(root, f"The domain {name}", written)
    print_made(
        f"The domain {name} is ready.", written, f"portmesh new source {name}.SOURCE, then commit", as_json, facts
    )


app.command(epilog=epilog("portmesh new source finance.ledger --from costs.csv"))(source)
app.command("port", epilog=epilog("portmesh new port orders.order_lines --from tills.transactions"))(new_port)
