"""docker/'s unit, compose file and manifest: valid, without a key nobody knows, and true of the server they start.

`run.py test-deploy` runs this, in an environment that has the validators. None of the three has met its engine here.
"""

import itertools
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

yaml = pytest.importorskip("yaml", reason="python3 run.py test-deploy has it")

from colibri.cli.serve import serve  # noqa: E402
from colibri.server import add_key  # noqa: E402

DOCKER = Path(__file__).parents[2] / "docker"
UNIT, COMPOSE, KUBERNETES = (DOCKER / name for name in ("colibri.service", "compose.yaml", "kubernetes.yaml"))
VARIABLES = {str(option.envvar) for option in serve.params if getattr(option, "envvar", None)}

needs_systemd = pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd-analyze here")


def said(*words: str | Path) -> tuple[int, str, str]:
    """Exit code, stdout and stderr."""
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def module(name: str, *words: str | Path) -> tuple[int, str, str]:
    return said(sys.executable, "-m", name, *words)


def verified(folder: Path, text: str) -> tuple[int, str]:
    """What systemd says of a unit whose program is one that is here."""
    (folder / "colibri.service").write_text(re.sub(r"(?m)^ExecStart=\S+", "ExecStart=/bin/true", text))
    code, out, err = said("systemd-analyze", "verify", folder / "colibri.service")
    return code, out + err


@needs_systemd
def test_systemd_has_nothing_to_say_of_the_unit(tmp_path: Path) -> None:
    assert verified(tmp_path, UNIT.read_text()) == (0, "")


@needs_systemd
@pytest.mark.parametrize("key", ["TimeoutStopSec", "DynamicUser", "ProtectSystem", "Restart", "ExecStart"])
def test_a_misspelt_key_of_the_unit_is_found(key: str, tmp_path: Path) -> None:
    """It exits 0 all the same, so what is looked at is what it says."""
    text = UNIT.read_text()
    assert f"\n{key}=" in text
    assert f"'{key}x'" in verified(tmp_path, text.replace(f"\n{key}=", f"\n{key}x="))[1]


@needs_systemd
def test_a_value_that_means_nothing_is_found(tmp_path: Path) -> None:
    text = UNIT.read_text()
    for line, wrong in {
        "TimeoutStopSec=45": "TimeoutStopSec=soon",
        "ProtectSystem=strict": "ProtectSystem=very",
    }.items():
        assert line in text
        assert "ignoring" in verified(tmp_path, text.replace(line, wrong))[1]


@needs_systemd
def test_the_unit_gives_away_little(tmp_path: Path) -> None:
    shutil.copy(UNIT, tmp_path)
    code, out, err = said("systemd-analyze", "security", "--offline=true", "--threshold=25", tmp_path / UNIT.name)
    if code and "Unknown" in err + out:
        pytest.skip(f"this systemd-analyze cannot: {err}")
    assert code == 0, out[-300:]


def test_the_compose_file_follows_its_specification() -> None:
    code, out, err = module("check_jsonschema", "--builtin-schema", "vendor.compose-spec", COMPOSE)
    assert code == 0, out + err


@pytest.mark.parametrize(("right", "wrong"), [("read_only:", "readonly:"), ("stop_grace_period:", "stop_grace:")])
def test_a_misspelt_key_of_the_compose_file_is_found(right: str, wrong: str, tmp_path: Path) -> None:
    text = COMPOSE.read_text()
    assert text.count(right) == 1
    (tmp_path / "compose.yaml").write_text(text.replace(right, wrong))
    code, out, _ = module("check_jsonschema", "--builtin-schema", "vendor.compose-spec", tmp_path / "compose.yaml")
    assert code == 1
    assert wrong.rstrip(":") in out


@pytest.mark.parametrize("version", ["1.37.0", "1.31.0"])
def test_the_manifest_is_one_of_kubernetes(version: str) -> None:
    code, out, err = module("kubernetes_validate", "--strict", "-k", version, KUBERNETES)
    assert code == 0, out + err
    assert len(re.findall("passed for resource", out + err)) == 3


@pytest.mark.parametrize(
    "key", ["terminationGracePeriodSeconds", "readinessProbe", "readOnlyRootFilesystem", "targetPort"]
)
def test_a_misspelt_key_of_the_manifest_is_found(key: str, tmp_path: Path) -> None:
    text = KUBERNETES.read_text()
    assert text.count(key) == 1
    (tmp_path / "k.yaml").write_text(text.replace(key, f"{key}x"))
    code, out, err = module("kubernetes_validate", "--strict", tmp_path / "k.yaml")
    assert code != 0
    assert f"{key}x" in out + err


def of_unit() -> dict[str, str]:
    return dict(re.findall(r"(?m)^Environment=(\w+)=(.*)$", UNIT.read_text()))


def of_compose() -> dict[str, str]:
    found: dict[str, str] = yaml.safe_load(COMPOSE.read_text())["services"]["colibri"]["environment"]
    return found


def pod() -> dict[str, Any]:
    found: dict[str, Any] = next(yaml.safe_load_all(KUBERNETES.read_text()))["spec"]["template"]["spec"]
    return found


def of_kubernetes() -> dict[str, str]:
    return {one["name"]: one["value"] for one in pod()["containers"][0]["env"]}


@pytest.mark.parametrize("given", [of_unit, of_compose, of_kubernetes])
def test_every_variable_is_one_that_the_server_obeys(given: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    ours = {name: value for name, value in given().items() if name.startswith("COLIBRI_")}
    assert ours
    assert set(ours) <= VARIABLES
    for name, value in ours.items():
        assert isinstance(value, str), f"{name}: YAML took it for a {type(value).__name__}"
        monkeypatch.setenv(name, value)
    serve.make_context("serve", [])


def seconds(given: dict[str, str]) -> int:
    """From SIGTERM to the end, at most."""
    return int(given.get("COLIBRI_SERVE_DRAIN", "0")) + int(given.get("COLIBRI_SERVE_GRACE", "30"))


def test_nobody_kills_it_before_its_time_is_over() -> None:
    stop = re.search(r"(?m)^TimeoutStopSec=(\d+)$", UNIT.read_text())
    assert stop is not None
    assert int(stop[1]) >= seconds(of_unit()) + 10
    period = yaml.safe_load(COMPOSE.read_text())["services"]["colibri"]["stop_grace_period"]
    assert int(period.removesuffix("s")) >= seconds(of_compose()) + 10
    assert pod()["terminationGracePeriodSeconds"] >= seconds(of_kubernetes()) + 10


def test_the_drain_is_longer_than_a_probe_needs_to_see_it() -> None:
    probe = pod()["containers"][0]["readinessProbe"]
    seen = probe["periodSeconds"] * probe["failureThreshold"]
    assert int(of_kubernetes()["COLIBRI_SERVE_DRAIN"]) >= seen + probe["timeoutSeconds"]


def test_the_pod_may_do_little() -> None:
    container = pod()["containers"][0]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert (pod()["securityContext"]["runAsNonRoot"], pod()["securityContext"]["runAsUser"]) == (True, 65532)
    assert pod()["enableServiceLinks"] is False
    assert "USER 65532:65532" in (DOCKER / "cpu.Dockerfile").read_text()
    assert {"cpu", "memory"} <= set(container["resources"]["requests"]) & set(container["resources"]["limits"])
    service = list(yaml.safe_load_all(KUBERNETES.read_text()))[1]
    assert service["spec"]["ports"][0]["targetPort"] in {port["name"] for port in container["ports"]}
    labels = next(yaml.safe_load_all(KUBERNETES.read_text()))["spec"]["template"]["metadata"]["labels"]
    assert service["spec"]["selector"].items() <= labels.items()


@contextmanager
def started(given: dict[str, str], folder: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """`colibri serve` with these variables, on a port of its own and with a keys' file that is here."""
    add_key(folder / "keys.json", "laptop")
    ours = {name: value for name, value in given.items() if name.startswith("COLIBRI_")}
    ours |= {"COLIBRI_SERVE_HOST": "127.0.0.1", "COLIBRI_SERVE_PORT": "0"}
    if "COLIBRI_SERVE_KEYS_FILE" in ours:
        ours["COLIBRI_SERVE_KEYS_FILE"] = str(folder / "keys.json")
    command = [sys.executable, "-m", "colibri", "serve"]
    log = (folder / "log").open("w")
    with (
        log,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True, env=os.environ | ours) as process,
    ):
        assert process.stdout is not None
        try:
            yield process, process.stdout.readline().partition(" ")[0]
        finally:
            process.kill()


def status(address: str) -> int:
    try:
        with urllib.request.urlopen(address, timeout=30) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_probes_get_their_answers_and_readiness_ends_at_sigterm(tmp_path: Path) -> None:
    container = pod()["containers"][0]
    with started(of_kubernetes(), tmp_path) as (process, url):
        paths = {
            name: container[name]["httpGet"]["path"] for name in ("startupProbe", "readinessProbe", "livenessProbe")
        }
        assert {name: status(f"{url}{path}") for name, path in paths.items()} == dict.fromkeys(paths, 200)
        process.send_signal(signal.SIGTERM)
        end = time.monotonic() + 60
        while status(f"{url}{paths['readinessProbe']}") == 200:
            assert time.monotonic() < end
        assert status(f"{url}{paths['readinessProbe']}") == 503
        assert status(f"{url}{paths['livenessProbe']}") == 200
        process.send_signal(signal.SIGTERM)  # whoever says it twice has no load balancer to wait for
        assert process.wait(60) == 0


def test_the_health_check_of_compose_succeeds_and_fails(tmp_path: Path) -> None:
    words: list[str] = yaml.safe_load(COMPOSE.read_text())["services"]["colibri"]["healthcheck"]["test"]
    assert words[:2] == ["CMD", "python"]
    with started(of_compose(), tmp_path) as (process, url):
        environment = os.environ | {"COLIBRI_SERVE_PORT": url.rpartition(":")[2]}
        check = [sys.executable, *words[2:]]
        assert subprocess.run(check, check=False, env=environment).returncode == 0
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
        assert subprocess.run(check, check=False, env=environment, capture_output=True).returncode != 0


def test_the_unit_starts_what_there_is(tmp_path: Path) -> None:
    commands = re.findall(r"(?m)^ExecStart=(.*)$", UNIT.read_text())
    assert [words.split()[1:] for words in commands] == [["serve"]]
    with started(of_unit(), tmp_path) as (process, url):
        assert status(f"{url}/ready") == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0


def test_no_key_stands_in_any_of_them() -> None:
    for path in itertools.chain(DOCKER.glob("*.yaml"), DOCKER.glob("*.service"), DOCKER.glob("*.Dockerfile")):
        assert not re.search(r"colibri_[\w-]{30,}", path.read_text())
