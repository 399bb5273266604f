"""A real Slurm of two nodes on this machine, for tests. Needs root and the packages ``slurm-wlm`` and ``munge``."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scontrol")
_PATIENCE = 120.0

_CONFIG = """\
ClusterName=lorascope
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
SlurmUser=root
SlurmdUser=root
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool-%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
GresTypes=gpu
JobRequeue=1
ReturnToService=2
SlurmdTimeout=10
KillWait=2
SchedulerParameters=batch_sched_delay=0,sched_min_interval=0,bf_interval=1,sched_interval=1
NodeName=n1 NodeHostname={host} NodeAddr=127.0.0.1 Port={first} CPUs=1 Gres=gpu:1 State=UNKNOWN
NodeName=n2 NodeHostname={host} NodeAddr=127.0.0.1 Port={second} CPUs=1 Gres=gpu:1 State=UNKNOWN
PartitionName=all Nodes=n1,n2 Default=YES MaxTime=INFINITE State=UP
"""
# Devices that exist everywhere stand for GPUs.
_GRES = "NodeName=n1 Name=gpu File=/dev/null\nNodeName=n2 Name=gpu File=/dev/zero\n"


def missing() -> str:
    """Why there can be no Slurm here; empty where it can."""
    if os.geteuid() != 0:
        return "Slurm's daemons need root"
    found = _absent()
    return f"Slurm is not installed ({', '.join(found)}): apt install slurm-wlm munge" if found else ""


def _absent() -> list[str]:
    path = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])
    return [name for name in PROGRAMS if shutil.which(name, path=path) is None]


class Slurm:
    """Two nodes ``n1`` and ``n2``, a core and a GPU each. A context manager.

    Args:
        folder: a short path: sockets lie in it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    @property
    def environment(self) -> Mapping[str, str]:
        """What Slurm's commands need to find it."""
        path = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])
        return {"SLURM_CONF": str(self.folder / "slurm.conf"), "PATH": path}

    def __enter__(self) -> Slurm:
        controller, first, second = _ports(3)
        folder, host = self.folder, socket.gethostname().partition(".")[0]
        # The daemons of munge refuse a folder that others could write to, and Slurm one that is not there.
        folder.chmod(0o755)
        (folder / "state").mkdir()
        for name in ("n1", "n2"):
            (folder / f"spool-{name}").mkdir()
        text = _CONFIG.format(folder=folder, host=host, controller=controller, first=first, second=second)
        (folder / "slurm.conf").write_text(text, "utf-8")
        (folder / "gres.conf").write_text(_GRES, "utf-8")
        (folder / "munge.key").write_bytes(os.urandom(128))
        (folder / "munge.key").chmod(0o400)
        munge = [f"--{name}={folder}/munge.{name}" for name in ("socket", "pid-file", "log-file", "seed-file")]
        self._start("munged", "--foreground", "--force", f"--key-file={folder}/munge.key", *munge)
        self._until(lambda: (folder / "munge.socket").exists(), "munged")
        self._start("slurmctld", "-D", "-c")
        for name in ("n1", "n2"):
            self.start_node(name)
        self._until(lambda: self.ask("sinfo", "-h", "-o", "%T").split() == ["idle"], "idle nodes")
        return self

    def __exit__(self, *_: object) -> None:
        self.ask("scancel", "--user=root")
        for process in reversed(self._processes.values()):
            process.terminate()
        for process in self._processes.values():
            try:
                process.wait(2)  # nothing that they would still write is wanted
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def start_node(self, name: str) -> None:
        """Start a node's daemon."""
        self._start("slurmd", "-D", "-N", name, key=name)

    def lose_node(self, name: str) -> None:
        """As by a power cut: the daemon of a node and everything that it started are gone at once."""
        root = self._processes[name].pid
        for pid in [*_descendants(root), *_running_for(self.folder / f"spool-{name}"), root]:
            try:
                os.kill(pid, 9)
            except ProcessLookupError:
                continue
        self._processes.pop(name).wait()

    def ask(self, *command: str) -> str:
        """What one of Slurm's commands prints."""
        environment = {**os.environ, **self.environment}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)
        return done.stdout

    def logs(self) -> str:
        """The last lines of all daemons' logs."""
        files = sorted(self.folder.glob("*.log"))
        return "\n".join(f"{file.name}:\n" + "\n".join(file.read_text().splitlines()[-15:]) for file in files)

    def _start(self, program: str, *arguments: str, key: str = "") -> None:
        out = (self.folder / f"{key or program}.out.log").open("ab")
        self._processes[key or program] = subprocess.Popen(
            [program, *arguments],
            env={**os.environ, **self.environment},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
        )
        out.close()

    def _until(self, holds, what: str) -> None:  # type: ignore[no-untyped-def]
        until = time.monotonic() + _PATIENCE
        while not holds():
            assert time.monotonic() < until, f"no {what} within {_PATIENCE} s\n{self.logs()}"
            time.sleep(0.05)


def _ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()


def _descendants(root: int) -> list[int]:
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                parent = int((entry / "stat").read_bytes().rpartition(b")")[2].split()[1])
            except (OSError, IndexError):
                continue
            children.setdefault(parent, []).append(int(entry.name))
    found, stack = [], [root]
    while stack:
        below = children.get(stack.pop(), [])
        found += below
        stack += below
    return found


def _running_for(spool: Path) -> list[int]:
    """What runs on a node and is no child of its daemon: known by the node's name, and by who started that."""
    wanted = f"SLURMD_NODENAME={spool.name.removeprefix('spool-')}".encode()
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                if wanted not in (entry / "environ").read_bytes().split(b"\0"):
                    continue
                parent = (entry / "stat").read_bytes().rpartition(b")")[2].split()[1].decode()
                if (Path("/proc") / parent / "comm").read_text("utf-8").startswith("slurmstepd"):
                    found.append(int(parent))
            except (OSError, IndexError):
                continue
            found.append(int(entry.name))
    return found
