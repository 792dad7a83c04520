"""A machine with a real systemd, over this one's own root, that leaves nothing behind."""

import contextlib
import json
import os
import pathlib
import shutil
import signal
import subprocess
import time

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
CGROUPS = pathlib.Path("/sys/fs/cgroup")


class Failed(Exception):
    """What the service did not keep."""


class Unable(Exception):
    """Why this machine cannot do it."""


def require():
    """Raises `Unable` where no machine can be booted."""
    if os.geteuid() != 0:
        raise Unable("needs root, to boot a systemd of its own")
    for program in ("systemd-nspawn", "nsenter", "unshare", "dpkg-deb", "curl", "openssl"):
        if not shutil.which(program):
            raise Unable(f"{program} is missing: Scripts/bootstrap installs it")
    if subprocess.run(["unshare", "-m", "-n", "-p", "--fork", "true"], capture_output=True).returncode:
        raise Unable("no namespaces may be made here")


def children(process):
    try:
        return pathlib.Path(f"/proc/{process}/task/{process}/children").read_text().split()
    except OSError:
        return []


def prune(group):
    """Removes a cgroup with all beneath it, as far as nothing runs there."""
    for folder, _, _ in os.walk(group, topdown=False):
        with contextlib.suppress(OSError):
            os.rmdir(folder)


class Machine:
    """Booted by `boot`; its root is a copy on write of `root`, or of this machine's own."""

    def __init__(self, folder, root="/"):
        self.folder = pathlib.Path(folder)
        self.lower = root
        self.root = self.folder / "root"
        self.nspawn = self.leader = None
        self.mounted = []
        self.groups = [h / f"datarowd-test-{os.getpid()}" for h in (CGROUPS / "unified", CGROUPS / "systemd", CGROUPS)
                       if (h / "cgroup.procs").exists()]

    # MARK: life

    def mount(self, *words):
        target = words[-1]
        if subprocess.run(["mount", *map(str, words)], capture_output=True).returncode:
            raise Unable(f"cannot mount {' '.join(map(str, words))}")
        self.mounted.append(target)

    def boot(self):
        self.mount("-t", "tmpfs", "-o", "mode=755", "tmpfs", self.folder)
        for name in ("upper", "work", "root"):
            (self.folder / name).mkdir()
        self.mount("-t", "overlay", "-o",
                   f"lowerdir={self.lower},upperdir={self.folder}/upper,workdir={self.folder}/work", "overlay", self.root)
        # Services of this machine are none of ours.
        for name in ("multi-user.target.wants", "timers.target.wants"):
            shutil.rmtree(self.root / "etc/systemd/system" / name, ignore_errors=True)
        # Nor is a policy that keeps packages from starting services, as images for containers have one.
        (self.root / "usr/sbin/policy-rc.d").unlink(missing_ok=True)
        # The index of manual pages takes longer than all else.
        (self.root / "var/lib/man-db/auto-update").unlink(missing_ok=True)
        for group in self.groups:
            # One that was killed could not take its own away.
            for left in group.parent.glob("datarowd-test-*"):
                if not os.path.exists(f"/proc/{left.name.rpartition('-')[2]}"):
                    prune(left)
            group.mkdir()
        self.nspawn = subprocess.Popen(
            # In processes' names of its own, that end all together, should this process be killed.
            ["setpriv", "--pdeathsig", "KILL", "unshare", "--pid", "--fork", "--kill-child=KILL", "--mount-proc", "systemd-nspawn", "--quiet", "--register=no", "--keep-unit",
             "--private-network", "--boot", "--console=passive", "-M", "datarowd-test", "-D", self.root],
            stdin=subprocess.DEVNULL, stdout=open(self.folder / "nspawn.log", "wb"), stderr=subprocess.STDOUT,
            start_new_session=True, preexec_fn=self.enter_groups)
        self.leader = self.until(self.find_leader, 20, "systemd starts")
        self.until(lambda: self.run("systemctl", "is-system-running", check=False).strip() in ("running", "degraded"),
                   60, "the machine has booted")

    def enter_groups(self):
        for group in self.groups:
            (group / "cgroup.procs").write_text("0")

    def find_leader(self):
        if self.nspawn.poll() is not None:
            raise Unable("systemd-nspawn: " + (self.folder / "nspawn.log").read_text(errors="replace").strip())
        for nspawn in children(self.nspawn.pid):
            for task in children(nspawn):
                with contextlib.suppress(OSError):
                    if pathlib.Path(f"/proc/{task}/comm").read_text().strip() in ("systemd", "init"):
                        return task
        return None

    def close(self):
        """Ends all that runs in it, and takes every mount and cgroup away."""
        if self.nspawn:
            if self.leader:
                with contextlib.suppress(OSError):
                    os.kill(int(self.leader), signal.SIGKILL)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.nspawn.wait(10)
            if self.nspawn.poll() is None:
                self.nspawn.kill()
                self.nspawn.wait()
        for target in reversed(self.mounted):
            subprocess.run(["umount", "-l", target], capture_output=True)
        for group in self.groups:
            for _ in range(50):
                if not group.exists():
                    break
                prune(group)
                time.sleep(0.1)

    # MARK: doing

    def command(self, words, user=None):
        enter = ["nsenter", "-t", self.leader, "-m", "-p", "-u", "-i", "-n", "-C", "--wdns=/"]
        if user:
            words = ["runuser", "-u", user, "--", *words]
        return [*enter, "--", "env", "-i", f"PATH={PATH}", "LC_ALL=C.UTF-8", "DEBIAN_FRONTEND=noninteractive", *map(str, words)]

    def run(self, *words, check=True, user=None, timeout=120, input=None):
        """What a command prints in the machine, both streams."""
        done = subprocess.run(
            self.command(words, user), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
            timeout=timeout, input=input)
        if check and done.returncode:
            raise Failed(f"{' '.join(map(str, words))}: exit {done.returncode}: {done.stdout.strip()[-2000:]}")
        return done.stdout

    def shell(self, script, arguments=(), **options):
        """A script of bash; its arguments begin with `$0`."""
        return self.run("bash", "-euo", "pipefail", "-c", script, *arguments, **options)

    def fails(self, *words):
        return subprocess.run(self.command(words), capture_output=True).returncode != 0

    def show(self, unit, name):
        return self.run("systemctl", "show", "-P", name, unit).strip()

    def write(self, path, text, mode=0o644):
        self.run("install", "-D", "-m", f"{mode:o}", "/dev/stdin", path, input=text)

    def journal(self, *words):
        """Entries, each with all its fields."""
        text = self.run("journalctl", "-o", "json", "--no-pager", "-q", *words, check=False)
        return [json.loads(line) for line in text.splitlines() if line.startswith("{")]

    def http(self, url, body=None):
        """What a server inside answers, by this machine's curl."""
        words = ["curl", "-sS", "--fail", "--noproxy", "*", url, *(["-d", json.dumps(body)] if body is not None else [])]
        done = subprocess.run(["nsenter", "-t", self.leader, "-n", "--", *words], capture_output=True, text=True, timeout=30)
        if done.returncode:
            raise Failed(f"{url}: {done.stderr.strip()}")
        return done.stdout

    def until(self, look, limit, fact):
        """Looks until there is an answer."""
        deadline = time.monotonic() + limit
        while not (answer := look()):
            if time.monotonic() > deadline:
                raise Failed(f"not within {limit} s: {fact}")
            time.sleep(0.1)
        return answer
