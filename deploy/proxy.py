"""nginx in front of the replicas: where it is, and the two files that deploy/nginx.conf expects beside it.

`python -m deploy.proxy replica1:8601 replica2:8602` prints replicas.conf for those two.
"""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

SHIPPED = Path(__file__).with_name("nginx.conf")
NAMES = ("nginx", "/usr/sbin/nginx")  # Debian keeps it off the PATH of people
ADVICE = "No nginx found. Install it (Debian, Ubuntu: apt-get install nginx) or set NGINX to its path."
# A dead replica is tried again each time, at once refused, and the next one answers. nginx would otherwise also leave
# alone a replica that is full, with all the readers who belong to it.
ALWAYS = "max_fails=0"


def find_nginx() -> str | None:
    """$NGINX, else the nginx on the PATH or where Debian puts it."""
    candidates = (os.environ.get("NGINX"), *NAMES)
    return next((path for name in candidates if name and (path := shutil.which(name))), None)


def prepare(folder: Path, replicas: Sequence[str], listen: str) -> None:
    """Make `folder` the prefix of an nginx that listens on `listen` and hands on to the replicas, all as host:port."""
    folder.chmod(0o711)  # root's nginx works as nobody, and must get to its own folders inside
    shutil.copyfile(SHIPPED, folder / SHIPPED.name)
    (folder / "replicas.conf").write_text(replicas_conf(replicas), encoding="utf-8")
    (folder / "listen.conf").write_text(listen_conf(listen), encoding="utf-8")


def complaint(command: Sequence[str]) -> str:
    """What nginx says against its configuration, or ""."""
    tried = subprocess.run([*command, "-t"], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    return tried.stderr if tried.returncode else ""


def taken(port: int) -> bool:
    """Whether somebody listens on a port of this machine."""
    with socket.socket() as caller:
        return caller.connect_ex(("127.0.0.1", port)) == 0


def listen_conf(listen: str) -> str:
    """Where nginx listens, as host:port. A proxy on this machine is believed when it says for whom it asks."""
    return f"listen {listen};\nset_real_ip_from 127.0.0.1;\nreal_ip_header X-Forwarded-For;\nreal_ip_recursive on;\n"


def replicas_conf(replicas: Sequence[str]) -> str:
    """The groups of servers: `anyone` for newcomers, and for each replica one in which the others only stand in.

    The cookie names a replica by its port, so no two may share one: ValueError.
    """
    ports = [_port(address) for address in replicas]
    if len(set(ports)) < len(ports):
        raise ValueError("Each replica needs a port of its own.")
    groups = [_group("anyone", [f"{address} {ALWAYS}" for address in replicas])]
    for own in replicas:
        others = [f"{address} {ALWAYS} backup" for address in replicas if address != own]
        groups.append(_group(_name(own), [f"{own} {ALWAYS}", *others]))
    homes = ["default anyone;", *(f"{_port(address)} {_name(address)};" for address in replicas)]
    groups.append(_block("map $cookie_headlight_replica $home", homes))
    return "".join(groups)


def _group(name: str, servers: Sequence[str]) -> str:
    return _block(f"upstream {name}", [f"zone {name} 64k;", *(f"server {server};" for server in servers)])


def _block(head: str, lines: Sequence[str]) -> str:
    return "".join([f"{head} {{\n", *(f"    {line}\n" for line in lines), "}\n"])


def _name(address: str) -> str:
    return f"replica_{_port(address)}"


def _port(address: str) -> str:
    return address.rpartition(":")[2]


if __name__ == "__main__":
    print(replicas_conf(sys.argv[1:]), end="")
