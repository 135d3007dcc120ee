"""The commands. The only place that prints or exits."""

from __future__ import annotations

import signal
import sys

import typer

from bench.cli import comparing, machine, results
from bench.cli.chaos import chaos
from bench.cli.codes import EXIT_ENGINE, EXIT_INTERRUPTED, EXIT_USAGE
from bench.cli.measuring import run
from bench.contract.errors import HarnessError, UsageError

OPTION_ERROR: type[Exception] = next(kind for kind in typer.BadParameter.__mro__ if kind.__name__ == "UsageError")
"""What typer raises for a wrong option; it does not export the class."""

app = typer.Typer(
    add_completion=False, no_args_is_help=True, help="Measures workflow engines on one identical ML pipeline."
)
app.command()(run)
app.command()(chaos)
app.command()(results.report)
app.command()(comparing.compare)
app.command()(comparing.history)
app.command()(comparing.export)
app.command("list")(machine.list_)
app.command()(machine.doctor)


def main() -> None:
    """Run the command line; errors of the harness are one clear line."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        sys.exit(app(standalone_mode=False))
    except typer.Abort:  # Ctrl-C before there was anything to keep
        sys.exit(EXIT_INTERRUPTED)
    except OPTION_ERROR as error:
        _fail(error.format_message(), EXIT_USAGE)  # type: ignore[attr-defined]
    except UsageError as error:
        _fail(str(error), EXIT_USAGE)
    except HarnessError as error:
        _fail(str(error), EXIT_ENGINE)


def _fail(message: str, code: int) -> None:
    typer.echo(f"orchbench: {' '.join(message.split())}", err=True)
    sys.exit(code)
