"""The examples of docs/api.md, run as they stand against a server."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from providers.models import Provider
from tests.factories import ApiKeyFactory
from versioning.models import PerformanceSample, TrackedModel

GUIDE = Path(__file__).parents[3] / "docs" / "api.md"


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(not shutil.which("curl"), reason="needs curl")
def test_each_example_answers_as_the_guide_says(live_server: Any, tmp_path: Path) -> None:
    (tmp_path / ".curlrc").write_text('write-out = "\\nstatus %{http_code}\\n"\nmax-time = 60\n')
    script = "\n".join(re.findall(r"^```sh\n(.*?)^```", GUIDE.read_text(), re.S | re.M))
    script = re.sub(r"^export HOTSWAP=.*", f"export HOTSWAP={live_server.url}", script, flags=re.M)
    script = re.sub(r"^export KEY=.*", f"export KEY={ApiKeyFactory().secret}", script, flags=re.M)

    ran = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],  # noqa: S607
        capture_output=True,
        text=True,
        check=True,
        env={"CURL_HOME": str(tmp_path), "PATH": "/usr/bin:/bin", "NO_PROXY": "*"},
        cwd=tmp_path,
        timeout=120,
    )

    statuses = re.findall(r"^(?:status )?(\d{3})$", ran.stdout, re.M)
    assert {status[0] for status in statuses[:-1]} == {"2", "3"}, ran.stdout
    assert statuses.count("304") == 1
    assert statuses[-1] == "422"  # the example of an error
    assert Provider.objects.get().slug == "local"
    assert TrackedModel.objects.get().name == "org/zeta:free"
    assert PerformanceSample.objects.count() == 2
