"""One run of a contender: seconds, the controller's CPU, and its memory."""

import os
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from contenders import Contender

TICKS = os.sysconf("SC_CLK_TCK")


class TooSlow(Exception):
    """It took longer than it may."""


@dataclass
class Took:
    seconds: float
    # CPU seconds of the contender's main process, and of what it started and waited for.
    own: float
    children: float
    # KiB, at most, of its main process.
    memory: int


def peak_memory(pid: int) -> int:
    """KiB that a process has had at most, so far. wait4's number would have ours in it."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")), 0)


def cpu(pid: int) -> tuple[float, float]:
    """Seconds of a process that has ended and was not waited for, and of its children."""
    numbers = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    user, system, child_user, child_system = (int(n) / TICKS for n in numbers[11:15])
    return user + system, child_user + child_system


def timed(contender: Contender, work: Path, limit: float) -> Took:
    """A run that went well; an error where it did not, or took more seconds than the limit."""
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
            # So that all of it can be ended.
            start_new_session=True,
        )
        ended = threading.Event()
        memory, slow = 0, False

        def watch() -> None:
            nonlocal memory, slow
            # Seldom, since there are no more cores than needed. Most is in use from early on.
            while not ended.wait(0.05):
                memory = max(memory, peak_memory(child.pid))
                if time.monotonic() - start > limit and not slow:
                    slow = True
                    os.killpg(child.pid, 15)

        watcher = threading.Thread(target=watch)
        watcher.start()
        # Ended, and still there to be asked.
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        seconds = time.monotonic() - start
        own, children = cpu(child.pid)
        ended.set()
        watcher.join()
        child.wait()
    if slow:
        raise TooSlow
    if child.returncode != 0:
        raise RuntimeError(f"exit code {child.returncode}: {log.read_text()[-3000:]}")
    contender.verify(log.read_text())
    return Took(seconds, own, children, memory)
