"""A thousand hosts: names at loopback addresses of one sshd. What they cost the controller."""

import argparse
import subprocess
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator

from contenders import Contender, Tools, end_masters, note, own_configuration
from timing import TooSlow, timed
from workloads import HERE

SMALL = HERE / "small-steps"
TASKS = 30


def playbook(work: Path) -> Path:
    """small-steps, with a directory of its own for each name: they are one file system."""
    play = work / "thousand.yml"
    play.write_text((SMALL / "playbook.yml").read_text().replace("/opt/small-steps/", "/opt/many/{{ inventory_hostname }}/"))
    for name in ("files", "templates"):
        (work / name).symlink_to(SMALL / name)
    return play


@contextmanager
def one_sshd(work: Path, hosts: int) -> Iterator[Path]:
    """The inventory of so many names."""
    key = work / "many-key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    script = str(Path(__file__).resolve().parent / "many-sshd")
    up = subprocess.run([script, "up", f"{key}.pub"], capture_output=True, text=True)
    try:
        if up.returncode != 0:
            raise RuntimeError(f"the sshd of many hosts: {up.stderr}")
        port, host_key = up.stdout.strip().split(" ", 1)
        known = work / "many-known"
        known.write_text(f"many {host_key}\n")
        # 127.1.0.1 and on: 250 in each of the last but one.
        lines = [f"many-{n:04} ansible_host=127.1.{n // 250}.{n % 250 + 1}" for n in range(hosts)]
        lines += ["", "[all:vars]", "ansible_user=root", f"ansible_port={port}", f"ansible_ssh_private_key_file={key}"]
        lines += [f"ansible_ssh_common_args='-o HostKeyAlias=many -o UserKnownHostsFile={known}'", ""]
        inventory = work / "many"
        inventory.write_text("\n".join(lines))
        yield inventory
    finally:
        subprocess.run([script, "down"], check=False, stdout=subprocess.DEVNULL)


def converged(output: str, hosts: int) -> None:
    lines = [" ".join(line.split()) for line in output.splitlines()]
    good = sum(f": ok={TASKS} changed=0 unreachable=0 failed=0 " in line for line in lines)
    if good != hosts:
        raise RuntimeError(f"{good} of {hosts} hosts are well: {output[-2000:]}")


def row(name: str, took: list, hosts: int) -> str:
    best = sorted(took, key=lambda t: t.seconds)[len(took) // 2]
    each = best.own * 1e6 / (TASKS * hosts)
    return (
        f"| {name} | {best.seconds:.2f} | {best.own:.2f} | {each:.0f} | {best.children:.2f} "
        f"| {best.memory / 1024:.1f} |"
    )


def measure(options: argparse.Namespace, tools: Tools) -> bool:
    """Prints the table; says whether all went well."""
    hosts, control = options.many, tools.work / "cache/rplay/cp"
    play = playbook(tools.work)
    environment = {"XDG_CACHE_HOME": str(tools.work / "cache"), "ANSIBLE_CONFIG": str(own_configuration(tools))}
    try:
        with one_sshd(tools.work, hosts) as inventory:
            command = [str(tools.rplay), "-i", str(inventory), str(play)]
            check = lambda output: converged(output, hosts)
            note(f"thousand: preparing {hosts} names")
            # Alone, so that the worker is sent once; and then all of them.
            first = Contender("", [*command, "--limit", "many-0000"], lambda _: None, environment)
            timed(first, tools.work, options.limit)
            timed(Contender("", command, lambda _: None, environment), tools.work, options.limit)
            cold = Contender("rplay, cold", command, check, environment, lambda: end_masters(control))
            warm = Contender("rplay, warm", command, check, environment)
            took = {"rplay, cold": [], "rplay, warm": []}
            for _ in range(options.runs["rplay, cold"]):
                for contender in (cold, warm):
                    contender.prepare()
                    run = timed(contender, tools.work, options.limit)
                    note(f"thousand: {contender.name}: {run.seconds:.2f} s")
                    took[contender.name].append(run)
            end_masters(control)
    except TooSlow:
        note(f"thousand: over {options.limit:.0f} s")
        return False
    except (RuntimeError, subprocess.SubprocessError) as problem:
        note(f"thousand: {problem}")
        return False
    print(f"\n## thousand: {hosts} names of one sshd, {TASKS} small tasks, nothing to do\n")
    print("| contender | seconds | controller CPU s | µs for each task and host | ssh's CPU s | peak MiB |\n|---|---|---|---|---|---|")
    print("\n".join(row(name, runs, hosts) for name, runs in took.items()))
    print("\nThe others, and the floor, are not run here: this is about what hosts cost the controller.", flush=True)
    return True
