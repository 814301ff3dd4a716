"""What commands tell machines: one JSON document."""

import contextlib
import functools
import json
import sys

import click


def json_option(command):
    """Adds `--json`: what the command returns is all that it prints.

    What it says to people goes to standard error then.
    """

    @click.option("--json", "as_json", is_flag=True, help="Print JSON.")
    @functools.wraps(command)
    def print_record(*args, as_json, **options):
        if not as_json:
            return command(*args, **options)
        with contextlib.redirect_stdout(sys.stderr):
            record = command(*args, **options)
        click.echo(to_json(record))

    return print_record


def to_json(record):
    """A record as people and machines can read it; paths become strings."""
    return json.dumps(record, indent=2, ensure_ascii=False, default=str)
