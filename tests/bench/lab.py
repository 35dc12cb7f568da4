"""The lab's hosts: read from its inventory, looked at over connections of our own."""

import hashlib
import re
import shlex
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

# Everything that the playbook manages, when it was last written included: whoever
# writes a file that is in place already did not leave the host alone.
STATE = "cd /opt/small-steps && find . -printf '%p %y %m %U %G %T@\\n' | sort && find . -type f | sort | xargs sha256sum"


class Lab:
    def __init__(self, inventory: Path, work: Path):
        text = inventory.read_text()
        self.inventory = inventory
        self.hosts = dict(re.findall(r"^(\S+) ansible_host=(\S+)", text, re.M))
        settings = dict(re.findall(r"^(ansible_\w+)=(.*)$", text, re.M))
        self.user = settings["ansible_user"]
        self.key = settings["ansible_ssh_private_key_file"]
        self.options = shlex.split(settings["ansible_ssh_common_args"].strip("'"))
        self.known_hosts = next(o.partition("=")[2] for o in self.options if o.startswith("UserKnownHostsFile="))
        self.control = work / "look"
        self.control.mkdir()

    def ssh(self, name: str) -> list[str]:
        """An ssh command line with what the inventory says, and a connection of its own."""
        own = ["-o", "BatchMode=yes", "-o", "ControlMaster=no", "-o", "ControlPath=none"]
        return ["ssh", *own, "-i", self.key, *self.options, f"{self.user}@{self.hosts[name]}"]

    def _kept(self, name: str) -> list[str]:
        control = ["-o", "ControlMaster=auto", "-o", f"ControlPath={self.control}/%h", "-o", "ControlPersist=600"]
        return ["ssh", *control, *self.ssh(name)[1:]]

    def on_all(self, script: str) -> dict[str, str]:
        """What the script prints on each host."""

        def run(name: str) -> str:
            done = subprocess.run(
                [*self._kept(name), script], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120
            )
            if done.returncode != 0:
                raise RuntimeError(f"{name}: {script}: {done.stderr or done.stdout}")
            return done.stdout

        with ThreadPoolExecutor(8) as pool:
            return dict(zip(self.hosts, pool.map(run, self.hosts)))

    def state(self) -> str:
        """A checksum over what is managed on all hosts."""
        return hashlib.sha256(repr(self.on_all(STATE)).encode()).hexdigest()

    def leave(self) -> None:
        for name in self.hosts:
            subprocess.run([*self._kept(name)[:-1], "-O", "exit", self._kept(name)[-1]], capture_output=True)
