"""The infrastructure: it follows from the mesh, deploys, and lets each role do what the mesh says and nothing else."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from argparse import Namespace
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml
from cfnlint.decode.cfn_yaml import load as load_template
from dbt import flags
from dbt.config.runtime import load_profile
from dbt_common.context import set_invocation_context
from moto import mock_aws

from portmesh.cli import main
from portmesh.infra.rights import (
    DATABASES_PER_POLICY,
    TABLES_PER_POLICY,
    Application,
    Grant,
    Rights,
    Table,
    WholeMesh,
)
from portmesh.infra.template import WRITE_ACTIONS, render_template
from portmesh.upkeep.orphans import delete_files, find_orphans
from portmesh.upkeep.port_facts import PortFacts
from rig.artefacts import ICEBERG
from rig.policies import UnknownPolicyElementError, is_allowed
from tests.infra_cloud import REGION, Cloud, client, deployed
from tests.mesh import REPOSITORY, Mesh

pytestmark = pytest.mark.thorough

DOMAINS = sorted(folder.parent.name for folder in REPOSITORY.glob("domains/*/dbt_project.yml"))
TEMPLATES = sorted(path.name for path in REPOSITORY.glob("infra/*.yaml") if not path.name.startswith("."))


def call(*arguments: str) -> int:
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    return int(stop.value.code or 0)


needs_checkov = pytest.mark.skipif(
    not (REPOSITORY / ".venv-bouncer/bin/checkov").is_file(), reason="tools/environment.sh lint installs checkov"
)


def spark_credentials() -> Any:
    """What the profile's target emr gives dbt-spark."""
    set_invocation_context(os.environ)
    flags.set_from_args(Namespace(PROFILES_DIR=str(REPOSITORY / "profiles")), {})
    profile = load_profile(str(REPOSITORY), {}, "portmesh", "emr")
    return profile.credentials


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
    assert capsys.readouterr().out.startswith("infra/domains.yaml is written: 4 roles, 1 other consumer.\n")
    assert (shop.folder / "infra/domains.yaml").read_text().startswith("# Written by `portmesh infra` ")
    resources = written(shop)
    of_domains = {"Desk", "DeskReads1", "Shop", "ShopReads1", "Portmesh", "TillReportReads1"}
    assert set(resources) == of_domains | {"WholeMesh", "WholeMeshOwns1", "WholeMeshReads1"}
    assert tables_of(resources["DeskReads1"]) == {"shop/lines"}
    assert tables_of(resources["ShopReads1"]) == {"raw/lines"}
    assert tables_of(resources["TillReportReads1"]) == {"shop/lines"}
    assert tables_of(resources["WholeMeshReads1"]) == {"raw/lines"}
    owned = ("desk", "desk__internal", "shop", "shop__internal", "portmesh__internal")
    assert tables_of(resources["WholeMeshOwns1"]) == {f"{database}/*" for database in owned}
    assert call("infra", "--check") == 0
    assert capsys.readouterr().out == "infra/domains.yaml is in step: 4 roles, 1 other consumer.\n"


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
    assert facts == {"roles": 4, "applications": 1, "written": ["infra/domains.yaml"]}
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
    assert f"{len(DOMAINS) + 2} roles" in capsys.readouterr().out


# The templates


def test_cfn_lint_looks_at_all_templates_and_finds_nothing() -> None:
    of_spark = ["emr-cluster.yaml", "emr-serverless.yaml"]
    assert set(TEMPLATES) == {"domain.yaml", "domains.yaml", *of_spark, "lake.yaml", "mesh.yaml"}
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


def checkov(*arguments: str) -> dict[str, Any]:
    command = [str(REPOSITORY / ".venv-bouncer/bin/checkov"), "--output", "json", "--skip-download", *arguments]
    result = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    found = json.loads(result.stdout)
    assert bool(found["summary"]["failed"]) == bool(result.returncode)
    return dict(found)


@needs_checkov
def test_checkov_looks_at_all_templates_and_finds_nothing() -> None:
    found = checkov("--config-file", "infra/.checkov.yaml")
    assert (found["summary"]["failed"], found["summary"]["parsing_errors"]) == (0, 0)
    assert found["summary"]["passed"] > 130
    reasons = sum(path.read_text().count("{id: CKV_") for path in (REPOSITORY / "infra").glob("*.yaml"))
    assert found["summary"]["skipped"] == reasons


@needs_checkov
def test_checkov_refuses_what_is_open(tmp_path: Path) -> None:
    text = (REPOSITORY / "infra/lake.yaml").read_text()
    assert text.count("BlockPublicAcls: true") == 2
    bad = tmp_path / "bad.yaml"
    bad.write_text(text.replace("BlockPublicAcls: true", "BlockPublicAcls: false"))
    failed = checkov("--framework", "cloudformation", "--file", str(bad))["results"]["failed_checks"]
    assert {each["check_id"] for each in failed} == {"CKV_AWS_53"}


# Spark: its release, and what is encrypted


def parameter(template: str, name: str) -> dict[str, Any]:
    return dict(load_template(str(REPOSITORY / "infra" / template))["Parameters"][name])


def releases() -> dict[str, dict[str, str]]:
    """The table of docs/running-on-aws.md: {release: {Spark, Iceberg, deployed}}."""
    text = (REPOSITORY / "docs/running-on-aws.md").read_text()
    rows = re.findall(r"^\| (emr-7\.\d+\.\d+) \| ([\d.]+) \| ([\d.]+) \| (\w+)", text, re.MULTILINE)
    return {release: {"spark": spark, "iceberg": iceberg, "may": may} for release, spark, iceberg, may in rows}


@pytest.mark.parametrize("template", ["emr-cluster.yaml", "emr-serverless.yaml"])
def test_releases_are_accepted_as_the_docs_say(template: str) -> None:
    label = parameter(template, "ReleaseLabel")
    told = releases()
    assert {each["may"] for each in told.values()} == {"yes", "no"}
    for release, facts in told.items():
        is_accepted = re.fullmatch(label["AllowedPattern"], release) is not None
        assert is_accepted == (facts["may"] == "yes"), release
        assert is_accepted == (tuple(map(int, facts["iceberg"].split("."))) >= (1, 10, 0)), release
    for refused in ("emr-6.15.0", "emr-8.0.0", "emr-7.12", "xemr-7.12.0"):
        assert not re.fullmatch(label["AllowedPattern"], refused)
    assert label["Default"] in told
    assert label["ConstraintDescription"].startswith("must be emr-7.12.0 or a newer release of series 7.")


def test_the_rig_runs_the_iceberg_of_the_release_that_is_deployed() -> None:
    deployed_release = parameter("emr-cluster.yaml", "ReleaseLabel")["Default"]
    assert parameter("emr-serverless.yaml", "ReleaseLabel")["Default"] == deployed_release
    assert releases()[deployed_release]["iceberg"] == ICEBERG
    assert f"Iceberg {ICEBERG}" in (REPOSITORY / "rig/README.md").read_text()


@pytest.fixture(scope="module")
def spark() -> dict[str, Any]:
    return dict(load_template(str(REPOSITORY / "infra/emr-cluster.yaml"))["Resources"])


def test_spark_encrypts_what_it_sends_and_what_it_keeps_on_disks(spark: dict[str, Any]) -> None:
    security = spark["SecurityConfiguration"]["Properties"]["SecurityConfiguration"]
    encryption = security["EncryptionConfiguration"]
    assert encryption["EnableInTransitEncryption"] is True
    certificates = encryption["InTransitEncryptionConfiguration"]["TLSCertificateConfiguration"]
    assert certificates == {"CertificateProviderType": "PEM", "S3Object": {"Ref": "Certificates"}}
    assert "Default" not in parameter("emr-cluster.yaml", "Certificates"), "nobody goes without by accident"
    assert encryption["EnableAtRestEncryption"] is True
    disks = encryption["AtRestEncryptionConfiguration"]["LocalDiskEncryptionConfiguration"]
    assert disks == {
        "EncryptionKeyProviderType": "AwsKms",
        "AwsKmsKey": {"Fn::GetAtt": ["DiskKey", "Arn"]},
        "EnableEbsEncryption": True,
    }
    assert spark["Cluster"]["Properties"]["SecurityConfiguration"] == {"Ref": "SecurityConfiguration"}
    assert security["InstanceMetadataServiceConfiguration"]["MinimumInstanceMetadataServiceVersion"] == 2


def test_the_key_of_the_disks_is_for_the_machines_and_emr_alone(spark: dict[str, Any]) -> None:
    account, use, grant = spark["DiskKey"]["Properties"]["KeyPolicy"]["Statement"]
    role = {"Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:role/portmesh-${DatabasePrefix}${Domain}"}
    emr = {"Fn::GetAtt": ["ServiceRole", "Arn"]}
    assert account["Principal"] == {"AWS": {"Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"}}
    assert use["Principal"] == {"AWS": [role, emr]}
    assert not any(re.fullmatch(r"kms:(\*|Schedule.*|Put.*|Disable.*|CreateGrant)", each) for each in use["Action"])
    assert (grant["Principal"], grant["Action"]) == ({"AWS": emr}, "kms:CreateGrant")
    assert grant["Condition"] == {"Bool": {"kms:GrantIsForAWSResource": "true"}}


def test_a_cluster_stays_and_only_the_clients_reach_it(spark: dict[str, Any]) -> None:
    cluster = spark["Cluster"]["Properties"]
    assert cluster["Instances"]["KeepJobFlowAliveWhenNoSteps"] is True, "its step ends once the server is up"
    group = spark["ThriftSecurityGroup"]["Properties"]
    ingress = group["SecurityGroupIngress"]
    assert sorted(each["FromPort"] for each in ingress) == [10001, 18480]
    for each in ingress:
        assert each["SourceSecurityGroupId"] == {"Ref": "ClientSecurityGroupId"}
        assert each["FromPort"] == each["ToPort"]
        assert "CidrIp" not in each
    tag = {"Key": "for-use-with-amazon-emr-managed-policies", "Value": "true"}
    assert tag in group["Tags"]
    assert tag in cluster["Tags"]


def test_the_thrift_server_speaks_tls_and_asks_the_directory(spark: dict[str, Any]) -> None:
    (step,) = spark["Cluster"]["Properties"]["Steps"]
    _, _, script = step["HadoopJarStep"]["Args"]
    text, values = script["Fn::Sub"]
    for setting in ("use.SSL=true", "keystore.path=$keystore", "keystore.password=$password"):
        assert f"hive.server2.{setting}" in text
    condition, asks, asks_nothing = values["Login"]["Fn::If"]
    assert condition == "HasLdap"
    assert "hive.server2.authentication=LDAP" in asks["Fn::Sub"][0]
    assert asks_nothing == "--hiveconf hive.server2.authentication=NONE"
    assert subprocess.run(["bash", "-n", "-c", text.replace("${Login}", asks_nothing)], check=False).returncode == 0
    for name, refused in (("LdapUrl", "ldap://d.acme.com"), ("LdapUrl", "ldaps://d;id"), ("LdapBaseDn", "ou=$(id)")):
        assert not re.fullmatch(parameter("emr-cluster.yaml", name)["AllowedPattern"], refused), refused
    assert re.fullmatch(parameter("emr-cluster.yaml", "LdapUrl")["AllowedPattern"], "ldaps://d.acme.com:636")
    assert re.fullmatch(parameter("emr-cluster.yaml", "LdapBaseDn")["AllowedPattern"], "ou=runners,dc=acme,dc=com")


def test_emr_tells_its_keystore_as_the_step_reads_it(spark: dict[str, Any], tmp_path: Path) -> None:
    """In Hadoop's ssl-server.xml, which EMR writes; AWS reads it the same way (hs2-encryption-intransit.html)."""
    (step,) = spark["Cluster"]["Properties"]["Steps"]
    text = step["HadoopJarStep"]["Args"][2]["Fn::Sub"][0]
    (reads,) = (line.strip() for line in text.splitlines() if line.strip().startswith("of() {"))
    file = tmp_path / "ssl-server.xml"
    properties = {
        "keystore.location": "/k/keystore.jks",
        "keystore.keypassword": "other",
        "keystore.password": "secret",
    }
    lines = (
        f"<property>\n  <name>ssl.server.{name}</name>\n  <value>{value}</value>\n</property>"
        for name, value in properties.items()
    )
    file.write_text("<configuration>\n" + "\n".join(lines) + "\n</configuration>\n")
    reads = reads.replace("sudo ", "").replace("/etc/hadoop/conf/ssl-server.xml", str(file))
    command = f"{reads}\nof ssl.server.keystore.location; of ssl.server.keystore.password"
    told = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True).stdout
    assert told.split() == ["/k/keystore.jks", "secret"]


PASSWORD = "DBT_ENV_SECRET_PORTMESH_SPARK_PASSWORD"


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, {"auth": "NONE", "password": None, "use_ssl": False}),
        ({"PORTMESH_SPARK_TLS": "true"}, {"auth": "NONE", "password": None, "use_ssl": True}),
        (
            {"PORTMESH_SPARK_TLS": "true", "PORTMESH_SPARK_USER": "orders", PASSWORD: "it's {{ 1 }}"},
            {"auth": "LDAP", "password": "it's {{ 1 }}", "use_ssl": True, "user": "orders"},
        ),
    ],
)
def test_the_profile_speaks_to_the_thrift_server_as_it_is_set_up(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], expected: dict[str, Any]
) -> None:
    for name in ("PORTMESH_SPARK_TLS", "PORTMESH_SPARK_USER", PASSWORD):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert {name: getattr(spark_credentials(), name) for name in expected} == expected


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
    own = {name: job["Properties"][name] for name in ("spark.jars", "spark.ssl.internode.enabled")}
    assert {**spark["ConfigurationProperties"], **own} == job["Properties"]
    assert spark["ConfigurationProperties"]["spark.sql.catalog.glue.cache.expiration-interval-ms"] == "1"
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
    databases = tuple(f"{name}{number}__internal" for number in range(DATABASES_PER_POLICY))
    rights = Rights((), (Application(name, (grants,)),), WholeMesh((databases,)))
    resources = yaml.load(render_template(rights), Loader=_Substituted)["Resources"]
    policies = [each for each in resources.values() if each["Type"] == "AWS::IAM::ManagedPolicy"]
    assert len(policies) == 2
    for policy in policies:
        assert length(policy["Properties"]["PolicyDocument"]) < 6_144
    for role in [*DOMAINS, "portmesh", "whole-mesh"]:
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
_Substituted.add_constructor("!Join", yaml.SafeLoader.construct_sequence)  # type: ignore[type-var]


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
            for action in ("CreateTable", "DeleteTable", "UpdateTable"):
                assert not cloud.may(domain, f"glue:{action}", f"{database}.any_table"), (action, database)
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


def landed_feeds() -> dict[str, str]:
    """{feed: the domain whose source it is}."""
    feeds: dict[str, str] = {}
    for path in REPOSITORY.glob("domains/*/models/staging/*sources.yml"):
        for source in yaml.safe_load(path.read_text())["sources"]:
            feeds |= {t["name"]: path.parts[-4] for t in source["tables"] if source["schema"] == "landed"}
    assert len(feeds) >= 8
    return feeds


@pytest.mark.parametrize("domain", DOMAINS)
def test_a_domain_reads_the_feeds_that_its_own_sources_name(cloud: Cloud, domain: str) -> None:
    feeds = landed_feeds()
    for feed, owner in feeds.items():
        assert cloud.may(domain, "glue:GetTable", f"landed.{feed}") == (owner == domain), feed
        assert cloud.may(domain, "s3:GetObject", f"landed/{feed}/data/file.parquet") == (owner == domain), feed
        assert not cloud.may(domain, "glue:UpdateTable", f"landed.{feed}")
        assert not cloud.may(domain, "s3:PutObject", f"landed/{feed}/data/file.parquet")


@pytest.mark.parametrize("domain", DOMAINS)
def test_a_domain_appends_to_the_records_and_takes_nothing_away(cloud: Cloud, domain: str) -> None:
    for record in (f"publications__{domain}", f"measurements__{domain}"):
        for action in ("GetTable", "CreateTable", "UpdateTable"):
            assert cloud.may(domain, f"glue:{action}", f"portmesh.{record}"), action
        assert cloud.may(domain, "s3:PutObject", f"portmesh/{record}/0123456789ab/data/file.parquet")
        assert cloud.may(domain, "s3:GetObject", f"portmesh/{record}/0123456789ab/data/file.parquet")
        assert not cloud.may(domain, "glue:DeleteTable", f"portmesh.{record}")
        assert not cloud.may(domain, "s3:DeleteObject", f"portmesh/{record}/data/file.parquet")
    assert not cloud.may(domain, "glue:GetTable", "portmesh__internal.quality_dimensions")


@pytest.mark.parametrize("domain", DOMAINS)
@pytest.mark.parametrize("name", ["publications", "measurements"])
def test_a_domain_forges_no_other_ones_records_and_reads_none(cloud: Cloud, domain: str, name: str) -> None:
    of_others = [f"{name}__{other}" for other in others(domain)]
    for record in [*of_others, f"{name}__{domain}__x", f"{name}__x_{domain}", name]:
        for action in ("CreateTable", "UpdateTable", "DeleteTable"):
            assert not cloud.may(domain, f"glue:{action}", f"portmesh.{record}"), (action, record)
        for action in ("PutObject", "DeleteObject"):
            assert not cloud.may(domain, f"s3:{action}", f"portmesh/{record}/data/file.parquet"), (action, record)
    for record in of_others:
        reads = domain == "platform"
        assert cloud.may(domain, "s3:GetObject", f"portmesh/{record}/data/file.parquet") == reads, record
        assert cloud.may(domain, "s3:ListBucket", s3_prefix=f"portmesh/{record}/data/") == reads, record
    assert cloud.may(domain, "s3:GetObject", f"portmesh/{name}/data/file.parquet"), "of an earlier release"
    assert cloud.may(domain, "glue:GetTables", "portmesh.any_table"), "to see which records there are"


def test_the_whole_mesh_writes_every_domains_own_and_the_shared_seeds(cloud: Cloud) -> None:
    for database in [*(name for d in DOMAINS for name in (d, f"{d}__internal")), "portmesh__internal"]:
        for action in WRITE_ACTIONS:
            assert cloud.may("whole-mesh", action, f"{database}.any_table"), (action, database)
        for action in ("PutObject", "GetObject", "DeleteObject"):
            assert cloud.may("whole-mesh", f"s3:{action}", f"{database}/any_table/data/file.parquet"), action
        assert cloud.may("whole-mesh", "s3:ListBucket", s3_prefix=f"{database}/")
    assert cloud.may("whole-mesh", "athena:StartQueryExecution", "workgroup/portmesh-whole-mesh")
    assert cloud.may("whole-mesh", "s3:PutObject", "athena-results/whole-mesh/result.csv")


def test_the_whole_mesh_reads_the_feeds_and_adds_to_the_records(cloud: Cloud) -> None:
    for feed in (f"landed.{name}" for name in landed_feeds()):
        assert cloud.may("whole-mesh", "glue:GetTable", feed)
        assert cloud.may("whole-mesh", "s3:GetObject", f"{feed.replace('.', '/')}/data/file.parquet")
        assert not cloud.may("whole-mesh", "glue:UpdateTable", feed)
        assert not cloud.may("whole-mesh", "s3:PutObject", f"{feed.replace('.', '/')}/data/file.parquet")
    for record in (f"{name}__{domain}" for name in ("publications", "measurements") for domain in (*DOMAINS, "gone")):
        for action in ("GetTable", "CreateTable", "UpdateTable"):
            assert cloud.may("whole-mesh", f"glue:{action}", f"portmesh.{record}"), action
        for action in ("PutObject", "GetObject"):
            assert cloud.may("whole-mesh", f"s3:{action}", f"portmesh/{record}/data/file.parquet"), action
        assert cloud.may("whole-mesh", "s3:ListBucket", s3_prefix=f"portmesh/{record}/")
    assert cloud.may("whole-mesh", "s3:GetObject", "portmesh/publications/data/file.parquet"), "of an earlier release"


@pytest.mark.parametrize(
    ("action", "thing"),
    [
        ("glue:GetTable", "landed.what_no_source_names"),
        ("s3:GetObject", "landed/what_no_source_names/file.parquet"),
        ("glue:DeleteTable", "portmesh.publications__orders"),
        ("s3:DeleteObject", "portmesh/publications__orders/data/file.parquet"),
        ("glue:UpdateTable", "portmesh.publications"),
        ("s3:PutObject", "portmesh/publications/data/file.parquet"),
        ("glue:CreateTable", "elsewhere.any_table"),
        ("s3:PutObject", "elsewhere/file.parquet"),
        ("glue:CreateDatabase", "orders"),
        ("glue:DeleteDatabase", "orders"),
        ("s3:GetObject", "emr-certificates/orders/certificates.zip"),
        ("s3:GetObject", "athena-results/orders/result.csv"),
        ("s3:PutObject", "emr-certificates/whole-mesh/certificates.zip"),
        ("athena:StartQueryExecution", "workgroup/primary"),
        ("athena:StartQueryExecution", "workgroup/portmesh-orders"),
        ("lakeformation:GetDataAccess", "*"),
        ("iam:PassRole", "role/portmesh-orders"),
    ],
)
def test_the_whole_mesh_may_do_no_more(cloud: Cloud, action: str, thing: str) -> None:
    assert not cloud.may("whole-mesh", action, thing)


@pytest.fixture
def asked_of_aws(monkeypatch: pytest.MonkeyPatch, cloud: Cloud) -> Iterator[list[tuple[str, dict[str, Any]]]]:
    """In an account with the lake's bucket and two databases: each call that is made, and what it was given."""
    monkeypatch.setenv("PORTMESH_S3_LAKE", f"s3://{cloud.lake}")
    monkeypatch.setenv("AWS_REGION", REGION)
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    with mock_aws():
        client("s3").create_bucket(Bucket=cloud.lake, CreateBucketConfiguration={"LocationConstraint": REGION})
        for name in ("orders", "orders__internal"):
            client("glue").create_database(DatabaseInput={"Name": name})
        calls: list[tuple[str, dict[str, Any]]] = []
        session = boto3.Session()
        session.events.register(
            "provide-client-params.*.*",
            lambda params, model, **_: calls.append((f"{model.service_model.service_name}:{model.name}", params)),
        )
        monkeypatch.setattr(boto3, "DEFAULT_SESSION", session)
        yield calls


def test_the_whole_mesh_may_what_clean_asks_of_s3_and_glue(
    cloud: Cloud, asked_of_aws: list[tuple[str, dict[str, Any]]]
) -> None:
    files = (
        "orders/baskets/0123456789ab/data/a.parquet",
        "orders__internal/baskets__20261123_121321_4ae4db/ba9876543210/a",
    )
    for key in files:
        client("s3").put_object(Bucket=cloud.lake, Key=key, Body=b"x")
    asked_of_aws.clear()
    port = PortFacts(
        id="model.orders.baskets", product="orders", port="baskets", reads=[],
        table="baskets", database="orders", internal_database="orders__internal",
    )  # fmt: skip
    found = find_orphans([port])["orders.baskets"]
    assert len(found) == 2
    delete_files(found)
    operations = {call for call, _ in asked_of_aws}
    assert operations == {"s3:ListObjectsV2", "s3:DeleteObjects", "glue:GetTables"}
    for call, params in asked_of_aws:
        if call == "glue:GetTables":
            assert cloud.may("whole-mesh", call, f"{params['DatabaseName']}.any_table"), params
        elif call == "s3:ListObjectsV2":
            assert cloud.may("whole-mesh", "s3:ListBucket", s3_prefix=params["Prefix"]), params
        else:
            for item in params["Delete"]["Objects"]:
                assert cloud.may("whole-mesh", "s3:DeleteObject", item["Key"]), item


def test_a_domain_and_the_whole_mesh_write_tables_by_the_same_calls() -> None:
    role = load_template(str(REPOSITORY / "infra/domain.yaml"))["Resources"]["Role"]["Properties"]
    (own,) = role["Policies"]
    (writes,) = (s for s in own["PolicyDocument"]["Statement"] if s["Sid"] == "WriteOwnTables")
    assert writes["Action"] == WRITE_ACTIONS


def test_the_whole_meshs_role_is_taken_on_by_runners_of_its_own() -> None:
    runner = "arn:aws:iam::123456789012:role/mesh-runner"
    named = deployed(domains={"MeshRunnerArns": runner, "RunnerArns": "arn:aws:iam::123456789012:role/ci"})
    document = named.roles["portmesh-whole-mesh"]["AssumeRolePolicyDocument"]
    assert document["Statement"][0]["Principal"] == {"AWS": [runner]}


@pytest.mark.parametrize("role", [*DOMAINS, "whole-mesh"])
def test_a_role_reads_the_certificates_of_its_own_cluster_alone(cloud: Cloud, role: str) -> None:
    for other in [*DOMAINS, "whole-mesh"]:
        certificates = f"emr-certificates/{other}/certificates.zip"
        assert cloud.may(role, "s3:GetObject", certificates) == (role == other)
        assert not cloud.may(role, "s3:PutObject", certificates)


def test_iam_alone_decides_about_new_tables(cloud: Cloud) -> None:
    by_iam = [{"Principal": {"DataLakePrincipalIdentifier": "IAM_ALLOWED_PRINCIPALS"}, "Permissions": ["ALL"]}]
    asked = [name for name in cloud.databases if name != "default"]
    assert len(asked) > 2 * len(DOMAINS)
    for name in asked:
        assert cloud.table_defaults[name] == by_iam, name


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
