"""Times every contender on the same converged hosts and prints a table. Called by compare."""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import contenders
from contenders import PLAYBOOK, Contender, note
from lab import Lab


def peak_memory(pid: int) -> int:
    """KiB that a process has had at most, so far. wait4's number would have ours in it."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")), 0)


def timed(contender: Contender, work: Path) -> tuple[float, int]:
    """Seconds and peak memory (KiB, of its main process) of one run that went well."""
    log = work / "output"
    with log.open("w") as output:
        start = time.monotonic()
        child = subprocess.Popen(
            contender.command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=os.environ | contender.environment,
            # Logs that someone leaves behind go with it.
            cwd=work,
        )
        memory = 0

        def watch() -> None:
            nonlocal memory
            # Seldom, since there are no more cores than needed. Most is in use from early on.
            while child.returncode is None:
                memory = max(memory, peak_memory(child.pid))
                time.sleep(0.05)

        watcher = threading.Thread(target=watch)
        watcher.start()
        child.wait()
        seconds = time.monotonic() - start
        watcher.join()
    if child.returncode != 0:
        raise RuntimeError(f"exit code {child.returncode}: {log.read_text()[-3000:]}")
    contender.verify(log.read_text())
    return seconds, memory


def chosen(arguments: argparse.Namespace, lab: Lab, work: Path) -> list[Contender]:
    everyone = [
        contenders.floor(lab, work),
        *contenders.rplay(lab, work, arguments.rplay),
        contenders.pyinfra(lab, work, arguments.venvs / "pyinfra"),
        contenders.ansible(lab, work, arguments.venvs / "ansible", mitogen=True),
        contenders.ansible(lab, work, arguments.venvs / "ansible", mitogen=False),
    ]
    words = [w for w in arguments.only.split(",") if w]
    # The floor is always in: the rest are ratios to it.
    return [c for c in everyone if not words or c.name == "floor" or any(w in c.name for w in words)]


def measure(field: list[Contender], runs: int, lab: Lab, work: Path) -> dict[str, list[tuple[float, int]]]:
    """One run of each in turn, and again: what slows the machine down for a while hits all."""
    results: dict[str, list[tuple[float, int]]] = {c.name: [] for c in field}
    before = lab.state()
    for number in range(runs):
        for contender in field:
            try:
                contender.prepare()
                seconds, memory = timed(contender, work)
                if lab.state() != before:
                    raise RuntimeError("it changed what is on the hosts")
            except (RuntimeError, subprocess.SubprocessError) as problem:
                sys.exit(f"bench: {contender.name}: {problem}")
            note(f"run {number + 1}: {contender.name}: {seconds:.2f} s")
            results[contender.name].append((seconds, memory))
    return results


def table(results: dict[str, list[tuple[float, int]]]) -> None:
    floor = statistics.median(seconds for seconds, _ in results["floor"])
    print(f"{'contender':<24}{'median s':>9}{'min':>8}{'max':>8}{'x floor':>9}{'peak MiB':>10}")
    for name, runs in results.items():
        seconds = [s for s, _ in runs]
        median = statistics.median(seconds)
        memory = max(m for _, m in runs) / 1024
        print(f"{name:<24}{median:>9.2f}{min(seconds):>8.2f}{max(seconds):>8.2f}{median / floor:>9.2f}{memory:>10.1f}")


def sizes(arguments: argparse.Namespace, lab: Lab, field: list[Contender], work: Path, peak: int) -> None:
    """What rplay's worker weighs, and what each further host costs its controller."""
    worker = (arguments.rplay.parent / "rplay-worker").stat().st_size
    print(f"rplay's worker: {worker / 1024:.0f} KiB")
    hosts = len(lab.hosts)
    if hosts > 1:
        contender = next(c for c in field if c.name == "rplay, warm")
        first = next(iter(lab.hosts))
        alone = Contender("", [*contender.command, "--limit", first], lambda _: None, contender.environment)
        _, memory = timed(alone, work)
        print(f"rplay's memory: {memory / 1024:.1f} MiB with one host, {(peak - memory) / (hosts - 1):.0f} KiB for each more")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--inventory", type=Path, required=True)
    parser.add_argument("--rplay", type=Path, required=True)
    parser.add_argument("--venvs", type=Path, required=True)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--only", default="")
    arguments = parser.parse_args()
    # A short path: sockets are put below it, and theirs is limited.
    with tempfile.TemporaryDirectory(prefix="rplay-bench-") as directory:
        work = Path(directory)
        lab = Lab(arguments.inventory.resolve(), work)
        try:
            note(f"preparing {len(lab.hosts)} hosts with Ansible")
            reference = contenders.ansible(lab, work, arguments.venvs / "ansible", mitogen=True)
            subprocess.run(
                reference.command, env=os.environ | reference.environment, stdout=subprocess.DEVNULL, check=True, cwd=work
            )
            field = chosen(arguments, lab, work)
            results = measure(field, arguments.runs, lab, work)
            print(f"{len(lab.hosts)} converged hosts, {PLAYBOOK.name}, {arguments.runs} run(s), {os.cpu_count()} cores")
            table(results)
            if "rplay, warm" in results:
                sizes(arguments, lab, field, work, max(m for _, m in results["rplay, warm"]))
        finally:
            lab.leave()


main()
