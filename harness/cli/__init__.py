"""The command line: thin commands over the pipeline. Results go to stdout, progress and errors to stderr."""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType
from typing import NoReturn

import click

from harness import __version__
from harness.cli.bench import bench
from harness.cli.calibrate import calibrate
from harness.cli.capacity import capacity
from harness.cli.catalogue import list_plugins, schema
from harness.cli.compare import compare
from harness.cli.doctor import doctor
from harness.cli.explain import explain
from harness.cli.export import export
from harness.cli.history import history
from harness.cli.init import init
from harness.cli.load import load
from harness.cli.probe import probe
from harness.cli.publish import publish
from harness.cli.results import judge, report, samples
from harness.cli.run import run, validate
from harness.cli.serve import serve
from harness.cli.serve_reports import serve_reports
from harness.cli.verify import verify
from harness.errors import HarnessError

INTERRUPTED = 130


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="harness")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
def harness(debug: bool) -> None:
    """Which compressed form of your ranker meets your latency SLA, how sure is that, and what does it cost?

    Exit codes: 0 every SLA met, 1 an SLA missed, 2 bad usage or scenario, 3 a stage or target failed,
    4 INCONCLUSIVE or INVALID, 130 interrupted.

    Shell completion: eval "$(_HARNESS_COMPLETE=bash_source harness)", or zsh_source, or fish_source.
    """
    del debug  # read by `main`, which also sees errors that click raises before this runs


for command in (
    run, validate, capacity, compare, bench, probe, load, calibrate, judge, report, samples, verify, history, publish,
    serve, serve_reports, export, doctor, list_plugins, explain, schema, init,
):  # fmt: skip
    harness.add_command(command)


def main() -> NoReturn:
    """Entry point: runs the command and turns every known error into its message and exit code."""
    signal.signal(signal.SIGTERM, _interrupt)
    signal.signal(signal.SIGINT, _interrupt)  # which shells leave ignored in what they start with `&`
    # Idle OpenMP threads sleep instead of spinning on cores that something else may want (read when first loaded).
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    debug = "--debug" in sys.argv[1:]
    try:
        code = harness.main(standalone_mode=False)
        sys.exit(code if isinstance(code, int) else 0)
    except (KeyboardInterrupt, click.Abort):
        click.echo("interrupted: what was measured before is kept", err=True)
        sys.exit(INTERRUPTED)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except HarnessError as error:
        if debug:
            raise
        click.echo(f"error: {error}", err=True)
        sys.exit(error.exit_code)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(0)
    except Exception as error:
        if debug:
            raise  # anything that lands here is a fault of ours
        click.echo(
            f"error: {type(error).__name__}: {error}\n  -> this is a fault of the harness: "
            "run again as `harness --debug ...` and report what it prints",
            err=True,
        )
        sys.exit(HarnessError.exit_code)


def _interrupt(_: int, __: FrameType | None) -> None:
    raise KeyboardInterrupt
