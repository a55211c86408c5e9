"""The columns that dbt adds to a snapshot."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from portmesh.lineage.lineage import ColumnLineage, Influence, NodeLineage

KEPT_SINCE, KEPT_UNTIL, UPDATED, ROW, DELETED = (
    "dbt_valid_from", "dbt_valid_to", "dbt_updated_at", "dbt_scd_id", "dbt_is_deleted",
)  # fmt: skip


def with_snapshot_columns(found: NodeLineage, node: Mapping[str, Any]) -> NodeLineage:
    """The lineage of a snapshot's query with the columns that say from when to when a row was valid.

    A row begins when one of the columns changes that the strategy compares: `updated_at`, or the `check_cols`.
    """
    config = node.get("config") or {}
    names = config.get("snapshot_meta_column_names") or {}
    key = _listed(config.get("unique_key"))
    compared = _listed(config.get("updated_at") if config.get("strategy") == "timestamp" else config.get("check_cols"))
    of_key, of_compared = _inputs(key, found), _inputs(compared, found)
    both = tuple(sorted({*of_key, *of_compared}))
    text = f"of {', '.join(key) or 'the key'}, when {', '.join(compared) or 'a column'} changes"
    added = [ROW, UPDATED, KEPT_SINCE, KEPT_UNTIL]
    added += [DELETED] if config.get("hard_deletes") == "new_record" else []
    columns = {str(names.get(name) or name).lower(): ColumnLineage(both, text) for name in added}
    influence = Influence("snapshot", f"a new row {text}", both)
    return NodeLineage(
        found.node, {**found.columns, **columns}, (*found.influences, influence), found.unknown, found.reads
    )


def _listed(value: Any) -> list[str]:
    """A column or a list of columns. `all` is none, which stands for all."""
    listed = [value] if isinstance(value, str) else list(value or ())
    return [] if listed == ["all"] else [str(each).strip().lower() for each in listed]


def _inputs(names: Iterable[str], found: NodeLineage) -> set[Any]:
    """What these columns are computed from; if one is an expression, or there are none, all of the query."""
    columns = [found.column(name) for name in names]
    if not columns or None in columns:
        columns = list(found.columns.values())
    return {each for column in columns if column for each in column.inputs}
