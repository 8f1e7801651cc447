import os
import signal
import tempfile
import time
import unittest

from figures.processes import Failed, LineProgram, Program, free_port, listens, run


def gone(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


class Processes(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.log = os.path.join(folder.name, "log")

    def test_a_program_is_stopped_also_when_the_measurement_fails(self):
        with self.assertRaises(KeyboardInterrupt):
            with Program(["/bin/sleep", "60"], self.log) as program:
                pid = program.process.pid
                raise KeyboardInterrupt
        self.assertTrue(gone(pid))

    def test_a_program_ends_when_who_started_it_is_killed(self):
        said, say = os.pipe()
        starter = os.fork()
        if starter == 0:
            program = Program(["/bin/sleep", "60"], self.log)
            os.write(say, b"%d\n" % program.process.pid)
            time.sleep(60)
            os._exit(0)
        pid = int(os.read(said, 20))
        os.kill(starter, signal.SIGKILL)
        os.waitpid(starter, 0)
        end = time.monotonic() + 10
        while not gone(pid) and time.monotonic() < end:
            time.sleep(0.01)
        # An orphan that ended may wait for init to take notice of it.
        ended = gone(pid) or open(f"/proc/{pid}/stat").read().split()[2] == "Z"
        os.close(said)
        os.close(say)
        self.assertTrue(ended)

    def test_answers_come_line_by_line(self):
        with LineProgram(["/bin/cat"], self.log) as program:
            self.assertEqual(program.ask('{"per_second": 1}', 10), {"per_second": 1})
            self.assertEqual(program.ask('{"per_second": 2}', 10), {"per_second": 2})

    def test_an_error_is_told_with_the_question(self):
        with LineProgram(["/bin/cat"], self.log) as program:
            with self.assertRaisesRegex(Failed, "cat, .*: too few"):
                program.ask('{"error": "too few"}', 10)

    def test_a_program_that_ended_is_told_with_what_it_wrote(self):
        with LineProgram(["/bin/sh", "-c", "echo no certificate >&2"], self.log) as program:
            with self.assertRaisesRegex(Failed, "sh has ended:\nno certificate"):
                program.read(10)

    def test_no_answer_in_time_is_told(self):
        with LineProgram(["/bin/sleep", "60"], self.log, answers=False) as program:
            with self.assertRaisesRegex(Failed, "sleep gives no answer"):
                program.read(0.05)

    def test_a_server_that_ends_at_its_start_is_told(self):
        with Program(["/bin/sh", "-c", "echo port taken"], self.log) as program:
            with self.assertRaisesRegex(Failed, "sh ended at its start:\nport taken"):
                port = free_port()
                program.wait_until(lambda: listens(port), 10)

    def test_a_program_that_fails_is_told_with_its_code(self):
        with self.assertRaisesRegex(Failed, "ended with 3:\nbroken"):
            run(["/bin/sh", "-c", "echo broken >&2; exit 3"], self.log)
        self.assertEqual(run(["/bin/echo", "well"], self.log), "well\n")


if __name__ == "__main__":
    unittest.main()
