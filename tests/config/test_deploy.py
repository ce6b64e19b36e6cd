"""What deploy/ holds fits the program: its variables, ports, addresses, commands and version."""

import json
import re
import runpy
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings
from django.test import Client, override_settings

from config import __version__, command, supervisor
from tests.config.conftest import ROOT, embedded, run

DEPLOY = ROOT / "deploy"
DOCKERFILE = (DEPLOY / "Dockerfile").read_text()
COMPOSE = yaml.safe_load((DEPLOY / "compose.yml").read_text())
MANIFESTS = [
    each
    for file in sorted((DEPLOY / "kubernetes").glob("[!k]*.yaml"))
    for each in yaml.safe_load_all(file.read_text())
]
KUSTOMIZATION = yaml.safe_load((DEPLOY / "kubernetes/kustomization.yaml").read_text())
OURS = {name: each for name, each in COMPOSE["services"].items() if "build" in each}
DEPLOYMENTS = {each["metadata"]["name"]: each for each in MANIFESTS if each["kind"] == "Deployment"}
KNOWN = set(re.findall(r"^#(\w+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
"""Every variable that Hotswap reads: another test holds this list against the settings."""


def containers() -> Iterator[dict[str, Any]]:
    for deployment in DEPLOYMENTS.values():
        pod = deployment["spec"]["template"]["spec"]
        yield from (*pod.get("initContainers", ()), *pod["containers"])


def dockerfile(instruction: str) -> str:
    """Return what stands last after an instruction of the Dockerfile."""
    joined = DOCKERFILE.replace("\\\n", " ")
    return re.findall(rf"^{instruction} (.*)$", joined, re.MULTILINE)[-1].strip()


def test_every_variable_that_is_set_is_one_that_hotswap_reads() -> None:
    literals = [line for each in KUSTOMIZATION["configMapGenerator"] for line in each["literals"]]
    of_units = re.findall(r"^Environment=(\w+)", " ".join(
        file.read_text() for file in (DEPLOY / "systemd").iterdir()), re.MULTILINE)  # fmt: skip
    of_image = re.findall(r"(\w+)=", dockerfile("ENV"))
    set_there = {
        *(name for service in OURS.values() for name in service["environment"]),
        *(line.partition("=")[0] for line in literals),
        *of_units,
        *of_image,
    }

    assert set_there - KNOWN == {"PATH", "PYTHONUNBUFFERED"}


def test_what_compose_asks_of_its_file_is_in_the_example() -> None:
    asked = set(re.findall(r"\$\{(\w+)", (DEPLOY / "compose.yml").read_text()))
    example = (DEPLOY / "compose.env.example").read_text()
    assert set(re.findall(r"^#(\w+)=", example, re.MULTILINE)) == asked


def test_compose_can_read_its_file() -> None:
    audit = runpy.run_path(str(ROOT / ".ci/audit.py"))
    if audit["composer"]() is None:
        pytest.skip("there is no Docker Compose")
    assert audit["compose"]()


def test_every_command_is_one_that_the_program_has(monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[list[str]] = []
    monkeypatch.setattr("os.execv", lambda program, given: ran.append(list(given)))
    monkeypatch.setattr(command, "manage", lambda given: ran.append(list(given)))
    given = [
        json.loads(dockerfile("CMD")),
        *(service["command"] for service in OURS.values()),
        *(container["args"] for container in containers()),
    ]

    for arguments in given:
        command.main(arguments)

    assert len(ran) == len(given) == 9
    assert dockerfile("ENTRYPOINT") == '["hotswap"]'
    assert sum("gunicorn" in each and "0.0.0.0:8000" in each for each in ran) == 3


def test_there_is_one_of_each_program_everywhere() -> None:
    programs = {each.name for each in supervisor.programs_of(supervisor._parser().parse_args([]))}
    assert set(OURS) == programs | {"prepare"}
    assert set(DEPLOYMENTS) == {f"hotswap-{name}" for name in programs}
    assert {file.stem for file in (DEPLOY / "systemd").iterdir()} == set(DEPLOYMENTS)


@pytest.mark.django_db
def test_the_addresses_that_are_asked_for_answer_to_whoever_asks() -> None:
    asked = [
        probe["httpGet"]
        for container in containers()
        for name, probe in container.items()
        if name.endswith("Probe")
    ]
    (of_image,) = re.findall(r"http://(\w+):8000(/\w+)", dockerfile("HEALTHCHECK"))
    allowed = next(
        line.partition("=")[2].split(",")
        for line in KUSTOMIZATION["configMapGenerator"][0]["literals"]
        if line.startswith("ALLOWED_HOSTS=")
    )

    assert len(asked) == 3
    with override_settings(ALLOWED_HOSTS=allowed):
        for probe in asked:
            hosts = [each["value"] for each in probe["httpHeaders"] if each["name"] == "Host"]
            assert Client(headers={"host": hosts[0]}).get(probe["path"]).status_code == 200
        assert Client(headers={"host": of_image[0]}).get(of_image[1]).status_code == 200


def test_ports_are_the_one_that_web_listens_on() -> None:
    ports = {port["containerPort"] for c in containers() for port in c.get("ports", ())}
    published = {each.rpartition(":")[2] for s in OURS.values() for each in s.get("ports", ())}
    assert (dockerfile("EXPOSE"), ports, published) == ("8000", {8000}, {"8000"})


def test_nothing_runs_as_root_or_may_write_elsewhere() -> None:
    data = dockerfile("VOLUME")
    assert dockerfile("USER") == "10001:10001"
    assert f"HOTSWAP_DATA_DIR={data}" in dockerfile("ENV")
    for deployment in DEPLOYMENTS.values():
        assert deployment["spec"]["template"]["spec"]["securityContext"]["runAsNonRoot"] is True
    for container in containers():
        assert container["securityContext"]["readOnlyRootFilesystem"] is True
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        assert {each["mountPath"] for each in container["volumeMounts"]} == {data, "/tmp"}  # noqa: S108
    for service in OURS.values():
        assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"])
        assert service["volumes"] == [f"data:{data}"]


def test_the_image_bears_the_version_that_the_program_says() -> None:
    (image,) = KUSTOMIZATION["images"]
    named = {service["image"] for service in OURS.values()}
    named |= set(re.findall(r"--tag (\S+)", DOCKERFILE))
    assert (named, image["newTag"]) == ({f"hotswap:{__version__}"}, __version__)
    assert settings.HOTSWAP["VERSION"] == __version__


def test_the_image_gets_what_the_wheel_is_made_of() -> None:
    ignored = (DEPLOY / "Dockerfile.dockerignore").read_text()
    let_in = set(re.findall(r"^!(.*)$", ignored, re.MULTILINE))
    copied = " ".join(re.findall(r"^COPY (?!--)(.*)$", DOCKERFILE, re.MULTILINE)).split()
    assert let_in == {name for name in copied if name != "./"}
    assert all((ROOT / name).exists() for name in let_in)


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="there is no kubectl")
def test_kustomize_reads_the_manifests() -> None:
    built = subprocess.run(
        ["kubectl", "kustomize", str(DEPLOY / "kubernetes")],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    kinds = [each["kind"] for each in yaml.safe_load_all(built.stdout)]
    assert sorted(kinds) == sorted(["ConfigMap", *(each["kind"] for each in MANIFESTS)])


def test_names_agree_within_the_manifests() -> None:
    (config,) = KUSTOMIZATION["configMapGenerator"]
    for container in containers():
        named = [next(iter(each.values()))["name"] for each in container["envFrom"]]
        assert named == [config["name"], "hotswap"]
        assert container["image"] == KUSTOMIZATION["images"][0]["name"]
    for deployment in DEPLOYMENTS.values():
        spec = deployment["spec"]
        assert spec["selector"]["matchLabels"] == spec["template"]["metadata"]["labels"]
    (service,) = (each for each in MANIFESTS if each["kind"] == "Service")
    web = DEPLOYMENTS["hotswap-web"]["spec"]["template"]["metadata"]["labels"]
    assert service["spec"]["selector"] == web


def test_the_guide_says_how() -> None:
    guide = (ROOT / "docs/operations.md").read_text()
    for path in ("deploy/Dockerfile", "deploy/compose.yml", "deploy/kubernetes", "deploy/systemd"):
        assert path in guide
        assert Path(ROOT, path).exists()


READS_NO_DATA = """
import os, sys
read = []
sys.addaudithook(lambda event, args: event == "open" and read.append(str(args[0])))
os.environ.update(AWS_ACCESS_KEY_ID="a", AWS_SECRET_ACCESS_KEY="b")
import django
django.setup()
from providers.base import Connection
from providers.kinds.bedrock import adapter
at = Connection(base_url="https://bedrock.eu-west-1.amazonaws.com", api_key="b")
sign = adapter._signer(at, region="eu-west-1")
assert sign("GET", at.base_url, {}, b"")["Authorization"].startswith("AWS4")
print([each for each in read if "botocore/data" in each or each.endswith((".po", ".pyi"))])
"""


def test_nothing_reads_what_the_image_leaves_out(tmp_path: Path) -> None:
    assert "*/botocore/data" in DOCKERFILE
    read = run([sys.executable, "-c", READS_NO_DATA], embedded(tmp_path))
    assert read.stdout == "[]\n", read.stderr
