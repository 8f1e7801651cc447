"""Installs what the comparison needs from Debian, without leaving a server that runs or will."""

import contextlib
import os
import shutil
import subprocess
import sys

PACKAGES = ("nats-server", "libnats-dev", "postgresql")
UNITS = ("nats-server.service", "postgresql.service")
POLICY = "/usr/sbin/policy-rc.d"
CLUSTERS = "/etc/postgresql-common/createcluster.conf"


def installed(package):
    asked = subprocess.run(
        ["dpkg-query", "-W", "-f=${Status}", package], capture_output=True, text=True
    )
    return asked.stdout == "install ok installed"


@contextlib.contextmanager
def no_starts():
    """Package scripts start nothing meanwhile: deb-systemd-invoke and invoke-rc.d ask this file."""
    if os.path.exists(POLICY):  # somebody's own: it stays as it is
        yield
        return
    with open(POLICY, "w") as file:
        file.write("#!/bin/sh\nexit 101\n")
    try:
        os.chmod(POLICY, 0o755)
        yield
    finally:
        os.remove(POLICY)


@contextlib.contextmanager
def no_cluster():
    """PostgreSQL's packages make no database of the system meanwhile."""
    with open(CLUSTERS) as file:
        before = file.read()
    try:
        with open(CLUSTERS, "a") as file:
            file.write("\ncreate_main_cluster = false\n")
        yield
    finally:
        with open(CLUSTERS, "w") as file:
            file.write(before)


def _install(*packages):
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    args = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages]
    subprocess.run(args, check=True, stdout=subprocess.DEVNULL, env=environment)


def install():
    """What is missing of PACKAGES. Exits with a clear word when this can't be."""
    missing = [package for package in PACKAGES if not installed(package)]
    if not missing:
        return
    if shutil.which("apt-get") is None:
        sys.exit(f"compare: --install needs Debian. Install by hand: {' '.join(missing)}")
    if os.geteuid() != 0:
        sys.exit("compare: --install needs root. Run it once as root, then without it as anyone")
    print(f"compare: installing {' '.join(missing)}", file=sys.stderr)
    try:
        subprocess.run(["apt-get", "update", "-qq"], check=True)
        with no_starts():
            if "postgresql" in missing:
                # First alone: the next packages look into its configuration.
                if not installed("postgresql-common"):
                    _install("postgresql-common")
                with no_cluster():
                    _install(*missing)
            else:
                _install(*missing)
    except subprocess.CalledProcessError as error:
        sys.exit(f"compare: {' '.join(error.cmd[:2])} failed with {error.returncode}")
    if shutil.which("systemctl"):
        new = [unit for unit in UNITS if unit.split(".")[0] in missing]
        subprocess.run(["systemctl", "disable", "--quiet", *new], check=False)
