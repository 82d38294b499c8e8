"""The cluster of ``deploy/dask/kubernetes.yaml``, by the schema of Dask's operator and the options of Dask itself."""

import copy
import importlib.util
import re
from pathlib import Path
from typing import Any

import pytest

from deploy.bundle import ROOT

yaml = pytest.importorskip("yaml", reason="PyYAML is not installed")

FILE = Path(ROOT) / "deploy" / "dask" / "kubernetes.yaml"
GUIDE = Path(ROOT) / "docs" / "how-to" / "archive.md"


@pytest.fixture(scope="module")
def cluster() -> dict[str, Any]:
    return yaml.safe_load(FILE.read_text(encoding="utf-8"))


def refuse_unknown(schema: Any) -> None:
    """Refuse fields that a schema does not name, as ``kubectl`` does; a schema says where any are allowed."""
    if isinstance(schema, dict):
        if "properties" in schema and not schema.get("x-kubernetes-preserve-unknown-fields"):
            schema.setdefault("additionalProperties", False)
        for part in schema.values():
            refuse_unknown(part)
    elif isinstance(schema, list):
        for part in schema:
            refuse_unknown(part)


@pytest.fixture(scope="module")
def validator() -> Any:
    """Of a DaskCluster, by the definition that Dask's operator brings into a cluster."""
    jsonschema = pytest.importorskip("jsonschema", reason="jsonschema is not installed")
    package = importlib.util.find_spec("dask_kubernetes")
    if package is None or not package.submodule_search_locations:
        pytest.skip("dask-kubernetes is not installed")
    (folder,) = package.submodule_search_locations
    (definition,) = Path(folder).glob("operator/deployment/helm/*/crds/daskcluster.yaml")
    versions = yaml.safe_load(definition.read_text())["spec"]["versions"]
    (schema,) = [version["schema"]["openAPIV3Schema"] for version in versions if version["name"] == "v1"]
    refuse_unknown(schema)
    schema["properties"] |= {"apiVersion": {"type": "string"}, "kind": {"type": "string"}, "metadata": {}}
    return jsonschema.Draft7Validator(schema)


def test_the_operator_takes_the_cluster_and_no_misspelt_one(cluster, validator) -> None:
    assert [error.message for error in validator.iter_errors(cluster)] == []
    misspelt = copy.deepcopy(cluster)
    misspelt["spec"]["worker"]["spec"]["containers"][0]["containerPorts"] = {}
    assert "containerPorts" in " ".join(error.message for error in validator.iter_errors(misspelt))


def test_service_and_probe_name_what_the_scheduler_has(cluster) -> None:
    scheduler = cluster["spec"]["scheduler"]
    (container,) = scheduler["spec"]["containers"]
    ports = {port["name"] for port in container["ports"]}
    assert {port["targetPort"] for port in scheduler["service"]["ports"]} == ports
    assert container["readinessProbe"]["httpGet"]["port"] in ports
    assert scheduler["service"]["selector"]["dask.org/cluster-name"] == cluster["metadata"]["name"]
    # The operator calls the service so.
    assert f"service/{cluster['metadata']['name']}-scheduler" in FILE.read_text(encoding="utf-8")


def dask_lines(cluster: dict[str, Any]) -> list[list[str]]:
    """Every ``dask scheduler`` and ``dask worker`` of file and guide, without the word dask."""
    told = re.findall(r"^dask ((?:scheduler|worker)[^#\n]*)", GUIDE.read_text(encoding="utf-8"), re.MULTILINE)
    pods = [cluster["spec"][part]["spec"]["containers"][0]["args"] for part in ("scheduler", "worker")]
    assert [pod[0] for pod in pods] == ["dask", "dask"]
    return [*(line.split() for line in told), *(pod[1:] for pod in pods)]


def test_dask_takes_the_options_and_each_worker_has_one_thread(cluster) -> None:
    reason = "the extra archive is not installed"
    scheduler = pytest.importorskip("distributed.cli.dask_scheduler", reason=reason).main
    worker = pytest.importorskip("distributed.cli.dask_worker", reason=reason).main
    lines = dask_lines(cluster)
    assert [line[0] for line in lines] == ["scheduler", "worker"] * 2
    for name, *options in lines:
        values = (scheduler if name == "scheduler" else worker).make_context(name, list(options)).params
        if name == "worker":
            assert values["nthreads"] == 1
            assert values["n_workers"] != "auto"  # which overrules the number of threads
