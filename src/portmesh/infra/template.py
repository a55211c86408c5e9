"""Renders the CloudFormation template of the domains from their rights."""

from __future__ import annotations

import re
from pathlib import Path

from portmesh.errors import FindingsError
from portmesh.infra.rights import Rights
from portmesh.templates import environment

PATH = Path("infra/domains.yaml")

READ_ACTIONS = [
    "glue:GetDatabase",
    "glue:GetTable",
    "glue:GetPartition*",
    "glue:BatchGetPartition",
    "glue:GetColumnStatisticsFor*",
]
"""The Glue actions that an engine needs to read a table. GetTables is left out: it would list the other tables too."""

WRITE_ACTIONS = [
    "glue:GetTable",
    "glue:GetTables",
    "glue:GetTableVersion",
    "glue:GetTableVersions",
    "glue:CreateTable",
    "glue:UpdateTable",
    "glue:DeleteTable",
    "glue:BatchDeleteTable",
    "glue:DeleteTableVersion",
    "glue:BatchDeleteTableVersion",
    "glue:GetPartition",
    "glue:GetPartitions",
    "glue:BatchGetPartition",
    "glue:CreatePartition",
    "glue:BatchCreatePartition",
    "glue:UpdatePartition",
    "glue:DeletePartition",
    "glue:BatchDeletePartition",
    "glue:GetColumnStatisticsForTable",
    "glue:UpdateColumnStatisticsForTable",
    "glue:DeleteColumnStatisticsForTable",
    "glue:GetColumnStatisticsForPartition",
    "glue:UpdateColumnStatisticsForPartition",
    "glue:DeleteColumnStatisticsForPartition",
]
"""The Glue actions that an engine needs to write its own tables, as in WriteOwnTables of domain.yaml."""


def render_template(rights: Rights) -> str:
    """The text of infra/domains.yaml."""
    templates = environment("portmesh.infra")
    templates.filters |= {"logical_id": _logical_id, "policy_name": _policy_name}
    text = templates.get_template("domains.yaml.jinja").render(
        rights=rights, read_actions=READ_ACTIONS, write_actions=WRITE_ACTIONS
    )
    return text.rstrip("\n") + "\n"


def is_up_to_date(root: Path, text: str) -> bool:
    """Whether the template on disk has this text."""
    return (root / PATH).is_file() and (root / PATH).read_text(encoding="utf-8") == text


def write_template(root: Path, text: str) -> None:
    """Write this text to the template on disk."""
    (root / PATH).parent.mkdir(exist_ok=True)
    (root / PATH).write_text(text, encoding="utf-8")


def assert_up_to_date(root: Path, text: str) -> None:
    """Raise FindingsError if the template on disk is missing or differs."""
    if not is_up_to_date(root, text):
        what = "out of date" if (root / PATH).is_file() else "missing"
        raise FindingsError(
            "The infrastructure template is out of date: 1 finding.",
            [(str(PATH), what)],
            "portmesh infra, then commit the file and deploy it",
        )


def _logical_id(name: str) -> str:
    """CustomerBehaviour for `customer_behaviour`: a logical id has only letters and digits."""
    return "".join(word.capitalize() for word in re.split(r"[^A-Za-z0-9]+", name))


def _policy_name(name: str) -> str:
    return re.sub(r"[^\w+=,.@-]+", "-", name, flags=re.ASCII)
