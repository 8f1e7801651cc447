"""Programs that a measurement starts: each is stopped by its own process id, whatever happens."""

import ctypes
import json
import os
import select
import signal
import socket
import subprocess
import time

PR_SET_PDEATHSIG = 1
STOP_SECONDS = 20


class Failed(Exception):
    """A program did not do what a measurement needs; the text says what."""


def free_port():
    """A port on 127.0.0.1 that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def listens(port):
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def die_with_parent(number):
    """For preexec_fn: the program gets this signal when its starter is gone."""
    libc = ctypes.CDLL(None, use_errno=True)

    def ask():
        libc.prctl(PR_SET_PDEATHSIG, number)

    return ask


class Stopped:
    """What `with` stops at its end."""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


class Program(Stopped):
    """A program in a session of its own, so that Ctrl-C reaches it through stop() only."""

    # Whether the end of its input ends it, so that it can clean up in its own time.
    ends_with_input = False

    def __init__(self, args, log, stop_signal=signal.SIGTERM, user=None, env=None, lines=False):
        self.name = os.path.basename(args[0])
        self.log = log
        self.stop_signal = stop_signal
        as_user = {"user": user, "group": user, "extra_groups": []} if user else {}
        with open(log, "ab") as output:
            self.process = subprocess.Popen(
                args,
                stdin=subprocess.PIPE if lines else subprocess.DEVNULL,
                stdout=subprocess.PIPE if lines else output,
                stderr=output,
                env={**os.environ, **(env or {})},
                start_new_session=True,
                preexec_fn=die_with_parent(stop_signal),
                cwd=os.path.dirname(log),
                **as_user,
            )

    def running(self):
        return self.process.poll() is None

    def log_tail(self):
        with open(self.log, errors="replace") as file:
            return file.read()[-2000:].strip()

    def wait_until(self, ready, seconds=30):
        """Asks `ready()` until it says yes. Failed when that takes too long or the program ends."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if not self.running():
                raise Failed(f"{self.name} ended at its start:\n{self.log_tail()}")
            if ready():
                return
            time.sleep(0.05)
        raise Failed(f"{self.name} does not serve after {seconds} s:\n{self.log_tail()}")

    def stop(self):
        if self.process.stdin is not None:
            try:
                self.process.stdin.close()
            except BrokenPipeError:
                pass
        if self.running() and not self.ends_with_input:
            self.process.send_signal(self.stop_signal)
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()


class LineProgram(Program):
    """One that writes lines of JSON: as answers to the lines of its input, or of its own accord."""

    def __init__(self, args, log, env=None, answers=True):
        super().__init__(args, log, env=env, lines=True)
        self.ends_with_input = answers
        self.pending = b""

    def ask(self, line, seconds):
        """The answer to `line`. Failed when it is an error, or none came within `seconds`."""
        try:
            self.process.stdin.write(line.encode() + b"\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            raise Failed(f"{self.name} has ended:\n{self.log_tail()}") from None
        answer = self.read(seconds)
        if "error" in answer:
            raise Failed(f"{self.name}, {line}: {answer['error']}")
        return answer

    def read(self, seconds):
        end = time.monotonic() + seconds
        while b"\n" not in self.pending:
            left = end - time.monotonic()
            ready = left > 0 and select.select([self.process.stdout], [], [], left)[0]
            if not ready:
                raise Failed(f"{self.name} gives no answer within {seconds:.0f} s")
            piece = os.read(self.process.stdout.fileno(), 65536)
            if not piece:
                raise Failed(f"{self.name} has ended:\n{self.log_tail()}")
            self.pending += piece
        line, self.pending = self.pending.split(b"\n", 1)
        return json.loads(line)


    def wait_for_end(self, seconds):
        """Failed when it does not end well in time by itself."""
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise Failed(f"{self.name} does not end within {seconds:.0f} s") from None
        if code != 0:
            raise Failed(f"{self.name} ended with {code}:\n{self.log_tail()}")


def run(args, log, user=None, env=None, seconds=120):
    """A program to its end, also when this one is interrupted; what it wrote on standard output.
    Failed when its exit code is not 0."""
    as_user = {"user": user, "group": user, "extra_groups": []} if user else {}
    with open(log, "ab") as errors:
        process = subprocess.Popen(
            args,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            env={**os.environ, **(env or {})},
            start_new_session=True,
            preexec_fn=die_with_parent(signal.SIGKILL),
            cwd=os.path.dirname(log),
            text=True,
            **as_user,
        )
    try:
        out, _ = process.communicate(timeout=seconds)
    except BaseException as error:
        process.kill()
        process.wait()
        if isinstance(error, subprocess.TimeoutExpired):
            raise Failed(f"{args[0]} takes more than {seconds} s") from None
        raise
    if process.returncode != 0:
        with open(log, errors="replace") as file:
            said = file.read()[-2000:].strip()
        raise Failed(f"{args[0]} ended with {process.returncode}:\n{said}")
    return out
