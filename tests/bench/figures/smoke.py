"""Runs tests/bench/compare and tests/bench/growth in a small form and looks at what they write.
Usage: smoke.py compare|growth BUILD_FOLDER"""

import json
import os
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree as ElementTree

sys.dont_write_bytecode = True
BENCH = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, BENCH)

from figures import contest, servers  # noqa: E402


class Written(unittest.TestCase):
    """A script was run; `folder` holds what it wrote, `data` what it left of its own."""

    build = ""
    script = ""
    args = []

    @classmethod
    def setUpClass(cls):
        out, data = tempfile.TemporaryDirectory(), tempfile.TemporaryDirectory()
        cls.addClassCleanup(out.cleanup)
        cls.addClassCleanup(data.cleanup)
        os.chmod(data.name, 0o711)
        cls.folder, cls.data = out.name, data.name
        done = subprocess.run(
            [os.path.join(BENCH, cls.script), "--build", cls.build, "--out", out.name,
             "--data", data.name, *cls.args], capture_output=True, text=True)
        if done.returncode != 0:
            raise AssertionError(f"{cls.script} ended with {done.returncode}:\n{done.stderr}")
        cls.said = done.stderr

    def read(self, ending):
        with open(os.path.join(self.folder, f"{self.script}.{ending}")) as file:
            return file.read()

    def texts(self):
        root = ElementTree.fromstring(self.read("svg"))
        return " ".join(element.text or "" for element in root.iter())

    def refuses(self, args, expected):
        done = subprocess.run([os.path.join(BENCH, self.script), "--build", self.build, *args],
                              capture_output=True, text=True)
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertIn(expected, done.stderr)


class Compare(Written):
    script = "compare"
    args = ["--rounds", "1", "--seconds", "0.2"]

    def absent(self):
        others = {contest.NATS: servers.Nats, contest.POSTGRES: servers.Postgres}
        found = {name: server.absent(self.build) for name, server in others.items()}
        return {name: reason for name, reason in found.items() if reason}

    def test_each_contestant_is_measured_or_skipped_with_a_word(self):
        raw, table = json.loads(self.read("json")), self.read("md")
        self.assertEqual(raw["skipped"], self.absent())
        measured = {series["contestant"] for series in raw["series"]}
        self.assertEqual(measured | set(raw["skipped"]), set(contest.CONTESTANTS))
        self.assertFalse(measured & set(raw["skipped"]))
        for name, reason in raw["skipped"].items():
            self.assertIn(f"**{name}**: **skipped**: {reason}", table)
            self.assertIn(f"skipped: {reason}", self.texts())
            self.assertIn(f"{name} is skipped: {reason}", self.said)

    def test_the_raw_figures_are_complete(self):
        raw = json.loads(self.read("json"))
        wanted = [(s.contestant, s.kind, s.in_flight) for group in contest.groups()
                  for s in group.series if s.contestant not in raw["skipped"]]
        found = [(s["contestant"], s["kind"], s["in_flight"]) for s in raw["series"]]
        self.assertCountEqual(found, wanted)
        for series in raw["series"]:
            self.assertEqual(len(series["rounds"]), 1, series)
            self.assertGreater(series["rounds"][0]["per_second"], 0, series)
        # A publish does what the null echo does, and more: one that is not done is faster.
        ratio = {row["beside"]: row["ratio"] for row in raw["rows"]}
        self.assertLess(ratio["null echo, null 64"], 1)
        self.assertLess(ratio["batch stream echo, batch-echo 1"], 1)

    def test_the_table_has_every_row_and_every_target(self):
        table = self.read("md")
        for row in contest.rows():
            self.assertIn(f"| {row.what} |", table)
            if row.target:
                self.assertIn(f"| >= {row.target:.2f}", table)
        self.assertEqual("no fsync a message" in table, contest.NATS not in self.absent())

    def test_the_chart_names_each_contestant_and_its_axes_units(self):
        texts = self.texts()
        for name in contest.CONTESTANTS:
            self.assertIn(name, texts)
        self.assertIn("per second (1/s)", texts)

    def test_nothing_is_left(self):
        self.assertEqual(os.listdir(self.data), [])

    def test_bad_input_is_told(self):
        self.refuses(["--rounds", "0"], "expected a whole number from 1 to 100")
        self.refuses(["--only", "kafka"], "'kafka': expected one or more of echo, nats, postgres")


class Growth(Written):
    script = "growth"
    args = ["--signals", "6000", "--steps", "3"]

    def test_each_signal_has_its_three_records(self):
        steps = json.loads(self.read("json"))["steps"]
        self.assertEqual([step["signals"] for step in steps], [2000, 4000, 6000])
        self.assertEqual([step["records"] for step in steps], [6000, 12000, 18000])

    def test_the_figures_of_a_step_are_complete(self):
        for step in json.loads(self.read("json"))["steps"]:
            for name, value in step.items():
                self.assertGreater(value, 0, name)
            self.assertGreaterEqual(step["publish_p99_us"], step["publish_p50_us"])
            self.assertGreater(step["publish_per_second"], step["whole_per_second"])
            # 1 KiB sealed, and what belongs to it.
            self.assertGreater(step["disk_bytes"], 1024 * step["signals"])

    def test_the_table_has_a_row_a_step_and_the_targets(self):
        table = self.read("md")
        for signals in ("2,000", "4,000", "6,000"):
            self.assertIn(f"| {signals} | ", table)
        for target in (">= 0.9", "<= 1,024 MiB", "<= 3 s"):
            self.assertIn(target, table)

    def test_the_curves_are_there(self):
        texts = self.texts()
        for unit in ("(1/s)", "(ms)", "RSS, MiB", "(B)", "(s)"):
            self.assertIn(unit, texts)

    def test_nothing_is_left(self):
        self.assertEqual(os.listdir(self.data), [])

    def test_bad_input_is_told(self):
        self.refuses(["--signals", "7"], "expected a whole number from 100 to 100,000,000")
        self.refuses(["--full", "--signals", "1000"], "not allowed with argument")
        self.refuses(["--data", "/no/such/folder"], "expected a folder that exists")


if __name__ == "__main__":
    Written.build = sys.argv[2]
    tests = unittest.defaultTestLoader.loadTestsFromTestCase(
        {"compare": Compare, "growth": Growth}[sys.argv[1]])
    sys.exit(not unittest.TextTestRunner().run(tests).wasSuccessful())
