"""Hosts of a lab: read from its inventory, looked at over connections of our own, and
reached by contenders directly or through the delaying proxy."""

import re
import shlex
import subprocess
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator

# Where the delaying proxy listens, at each host's own address.
PROXY_PORT = 2222


class Lab:
    def __init__(self, inventory: Path, work: Path):
        text = inventory.read_text()
        self.work = work
        self.hosts = dict(re.findall(r"^(\S+) ansible_host=(\S+)", text, re.M))
        settings = dict(re.findall(r"^(ansible_\w+)=(.*)$", text, re.M))
        self.user = settings["ansible_user"]
        self.key = settings["ansible_ssh_private_key_file"]
        options = shlex.split(settings["ansible_ssh_common_args"].strip("'"))
        given = next(o.partition("=")[2] for o in options if o.startswith("UserKnownHostsFile="))
        # The same keys at the proxy's port.
        self.known_hosts = work / "known_hosts"
        lines = Path(given).read_text().splitlines()
        proxied = [re.sub(r"^(\S+)", rf"[\1]:{PROXY_PORT}", line) for line in lines]
        self.known_hosts.write_text("\n".join([*lines, *proxied, ""]))
        self.options = ["-o", f"UserKnownHostsFile={self.known_hosts}", "-o", "StrictHostKeyChecking=yes"]
        self.control = work / "look"
        self.control.mkdir(exist_ok=True)

    def field(self, hosts: int, port: int) -> "Field":
        """The first so many hosts, as contenders reach them."""
        names = dict(list(self.hosts.items())[:hosts])
        inventory = self.work / f"inventory-{hosts}-{port}"
        lines = ["[lab]", *(f"{name} ansible_host={address}" for name, address in names.items()), "", "[lab:vars]"]
        lines += [f"ansible_user={self.user}", f"ansible_port={port}", f"ansible_ssh_private_key_file={self.key}"]
        lines += [f"ansible_ssh_common_args='{' '.join(self.options)}'", ""]
        inventory.write_text("\n".join(lines))
        return Field(self, names, port, inventory)

    def ssh(self, address: str, port: int = 22) -> list[str]:
        """An ssh command line with what the inventory says, and a connection of its own."""
        own = ["-o", "BatchMode=yes", "-o", "ControlMaster=no", "-o", "ControlPath=none", "-p", str(port)]
        return ["ssh", *own, "-i", self.key, *self.options, f"{self.user}@{address}"]

    def _kept(self, address: str) -> list[str]:
        control = ["-o", "ControlMaster=auto", "-o", f"ControlPath={self.control}/%h", "-o", "ControlPersist=600"]
        return ["ssh", *control, *self.ssh(address)[1:]]

    def on(self, hosts: dict[str, str], script: str) -> dict[str, str]:
        """What the script prints on each host."""

        def run(name: str) -> str:
            done = subprocess.run(
                [*self._kept(hosts[name]), script], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=600
            )
            if done.returncode != 0:
                raise RuntimeError(f"{name}: {script}: {done.stderr or done.stdout}")
            return done.stdout

        with ThreadPoolExecutor(8) as pool:
            return dict(zip(hosts, pool.map(run, hosts)))

    def leave(self) -> None:
        for address in self.hosts.values():
            *words, at = self._kept(address)
            subprocess.run([*words, "-O", "exit", at], capture_output=True)


class Field:
    """Some of a lab's hosts, at one port."""

    def __init__(self, lab: Lab, hosts: dict[str, str], port: int, inventory: Path):
        self.lab, self.hosts, self.port, self.inventory = lab, hosts, port, inventory

    def on_all(self, script: str) -> dict[str, str]:
        """What the script prints on each host, over connections that are not delayed."""
        return self.lab.on(self.hosts, script)

    def ssh(self, name: str) -> list[str]:
        return self.lab.ssh(self.hosts[name], self.port)


@contextmanager
def delayed(lab: Lab, program: Path, hosts: int, milliseconds: int) -> Iterator[Field]:
    """So many hosts, with this round-trip time added to what contenders see of them."""
    if milliseconds == 0:
        yield lab.field(hosts, 22)
        return
    field = lab.field(hosts, PROXY_PORT)
    pairs = [f"{address}:{PROXY_PORT}={address}:22" for address in field.hosts.values()]
    child = subprocess.Popen(
        [str(program), str(milliseconds), *pairs], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    try:
        if child.stdout.readline() != b"ready\n":
            raise RuntimeError(f"the proxy: {child.stderr.read().decode()}")
        yield field
    finally:
        # It ends with its standard input.
        child.communicate()
