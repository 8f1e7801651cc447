"""What the figures were measured on."""

import os
import subprocess


def _read(path):
    try:
        with open(path) as file:
            return file.read()
    except OSError:
        return ""


def processor():
    for line in _read("/proc/cpuinfo").splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return "unknown"


def memory_gib():
    for line in _read("/proc/meminfo").splitlines():
        if line.startswith("MemTotal:"):
            return round(int(line.split()[1]) / 1024 / 1024, 1)
    return 0.0


def file_system(folder):
    """The type of the file system that holds `folder`, such as ext4."""
    best, kind = "", "unknown"
    real = os.path.realpath(folder)
    for line in _read("/proc/self/mounts").splitlines():
        mount, mount_kind = line.split()[1:3]
        holds = mount == "/" or real == mount or real.startswith(mount + "/")
        if holds and len(mount) >= len(best):
            best, kind = mount, mount_kind
    return kind


def state(repository):
    """The commit, with a word when files differ from it."""

    def git(*args):
        done = subprocess.run(["git", "-C", repository, *args], capture_output=True, text=True)
        return done.stdout.strip() if done.returncode == 0 else ""

    commit = git("rev-parse", "--short", "HEAD")
    if not commit:
        return "unknown"
    return commit + (" with changes" if git("status", "--porcelain", "-uno") else "")


def describe(repository, data_folder):
    return {
        "processor": processor(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": memory_gib(),
        "kernel": os.uname().release,
        "file_system": file_system(data_folder),
        "state": state(repository),
    }


def text(facts):
    said = (
        f"{facts['cores']} cores ({facts['processor']}), {facts['memory_gib']:.0f} GiB, "
        f"Linux {facts['kernel']}, data on {facts['file_system']}, state {facts['state']}"
    )
    if facts["file_system"] in ("tmpfs", "ramfs"):
        said += ". **A sync costs nothing there: figures of what syncs mean nothing**"
    return said
