import unittest

from figures.numbers import Spread, median, ratios, rotated


class Numbers(unittest.TestCase):
    def test_a_median_is_the_middle_one_in_order_of_size(self):
        self.assertEqual(median([9, 1, 5]), 5)

    def test_a_median_of_an_even_number_is_the_mean_of_the_two_in_the_middle(self):
        self.assertEqual(median([4, 1, 100, 2]), 3)

    def test_a_median_of_nothing_is_an_error(self):
        with self.assertRaises(ValueError):
            median([])

    def test_ratios_are_of_one_round_each(self):
        # The ratio of the medians would be 20 / 100 = 0.2.
        self.assertEqual(median(ratios([10, 20, 300], [100, 40, 600])), 0.5)

    def test_ratios_of_unequal_rounds_are_an_error(self):
        with self.assertRaisesRegex(ValueError, "2 rounds against 1"):
            ratios([1, 2], [1])

    def test_a_spread_shows_the_least_and_the_most_beside_the_median(self):
        self.assertEqual(Spread.of([5800, 5100, 6002]).text(), "5,800 (5,100..6,002)")
        self.assertEqual(Spread.of([0.5, 0.25]).text(2), "0.38 (0.25..0.50)")
        self.assertEqual(Spread.of([2000]).text(1, 1 / 1000), "2.0")

    def test_each_round_begins_with_another_one(self):
        self.assertEqual(rotated("abc", 0), ["a", "b", "c"])
        self.assertEqual(rotated("abc", 1), ["b", "c", "a"])
        self.assertEqual(rotated("abc", 5), ["c", "a", "b"])
        self.assertEqual(rotated([], 3), [])


if __name__ == "__main__":
    unittest.main()
