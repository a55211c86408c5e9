"""`portmesh export` and `portmesh import`: the mesh's contracts and products as files of the field's standards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

from open_data_contract_standard.model import Server

from portmesh.contracts import odcs, odps
from portmesh.contracts.odcs_import import Imported, Left, from_odcs, read_odcs
from portmesh.contracts.port_contract import PortContract, ProductFacts, read_contracts, read_products, to_yaml
from portmesh.dbt import parse_manifest, read_credentials
from portmesh.errors import MissingArtifactError, UsageError, nearest, not_allowed
from portmesh.mesh import read_mesh
from portmesh.repository import find_root
from portmesh.scaffold.register import domain_folders
from portmesh.scaffold.writing import write_all

WORDS = {
    "stage": "the stage",
    "owner_name": "the owner's name",
    "owner_email": "the owner's address",
    "channel": "the channel",
    "purpose": "the purpose",
    "kind": "the kind",
    "engine": "the engine",
    "github": "the handle in CODEOWNERS",
}
"""What a contract also says about its product."""


@dataclass(frozen=True)
class Contracts:
    """The ports and products of the mesh, and the ports of other products that each product reads, by its name."""

    ports: list[PortContract]
    products: Mapping[str, ProductFacts]
    reads: Mapping[str, list[str]]

    def choose(self, name: str | None) -> list[PortContract]:
        """The ports of a domain, a single port, or all. Raises UsageError for an unknown name."""
        if name is None:
            return self.ports
        chosen = [port for port in self.ports if name in (port.label, port.domain)]
        if not chosen and name not in self.products:
            known = sorted({*self.products, *(port.label for port in self.ports)})
            raise not_allowed("domain or port", name, known)
        return chosen


def read_all(target: str | None = None) -> Contracts:
    """The contracts of the mesh's current files."""
    manifest = parse_manifest(*(["--target", target] if target else []))
    mesh = read_mesh(manifest)
    reads = {
        product.name: [mesh.ports[port].label for port in product.input_ports if port in mesh.ports]
        for product in mesh.products
    }
    return Contracts(read_contracts(manifest, find_root()), read_products(manifest), reads)


def export_odcs(name: str | None, target: str | None) -> dict[str, str]:
    """The contracts of these ports, by file name. Each names the target's database as its server."""
    found = read_all(target)
    credentials = read_credentials(target)
    return {
        f"{port.label}.odcs.yaml": odcs.as_yaml(
            odcs.to_odcs(port, found.products[port.domain], [_server(port, credentials)])
        )
        for port in found.choose(name)
    }


def export_odps(name: str | None) -> dict[str, str]:
    """The products, by file name; of a port, its product."""
    found = read_all()
    chosen = {port.domain for port in found.choose(name)} | ({name} & set(found.products) if name else set())
    by_label = {port.label: port for port in found.ports}
    return {
        f"{domain}.odps.yaml": odps.as_yaml(
            odps.to_odps(
                found.products[domain],
                [port for port in found.ports if port.domain == domain],
                [by_label[label] for label in found.reads.get(domain, []) if label in by_label],
            )
        )
        for domain in sorted(chosen if name else found.products)
    }


def _server(port: PortContract, credentials: Mapping[str, str]) -> Server:
    """Where the port's table is on the target."""
    kind, schema = credentials.get("type"), port.schema
    if kind == "duckdb":
        return Server(server="duckdb", type="duckdb", database=str(Path(credentials["path"])), schema=schema)
    if kind == "athena":
        return Server(
            server="athena",
            type="athena",
            schema=schema,
            catalog=credentials.get("database"),
            stagingDir=credentials.get("s3_staging_dir"),
            regionName=credentials.get("region_name"),
        )
    return Server(
        server=str(kind), type="custom", database=schema, description=f"{schema} in the Glue catalog, on {kind}"
    )


def save(files: Mapping[str, str], folder: Path) -> None:
    """Write all files to a folder, in place of older ones."""
    write_all({folder / name: text for name, text in files.items()}, replace=True)


@dataclass(frozen=True)
class Written:
    """What an import wrote: files in the repository, and what it did not import."""

    files: list[str]
    imported: Imported
    left: list[Left]


def import_odcs(file: Path, domain: str, dry_run: bool) -> Written:
    """Write the ports that a contract describes into a domain, a YAML file each. Existing files are refused.

    Raises MissingArtifactError without the file, and UsageError for an unknown domain or a file without tables.
    """
    root = find_root()
    domains = domain_folders(root)
    if domain not in domains:
        near = nearest(domain, domains)
        error = not_allowed("domain", domain, domains)
        raise error if near or not domains else UsageError(error.message, error.facts, f"portmesh new domain {domain}")
    imported = from_odcs(*read_odcs(_text_of(file), str(file)), domain)
    if not imported.ports:
        facts = [("file", str(file)), ("written", "nothing")]
        raise UsageError("The contract describes no table, so there is no port to write.", facts)
    _assert_different(imported.ports)
    files = {f"domains/{domain}/models/output_ports/{port.name}.yml": to_yaml(port) for port in imported.ports}
    products = read_products(parse_manifest())
    left = [*imported.left, *_differences(imported.product, products.get(domain, ProductFacts(domain)))]
    if not dry_run:
        write_all({root / path: text for path, text in files.items()})
    return Written(list(files), imported, left)


def read_product(file: Path) -> odps.DataProduct:
    """The product in a file. Raises MissingArtifactError without the file, and UsageError if it holds none."""
    return odps.read_odps(_text_of(file), str(file))


def _text_of(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise MissingArtifactError("There is no such file.", [("got", str(file))]) from error
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError("The file cannot be read.", [("file", str(file)), ("said", str(error))]) from error


def _assert_different(ports: Sequence[PortContract]) -> None:
    names = [port.name for port in ports]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        facts = [("got", ", ".join(twice)), ("written", "nothing")]
        raise UsageError("Several tables of the contract would become the same port.", facts, "rename them in the file")


def _differences(said: ProductFacts, product: ProductFacts) -> list[Left]:
    """What the file says about the product and the domain's group does not."""
    found = []
    for one in fields(ProductFacts):
        theirs, ours = getattr(said, one.name), getattr(product, one.name)
        if one.name in WORDS and theirs and theirs != ours:
            said_here = f"the file says {theirs}, {product.name} says {ours or 'nothing'}"
            why = f"{WORDS[one.name]} is the product's own: {said_here}"
            found.append(Left(f"product.{one.name}", why))
    return found
