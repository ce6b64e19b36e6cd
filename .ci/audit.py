"""What is known against packages, code and the files of deploy/: ``python .ci/audit.py BIN``.

BIN holds what requirements-audit.lock names. It ends with 1 where something is found. What can't be
looked up here, since the advisories, promtool or Docker Compose can't be reached, it calls "not
checked".
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SHIPPED = ("config", "providers", "versioning")
UNREACHABLE = ("ConnectionError", "Failed to resolve", "Max retries", "ServiceError", "timed out")


def main(bin: Path) -> None:
    failed = [
        what
        for what, fine in (
            ("advisories", advisories(bin)),
            ("code", code(bin)),
            ("Dockerfile", ran([bin / "hadolint", "deploy/Dockerfile"])),
            ("manifests", manifests(bin)),
            ("alerts", alerts()),
            ("compose file", compose()),
        )
        if not fine
    ]
    if failed:
        sys.exit(f"Something is amiss: {', '.join(failed)}.")


def advisories(bin: Path) -> bool:
    """Look up every package that ships; a service that can't be reached says nothing."""
    asked = ["--progress-spinner", "off", "--format", "json", "--disable-pip"]
    found = subprocess.run(
        [bin / "pip-audit", *asked, "--requirement", "requirements.lock"],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=600,
    )  # fmt: skip
    if not found.stdout:
        print(f"advisories: not checked. {' '.join(found.stderr.split())[-300:]}")
        return any(sign in found.stderr for sign in UNREACHABLE)
    packages = json.loads(found.stdout)["dependencies"]
    unknown = [each["name"] for each in packages if "skip_reason" in each]
    if unknown:
        print(f"advisories: {len(unknown)} of {len(packages)} packages not checked: the service "
              f"doesn't know them, such as {unknown[0]}.")  # fmt: skip
    for each in packages:
        for advisory in each.get("vulns", ()):
            print(f"advisories: {each['name']} {each['version']}: {advisory['id']}")
    return found.returncode == 0


def code(bin: Path) -> bool:
    """Medium and high severity. Ruff has the same rules (S), and looks at the rest.

    Left out: B104 and B608, which ruff looks at a line at a time (S104, S608), and B113, which
    takes a mapping called requests for the library.
    """
    return ran([bin / "bandit", "--quiet", "-ll", "--skip", "B104,B113,B608", "-r", *SHIPPED])


def manifests(bin: Path) -> bool:
    """Hold the manifests against the schemas of Kubernetes, as kustomize writes them."""
    folder = ROOT / "deploy/kubernetes"
    if shutil.which("kubectl") is None:
        return ran([bin / "kubernetes-validate", "--strict", *sorted(folder.glob("[!k]*.yaml"))])
    with tempfile.NamedTemporaryFile(suffix=".yaml") as built:
        subprocess.run(["kubectl", "kustomize", folder], stdout=built, check=True)
        return ran([bin / "kubernetes-validate", "--strict", built.name])


def alerts() -> bool:
    if shutil.which("promtool") is None:
        print("alerts: not checked by promtool, which isn't here; a test reads their names.")
        return True
    return ran(["promtool", "check", "rules", "deploy/prometheus/alerts.yml"])


def composer() -> list[str] | None:
    """Return what reads compose files here: the plug-in, else the program."""
    for tool in (["docker", "compose"], ["docker-compose"]):
        if (
            shutil.which(tool[0])
            and not subprocess.run([*tool, "version"], capture_output=True, check=False).returncode
        ):
            return tool
    return None


def compose() -> bool:
    """Have Docker Compose read its file; no engine is needed for that."""
    tool = composer()
    if tool is None:
        print("compose file: not checked, there is no Docker Compose here; a test reads its words.")
        return True
    folder = ROOT / "deploy"
    asked = re.findall(r"^#(\w+)=", (folder / "compose.env.example").read_text(), re.MULTILINE)
    # Compose 1, which Debian 12 has, knows no name of the whole.
    text = re.sub("^name: .*$", "", (folder / "compose.yml").read_text(), flags=re.MULTILINE)
    with tempfile.NamedTemporaryFile("w", suffix=".yml") as file:
        file.write(text)
        file.flush()
        read = ["--project-directory", folder, "--file", file.name, "config", "--quiet"]
        return ran([*tool, *read], **dict.fromkeys(asked, "x"))


def ran(command: list[object], **environment: str) -> bool:
    name = Path(str(command[0])).name
    told = {**os.environ, **environment}
    done = subprocess.run(list(map(str, command)), cwd=ROOT, env=told, check=False).returncode == 0
    print(f"{name}: {'fine' if done else 'see above'}", flush=True)
    return done


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
