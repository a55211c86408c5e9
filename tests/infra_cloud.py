"""Deploys the stacks of infra/ to moto, and evaluates what their roles may do.

moto's own IAM does not evaluate Glue or Athena resources, nor conditions, so the deployed policies are read back and
evaluated by rig/policies.py.
"""

from __future__ import annotations

import ast
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from moto import mock_aws
from moto.core.common_models import CloudFormationModel

from rig.policies import is_allowed
from tests.mesh import REPOSITORY

ACCOUNT = "123456789012"
REGION = "eu-west-1"
TODAY = "2026-11-23T00:00:00Z"


class _LackingInMoto:
    """A resource type that moto's CloudFormation ignores; it is created through the service's API instead."""

    def __init__(self, name: str) -> None:
        self.name = name

    @property
    def physical_resource_id(self) -> str:
        return self.name

    @staticmethod
    def cloudformation_name_type() -> str:
        return ""

    @classmethod
    def create_from_cloudformation_json(
        cls, _name: str, cloudformation_json: Any, *_: Any, **_more: Any
    ) -> _LackingInMoto:
        return cls(cls.create(cloudformation_json["Properties"]))

    @staticmethod
    def create(properties: Any) -> str:
        """Create it. Returns its physical id."""
        raise NotImplementedError


class GlueDatabase(_LackingInMoto, CloudFormationModel):
    @staticmethod
    def cloudformation_type() -> str:
        return "AWS::Glue::Database"

    @staticmethod
    def create(properties: Any) -> str:
        client("glue").create_database(DatabaseInput=properties["DatabaseInput"])
        return str(properties["DatabaseInput"]["Name"])


class AthenaWorkGroup(_LackingInMoto, CloudFormationModel):
    @staticmethod
    def cloudformation_type() -> str:
        return "AWS::Athena::WorkGroup"

    @staticmethod
    def create(properties: Any) -> str:
        configuration = properties["WorkGroupConfiguration"]
        # Numbers that come from a template's parameters arrive as text.
        configuration["BytesScannedCutoffPerQuery"] = int(configuration["BytesScannedCutoffPerQuery"])
        client("athena").create_work_group(
            Name=properties["Name"], Configuration=configuration, Tags=properties["Tags"], Description=""
        )
        return str(properties["Name"])


class BucketPolicy(_LackingInMoto, CloudFormationModel):
    @staticmethod
    def cloudformation_type() -> str:
        return "AWS::S3::BucketPolicy"

    @staticmethod
    def create(properties: Any) -> str:
        policy = json.dumps(properties["PolicyDocument"])
        client("s3").put_bucket_policy(Bucket=properties["Bucket"], Policy=policy)
        return str(properties["Bucket"])


def client(service: str) -> Any:
    """A client for moto in this process, even if the environment names the endpoint of a rig."""
    config = Config(ignore_configured_endpoint_urls=True)
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
    return boto3.client(service, region_name=REGION, config=config, **keys)


@dataclass(frozen=True)
class Cloud:
    """An account with the deployed stacks. `prefix` is the prefix of its databases."""

    lake: str
    prefix: str
    databases: dict[str, str]
    table_defaults: dict[str, Any]
    work_groups: dict[str, Any]
    work_group_tags: dict[str, dict[str, str]]
    roles: dict[str, Any]
    policies_of: dict[str, list[Any]]
    managed_policies: dict[str, Any]
    key: str

    def may(self, who: list[Any] | str, action: str, *things: str, **context: str) -> bool:
        """Whether a domain (or a holder of these policies) may do `action` to things.

        A thing is `orders` or `orders.baskets` for Glue, a key or nothing (the bucket) for S3, else the end of an ARN.
        """
        policies = self.policies_of[f"portmesh-{self.prefix}{who}"] if isinstance(who, str) else who
        conditions = {"aws:CurrentTime": TODAY, "kms:ViaService": f"s3.{REGION}.amazonaws.com"}
        conditions |= {key.replace("_", ":"): value for key, value in context.items()}
        return is_allowed(policies, action, self._arns(action.split(":")[0], things), conditions)

    def _arns(self, service: str, things: tuple[str, ...]) -> list[str]:
        if service == "s3":
            return [f"arn:aws:s3:::{'/'.join((self.lake, *things))}"]
        start = f"arn:aws:{service}:{REGION}:{ACCOUNT}:"
        if service == "glue":
            return [start + end for thing in things for end in _glue_resources(thing)]
        return [start + thing for thing in things]


def _glue_resources(thing: str) -> list[str]:
    """Glue requires the right to a table and to its database and catalog."""
    database, _, table = thing.partition(".")
    return ["catalog", f"database/{database}", *([f"table/{database}/{table}"] if table else [])]


def deployed(
    lake: dict[str, str] | None = None,
    domains: dict[str, str] | None = None,
    mesh: Path = REPOSITORY,
    airflow: dict[str, str] | None = None,
) -> Cloud:
    """Deploy lake.yaml and a mesh's domains.yaml to a new account, with the lake's outputs and these parameters.

    With `airflow`, also mwaa.yaml, as far as it is before the first upload: moto knows no environment of MWAA.
    """
    with mock_aws():
        s3 = client("s3")
        s3.create_bucket(Bucket="templates", CreateBucketConfiguration={"LocationConstraint": REGION})
        for nested in ("domain.yaml", "mesh.yaml", "pull-requests.yaml"):
            s3.put_object(Bucket="templates", Key=nested, Body=(REPOSITORY / "infra" / nested).read_bytes())
        outputs = deploy(REPOSITORY / "infra/lake.yaml", lake or {})
        parameters = {**outputs, **(domains or {})}
        deploy(mesh / "infra/domains.yaml", parameters)
        if airflow is not None:
            deploy(REPOSITORY / "infra/mwaa.yaml", {"LakeBucket": outputs["LakeBucket"], **airflow})
        return _look_around(outputs["LakeBucket"], parameters.get("DatabasePrefix", ""), outputs["LakeKeyArn"])


def _look_around(lake: str, prefix: str, key: str) -> Cloud:
    athena, iam = client("athena"), client("iam")
    databases = client("glue").get_databases()["DatabaseList"]
    groups = [group["Name"] for group in athena.list_work_groups()["WorkGroups"]]
    managed = {policy["PolicyName"]: _managed_policy(policy) for policy in iam.list_policies(Scope="Local")["Policies"]}
    roles = {role["RoleName"]: iam.get_role(RoleName=role["RoleName"])["Role"] for role in iam.list_roles()["Roles"]}
    return Cloud(
        lake=lake,
        prefix=prefix,
        databases={each["Name"]: each.get("LocationUri", "") for each in databases},
        table_defaults={each["Name"]: each.get("CreateTableDefaultPermissions", []) for each in databases},
        work_groups={name: athena.get_work_group(WorkGroup=name)["WorkGroup"]["Configuration"] for name in groups},
        work_group_tags={name: _tags_of_work_group(name) for name in groups},
        roles=roles,
        policies_of={name: [*_inline_policies(name), *_attached_policies(name, managed)] for name in roles},
        managed_policies=managed,
        key=key,
    )


def _tags_of_work_group(name: str) -> dict[str, str]:
    arn = f"arn:aws:athena:{REGION}:{ACCOUNT}:workgroup/{name}"
    tags = client("athena").list_tags_for_resource(ResourceARN=arn)["Tags"]
    return {tag["Key"]: tag["Value"] for tag in tags}


def _inline_policies(role: str) -> list[Any]:
    iam = client("iam")
    names = iam.list_role_policies(RoleName=role)["PolicyNames"]
    documents = [iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"] for name in names]
    # moto returns the inline policies of a CloudFormation role as a Python dictionary's text, not as JSON.
    return [ast.literal_eval(each) if isinstance(each, str) else each for each in documents]


def _attached_policies(role: str, managed: dict[str, Any]) -> list[Any]:
    attached = client("iam").list_attached_role_policies(RoleName=role)["AttachedPolicies"]
    return [managed[each["PolicyName"]] for each in attached]


def _managed_policy(policy: Any) -> Any:
    version = {"PolicyArn": policy["Arn"], "VersionId": policy["DefaultVersionId"]}
    return client("iam").get_policy_version(**version)["PolicyVersion"]["Document"]


def deploy(template: Path, parameters: dict[str, str]) -> dict[str, str]:
    """Deploy a template as `aws cloudformation package` and `deploy` do. Returns the stack's outputs."""
    text = template.read_text()
    cloudformation = client("cloudformation")
    text = text.replace("TemplateURL: ", "TemplateURL: https://templates.s3.amazonaws.com/")
    cloudformation.create_stack(
        StackName=template.stem,
        TemplateBody=text,
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    (stack,) = cloudformation.describe_stacks(StackName=template.stem)["Stacks"]
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}
