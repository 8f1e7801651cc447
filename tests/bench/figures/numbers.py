"""Medians and ratios. A figure is its median with its smallest and largest value beside it."""

from dataclasses import dataclass


def median(values):
    """The middle one, or the mean of the two in the middle. ValueError when there is none."""
    if not values:
        raise ValueError("a median wants at least one value")
    ordered = sorted(values)
    middle = len(ordered) // 2
    if len(ordered) % 2 == 1:
        return ordered[middle]
    return (ordered[middle - 1] + ordered[middle]) / 2


@dataclass(frozen=True)
class Spread:
    """Of one figure over the rounds."""

    median: float
    least: float
    most: float

    @staticmethod
    def of(values):
        return Spread(median(values), min(values), max(values))

    def text(self, digits=0, factor=1.0):
        """"5,833 (5,100..6,002)"; the median alone when there was one round."""

        def one(value):
            return f"{value * factor:,.{digits}f}"

        if self.least == self.most:
            return one(self.median)
        return f"{one(self.median)} ({one(self.least)}..{one(self.most)})"


def ratios(own, other):
    """One ratio a round: what is compared was measured within seconds. ValueError when the rounds
    are not the same."""
    if len(own) != len(other):
        raise ValueError(f"{len(own)} rounds against {len(other)}: a ratio is of one round")
    return [a / b for a, b in zip(own, other)]


def rotated(items, by):
    """The items, beginning with another one each round, so that none always comes first."""
    if not items:
        return []
    by %= len(items)
    return list(items[by:]) + list(items[:by])
