import argparse
import os
import tempfile
import unittest

from figures import options


class Options(unittest.TestCase):
    def refuses(self, parse, text, expected):
        with self.assertRaisesRegex(argparse.ArgumentTypeError, expected) as raised:
            parse(text)
        self.assertIn(repr(text), str(raised.exception))

    def test_whole_numbers_have_bounds_that_the_error_names(self):
        rounds = options.whole(1, 100)
        self.assertEqual(rounds("7"), 7)
        for bad in ("0", "101", "-1", "2.5", "five", ""):
            self.refuses(rounds, bad, "expected a whole number from 1 to 100")

    def test_seconds_may_have_a_fraction(self):
        self.assertEqual(options.seconds("0.2"), 0.2)
        for bad in ("0", "61", "nan", "soon"):
            self.refuses(options.seconds, bad, "expected seconds from 0.1 to 60")

    def test_contestants_are_named_with_commas_between(self):
        self.assertEqual(options.contestants("nats,postgres"), ["nats", "postgres"])
        for bad in ("kafka", "nats,", "nats postgres"):
            with self.assertRaisesRegex(argparse.ArgumentTypeError, "echo, nats, postgres"):
                options.contestants(bad)

    def test_a_report_can_not_go_where_a_file_is(self):
        with tempfile.NamedTemporaryFile() as file:
            self.refuses(options.new_folder, file.name, "expected a folder that can be made")

    def test_a_folder_for_the_report_is_made(self):
        with tempfile.TemporaryDirectory() as folder:
            wanted = os.path.join(folder, "new/below")
            self.assertEqual(options.new_folder(wanted), wanted)
            self.assertTrue(os.path.isdir(wanted))

    def test_a_folder_for_data_must_be_there(self):
        self.refuses(options.existing_folder, "/no/such/folder", "expected a folder that exists")


if __name__ == "__main__":
    unittest.main()
