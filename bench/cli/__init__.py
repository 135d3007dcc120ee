"""The commands. The only place that prints or exits."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable

import typer

from bench.cli import comparing, machine, results
from bench.cli.chaos import chaos
from bench.cli.codes import EXIT_ENGINE, EXIT_INTERRUPTED, EXIT_USAGE
from bench.cli.measuring import run
from bench.cli.progress import printable
from bench.contract.errors import HarnessError, UsageError

OPTION_ERROR: type[Exception] = next(kind for kind in typer.BadParameter.__mro__ if kind.__name__ == "UsageError")
"""What typer raises for a wrong option; it does not export the class."""

app = typer.Typer(
    add_completion=False, no_args_is_help=True, help="Measures workflow engines on one identical ML pipeline.",
    rich_markup_mode=None, pretty_exceptions_enable=False, context_settings={"max_content_width": 120},
)  # fmt: skip
COMMANDS: dict[str, tuple[Callable[..., None], str]] = {
    "run": (run, "--budget quick --seed 11"),
    "chaos": (chaos, "--fault step_killed --fault worker_killed"),
    "report": (results.report, "results/latest"),
    "compare": (comparing.compare, "reports/kept/2026-11-22-standard --tracks stock,tuned"),
    "history": (comparing.history, "reports/kept"),
    "export": (comparing.export, "results/latest --output samples.csv"),
    "list": (machine.list_, ""),
    "doctor": (machine.doctor, ""),
}
"""Name -> what it does, and arguments of an example that works in a checkout."""
for name, (command, example) in COMMANDS.items():
    app.command(name, epilog=f"Example: ./orchbench {name} {example}".rstrip())(command)


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
    typer.echo(f"orchbench: {' '.join(printable(message).split())}", err=True)
    sys.exit(code)
