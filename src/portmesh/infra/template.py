"""Renders the CloudFormation template of the domains from their rights."""

from __future__ import annotations

import re
from pathlib import Path

from portmesh.infra.rights import Rights
from portmesh.made_file import MadeFile
from portmesh.templates import environment

TEMPLATE = MadeFile(
    Path("infra/domains.yaml"),
    "The infrastructure template is out of date",
    "out of date",
    "portmesh infra, then commit the file and deploy it",
)

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


def _logical_id(name: str) -> str:
    """CustomerBehaviour for `customer_behaviour`: a logical id has only letters and digits."""
    return "".join(word.capitalize() for word in re.split(r"[^A-Za-z0-9]+", name))


def _policy_name(name: str) -> str:
    return re.sub(r"[^\w+=,.@-]+", "-", name, flags=re.ASCII)
