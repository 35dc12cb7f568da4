"""Times contenders on the same hosts and prints tables in markdown. Called by suite."""

import argparse
import hashlib
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import contenders
import thousand
import workloads
from contenders import NAMES, Contender, Tools, note
from lab import Field, Lab, delayed
from timing import Took, TooSlow, timed
from workloads import Workload

HEAD = "| contender | runs | seconds | min | max | × floor | controller CPU s | its children's | peak MiB |\n" + "|---" * 9 + "|"


def machine() -> str:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    commit = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True).stdout.strip()
    load = os.getloadavg()[0]
    return (
        f"{time.strftime('%Y-%m-%d %H:%M')}, {os.cpu_count()} cores, {memory:.0f} GiB, Linux {platform.release()}, "
        f"controller and hosts on this one machine; rplay at {commit}; load before: {load:.1f}"
    )


def state(field: Field, workload: Workload) -> str:
    """A checksum over what the workload manages on all hosts."""
    return hashlib.sha256(repr(field.on_all(workload.state)).encode()).hexdigest()




def reference(field: Field, workload: Workload, tools: Tools) -> str:
    """The end state that counts: what the reference, not timed, makes of fresh hosts."""
    note(f"{workload.name}: {len(field.hosts)} host(s): preparing, with {workload.reference}")
    field.on_all(workload.once)
    field.on_all(workload.reset)
    contender = next(c for c in contenders.everyone(field, workload, tools) if workload.reference in c.name)
    if workload.reset == "true":
        # It is timed where all is in place; putting it there changes things.
        contender.verify = lambda _: None
    timed(contender, tools.work, 7200)
    return state(field, workload)


class Results:
    """Runs of each contender, or why there are none."""

    def __init__(self, names: list[str]):
        self.runs: dict[str, list[Took]] = {name: [] for name in names}
        self.marks: dict[str, str] = {}

    def row(self, name: str) -> str:
        runs = self.runs[name]
        if name in self.marks or not runs:
            return f"| {name} | | {self.marks.get(name, 'not asked for')} | | | | | | |"
        seconds = [run.seconds for run in runs]
        median = statistics.median(seconds)
        floor = [run.seconds for run in self.runs["floor"]]
        ratio = f"{median / statistics.median(floor):.2f}" if floor else "–"
        own, children = (statistics.median(getattr(run, what) for run in runs) for what in ("own", "children"))
        memory = max(run.memory for run in runs) / 1024
        return (
            f"| {name} | {len(runs)} | {median:.2f} | {min(seconds):.2f} | {max(seconds):.2f} | {ratio} "
            f"| {own:.2f} | {children:.2f} | {memory:.1f} |"
        )


def one_run(contender: Contender, field: Field, workload: Workload, tools: Tools, wanted: str, limit: float) -> Took:
    field.on_all(workload.reset)
    contender.prepare()
    took = timed(contender, tools.work, limit)
    if state(field, workload) != wanted:
        found = field.on_all(workload.state)
        raise RuntimeError(f"the end state is another than {workload.reference}'s: {list(found.values())[0][:3000]}")
    return took


def measure(field: Field, workload: Workload, tools: Tools, options: argparse.Namespace, wanted: str) -> Results:
    """One run of each in turn, and again: what slows the machine down for a while hits all."""
    results = Results(NAMES)
    for number in range(max(options.runs.values())):
        for contender in contenders.everyone(field, workload, tools):
            name = contender.name
            if name not in options.contenders or name in results.marks or number >= options.runs[name]:
                continue
            try:
                took = one_run(contender, field, workload, tools, wanted, options.limit)
            except TooSlow:
                results.marks[name] = f"over {options.limit:.0f}"
                note(f"{name}: over {options.limit:.0f} s")
                continue
            except (RuntimeError, subprocess.SubprocessError) as problem:
                # No number for who did not do the work; and no success for the suite.
                results.marks[name] = "FAILED"
                options.failed = True
                note(f"{workload.name}: {name}: {problem}")
                continue
            note(f"{workload.name}: run {number + 1}: {name}: {took.seconds:.2f} s")
            results.runs[name].append(took)
    return results


def lab_workloads(options: argparse.Namespace, tools: Tools) -> None:
    known = workloads.all_of(tools.work, options.files if "tree" in options.workloads else 0)
    chosen = {name: workload for name, workload in known.items() if name in options.workloads}
    if not chosen:
        return
    lab = Lab(options.inventory.resolve(), tools.work)
    try:
        for workload in chosen.values():
            for hosts in options.hosts:
                if hosts > len(lab.hosts):
                    sys.exit(f"bench: the lab has {len(lab.hosts)} hosts, not {hosts}")
                direct = lab.field(hosts, 22)
                wanted = reference(direct, workload, tools)
                for delay in options.delays:
                    with delayed(lab, options.delay_program, hosts, delay) as field:
                        results = measure(field, workload, tools, options, wanted)
                    print(f"\n## {workload.name}: {workload.title}; {hosts} host(s), {delay} ms\n\n{HEAD}")
                    print("\n".join(map(results.row, NAMES)), flush=True)
                direct.on_all(workload.reset)
    finally:
        lab.leave()


def numbers(text: str) -> list[int]:
    return [int(n) for n in text.split(",")]


def runs(text: str) -> dict[str, int]:
    """`3,ansible=1`: for all, and for those with this name; or with the last word of it."""
    found: dict[str, int] = {}
    for part in text.split(","):
        name, _, number = part.rpartition("=")
        matching = [n for n in NAMES if not name or n == name or n.split()[-1] == name]
        if not matching:
            raise argparse.ArgumentTypeError(f"no contender is called {name}: {', '.join(NAMES)}")
        found |= {n: int(number) for n in matching}
    return {n: found.get(n, 1) for n in NAMES}


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--inventory", type=Path)
    parser.add_argument("--rplay", type=Path, required=True)
    parser.add_argument("--delay-program", type=Path, required=True)
    parser.add_argument("--venvs", type=Path, required=True)
    parser.add_argument("--workloads", type=lambda t: t.split(","), required=True)
    parser.add_argument("--hosts", type=numbers, required=True)
    parser.add_argument("--delays", type=numbers, required=True)
    parser.add_argument("--contenders", default="")
    parser.add_argument("--runs", type=runs, required=True)
    parser.add_argument("--limit", type=float, required=True)
    parser.add_argument("--files", type=int, required=True)
    parser.add_argument("--many", type=int, required=True)
    options = parser.parse_args()
    # Parts of names, separated by commas; names have commas and spaces of their own.
    words = [w.strip() for w in options.contenders.split(",") if w.strip()]
    exact = [n for n in NAMES if n in words]
    options.contenders = [n for n in NAMES if not words or n in exact or any(w in n and w not in NAMES for w in words)]
    options.failed = False
    return options


def main() -> None:
    options = parse()
    # A short path: sockets are put below it, and theirs is limited.
    with tempfile.TemporaryDirectory(prefix="rplay-bench-") as directory:
        tools = Tools(Path(directory), options.rplay, options.venvs)
        worker = options.rplay.parent / "rplay-worker"
        print(f"# Benchmark\n\n{machine()}. rplay's worker: {worker.stat().st_size / 1024:.0f} KiB.", flush=True)
        lab_workloads(options, tools)
        if "thousand" in options.workloads:
            options.failed |= not thousand.measure(options, tools)
    if options.failed:
        sys.exit("bench: some contenders failed; see above")


main()
