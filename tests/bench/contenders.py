"""Who is compared: how each is started, what comes before its time is taken, and how
its own account of a run is read."""

import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable

from lab import Field
from workloads import HERE, Workload

NAMES = ["floor", "rplay, first contact", "rplay, cold", "rplay, warm", "pyinfra", "ansible with mitogen", "ansible"]


@dataclass
class Contender:
    name: str
    command: list[str]
    # Raises where a run's output does not say that all was done.
    verify: Callable[[str], None]
    environment: dict[str, str] = field(default_factory=dict)
    prepare: Callable[[], None] = lambda: None


@dataclass
class Tools:
    """Where programs are."""

    work: Path
    rplay: Path
    venvs: Path


def recap(field: Field, workload: Workload) -> Callable[[str], None]:
    """Every host has the counts that the workload says, and nothing else."""
    wanted = f"{workload.recap} unreachable=0 failed=0 skipped=0 rescued=0 ignored=0"

    def verify(output: str) -> None:
        lines = {host: " ".join(counts.split()) for host, counts in re.findall(r"^(\S+)\s+: (ok=.*)$", output, re.M)}
        wrong = {host: lines.get(host) for host in field.hosts if lines.get(host) != wanted}
        if wrong:
            raise RuntimeError(f"recap is not {wanted}: {wrong}")

    return verify


def floor(field: Field, workload: Workload, tools: Tools) -> Contender:
    """One ssh and one script for each host, started all at once by a shell."""

    def verify(output: str) -> None:
        if output.split() != [workload.floor_says] * len(field.hosts):
            raise RuntimeError(output[-2000:])

    def line(name: str) -> str:
        ssh = " ".join(field.ssh(name))
        if workload.tree:
            pack = f"tar -C {workload.tree} --owner=0 --group=0 -cf - ."
            unpack = "mkdir -p /opt/tree && tar -C /opt/tree -xf - && echo done"
            return f"({pack} | {ssh} '{unpack}') & pids=\"$pids $!\""
        return f"{ssh} sh -s {name} <{workload.dir}/floor.sh & pids=\"$pids $!\""

    script = tools.work / "floor"
    wait = "for pid in $pids; do wait $pid || exit 1; done"
    script.write_text("\n".join([*map(line, field.hosts), wait, ""]))
    return Contender("floor", ["sh", str(script)], verify)


def end_masters(control: Path) -> None:
    for socket in control.glob("*"):
        subprocess.run(["ssh", "-S", str(socket), "-O", "exit", "-"], capture_output=True)
        socket.unlink(missing_ok=True)


def rplay(field: Field, workload: Workload, tools: Tools) -> list[Contender]:
    """Never seen the host; no connection kept; connections kept from a run before."""
    cache = tools.work / "cache"
    environment = {"XDG_CACHE_HOME": str(cache), "ANSIBLE_CONFIG": str(own_configuration(tools))}
    start = [str(tools.rplay), "-i", str(field.inventory)]
    command = [*start, *workload.arguments, str(workload.dir / "playbook.yml")]

    def connect() -> None:
        ping = [*start, str(HERE / "ping.yml")]
        subprocess.run(ping, env=os.environ | environment, stdout=subprocess.DEVNULL, check=True)

    def cold() -> None:
        # The worker is there, as after any run before.
        connect()
        end_masters(cache / "rplay/cp")

    def first() -> None:
        end_masters(cache / "rplay/cp")
        field.on_all("rm -rf ~/.cache/rplay")

    verify = recap(field, workload)
    return [
        Contender("rplay, first contact", command, verify, environment, first),
        Contender("rplay, cold", command, verify, environment, cold),
        Contender("rplay, warm", command, verify, environment, connect),
    ]


def pyinfra(field: Field, workload: Workload, tools: Tools) -> Contender:
    inventory = tools.work / "inventory.py"
    common = {
        "ssh_user": field.lab.user,
        "ssh_port": field.port,
        "ssh_key": field.lab.key,
        "ssh_known_hosts_file": str(field.lab.known_hosts),
        "ssh_strict_host_key_checking": "yes",
        "ssh_allow_agent": False,
        "ssh_look_for_keys": False,
    }
    hosts = [(name, {"ssh_hostname": address}) for name, address in field.hosts.items()]
    inventory.write_text(f"lab = ({hosts!r}, {common!r})\n")

    def verify(output: str) -> None:
        total = re.search(r"Grand total\s+(.*)", output)
        numbers = [int(n) for n in re.findall(r"\d+", total[1])] if total else []
        wanted = [n * len(field.hosts) for n in workload.totals if n]
        if not total or (wanted and numbers != wanted):
            raise RuntimeError(f"grand total is {numbers}, not {wanted}: {output[-2000:]}")

    command = [str(tools.venvs / "pyinfra/bin/pyinfra"), "-y", str(inventory), str(workload.dir / "pyinfra.py")]
    return Contender("pyinfra", command, verify, workload.environment)


def own_configuration(tools: Tools) -> Path:
    """Not the user's, nor the system's."""
    configuration = tools.work / "ansible.cfg"
    configuration.write_text("[defaults]\n")
    return configuration


def ansible(field: Field, workload: Workload, tools: Tools, mitogen: bool) -> Contender:
    name = "ansible with mitogen" if mitogen else "ansible"
    control = tools.work / ("cp-mitogen" if mitogen else "cp-ansible")
    venv = tools.venvs / "ansible"
    environment = {
        "ANSIBLE_CONFIG": str(own_configuration(tools)),
        "ANSIBLE_FORKS": str(len(field.hosts)),
        "ANSIBLE_PIPELINING": "True",
        "ANSIBLE_SSH_CONTROL_PATH_DIR": str(control),
        "ANSIBLE_DEPRECATION_WARNINGS": "False",
        "ANSIBLE_PYTHON_INTERPRETER": "/usr/bin/python3",
        "LC_ALL": "C.UTF-8",
    }
    if mitogen:
        plugins = next(venv.glob("lib/python3*/site-packages/ansible_mitogen/plugins/strategy"))
        environment |= {"ANSIBLE_STRATEGY_PLUGINS": str(plugins), "ANSIBLE_STRATEGY": "mitogen_linear"}
    playbook = str(workload.dir / "playbook.yml")
    command = [str(venv / "bin/ansible-playbook"), "-i", str(field.inventory), *workload.arguments, playbook]
    return Contender(name, command, recap(field, workload), environment, lambda: end_masters(control))


def everyone(field: Field, workload: Workload, tools: Tools) -> list[Contender]:
    """In the order of NAMES."""
    return [
        floor(field, workload, tools),
        *rplay(field, workload, tools),
        pyinfra(field, workload, tools),
        ansible(field, workload, tools, mitogen=True),
        ansible(field, workload, tools, mitogen=False),
    ]


def note(text: str) -> None:
    print(f"bench: {text}", file=sys.stderr, flush=True)
