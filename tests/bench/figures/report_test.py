import copy
import unittest
import xml.etree.ElementTree as ElementTree
from unittest import mock

from figures import compare_report, contest, growth_report, servers, svg
from figures.processes import Failed
from figures.servers import pgbench_figures

FACTS = {"processor": "one & another", "cores": 2, "memory_gib": 24.0, "kernel": "6.1",
         "file_system": "ext4", "state": "abc1234"}
SIZES = {"request_bytes": 2500, "answer_bytes": 300, "batch_request_bytes": 160000,
         "batch_answer_bytes": 12000}


def measured(skipped=()):
    """Results of two rounds in which each contestant has a rate of its own."""
    rate = dict.fromkeys(contest.CONTESTANTS, 10_000)
    rate[contest.SCHAKEL] = 8_000
    rate[contest.POSTGRES] = 1_000
    return contest.run(
        2, lambda series: {"per_second": rate[series.contestant], "p50_us": 500, "p99_us": 900},
        skipped, lambda said: None)


class Rounds(unittest.TestCase):
    def test_every_round_measures_each_series_once_and_begins_with_another_one(self):
        seen = []

        def measure(series):
            seen.append(series)
            return {"per_second": 1}

        contest.run(2, measure, {}, lambda said: None)
        wanted = [series for group in contest.groups() for series in group.series]
        half = len(seen) // 2
        self.assertCountEqual(seen[:half], wanted)
        self.assertCountEqual(seen[half:], wanted)
        self.assertNotEqual(seen[0], seen[half])

    def test_each_row_compares_series_that_one_group_measures_together(self):
        for row in contest.rows():
            together = [group for group in contest.groups()
                        if row.own in group.series and row.other in group.series]
            self.assertEqual(len(together), 1, row)

    def test_who_is_skipped_is_not_measured(self):
        results = measured({contest.NATS: "absent"})
        self.assertNotIn(contest.NATS, {series.contestant for series in results})


class Report(unittest.TestCase):
    def table(self, results, skipped):
        return compare_report.table(results, skipped, FACTS, SIZES, "compare", 2, {})

    def test_a_target_is_judged_by_the_ratio_and_shown_beside_it(self):
        said = self.table(measured(), {})
        self.assertIn("| unary publish, 64 in flight | 8,000 | null echo | 10,000 | 0.80 | "
                      ">= 0.50 | yes |", said)
        self.assertIn("| PostgreSQL outbox, statements 64 | 1,000 | 8.00 | >= 3.00 | yes |", said)
        self.assertIn(">= 60,000/s | **no** |", said)

    def test_a_target_that_is_missed_is_told(self):
        results = measured()
        for result in results[contest.unary(64)]:
            result["per_second"] = 100
        said = self.table(results, {})
        self.assertIn("| null echo | 10,000 | 0.01 | >= 0.50 | **no** |", said)

    def test_what_is_skipped_is_named_with_its_reason_in_table_and_chart(self):
        skipped = {contest.NATS: "nats-server is not installed"}
        results = measured(skipped)
        said = self.table(results, skipped)
        self.assertIn("skipped: nats-server is not installed | ", said)
        self.assertIn("- **NATS JetStream**: **skipped**: nats-server is not installed\n", said)
        drawn = compare_report.chart(results, skipped)
        self.assertIn("skipped: nats-server is not installed", drawn)

    def test_it_says_that_nats_does_not_sync_each_message(self):
        self.assertIn("**no fsync a message**", self.table(measured(), {}))

    def test_a_file_system_without_disk_is_warned_of(self):
        said = compare_report.table(measured(), {}, {**FACTS, "file_system": "tmpfs"}, SIZES,
                                    "compare", 2, {})
        self.assertIn("figures of what syncs mean nothing", said)

    def test_the_chart_is_xml_names_everyone_and_its_axes_have_units(self):
        root = ElementTree.fromstring(compare_report.chart(measured(), {}))
        texts = " ".join(element.text or "" for element in root.iter())
        for name in contest.CONTESTANTS:
            self.assertIn(name, texts)
        self.assertIn("per second (1/s)", texts)
        self.assertIn("prefers-color-scheme:dark", texts)

    def test_all_raw_figures_are_kept(self):
        raw = compare_report.raw(measured(), {}, FACTS, SIZES, {"rounds": 2}, {})
        self.assertTrue(all(len(series["rounds"]) == 2 for series in raw["series"]))
        self.assertEqual(len(raw["series"]), sum(len(g.series) for g in contest.groups()))


class Absent(unittest.TestCase):
    def test_a_server_that_is_not_installed_is_told(self):
        with mock.patch.object(servers, "find_program", return_value=None):
            self.assertEqual(servers.Nats.absent("/build"), "nats-server is not installed")
        with mock.patch.object(servers.glob, "glob", return_value=[]):
            self.assertEqual(servers.Postgres.absent("/build"), "postgresql is not installed")

    def test_a_client_that_is_not_built_is_told(self):
        with mock.patch.object(servers, "find_program", return_value="/usr/sbin/nats-server"):
            self.assertIn("libnats-dev is not installed", servers.Nats.absent("/no/such/build"))


class Pgbench(unittest.TestCase):
    SAID = ("number of failed transactions: 0 (0.000%)\nlatency average = 21.3 ms\n"
            "initial connection time = 80 ms\n"
            "tps = 3004.5 (without initial connection time)\n")

    def test_its_rate_and_mean_are_read(self):
        self.assertEqual(pgbench_figures(self.SAID), {
            "per_second": 3004.5, "mean_us": 21300.0, "connecting_seconds": 0.08})

    def test_failed_transactions_are_no_figure(self):
        with self.assertRaises(Failed):
            pgbench_figures(self.SAID.replace("transactions: 0", "transactions: 3"))

    def test_no_transaction_at_all_is_no_figure(self):
        with self.assertRaises(Failed):
            pgbench_figures(self.SAID.replace("tps = 3004.5", "tps = 0.000000"))

    def test_a_rate_that_is_missing_is_no_figure(self):
        with self.assertRaises(Failed):
            pgbench_figures("pgbench: error: connection refused")


STEPS = [
    {"signals": 1000 * n, "records": 3000 * n, "publish_per_second": 20_000 - 500 * n,
     "whole_per_second": 9_000, "publish_p50_us": 2_000, "publish_p99_us": 4_000,
     "processor_us": 150, "rss_bytes": 400 << 20, "rss_peak_bytes": 410 << 20,
     "disk_bytes": 4_000_000 * n, "start_seconds": 0.4}
    for n in (1, 2, 3)
]


class Growth(unittest.TestCase):
    def test_figures_are_believed_when_each_signal_has_three_records(self):
        self.assertEqual(growth_report.check(STEPS, 3000), "")

    def test_a_record_too_few_is_told(self):
        steps = copy.deepcopy(STEPS)
        steps[1]["records"] -= 1
        self.assertIn("5,999 records of 2,000 signals", growth_report.check(steps, 3000))

    def test_a_fill_that_ended_early_is_told(self):
        self.assertIn("before 4,000 signals", growth_report.check(STEPS, 4000))
        self.assertIn("before 4,000 signals", growth_report.check([], 4000))

    def test_each_target_is_judged(self):
        self.assertIn("| >= 0.9 | 0.95 | yes |", growth_report.table(STEPS, FACTS, "growth"))
        slow = [STEPS[0], {**STEPS[2], "publish_per_second": 9_750, "rss_bytes": 2 << 30,
                           "start_seconds": 4.0}]
        said = growth_report.table(slow, FACTS, "growth")
        self.assertIn("| >= 0.9 | 0.50 | **no** |", said)
        self.assertIn("| <= 1,024 MiB | 2,048 MiB | **no** |", said)
        self.assertIn("| <= 3 s | 4.00 s | **no** |", said)

    def test_the_curves_have_a_point_a_step_and_units(self):
        root = ElementTree.fromstring(growth_report.chart(STEPS))
        space = "{http://www.w3.org/2000/svg}"
        lines = root.findall(f".//{space}polyline")
        self.assertEqual(len(lines), 8)
        self.assertTrue(all(len(line.get("points").split()) == 3 for line in lines))
        texts = " ".join(element.text or "" for element in root.iter())
        for unit in ("(1/s)", "(ms)", "(us)", "MiB", "(B)", "(s)"):
            self.assertIn(unit, texts)


class Ticks(unittest.TestCase):
    def test_are_round_and_reach_the_most(self):
        self.assertEqual(svg.ticks(9.5), [0, 2, 4, 6, 8, 10])
        self.assertEqual(svg.ticks(0), [0, 1])
        for most in (0.03, 1, 7, 59_999, 60_001, 1_000_000):
            self.assertGreaterEqual(svg.ticks(most)[-1], most)
            self.assertLessEqual(len(svg.ticks(most)), 7)

    def test_names_are_escaped(self):
        self.assertIn("a &lt; b", svg.text(0, 0, "a < b"))


if __name__ == "__main__":
    unittest.main()
