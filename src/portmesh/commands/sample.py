"""`portmesh sample`: bring a part of production's data to this machine."""

from __future__ import annotations

import sys
from textwrap import wrap
from typing import TYPE_CHECKING, Annotated, Any

import typer

from portmesh.commands.options import AsJson
from portmesh.errors import LINE, UsageError
from portmesh.output import console, errors_as_json, print_json, shown_while_working
from portmesh.text import count, facts_block, size

if TYPE_CHECKING:
    from portmesh.sampling.choosing import Choice
    from portmesh.sampling.sample import Plan


def sample(
    domain: Annotated[str, typer.Argument(metavar="DOMAIN", help="The domain that you want to build here.")],
    origin: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="PRODUCTION",
            help="emr, athena, or production's DuckDB file (default: where the domain is built).",
        ),
    ] = None,
    share: Annotated[str, typer.Option(metavar="SHARE", help="How much of each table: 1%, 0.5%, 100%.")] = "1%",
    mask_above: Annotated[
        str,
        typer.Option(
            metavar="LEVEL",
            help="Replace values classified above this: public, internal, confidential or restricted.",
        ),
    ] = "internal",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before reading.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Read no rows; show what would be read.")] = False,
    as_json: AsJson = False,
) -> None:
    """Bring a part of production's data to this machine.

    It takes what the domain reads: its sources and the ports of other domains. Then the domain can be built on the
    target local. Tables that join still join. What is classified above a level is replaced before it is written.
    """
    # Imported here because DuckDB and dbt take a second to load.
    from portmesh.sampling.sample import planned

    with errors_as_json(as_json), planned(domain, origin, share, mask_above) as (plan, sampler):
        if not as_json:
            _print_plan(plan)
        if dry_run:
            taken = None
        else:
            _confirm(yes, as_json)
            with shown_while_working() as show:
                taken = sampler.take(lambda label: show(f"reading {label}"))
    if as_json:
        print_json(_facts(plan, taken))
    elif taken is not None:
        _print_taken(plan, taken)


def _confirm(yes: bool, as_json: bool) -> None:
    if yes:
        return
    if as_json or not sys.stdin.isatty():
        raise UsageError(
            "Nothing was read: nobody can be asked here.",
            next_step="the same command with --yes, or with --dry-run to see only the plan",
        )
    if not typer.confirm("\nRead this?"):
        raise typer.Exit


def _print_plan(plan: Plan) -> None:
    tables = count(len(plan.choices), "table")
    heading = f"A sample of {plan.share:g} % for {plan.domain}, from {tables} in {plan.origin.location}."
    facts = [(choice.table.label, "\n".join(_lines(plan, choice))) for choice in plan.choices]
    facts += [(label, f"stays where it is: {where}") for label, where in plan.stays.items()]
    cost = (
        f", for up to {max(plan.cost, 0.01):,.2f} USD if this computer is outside AWS" if plan.cost else ", at no cost"
    )
    facts.append(("reads", f"{size(plan.bytes)}{cost}. No engine runs."))
    facts.append(("writes", f"{plan.local.file}\n{plan.local.lake.location}"))
    if plan.earlier:
        facts.append(("replaces", f"the earlier sample: {', '.join(plan.earlier)}"))
    unclassified: dict[str, list[str]] = {}
    for choice in plan.choices:
        if choice.is_unclassified:
            unclassified.setdefault(choice.table.file, []).append(choice.table.label)
    if unclassified:
        why = "masked as restricted; to change it, set config.meta.classification there, or level of a column"
        files = [_wrapped(f"{', '.join(labels)}, in {file}") for file, labels in unclassified.items()]
        facts.append(("not classified", "\n".join([*files, why])))
    console().print(f"{heading}\n\n{facts_block(facts)}", markup=False, soft_wrap=True)


def _lines(plan: Plan, choice: Choice) -> list[str]:
    rows = "rows not known" if choice.facts.rows is None else count(choice.facts.rows, "row")
    expected = plan.expected(choice)
    takes = f"takes {_way(plan, choice)}"
    if expected is not None and choice.way in ("hash", "rows"):
        takes = f"takes about {count(expected, 'row')}: {_way(plan, choice)}"
    return [f"{rows}, {size(choice.facts.bytes)}", takes, *(_wrapped(line) for line in _masks(choice))]


def _masks(choice: Choice) -> list[str]:
    by_how = {how: [name for name, found in choice.masked.items() if found == how] for how in _HOW}
    return [f"{_HOW[how]} {', '.join(names)}" for how, names in by_how.items() if names] or ["masks nothing"]


_HOW = {"value": "masks", "choice": "gives a random value of the allowed ones to", "null": "leaves out"}


def _wrapped(line: str) -> str:
    return "\n  ".join(wrap(line, LINE, break_on_hyphens=False))


def _way(plan: Plan, choice: Choice) -> str:
    if choice.way == "whole":
        return "all of it"
    if choice.way == "linked":
        return f"the rows whose {choice.column} is among those of {', '.join(label for label, _ in choice.links)}"
    if choice.column:
        return f"{plan.share:g} % of the values of {choice.column}"
    return f"{plan.share:g} % by chance, as no key joins it to the others"


def _print_taken(plan: Plan, taken: dict[str, int]) -> None:
    facts = [(label, count(rows, "row")) for label, rows in taken.items()]
    again = " --full-refresh" if plan.earlier else ""
    facts.append(("next", f"dbt build --target local --select package:{plan.domain}{again}"))
    if any(choice.masked for choice in plan.choices):
        facts.append(("checks", "those of ranges, and between columns or tables, may fail on replaced values"))
    heading = f"Wrote {count(sum(taken.values()), 'row')}. The key of the masks is forgotten."
    console().print(f"\n{heading}\n\n{facts_block(facts)}", markup=False, soft_wrap=True)


def _facts(plan: Plan, taken: dict[str, int] | None) -> dict[str, Any]:
    tables = [
        {
            "table": choice.table.label,
            "kind": choice.table.kind,
            "rows": choice.facts.rows,
            "bytes": choice.facts.bytes,
            "way": choice.way,
            "column": choice.column,
            "linked_to": [f"{label}.{column}" for label, column in choice.links],
            "masked": dict(choice.masked),
            "classified": not choice.is_unclassified,
            "written": None if taken is None else taken[choice.table.label],
        }
        for choice in plan.choices
    ]
    return {
        "domain": plan.domain,
        "from": plan.origin.location,
        "share": plan.share,
        "mask_above": plan.mask_above,
        "bytes": plan.bytes,
        "cost_usd_at_most": round(plan.cost, 4),
        "database": str(plan.local.file),
        "lake": plan.local.lake.location,
        "tables": tables,
        "stays": dict(plan.stays),
        "replaces": list(plan.earlier),
    }
