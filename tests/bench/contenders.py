"""Who is compared: how each is started, what comes before its time is taken, and how
its own account of a run is read."""

import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable

from lab import Lab

HERE = Path(__file__).resolve().parent
PLAYBOOK = HERE / "small-steps.yml"


@dataclass
class Contender:
    name: str
    command: list[str]
    # Raises where a run's output does not say that all was done and nothing changed.
    verify: Callable[[str], None]
    environment: dict[str, str] = field(default_factory=dict)
    prepare: Callable[[], None] = lambda: None


def recap(lab: Lab) -> Callable[[str], None]:
    """Every host: thirty tasks, none of them changed anything."""
    wanted = "ok=30 changed=0 unreachable=0 failed=0 skipped=0 rescued=0 ignored=0"

    def verify(output: str) -> None:
        lines = {host: " ".join(counts.split()) for host, counts in re.findall(r"^(\S+)\s+: (ok=.*)$", output, re.M)}
        wrong = {host: lines.get(host) for host in lab.hosts if lines.get(host) != wanted}
        if wrong:
            raise RuntimeError(f"recap: {wrong}")

    return verify


def floor(lab: Lab, work: Path) -> Contender:
    """One ssh and one script for each host, started all at once by a shell."""

    def verify(output: str) -> None:
        if output.split() != ["changed=0"] * len(lab.hosts):
            raise RuntimeError(output)

    def line(name: str) -> str:
        return f"{' '.join(lab.ssh(name))} sh -s {name} <{HERE}/floor.sh & pids=\"$pids $!\""

    script = work / "floor"
    wait = "for pid in $pids; do wait $pid || exit 1; done"
    script.write_text("\n".join([*map(line, lab.hosts), wait, ""]))
    return Contender("floor", ["sh", str(script)], verify)


def rplay(lab: Lab, work: Path, program: Path) -> list[Contender]:
    """Never seen the host; no connection kept; connections kept from a run before."""
    cache = work / "cache"
    environment = {"XDG_CACHE_HOME": str(cache)}
    command = [str(program), "-i", str(lab.inventory), str(PLAYBOOK)]

    def cold() -> None:
        for socket in (cache / "rplay/cp").glob("*"):
            subprocess.run(["ssh", "-S", str(socket), "-O", "exit", "-"], capture_output=True)
            socket.unlink(missing_ok=True)

    def first() -> None:
        cold()
        lab.on_all("rm -rf ~/.cache/rplay")

    def warm() -> None:
        subprocess.run(command, env=os.environ | environment, stdout=subprocess.DEVNULL, check=True)

    verify = recap(lab)
    return [
        Contender("rplay, first contact", command, verify, environment, first),
        Contender("rplay, cold", command, verify, environment, cold),
        Contender("rplay, warm", command, verify, environment, warm),
    ]


def pyinfra(lab: Lab, work: Path, venv: Path) -> Contender:
    inventory = work / "inventory.py"
    common = {
        "ssh_user": lab.user,
        "ssh_key": lab.key,
        "ssh_known_hosts_file": lab.known_hosts,
        "ssh_strict_host_key_checking": "yes",
        "ssh_allow_agent": False,
        "ssh_look_for_keys": False,
    }
    hosts = [(name, {"ssh_hostname": address}) for name, address in lab.hosts.items()]
    inventory.write_text(f"lab = ({hosts!r}, {common!r})\n")

    def verify(output: str) -> None:
        total = re.search(r"Grand total\s+(.*)", output)
        numbers = [int(n) for n in re.findall(r"\d+", total[1])] if total else []
        hosts = len(lab.hosts)
        # It counts each command as a change, and facts not at all.
        if numbers != [25 * hosts, 5 * hosts, 20 * hosts]:
            raise RuntimeError(output[-2000:])

    command = [str(venv / "bin/pyinfra"), "-y", str(inventory), str(HERE / "deploy.py")]
    return Contender("pyinfra", command, verify)


def ansible(lab: Lab, work: Path, venv: Path, mitogen: bool) -> Contender:
    name = "ansible with mitogen" if mitogen else "ansible"
    control = work / ("cp-mitogen" if mitogen else "cp-ansible")
    # Not the user's, nor the system's.
    configuration = work / "ansible.cfg"
    configuration.write_text("[defaults]\n")
    environment = {
        "ANSIBLE_CONFIG": str(configuration),
        "ANSIBLE_FORKS": str(len(lab.hosts)),
        "ANSIBLE_PIPELINING": "True",
        "ANSIBLE_SSH_CONTROL_PATH_DIR": str(control),
        "ANSIBLE_DEPRECATION_WARNINGS": "False",
        "ANSIBLE_PYTHON_INTERPRETER": "/usr/bin/python3",
        "LC_ALL": "C.UTF-8",
    }
    if mitogen:
        plugins = next(venv.glob("lib/python3*/site-packages/ansible_mitogen/plugins/strategy"))
        environment |= {"ANSIBLE_STRATEGY_PLUGINS": str(plugins), "ANSIBLE_STRATEGY": "mitogen_linear"}

    def prepare() -> None:
        for socket in control.glob("*"):
            subprocess.run(["ssh", "-S", str(socket), "-O", "exit", "-"], capture_output=True)

    command = [str(venv / "bin/ansible-playbook"), "-i", str(lab.inventory), str(PLAYBOOK)]
    return Contender(name, command, recap(lab), environment, prepare)


def note(text: str) -> None:
    print(f"bench: {text}", file=sys.stderr, flush=True)
