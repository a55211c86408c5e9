"""The infrastructure: it follows from the mesh, deploys, and lets each role do what the mesh says and nothing else."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from cfnlint.decode.cfn_yaml import load as load_template

from portmesh.cli import main
from portmesh.infra.rights import TABLES_PER_POLICY, Application, Grant, Rights, Table
from portmesh.infra.template import render_template
from rig.policies import UnknownPolicyElementError, is_allowed
from tests.infra_cloud import Cloud, deployed
from tests.mesh import REPOSITORY, Mesh

DOMAINS = sorted(folder.parent.name for folder in REPOSITORY.glob("domains/*/dbt_project.yml"))
TEMPLATES = sorted(path.name for path in REPOSITORY.glob("infra/*.yaml") if not path.name.startswith("."))


def call(*arguments: str) -> int:
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    return int(stop.value.code or 0)


def cfn_lint(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).parent / "cfn-lint"), *arguments]
    return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)


# What follows from the mesh


@pytest.fixture
def shop(mesh: Mesh, monkeypatch: pytest.MonkeyPatch) -> Mesh:
    """shop publishes lines and prices of its source raw.lines; desk and the application till_report read lines."""
    mesh.set_up("shop", "desk", root={"on-run-start": []})
    columns = "- {name: line_id, data_type: bigint, description: The key., data_tests: [not_null, unique]}"
    consumers = """
    consumers:
      - {name: desk, purpose: Count lines}
      - {name: till report, purpose: Print them, until: 2027-06-30}
    """
    mesh.port("shop/lines", "select line_id from {{ source('raw', 'lines') }}", columns, meta=consumers)
    mesh.port("shop/prices", "select line_id from {{ source('raw', 'lines') }}", columns)
    assert mesh.dbt("deps").ok
    monkeypatch.chdir(mesh.folder)
    return mesh


def written(mesh: Mesh) -> dict[str, Any]:
    """The resources of the template that was written."""
    return dict(load_template(str(mesh.folder / "infra/domains.yaml"))["Resources"])


def tables_of(policy: Any) -> set[str]:
    """Names of the tables that a policy of the template names, as they are in production."""
    found = set()
    for statement in policy["Properties"]["PolicyDocument"]["Statement"]:
        for resource in statement["Resource"] if isinstance(statement["Resource"], list) else []:
            _, is_table, table = str(resource["Fn::Sub"]).partition(":table/")
            found |= {table.replace("${DatabasePrefix}", "")} if is_table else set()
    return found


def test_a_new_mesh_gets_its_template_and_is_in_step(shop: Mesh, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("infra") == 0
    assert capsys.readouterr().out.startswith("infra/domains.yaml is written: 3 roles, 1 other consumer.\n")
    assert (shop.folder / "infra/domains.yaml").read_text().startswith("# Written by `portmesh infra` ")
    resources = written(shop)
    assert set(resources) == {"Desk", "DeskReads1", "Shop", "ShopReads1", "Portmesh", "TillReportReads1"}
    assert tables_of(resources["DeskReads1"]) == {"shop/lines"}
    assert tables_of(resources["ShopReads1"]) == {"raw/lines"}
    assert tables_of(resources["TillReportReads1"]) == {"shop/lines"}
    assert call("infra", "--check") == 0
    assert capsys.readouterr().out == "infra/domains.yaml is in step: 3 roles, 1 other consumer.\n"


def test_a_new_consumer_gets_its_right_and_drift_is_found(shop: Mesh, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("infra", "--check") == 1
    assert capsys.readouterr().err == (
        "The infrastructure is not in step with the mesh: 1 finding.\n\n"
        "  infra/domains.yaml   missing\n"
        "  next                 portmesh infra, commit the file and deploy it\n"
    )
    assert not (shop.folder / "infra").exists(), "a check writes nothing"
    assert call("infra") == 0
    prices = shop.folder / "domains/shop/models/output_ports/prices.yml"
    text = prices.read_text()
    assert "version: 1.0.0\n" in text
    consumers = "version: 1.0.0\n        consumers: [{name: desk, purpose: Compare prices, until: 2027-01-31}]\n"
    prices.write_text(text.replace("version: 1.0.0\n", consumers))
    capsys.readouterr()
    assert call("infra", "--check", "--json") == 1
    assert json.loads(capsys.readouterr().out)["infra/domains.yaml"] == "out of date"
    assert call("infra", "--json") == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts == {"roles": 3, "applications": 1, "written": ["infra/domains.yaml"]}
    assert tables_of(written(shop)["DeskReads1"]) == {"shop/lines", "shop/prices"}


def test_a_right_ends_after_the_last_day(shop: Mesh) -> None:
    assert call("infra") == 0
    statements = written(shop)["TillReportReads1"]["Properties"]["PolicyDocument"]["Statement"]
    assert len(statements) == 3
    for statement in statements:
        assert statement["Condition"]["DateLessThan"] == {"aws:CurrentTime": "2027-07-01T00:00:00Z"}


def test_the_rights_need_no_page_of_the_catalog(shop: Mesh) -> None:
    path = shop.folder / "domains/shop/models/output_ports/lines.yml"
    path.write_text(path.read_text().replace("of lines.", "of lines. {{ doc('shop__lines') }}"))
    assert call("infra") == 0
    assert "DeskReads1" in written(shop)


@pytest.mark.parametrize(("target", "environment"), [("local", "prod"), ("athena", "dev_ana")])
def test_the_repositorys_template_is_in_step_whatever_the_shell_says(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, target: str, environment: str
) -> None:
    monkeypatch.chdir(REPOSITORY)
    monkeypatch.setenv("PORTMESH_TARGET", target)
    monkeypatch.setenv("PORTMESH_ENVIRONMENT", environment)
    monkeypatch.setenv("DBT_TARGET_PATH", str(tmp_path))
    assert call("infra", "--check") == 0, capsys.readouterr().err
    assert f"{len(DOMAINS) + 1} roles" in capsys.readouterr().out


# The templates


def test_cfn_lint_looks_at_all_templates_and_finds_nothing() -> None:
    assert TEMPLATES == ["domain.yaml", "domains.yaml", "emr-cluster.yaml", "emr-serverless.yaml", "lake.yaml"]
    result = cfn_lint("--config-file", "infra/.cfnlintrc.yaml", "--info")
    assert [name for name in TEMPLATES if f"Run scan of template infra/{name}" in result.stderr] == TEMPLATES
    assert result.stdout == ""
    assert result.returncode == 0


def test_cfn_lint_refuses_what_is_wrong(tmp_path: Path) -> None:
    bad = tmp_path / "bad.yaml"
    text = (REPOSITORY / "infra/lake.yaml").read_text()
    assert "EnableKeyRotation: true" in text
    bad.write_text(text.replace("EnableKeyRotation: true", "Rotates: true"))
    result = cfn_lint("--template", str(bad))
    assert "Additional properties are not allowed ('Rotates' was unexpected)" in result.stdout
    assert result.returncode != 0


def test_buckets_are_closed_encrypted_and_logged() -> None:
    resources = load_template(str(REPOSITORY / "infra/lake.yaml"))["Resources"]
    buckets = {name: each["Properties"] for name, each in resources.items() if each["Type"] == "AWS::S3::Bucket"}
    assert set(buckets) == {"LakeBucket", "LogBucket"}
    for bucket in buckets.values():
        assert len(bucket["PublicAccessBlockConfiguration"]) == 4
        assert all(bucket["PublicAccessBlockConfiguration"].values())
        assert bucket["OwnershipControls"] == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
        assert bucket["BucketEncryption"]
        assert "VersioningConfiguration" not in bucket, "old bytes would outlive an erasure"
    assert buckets["LakeBucket"]["LoggingConfiguration"]["DestinationBucketName"] == {"Ref": "LogBucket"}
    assert {rule["Id"] for rule in buckets["LakeBucket"]["LifecycleConfiguration"]["Rules"]} == {
        "query-results",
        "spark-logs",
        "broken-uploads",
    }


def test_spark_is_set_up_alike_on_a_cluster_and_serverless() -> None:
    cluster = load_template(str(REPOSITORY / "infra/emr-cluster.yaml"))["Resources"]["Cluster"]["Properties"]
    serverless = load_template(str(REPOSITORY / "infra/emr-serverless.yaml"))["Resources"]["Application"]["Properties"]
    (spark,) = (each for each in cluster["Configurations"] if each["Classification"] == "spark-defaults")
    (job,) = serverless["RuntimeConfiguration"]
    assert {**spark["ConfigurationProperties"], "spark.jars": job["Properties"]["spark.jars"]} == job["Properties"]
    assert spark["ConfigurationProperties"]["spark.sql.catalog.glue.cache-enabled"] == "false"
    assert cluster["JobFlowRole"] == {"Fn::Sub": "portmesh-${DatabasePrefix}${Domain}"}


def length(policy: Any) -> int:
    return len(json.dumps(policy, separators=(",", ":")))


def test_policies_fit_into_iams_limits_with_long_names(cloud: Cloud) -> None:
    """10,240 characters for all inline policies of a role, 6,144 for a managed one, white space aside."""
    name = "a_name_of_thirty_characters_xx"
    start = date(2027, 1, 1)
    grants = tuple(
        Grant((Table("${DatabasePrefix}" + name, f"{name}{number}"),), f"{start + timedelta(number)}T00:00:00Z")
        for number in range(TABLES_PER_POLICY)
    )
    template = yaml.load(render_template(Rights((), (Application(name, (grants,)),))), Loader=_Substituted)
    (policy,) = template["Resources"].values()
    assert length(policy["Properties"]["PolicyDocument"]) < 6_144
    for role in [*DOMAINS, "portmesh"]:
        own, *others = (length(each) for each in cloud.policies_of[f"portmesh-{role}"])
        assert own < 5_000
        assert len(others) <= 10
        assert all(each < 6_144 for each in others)


class _Substituted(yaml.SafeLoader):
    """Reads a template with each parameter as long as it may become."""


def _substitute(loader: _Substituted, node: yaml.ScalarNode) -> str:
    text = loader.construct_scalar(node)
    values = {"AWS::Partition": "aws-us-gov", "AWS::Region": "ap-southeast-1", "AWS::AccountId": "1" * 12}
    values |= {"LakeBucket": "b" * 63, "DatabasePrefix": "a_branch__"}
    for parameter, value in values.items():
        text = text.replace(f"${{{parameter}}}", value)
    return text


_Substituted.add_constructor("!Sub", _substitute)  # type: ignore[type-var]
_Substituted.add_constructor("!Ref", _substitute)  # type: ignore[type-var]


# What is deployed


@pytest.fixture(scope="module")
def cloud() -> Cloud:
    return deployed()


def test_each_domain_has_its_databases_under_its_own_prefix(cloud: Cloud) -> None:
    expected = {name for domain in [*DOMAINS, "portmesh"] for name in (domain, f"{domain}__internal")}
    assert set(cloud.databases) == expected | {"landed", "default"}
    for name in expected | {"landed"}:
        assert cloud.databases[name] == f"s3://{cloud.lake}/{name}/"


@pytest.mark.parametrize("domain", DOMAINS)
def test_each_domain_has_a_work_group_with_a_limit_and_cost_tags(cloud: Cloud, domain: str) -> None:
    configuration = cloud.work_groups[f"portmesh-{domain}"]
    assert configuration["EnforceWorkGroupConfiguration"] is True
    assert configuration["BytesScannedCutoffPerQuery"] == 1_000_000_000_000
    assert configuration["ResultConfiguration"] == {
        "OutputLocation": f"s3://{cloud.lake}/athena-results/{domain}/",
        "EncryptionConfiguration": {"EncryptionOption": "SSE_S3"},
    }
    (group,) = yaml.safe_load((REPOSITORY / f"domains/{domain}/models/{domain}.yml").read_text())["groups"]
    tags = {tag["Key"]: tag["Value"] for tag in cloud.roles[f"portmesh-{domain}"]["Tags"]}
    assert tags == {"domain": domain, "owner": group["owner"]["email"]}
    assert cloud.work_group_tags[f"portmesh-{domain}"] == tags


def test_a_role_is_taken_on_by_the_runners_named_or_by_the_account(cloud: Cloud) -> None:
    def principals(account: Cloud) -> list[Any]:
        document = account.roles["portmesh-orders"]["AssumeRolePolicyDocument"]
        return [statement["Principal"] for statement in document["Statement"]]

    services = [{"Service": "ec2.amazonaws.com"}, {"Service": "emr-serverless.amazonaws.com"}]
    assert principals(cloud) == [{"AWS": "arn:aws:iam::123456789012:root"}, *services]
    runners = ["arn:aws:iam::123456789012:role/scheduler", "arn:aws:iam::123456789012:role/ci"]
    assert principals(deployed(domains={"RunnerArns": ",".join(runners)})) == [{"AWS": runners}, *services]


# What a role may do: expectations come from the ports' YAML, not from what is generated


def ports() -> dict[str, set[str]]:
    """Consumers of each port, `orders.baskets`."""
    found = {}
    for path in REPOSITORY.glob("domains/*/models/output_ports/*.yml"):
        for model in yaml.safe_load(path.read_text())["models"]:
            consumers = model["config"]["meta"].get("consumers", [])
            found[f"{path.parts[-4]}.{model['name']}"] = {consumer["name"] for consumer in consumers}
    return found


def others(domain: str) -> list[str]:
    return [other for other in [*DOMAINS, "portmesh"] if other != domain]


@pytest.mark.parametrize("domain", [*DOMAINS, "portmesh"])
def test_a_domain_writes_its_own(cloud: Cloud, domain: str) -> None:
    for database in (domain, f"{domain}__internal"):
        for action in ("CreateTable", "UpdateTable", "DeleteTable", "GetTable"):
            assert cloud.may(domain, f"glue:{action}", f"{database}.any_table"), action
        for action in ("PutObject", "GetObject", "DeleteObject"):
            assert cloud.may(domain, f"s3:{action}", f"{database}/any_table/data/file.parquet"), action
        assert cloud.may(domain, "s3:ListBucket", s3_prefix=f"{database}/any_table/")
    assert cloud.may(domain, "s3:PutObject", f"athena-results/{domain}/result.csv")
    assert cloud.may(domain, "athena:StartQueryExecution", f"workgroup/portmesh-{domain}")


@pytest.mark.parametrize("domain", [*DOMAINS, "portmesh"])
def test_a_domain_changes_nothing_of_another(cloud: Cloud, domain: str) -> None:
    for other in others(domain):
        for database in (other, f"{other}__internal"):
            assert not cloud.may(domain, "glue:DeleteDatabase", database)
            assert not cloud.may(domain, "s3:DeleteObject", f"{database}/any_table/file.parquet")
            for action in ("CreateTable", "DeleteTable", *(["UpdateTable"] if database != "portmesh" else [])):
                assert not cloud.may(domain, f"glue:{action}", f"{database}.any_table"), (action, database)
            if database != "portmesh":
                assert not cloud.may(domain, "s3:PutObject", f"{database}/any_table/file.parquet")
        assert not cloud.may(domain, "athena:StartQueryExecution", f"workgroup/portmesh-{other}")
        assert not cloud.may(domain, "s3:GetObject", f"athena-results/{other}/result.csv")
    assert not cloud.may(domain, "athena:StartQueryExecution", "workgroup/primary")


@pytest.mark.parametrize("domain", [*DOMAINS, "portmesh"])
def test_a_domain_reads_the_ports_that_list_it_and_no_other(cloud: Cloud, domain: str) -> None:
    asked = set()
    for port, consumers in ports().items():
        database, table = port.split(".")
        if database == domain:
            continue
        is_listed = domain in consumers
        asked.add(is_listed)
        assert cloud.may(domain, "glue:GetTable", port) == is_listed, port
        assert cloud.may(domain, "s3:GetObject", f"{database}/{table}/v1/data/file.parquet") == is_listed, port
        assert cloud.may(domain, "s3:ListBucket", s3_prefix=f"{database}/{table}/v1/") == is_listed, port
        assert not cloud.may(domain, "glue:UpdateTable", port)
        assert not cloud.may(domain, "s3:PutObject", f"{database}/{table}/v1/data/file.parquet")
        assert not cloud.may(domain, "glue:GetTable", f"{database}.{table}__candidate")
        assert not cloud.may(domain, "s3:GetObject", f"{database}/{table}__candidate/file.parquet")
        assert not cloud.may(domain, "glue:GetTable", f"{database}__internal.{table}")
        assert not cloud.may(domain, "s3:GetObject", f"{database}__internal/{table}/file.parquet")
        assert not cloud.may(domain, "s3:ListBucket", s3_prefix=f"{database}/")
    assert False in asked


def test_ports_with_and_without_a_listed_domain_were_asked_for() -> None:
    listed = set().union(*ports().values())
    assert len(ports()) >= 14
    assert {"customer_behaviour", "orders", "customers"} <= listed
    assert "portmesh" not in listed


@pytest.mark.parametrize("domain", DOMAINS)
def test_a_domain_reads_the_feeds_that_its_own_sources_name(cloud: Cloud, domain: str) -> None:
    feeds: dict[str, str] = {}
    for path in REPOSITORY.glob("domains/*/models/staging/*sources.yml"):
        for source in yaml.safe_load(path.read_text())["sources"]:
            feeds |= {t["name"]: path.parts[-4] for t in source["tables"] if source["schema"] == "landed"}
    assert len(feeds) >= 8
    for feed, owner in feeds.items():
        assert cloud.may(domain, "glue:GetTable", f"landed.{feed}") == (owner == domain), feed
        assert cloud.may(domain, "s3:GetObject", f"landed/{feed}/data/file.parquet") == (owner == domain), feed
        assert not cloud.may(domain, "glue:UpdateTable", f"landed.{feed}")
        assert not cloud.may(domain, "s3:PutObject", f"landed/{feed}/data/file.parquet")


@pytest.mark.parametrize("domain", DOMAINS)
def test_a_domain_appends_to_the_records_and_takes_nothing_away(cloud: Cloud, domain: str) -> None:
    for record in ("publications", "measurements"):
        assert cloud.may(domain, "glue:GetTable", f"portmesh.{record}")
        assert cloud.may(domain, "glue:UpdateTable", f"portmesh.{record}")
        assert cloud.may(domain, "s3:PutObject", f"portmesh/{record}/data/file.parquet")
        assert not cloud.may(domain, "glue:DeleteTable", f"portmesh.{record}")
        assert not cloud.may(domain, "s3:DeleteObject", f"portmesh/{record}/data/file.parquet")
    assert not cloud.may(domain, "glue:GetTable", "portmesh__internal.quality_dimensions")


def test_nobody_but_the_stack_makes_or_drops_a_database(cloud: Cloud) -> None:
    for domain in [*DOMAINS, "portmesh"]:
        for action in ("CreateDatabase", "UpdateDatabase", "DeleteDatabase"):
            assert not cloud.may(domain, f"glue:{action}", domain)
        assert cloud.may(domain, "glue:GetDatabases", others(domain)[0]), "dbt asks which schemas there are"


def test_an_application_reads_its_ports_until_the_last_day(cloud: Cloud) -> None:
    policies = [cloud.managed_policies["portmesh-store_planning-reads-1"]]
    promotions, last = "marketing.promotions", "2027-12-31T23:59:59Z"
    assert ports()[promotions] == {"store_planning"}
    assert cloud.may(policies, "glue:GetTable", promotions, aws_CurrentTime=last)
    assert not cloud.may(policies, "glue:GetTable", promotions, aws_CurrentTime="2028-01-01T00:00:00Z")
    file = "marketing/promotions/v1/data/file.parquet"
    assert cloud.may(policies, "s3:GetObject", file, aws_CurrentTime=last)
    assert not cloud.may(policies, "s3:GetObject", file, aws_CurrentTime="2028-01-01T00:00:00Z")
    assert not cloud.may(policies, "glue:GetTable", "marketing.campaigns", aws_CurrentTime=last)


def test_who_lands_batches_writes_the_landing_database_only(cloud: Cloud) -> None:
    policies = [cloud.managed_policies["portmesh-land"]]
    assert cloud.may(policies, "glue:CreateTable", "landed.transactions")
    assert cloud.may(policies, "s3:PutObject", "landed/transactions/data/file.parquet")
    assert not cloud.may(policies, "glue:UpdateTable", "orders.order_lines")
    assert not cloud.may(policies, "s3:PutObject", "orders/order_lines/data/file.parquet")


def test_an_environment_has_databases_and_roles_apart_from_production() -> None:
    ci = deployed(domains={"DatabasePrefix": "ci__"})
    assert {"ci__orders", "ci__orders__internal", "ci__portmesh"} < set(ci.databases)
    assert "orders" not in ci.databases
    assert ci.may("orders", "glue:UpdateTable", "ci__orders.baskets")
    assert ci.may("customer_behaviour", "glue:GetTable", "ci__orders.baskets")
    assert ci.may("orders", "s3:PutObject", "ci__orders/baskets/file.parquet")
    assert ci.may("orders", "glue:GetTable", "landed.transactions"), "feeds are the same everywhere"
    for denied in ("orders.baskets", "orders__internal.any_table", "ci__marketing.campaigns"):
        assert not ci.may("orders", "glue:UpdateTable", denied)
    assert not ci.may("orders", "s3:PutObject", "orders/baskets/file.parquet")


def test_a_key_of_the_lakes_own_is_used_through_s3_only(cloud: Cloud) -> None:
    own = deployed(lake={"Encryption": "kms"})
    key = own.key.split(":")[-1]
    assert own.may("orders", "kms:GenerateDataKey", key)
    assert own.may("orders", "kms:Decrypt", key)
    assert not own.may("orders", "kms:Decrypt", key, kms_ViaService="ec2.eu-west-1.amazonaws.com")
    assert not own.may("orders", "kms:ScheduleKeyDeletion", key)
    results = own.work_groups["portmesh-orders"]["ResultConfiguration"]
    assert results["EncryptionConfiguration"] == {"EncryptionOption": "SSE_KMS", "KmsKey": own.key}
    assert cloud.key == ""
    assert not cloud.may("orders", "kms:Decrypt", key)


# The judge itself


def policy(**statement: Any) -> dict[str, Any]:
    return {"Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*", **statement}]}


@pytest.mark.parametrize(
    ("statement", "is_right"),
    [
        ({}, True),
        ({"Action": "s3:Get?bject"}, True),
        ({"Action": ["s3:PutObject", "S3:getobject"]}, True),
        ({"Action": "s3:Get"}, False),
        ({"Resource": "arn:aws:s3:::lake/orders/*"}, True),
        ({"Resource": "arn:aws:s3:::lake/ORDERS/*"}, False),
        ({"Resource": "arn:aws:s3:::lake/order./*"}, False),
        ({"Condition": {"StringLike": {"s3:prefix": ["a/*", "orders/*"]}}}, True),
        ({"Condition": {"StringLike": {"s3:prefix": "a/*"}}}, False),
        ({"Condition": {"StringEquals": {"s3:prefix": "orders/*"}}}, False),
        ({"Condition": {"StringEquals": {"s3:unknown": "x"}}}, False),
        ({"Condition": {"DateLessThan": {"aws:CurrentTime": "2027-01-01T00:00:00Z"}}}, True),
        ({"Condition": {"DateLessThan": {"aws:CurrentTime": "2026-11-23T00:00:00Z"}}}, False),
    ],
)
def test_a_statement_allows_what_it_names(statement: dict[str, Any], is_right: bool) -> None:
    context = {"s3:prefix": "orders/baskets/", "aws:CurrentTime": "2026-11-23T00:00:00Z"}
    thing = ["arn:aws:s3:::lake/orders/baskets"]
    assert is_allowed([policy(**statement)], "s3:GetObject", thing, context) == is_right
    denying = policy(**{**statement, "Effect": "Deny"})
    assert is_allowed([policy(), denying], "s3:GetObject", thing, context) != is_right


def test_each_resource_of_a_request_must_be_allowed() -> None:
    orders, marketing = "arn:aws:s3:::lake/orders", "arn:aws:s3:::lake/marketing"
    assert is_allowed([policy(Resource=orders), policy(Resource=marketing)], "s3:GetObject", [orders, marketing])
    assert not is_allowed([policy(Resource=orders)], "s3:GetObject", [orders, marketing])
    assert not is_allowed([], "s3:GetObject", [orders])


@pytest.mark.parametrize(
    ("statement", "named"), [({"NotResource": "*"}, "NotResource"), ({"Condition": {"Bool": {"x": "1"}}}, "Bool")]
)
def test_what_cannot_be_judged_is_an_error(statement: dict[str, Any], named: str) -> None:
    with pytest.raises(UnknownPolicyElementError, match=named):
        is_allowed([policy(**statement)], "s3:GetObject", ["arn:aws:s3:::lake"])
