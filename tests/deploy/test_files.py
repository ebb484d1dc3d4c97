"""The files of containers, clusters and free hosts: what linters and schemas say, and what must agree between them."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from deploy.proxy import ADVICE, find_nginx, replicas_conf
from deploy.trial.cluster import free_ports
from ui.server.settings import settings

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
TOOLS = Path(sys.executable).parent
MANIFESTS = sorted(file for file in (DEPLOY / "kubernetes").glob("*.yaml") if file.stem != "kustomization")
COLOURS = {"red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray"}  # the ones a Space may have


def run(*command, text=None):
    done = subprocess.run([*map(str, command)], input=text, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def space_dockerfile():
    return "".join(read("deploy/Dockerfile", "deploy/huggingface/Dockerfile.end"))


def read(*names):
    return [(ROOT / name).read_text(encoding="utf-8") for name in names]


def manifest(name):
    return yaml.safe_load((DEPLOY / "kubernetes" / f"{name}.yaml").read_text(encoding="utf-8"))


def compose():
    return yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))


def replicas_of(composition):
    return {name: service for name, service in composition["services"].items() if name.startswith("replica")}


@pytest.mark.skipif(not (TOOLS / "hadolint").exists(), reason="hadolint has no wheel for this machine")
@pytest.mark.parametrize("text", [*read("deploy/Dockerfile"), space_dockerfile()], ids=["image", "space"])
def test_hadolint_has_nothing_to_say(text):
    run(TOOLS / "hadolint", "-", text=text)


def test_yaml_is_tidy():
    run(sys.executable, "-m", "yamllint", "--strict", "--config-file", DEPLOY / "yamllint.yaml", DEPLOY)


@pytest.mark.parametrize("file", MANIFESTS, ids=lambda file: file.stem)
def test_manifests_fit_the_schema_of_kubernetes(file):
    run(TOOLS / "kubernetes-validate", "--strict", file)


def test_the_kustomization_names_every_manifest():
    named = yaml.safe_load((DEPLOY / "kubernetes/kustomization.yaml").read_text(encoding="utf-8"))["resources"]
    assert sorted(named) == [file.name for file in MANIFESTS]


def test_a_pod_is_given_all_the_memory_it_may_use_and_no_right_it_does_not_need():
    pod = manifest("deployment")["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert container["resources"]["requests"]["memory"] == container["resources"]["limits"]["memory"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert manifest("networkpolicy")["spec"]["egress"] == []


def test_a_pod_has_time_to_drain():
    pod = manifest("deployment")["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    env = {entry["name"]: entry.get("value", "") for entry in container["env"]}
    pause = int(container["lifecycle"]["preStop"]["exec"]["command"][1])
    assert pod["terminationGracePeriodSeconds"] > pause + settings(env).grace


def test_a_busy_pod_is_sent_nobody_and_only_a_dead_one_is_started_again():
    (container,) = manifest("deployment")["spec"]["template"]["spec"]["containers"]
    paths = [container[f"{kind}Probe"]["httpGet"]["path"] for kind in ("startup", "liveness", "readiness")]
    assert paths == ["/livez", "/livez", "/readyz"]
    slowest = container["livenessProbe"]
    assert slowest["failureThreshold"] * slowest["periodSeconds"] >= 60


def test_service_ingress_budget_policy_and_autoscaler_speak_of_the_same_pods():
    deployment, service = manifest("deployment"), manifest("service")
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    assert deployment["spec"]["selector"]["matchLabels"] == labels == service["spec"]["selector"]
    assert manifest("poddisruptionbudget")["spec"]["selector"]["matchLabels"] == labels
    assert manifest("networkpolicy")["spec"]["podSelector"]["matchLabels"] == labels
    assert manifest("horizontalpodautoscaler")["spec"]["scaleTargetRef"]["name"] == deployment["metadata"]["name"]
    (rule,) = manifest("ingress")["spec"]["rules"]
    backend = rule["http"]["paths"][0]["backend"]["service"]
    assert (backend["name"], backend["port"]["name"]) == (
        service["metadata"]["name"],
        service["spec"]["ports"][0]["name"],
    )


def test_the_proxy_of_the_composition_knows_its_replicas():
    replicas = replicas_of(compose()).values()
    addresses = [f"{own['networks']['inside']['ipv4_address']}:{own['environment']['PORT']}" for own in replicas]
    (written,) = read("deploy/compose/replicas.conf")
    comment, _, configuration = written.partition("\n")
    assert comment == f"# Written by: python -m deploy.proxy {' '.join(addresses)}"
    assert configuration == replicas_conf(addresses)


def test_no_service_of_the_composition_has_more_than_it_needs():
    composition = compose()
    assert composition["networks"]["inside"]["internal"] is True
    for service in composition["services"].values():
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert service["mem_limit"] == service["memswap_limit"]
    for replica in replicas_of(composition).values():
        assert list(replica["networks"]) == ["inside"]
        assert float(replica["stop_grace_period"].rstrip("s")) > settings({"HEADLIGHT_GRACE": "30"}).grace + 10


@pytest.mark.skipif(find_nginx() is None, reason=ADVICE)
def test_nginx_accepts_the_configuration_of_the_composition(tmp_path):
    for file in ("nginx.conf", "compose/replicas.conf", "compose/listen.conf"):
        (tmp_path / Path(file).name).write_bytes((DEPLOY / file).read_bytes())
    (tmp_path / "listen.conf").write_text(f"listen 127.0.0.1:{free_ports(1)};\n", encoding="utf-8")
    run(find_nginx(), "-t", "-p", tmp_path, "-c", tmp_path / "nginx.conf")


def test_the_image_holds_what_runs_and_nothing_else():
    (text,) = read(".dockerignore")
    kept = {line[1:] for line in text.splitlines() if line.startswith("!")}
    assert "*" in text.splitlines()
    assert kept == {".streamlit", "app.py", "assets", "attention_core", "pages", "requirements.txt", "serve.py", "ui"}
    assert all((ROOT / name).exists() for name in kept)


def test_a_space_is_told_where_to_knock():
    (text,) = read("deploy/huggingface/README.md")
    _, front, _ = text.split("---\n", 2)
    settings_of_space = yaml.safe_load(front)
    assert settings_of_space["sdk"] == "docker"
    assert f"PORT={settings_of_space['app_port']} " in space_dockerfile()
    assert {settings_of_space["colorFrom"], settings_of_space["colorTo"]} <= COLOURS
    assert len(settings_of_space["short_description"]) <= 60


def test_the_community_cloud_takes_requirements_txt_and_app_py():
    """The first of these that it finds wins, in the entry folder, which is the root; packages.txt would ask for apt."""
    preferred = ("uv.lock", "Pipfile", "environment.yml", "requirements.txt", "pyproject.toml")
    assert next(name for name in preferred if (ROOT / name).exists()) == "requirements.txt"
    assert not (ROOT / "packages.txt").exists()
    assert (ROOT / "app.py").exists()
    (requirements,) = read("requirements.txt")
    assert "-e " not in requirements and "file:" not in requirements
