"""NATS and PostgreSQL with data folders and ports of their own, on the loopback only."""

import glob
import math
import os
import pwd
import re
import shutil
import signal
import stat
import subprocess

from figures.processes import Failed, LineProgram, Program, Stopped, free_port, listens, run

MESSAGE_BYTES = 1024

NATS_CONFIG = """listen: "127.0.0.1:{port}"
tls {{
  cert_file: "{certificate}"
  key_file: "{key}"
  ca_file: "{ca}"
  verify: true
  timeout: 10
}}
jetstream {{ store_dir: "{folder}/jetstream" }}
"""

POSTGRES_CONFIG = """
listen_addresses = '127.0.0.1'
port = {port}
unix_socket_directories = ''
max_connections = 200
ssl = on
ssl_cert_file = 'server.pem'
ssl_key_file = 'server.key'
ssl_ca_file = 'ca.pem'
fsync = on
synchronous_commit = on
full_page_writes = on
shared_buffers = 256MB
max_wal_size = 8GB
"""

POSTGRES_ACCESS = "hostssl all all 127.0.0.1/32 trust clientcert=verify-ca\n"

POSTGRES_TABLES = """
CREATE TABLE message (
  id bigint PRIMARY KEY, created timestamptz NOT NULL DEFAULT now(),
  sender text NOT NULL, recipient text NOT NULL, body text NOT NULL);
CREATE TABLE outbox (
  sequence bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  message bigint NOT NULL, created timestamptz NOT NULL DEFAULT now());
"""

POSTGRES_STATEMENTS = """BEGIN;
INSERT INTO message (id, sender, recipient, body) VALUES (:id, :sender, :recipient, :body);
INSERT INTO outbox (message) VALUES (:id);
END;
"""
POSTGRES_ID = "\\set id random(1, 9000000000000000000)\n"
POSTGRES_SCRIPTS = {
    "statements": POSTGRES_ID + POSTGRES_STATEMENTS,
    "pipelined": POSTGRES_ID + "\\startpipeline\n" + POSTGRES_STATEMENTS + "\\endpipeline\n",
}


def find_program(name):
    """Its path, also where an ordinary user's PATH does not look; None when it is absent."""
    return shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")


class Nats(Stopped):
    """A server, and schakel_bench_nats that publishes to it."""

    @staticmethod
    def absent(build):
        """Why it can't take part; None when it can."""
        if find_program("nats-server") is None:
            return "nats-server is not installed"
        if not os.access(os.path.join(build, "bin/schakel_bench_nats"), os.X_OK):
            return "schakel_bench_nats is not built, since libnats-dev is not installed"
        return None

    def __init__(self, build, folder, pki):
        os.mkdir(folder)
        port = free_port()
        config = os.path.join(folder, "nats.conf")
        with open(config, "w") as file:
            file.write(NATS_CONFIG.format(port=port, folder=folder, **pki))
        self.server = Program(
            [find_program("nats-server"), "-c", config], os.path.join(folder, "nats.log")
        )
        self.client = None
        try:
            self.server.wait_until(lambda: listens(port))
            args = [os.path.join(build, "bin/schakel_bench_nats")]
            args += ["--url", f"nats://127.0.0.1:{port}", "--size", str(MESSAGE_BYTES)]
            args += ["--ca", pki["ca"], "--certificate", pki["certificate"], "--key", pki["key"]]
            self.client = LineProgram(args, os.path.join(folder, "client.log"))
            self.client.read(30)
        except BaseException:
            self.stop()
            raise

    def stop(self):
        if self.client is not None:
            self.client.stop()
        self.server.stop()

    def measure(self, kind, in_flight, seconds):
        return self.client.ask(f"{kind} {in_flight} {seconds}", 3 * seconds + 60)

    @staticmethod
    def version():
        done = subprocess.run(
            [find_program("nats-server"), "--version"], capture_output=True, text=True
        )
        return done.stdout.strip().replace("nats-server: ", "")


def postgres_folder():
    """Where the newest PostgreSQL's programs are; None when there is none."""
    found = glob.glob("/usr/lib/postgresql/*/bin/pgbench")
    found = [path for path in found if os.access(os.path.join(os.path.dirname(path), "initdb"), 1)]
    if not found:
        return None
    return os.path.dirname(max(found, key=lambda path: float(path.split("/")[4])))


def server_user():
    """Whom PostgreSQL runs as: it refuses root."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name).pw_name
        except KeyError:
            continue
    raise Failed("PostgreSQL refuses to run as root, and there is no user postgres or nobody")


class Postgres(Stopped):
    """A server, to which pgbench connects."""

    @staticmethod
    def absent(_build):
        """Why it can't take part; None when it can."""
        return None if postgres_folder() else "postgresql is not installed"

    def __init__(self, _build, folder, pki):
        self.programs = postgres_folder()
        self.user = server_user()
        self.folder = folder
        os.mkdir(folder)
        self.data = os.path.join(folder, "data")
        self.port = free_port()
        self.log = os.path.join(folder, "clients.log")
        self.environment = {
            "PGHOST": "127.0.0.1",
            "PGPORT": str(self.port),
            "PGUSER": "bench",
            "PGDATABASE": "postgres",
            "PGSSLMODE": "verify-full",
            "PGSSLROOTCERT": pki["ca"],
            "PGSSLCERT": pki["certificate"],
            "PGSSLKEY": pki["key"],
            "LC_ALL": "C.UTF-8",
        }
        self._initialise(pki)
        # SIGINT: a fast shutdown, which does not wait for clients.
        self.server = Program(
            [self._program("postgres"), "-D", self.data],
            os.path.join(folder, "server.log"),
            stop_signal=signal.SIGINT,
            user=self.user,
        )
        try:
            self.server.wait_until(self._serves)
            self._sql(POSTGRES_TABLES)
            self._check()
            for kind, script in POSTGRES_SCRIPTS.items():
                with open(self._script(kind), "w") as file:
                    file.write(script)
            self.connecting = 4.0  # seconds that connecting takes, until it is measured
            self.body = os.urandom(MESSAGE_BYTES // 2).hex()
        except BaseException:
            self.stop()
            raise

    def stop(self):
        self.server.stop()

    def _program(self, name):
        return os.path.join(self.programs, name)

    def _script(self, kind):
        return os.path.join(self.folder, f"{kind}.sql")

    def _initialise(self, pki):
        # initdb writes as the server's user, who owns the folder.
        if self.user:
            shutil.chown(self.folder, self.user, self.user)
        args = [self._program("initdb"), "-D", self.data, "-U", "bench", "-A", "trust"]
        run(args + ["--locale=C.UTF-8", "--no-sync"], self.log, user=self.user)
        with open(os.path.join(self.data, "postgresql.conf"), "a") as file:
            file.write(POSTGRES_CONFIG.format(port=self.port))
        with open(os.path.join(self.data, "pg_hba.conf"), "w") as file:
            file.write(POSTGRES_ACCESS)
        own = {"certificate": "server.pem", "key": "server.key", "ca": "ca.pem"}
        for name, file in own.items():
            path = os.path.join(self.data, file)
            shutil.copyfile(pki[name], path)
            os.chmod(path, stat.S_IRUSR | stat.S_IWUSR)
            if self.user:
                shutil.chown(path, self.user, self.user)

    def _serves(self):
        args = [self._program("pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        return subprocess.run(args).returncode == 0

    def _sql(self, commands):
        args = [self._program("psql"), "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1"]
        return run(args + ["-c", commands], self.log, env=self.environment)

    def _check(self):
        """What is compared is with TLS and a sync each commit, or not at all."""
        asked = (
            "SELECT current_setting('fsync'), current_setting('synchronous_commit'), ssl, "
            "client_dn FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
        )
        said = self._sql(asked).strip().split("|")
        if said[:3] != ["on", "on", "t"] or not said[3]:
            raise Failed(f"PostgreSQL does not sync, or has no TLS with certificates: {said}")

    def measure(self, kind, clients, seconds):
        # pgbench's time is in whole seconds and begins before its clients connect; what it counts
        # begins when all have connected.
        lasts = math.ceil(seconds) + math.ceil(self.connecting)
        args = [self._program("pgbench"), "-n", "-M", "prepared", "-f", self._script(kind)]
        args += ["-c", str(clients), "-j", "2", "-T", str(lasts)]
        args += ["-D", "sender=00000099000000001000", "-D", "recipient=00000099000000002000"]
        said = run(args + ["-D", f"body={self.body}"], self.log, env=self.environment,
                   seconds=lasts + 60)
        figures = pgbench_figures(said)
        self.connecting = figures.pop("connecting_seconds")
        return figures

    def version(self):
        done = subprocess.run(
            [self._program("postgres"), "--version"], capture_output=True, text=True
        )
        return re.sub(r"^postgres \(PostgreSQL\) (\S+).*", r"v\1", done.stdout.strip())


def pgbench_figures(said):
    """What pgbench printed. It tells a mean of the latency, no percentiles. Failed when a
    transaction failed or the rate is not there."""
    rate = re.search(r"^tps = ([0-9.]+) \(without initial connection time\)", said, re.M)
    mean = re.search(r"^latency average = ([0-9.]+) ms", said, re.M)
    connecting = re.search(r"^initial connection time = ([0-9.]+) ms", said, re.M)
    failed = re.search(r"^number of failed transactions: ([0-9]+)", said, re.M)
    if not rate or not connecting or float(rate.group(1)) == 0 or (failed and failed.group(1) != "0"):
        raise Failed(f"pgbench did not measure:\n{said}")
    figures = {
        "per_second": float(rate.group(1)),
        "connecting_seconds": float(connecting.group(1)) / 1000,
    }
    if mean:
        figures["mean_us"] = float(mean.group(1)) * 1000
    return figures
