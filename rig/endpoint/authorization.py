"""Decides whether a caller that assumed a role may make a call. The rig's own keys may make any call.

The role's IAM policies decide (rig/policies.py). AWS applies them to every call to Glue and S3 that Athena makes for a
query. Here Trino makes those calls with its own credentials, so a query is judged by the tables that it names.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import sqlglot
from moto.core import DEFAULT_ACCOUNT_ID
from moto.glue.models import glue_backends
from moto.iam.models import iam_backends
from moto.sts.models import AssumedRole, sts_backends
from sqlglot import exp
from werkzeug.wrappers import Response

from rig.endpoint.athena.statements import AthenaError, Statement, TableName
from rig.endpoint.calls import Call
from rig.endpoint.glue import TRINO_VIEW
from rig.policies import Policy, is_allowed
from rig.servers import REGION

ARN = f"{REGION}:{DEFAULT_ACCOUNT_ID}"
GroupOf = Callable[[str], str]
READ = ("glue:GetTable", "s3:GetObject")
CHANGE = ("glue:UpdateTable", "s3:PutObject")
CREATE = ("glue:CreateTable", "s3:PutObject")
DROP = ("glue:DeleteTable",)
CHANGES: dict[type[exp.Expr], tuple[str, ...]] = {
    exp.Insert: CHANGE,
    exp.Update: CHANGE,
    exp.Delete: CHANGE,
    exp.Merge: CHANGE,
    exp.Alter: CHANGE[:1],
    exp.Create: CREATE,
    exp.Drop: DROP,
}
EXPLAIN = re.compile(r"explain\s+(?:analyze\s+)?(?:\([^)]*\)\s*)?(.*)", re.IGNORECASE | re.DOTALL)
MAINTAIN = re.compile(r"(?:optimize|vacuum|msck\s+repair\s+table)\s+(\S+)", re.IGNORECASE)
S3_ACTIONS = {
    **dict.fromkeys(("GetObject", "HeadObject"), "s3:GetObject"),
    **dict.fromkeys(("DeleteObject", "DeleteObjects"), "s3:DeleteObject"),
    **dict.fromkeys(("ListObjects", "ListObjectsV2", "HeadBucket"), "s3:ListBucket"),
    **dict.fromkeys(
        ("PutObject", "CopyObject", "CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload"), "s3:PutObject"
    ),
}


@dataclass(frozen=True)
class Need:
    """A right that a call needs: an action on resources (ARNs), with the context that conditions use."""

    action: str
    resources: tuple[str, ...]
    context: dict[str, str] = field(default_factory=dict)


def refuse(call: Call, group_of: GroupOf) -> Response | None:
    """The refusal of a call that the role may not make, else None. `group_of` returns a query's work group."""
    role = sts_backends[DEFAULT_ACCOUNT_ID]["aws"].get_assumed_role_from_access_key(call.access_key)
    if role is None or call.service == "sts":
        return None
    try:
        needs = list(_needs(call, group_of))
    except (AthenaError, sqlglot.ParseError) as error:
        return call.refuse("AccessDeniedException", f"The rig cannot find out what this statement reads: {error}")
    policies = policies_of(role)
    now = {"aws:CurrentTime": datetime.now(UTC).isoformat()}
    for need in needs:
        for resource in need.resources:
            if not is_allowed(policies, need.action, [resource], {**now, **need.context}):
                return _refusal(call, role, need.action, resource)
    return None


def policies_of(role: AssumedRole) -> list[Policy]:
    """All inline and attached policies of a role."""
    owner = iam_backends[DEFAULT_ACCOUNT_ID]["aws"].get_role(role.role_arn.split("/")[-1])
    attached = [version for policy in owner.managed_policies.values() for version in policy.versions]
    documents = [*owner.policies.values(), *(version.document for version in attached if version.is_default)]
    return [json.loads(document) for document in documents]


def _refusal(call: Call, role: AssumedRole, action: str, resource: str) -> Response:
    message = (
        f"User: {role.arn} is not authorized to perform: {action} on resource: {resource} "
        f"because no identity-based policy allows the {action} action"
    )
    code, status = ("AccessDenied", 403) if call.service == "s3" else ("AccessDeniedException", 400)
    # Read the rest of the body, or it would be taken for the client's next request.
    call.request.get_data(cache=False)
    return call.refuse(code, message, status)


def _needs(call: Call, group_of: GroupOf) -> Iterator[Need]:
    if call.service == "glue":
        yield Need(f"glue:{call.operation}", tuple(_glue_resources(call)))
    elif call.service == "s3":
        yield from _s3_needs(call)
    elif call.service == "athena":
        yield from _athena_needs(call, group_of)
    else:
        yield Need(f"{call.service}:{call.operation}", ("*",))


# Glue: rights to a resource and to everything that contains it.


def _glue_resources(call: Call) -> Iterator[str]:
    asked = call.parameters
    name = asked.get("Name") or (asked.get("DatabaseInput") or {}).get("Name") or "*"
    if "Database" in call.operation:
        yield from _database(name)
        return
    yield from _database(asked["DatabaseName"])
    table = asked.get("TableName") or (asked.get("TableInput") or {}).get("Name") or asked.get("Name") or "*"
    for each in asked.get("TablesToDelete") or [table]:
        yield f"arn:aws:glue:{ARN}:table/{asked['DatabaseName']}/{each}".lower()


def _database(name: str) -> tuple[str, str]:
    return f"arn:aws:glue:{ARN}:catalog", f"arn:aws:glue:{ARN}:database/{name}".lower()


# S3


def _s3_needs(call: Call) -> Iterator[Need]:
    bucket, _, key = call.request.path.lstrip("/").partition("/")
    action = S3_ACTIONS.get(call.operation, f"s3:{call.operation}")
    query = call.request.args
    if call.operation == "DeleteObjects":
        keys = re.findall(rb"<Key>([^<]+)</Key>", call.body)
        yield Need(action, tuple(_object(f"{bucket}/{each.decode()}") for each in keys))
    elif key:
        yield Need(action, (_object(f"{bucket}/{key}"),))
        if call.operation == "CopyObject":
            yield Need("s3:GetObject", (_object(call.request.headers["x-amz-copy-source"].lstrip("/")),))
    elif "location" in query:
        yield Need("s3:GetBucketLocation", (_object(bucket),))
    else:
        yield Need(action, (_object(bucket),), {"s3:prefix": query.get("prefix", "")})


def _object(path: str) -> str:
    return f"arn:aws:s3:::{path}"


# Athena: rights to the work group, and to what the query needs in Glue and S3.


def _athena_needs(call: Call, group_of: GroupOf) -> Iterator[Need]:
    asked = call.parameters
    if call.operation == "GetDataCatalog":
        yield Need("athena:GetDataCatalog", (f"arn:aws:athena:{ARN}:datacatalog/{asked['Name']}".lower(),))
        return
    ids = [*asked.get("QueryExecutionIds", []), *([asked["QueryExecutionId"]] if "QueryExecutionId" in asked else [])]
    groups = {group_of(each) for each in ids} or {asked.get("WorkGroup") or "primary"}
    yield Need(f"athena:{call.operation}", tuple(f"arn:aws:athena:{ARN}:workgroup/{group}" for group in groups))
    if call.operation == "StartQueryExecution":
        database = (asked.get("QueryExecutionContext") or {}).get("Database", "default")
        yield from needs_of_query(asked["QueryString"], database.lower())


def needs_of_query(sql: str, database: str) -> Iterator[Need]:
    """The rights that a query needs in Glue and S3. Raises AthenaError if they cannot be determined."""
    text = Statement(sql, database).sql
    if explained := EXPLAIN.fullmatch(text):
        yield from needs_of_query(explained[1], database)
    elif maintained := MAINTAIN.match(text):
        yield from _table_needs(CHANGE, _name(exp.to_table(maintained[1], dialect="athena"), database))
    else:
        yield from _needs_of_tree(sqlglot.parse_one(text, dialect="athena"), database)


def _needs_of_tree(tree: exp.Expr, database: str) -> Iterator[Need]:
    if type(tree) not in CHANGES and not isinstance(tree, exp.Query | exp.Values | exp.Describe):
        raise AthenaError(tree.sql(dialect="athena")[:80])
    kind = tree.args.get("kind")
    changed = tree.find(exp.Table) if type(tree) in CHANGES else None
    if changed and kind in ("SCHEMA", "DATABASE"):
        verb = "Create" if isinstance(tree, exp.Create) else "Delete"
        yield Need(f"glue:{verb}Database", _database(changed.db))
        return
    if changed:
        given = tree.find(exp.LocationProperty)
        actions = [action for action in CHANGES[type(tree)] if kind != "VIEW" or action.startswith("glue:")]
        yield from _table_needs(actions, _name(changed, database), given.this.name if given else "")
    named = {each.alias for each in tree.find_all(exp.CTE)}
    for table in tree.find_all(exp.Table):
        if table is not changed and (table.db or table.name not in named):
            yield from _table_needs(READ, _name(table, database))


def _name(table: exp.Table, database: str) -> TableName:
    """The table of a metadata table: b for `b$snapshots`."""
    return TableName((table.db or database).lower(), table.name.lower().split("$")[0])


def _table_needs(actions: Iterable[str], name: TableName, location: str = "") -> Iterator[Need]:
    """Rights to a table in Glue and to the files at its location. A view needs the rights that its query needs."""
    table = _table_in_glue(name)
    resources = (*_database(name.database), f"arn:aws:glue:{ARN}:table/{name.database}/{name.table}")
    location = location or (table.get("StorageDescriptor") or {}).get("Location", "")
    for action in actions:
        if action.startswith("glue:"):
            yield Need(action, resources)
        elif location:
            yield Need(action, (_object(location.split("://")[-1].rstrip("/") + "/"),))
    view = TRINO_VIEW.fullmatch(table.get("ViewOriginalText") or "")
    if view and "glue:GetTable" in actions:
        content = json.loads(base64.b64decode(view[1]))
        yield from needs_of_query(content["originalSql"], content.get("schema") or name.database)


def _table_in_glue(name: TableName) -> dict[str, Any]:
    """A table in Glue; empty if it does not exist."""
    database = glue_backends[DEFAULT_ACCOUNT_ID][REGION].databases.get(name.database)
    table = database.tables.get(name.table) if database else None
    return dict(table.versions[str(table._current_version)]) if table else {}
