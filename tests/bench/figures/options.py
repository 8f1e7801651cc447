"""Checks of what stands on the command line, with errors that say what was expected."""

import argparse
import os

from figures.contest import OPTIONAL


def whole(least, most):
    def parse(text):
        try:
            value = int(text)
        except ValueError:
            value = None
        if value is None or not least <= value <= most:
            raise argparse.ArgumentTypeError(
                f"{text!r}: expected a whole number from {least:,} to {most:,}"
            )
        return value

    return parse


def seconds(text):
    try:
        value = float(text)
    except ValueError:
        value = None
    if value is None or not 0.1 <= value <= 60:
        raise argparse.ArgumentTypeError(f"{text!r}: expected seconds from 0.1 to 60")
    return value


def contestants(text):
    chosen = text.split(",")
    for name in chosen:
        if name not in OPTIONAL:
            raise argparse.ArgumentTypeError(
                f"{name!r}: expected one or more of {', '.join(OPTIONAL)}, with commas between"
            )
    return chosen


def new_folder(text):
    """A folder that is there or can be made."""
    path = os.path.abspath(text)
    try:
        os.makedirs(path, exist_ok=True)
    except OSError as error:
        raise argparse.ArgumentTypeError(
            f"{text!r}: expected a folder that can be made: {error.strerror}"
        ) from None
    if not os.access(path, os.W_OK | os.X_OK):
        raise argparse.ArgumentTypeError(f"{text!r}: expected a folder that can be written to")
    return path


def existing_folder(text):
    path = os.path.abspath(text)
    if not os.path.isdir(path):
        raise argparse.ArgumentTypeError(f"{text!r}: expected a folder that exists")
    return path
