"""`portmesh plan`: what has to be built and tested for a change, and why."""

from __future__ import annotations

from pathlib import Path
from textwrap import wrap
from typing import Annotated

import typer

from portmesh.commands.options import AsJson, Target
from portmesh.lineage.cache import cache_file
from portmesh.output import console, errors_as_json, print_json
from portmesh.planning.plan import TESTS, Plan, Planned, as_facts
from portmesh.planning.plan import plan as compare
from portmesh.state import current_state, read_state
from portmesh.text import count, facts_block, printable

NOTHING = "fqn:nothing_changed"
"""What dbt gets if nothing has to be built: an empty --select would select everything."""
SHOWN, WIDTH = 5, 90


def plan(
    against: Annotated[
        str,
        typer.Option(
            metavar="STATE",
            help="What to compare with: production as it last ran, a git ref (then where this branch left it), "
            "a manifest.json, or a folder with one.",
        ),
    ] = "production",
    select_file: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write what to build to a file, for portmesh build --select-file."),
    ] = None,
    as_selector: Annotated[
        bool,
        typer.Option("--selector", help="Print only a selector, for dbt build --indirect-selection empty --select."),
    ] = False,
    target: Target = None,
    as_json: AsJson = False,
) -> None:
    """Show what has to be built for a change, and why.

    It builds nothing. The plan has the models that can have other rows, the consumers of their changed columns, and
    the ports whose checks changed.
    """
    with errors_as_json(as_json):
        before = read_state(against, target)
        after = current_state(target, before=before)
        found = compare(before, after, cache_file())
        if select_file:
            select_file.write_text("".join(f"{selector}\n" for selector in found.selectors))
    if as_json:
        print_json(as_facts(found))
    elif as_selector:
        print(" ".join(found.selectors) or NOTHING)
    else:
        _print(found, against, select_file)


def _print(found: Plan, against: str, select_file: Path | None) -> None:
    built = [each for each in found.nodes if each.node.kind not in TESTS]
    alone = [each for each in found.nodes if each.node.kind in TESTS and each.reasons]
    with_them = len(found.nodes) - len(built) - len(alone)
    out = console()
    if found.nodes:
        what = f"{count(len(built), 'model')} to build and {count(len(found.nodes) - len(built), 'check')} to run"
        out.print(f"{what}, of {found.total:,} nodes, compared with {found.before}.\n", markup=False, soft_wrap=True)
        models, checks = ([(each.node.label, _told(each)) for each in some] for some in (built, alone))
        if with_them:
            # Beside the models unless there are others: names of checks are long.
            (checks or models).append(("checks", f"{with_them:,} run because their model is built"))
        blocks = [facts_block(facts) for facts in (models, checks) if facts]
        out.print("\n\n".join(blocks), markup=False, soft_wrap=True)
    else:
        out.print(f"Nothing to build or test: nothing has other rows than in {found.before}.", markup=False)
    notes = [(label, "is no longer in the mesh; nothing is built for it") for label in found.gone]
    notes += [
        (label, f"does not compile: {said.splitlines()[0]}") for label, said in found.not_compiled.items() if said
    ]
    notes += [(label, "names the target: compared for local only. Add: --target emr") for label in found.by_target]
    if found.nodes:
        file = select_file or "plan.txt"
        first = "" if select_file else f"portmesh plan --against {against} --select-file {file}, then "
        notes.append(("next", f"{first}portmesh build --select-file {file} --defer-to {against}"))
    if notes:
        out.print(f"\n{facts_block(notes)}", markup=False, soft_wrap=True)


def _told(planned: Planned) -> str:
    reasons = planned.reasons
    more = [f"and {count(len(reasons) - SHOWN, 'more reason')}"] if len(reasons) > SHOWN else []
    return "\n".join([*(line for reason in reasons[:SHOWN] for line in _wrapped(reason)), *more])


def _wrapped(reason: str) -> list[str]:
    return wrap(printable(reason), WIDTH, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)
