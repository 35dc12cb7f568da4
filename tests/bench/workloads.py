"""What is timed: each workload with what comes before every run, and what must hold after."""

from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent / "workloads"


@dataclass
class Workload:
    name: str
    # What the table says of it.
    title: str
    # Prints the state that is compared with what the reference run left.
    state: str
    # Ansible's counts of each host: `ok=30 changed=0`.
    recap: str
    # On each host, once and before every run; both may be run again.
    once: str = "true"
    reset: str = "true"
    # Who says what the end state is: a part of a contender's name.
    reference: str = "mitogen"
    # pyinfra's grand total of each host, where that says something: all, changed, not changed.
    totals: list[int] = field(default_factory=list)
    # What the floor prints for each host.
    floor_says: str = "done"
    # For ansible-playbook and rplay; for pyinfra.
    arguments: list[str] = field(default_factory=list)
    environment: dict[str, str] = field(default_factory=dict)
    # What the floor sends, where it is not its script.
    tree: Path | None = None

    @property
    def dir(self) -> Path:
        return HERE / self.name


def files(*places: str, time: str = "") -> str:
    """Everything below some places: kind, mode, owner, and content; times where asked for."""
    where = " ".join(places)
    return (
        f"find {where} -printf '%p %y %m %U %G %l{time}\\n' | sort;"
        f" find {where} -type f -print0 | sort -z | xargs -0 sha256sum"
    )


def small_steps() -> Workload:
    return Workload(
        "small-steps",
        "30 small tasks, nothing to do",
        # Times too: whoever writes a file that is in place already did not leave it alone.
        state=files("/opt/small-steps", time=" %T@"),
        recap="ok=30 changed=0",
        # It counts each command as a change, and facts not at all.
        totals=[25, 5, 20],
        floor_says="changed=0",
    )


def deployment() -> Workload:
    app = "/var/lib/bench-app /var/cache/bench-app /var/log/bench-app /etc/bench-app"
    single = "/usr/local/bin/bench-app /etc/systemd/system/bench-app.service /etc/logrotate.d/bench-app /etc/default/bench-app"
    packages = "nginx-light rsync tree"
    return Workload(
        "deployment",
        "a deployment on fresh hosts: packages, account, files, services",
        state=(
            f"dpkg-query -W -f '${{Package}} ${{Version}} ${{Status}}\\n' {packages};"
            " getent passwd bench-app | cut -d: -f1,5-; getent group bench-app | cut -d: -f1,4-;"
            " for unit in nginx bench-app; do systemctl is-enabled $unit; systemctl is-active $unit; done;"
            # Numbers of accounts may differ between runs.
            + files(app, single, "/srv/www", "/etc/nginx").replace("%U %G", "%u %g")
        ),
        recap="ok=19 changed=17",
        once=(
            "apt-get update -q >/dev/null 2>&1;"
            f" DEBIAN_FRONTEND=noninteractive apt-get install -y -q --download-only {packages} >/dev/null 2>&1 &&"
            " dpkg-query -W -f '${Package}\\n' | sort >/root/bench-packages"
        ),
        reset=(
            "systemctl disable -q --now bench-app nginx 2>/dev/null;"
            " dpkg-query -W -f '${Package}\\n' | sort | comm -13 /root/bench-packages - |"
            " DEBIAN_FRONTEND=noninteractive xargs -r apt-get purge -y -q >/dev/null 2>&1 || exit 1;"
            f" rm -rf {app} {single} /srv/www /etc/nginx; systemctl daemon-reload; systemctl reset-failed;"
            " userdel bench-app 2>/dev/null; groupdel bench-app 2>/dev/null; true"
        ),
    )


def loop() -> Workload:
    return Workload(
        "loop",
        "one task with 100 items, none there yet",
        state=files("/opt/loop"),
        recap="ok=2 changed=2",
        reset="rm -rf /opt/loop",
        totals=[101, 101, 0],
    )


def tree(work: Path, count: int) -> Workload:
    """A directory with so many files below it, made here."""
    top = work / "tree"
    for number in range(count):
        path = top / str(number // 100) / f"{number}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"file {number}\n" * (1 + number % 100))
    return Workload(
        "tree",
        f"recursive copy of {count:,} small files, none there yet",
        # One line: there are many files on many hosts.
        state=f"cd /opt/tree && find . -type f | wc -l && ({files('.')}) | sha256sum",
        recap="ok=1 changed=1",
        reset="rm -rf /opt/tree",
        reference="floor",
        arguments=["-e", f"tree={top}"],
        environment={"BENCH_TREE": str(top)},
        tree=top,
    )


def all_of(work: Path, count: int) -> dict[str, Workload]:
    found = [small_steps(), deployment(), loop()]
    if count:
        found.append(tree(work, count))
    return {w.name: w for w in found}
