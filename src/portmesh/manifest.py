"""The part of dbt's manifest (schema v12) that the kit reads.

Keys that dbt leaves out for some nodes, or writes as null, get their default here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, coerce_numbers_to_str=True)

    @model_validator(mode="before")
    @classmethod
    def _null_is_absent(cls, data: Any) -> Any:
        return {key: value for key, value in data.items() if value is not None} if isinstance(data, Mapping) else data


class Config(_Part):
    """The configuration of a node, with dbt's defaults."""

    materialized: str = ""
    meta: dict[str, Any] = {}


class DependsOn(_Part):
    """The ids of the nodes and sources that a node reads."""

    nodes: list[str] = []


class Node(_Part):
    """A model, test, seed, snapshot, unit test or other node. A singular test has no `attached_node`."""

    unique_id: str
    resource_type: str
    package_name: str
    name: str
    version: str = ""
    alias: str = ""
    fqn: list[str] = []
    original_file_path: str = ""
    patch_path: str = ""
    description: str = ""
    config: Config = Config()
    depends_on: DependsOn = DependsOn()
    columns: dict[str, Any] = {}
    attached_node: str = ""


class Source(_Part):
    """A table of a source."""

    unique_id: str
    package_name: str
    source_name: str
    name: str
    schema_name: str = Field(alias="schema")
    identifier: str
    description: str = ""
    original_file_path: str = ""
    config: Config = Config()
    source_meta: dict[str, Any] = {}
    columns: dict[str, Any] = {}


class Owner(_Part):
    """The owner of a group. If there are several addresses, `email` is the first."""

    name: str = ""
    email: str = ""

    @field_validator("email", mode="before")
    @classmethod
    def _first(cls, email: Any) -> Any:
        return next(iter(email), "") if isinstance(email, list) else email


class Group(_Part):
    """A group of models. A domain's group has the domain's name."""

    name: str
    package_name: str
    original_file_path: str = ""
    description: str = ""
    owner: Owner = Owner()
    config: Config = Config()


class DocsBlock(_Part):
    """A docs block: its package, its file and its content."""

    name: str = ""
    package_name: str = ""
    original_file_path: str = ""
    block_contents: str = ""


class Metadata(_Part):
    """About the manifest itself."""

    project_name: str = ""


class Manifest(_Part):
    """Everything that dbt knows about a project and its packages, by id."""

    metadata: Metadata = Metadata()
    nodes: dict[str, Node] = {}
    unit_tests: dict[str, Node] = {}
    sources: dict[str, Source] = {}
    groups: dict[str, Group] = {}
    docs: dict[str, DocsBlock] = {}
