"""The commands and their arguments, once for Airflow's parser and for ours. Imports nothing heavy."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airflow_provider_asperion.cli.running import lazily

if TYPE_CHECKING:
    from airflow.cli.cli_config import CLICommand

GROUP = "asperion"
ABOUT = "Orders, invoices, products, stock and customers between Asperion and SAP"
TO_SAP = ("products_to_sap", "stock_to_sap", "customers_to_sap", "orders_to_sap")


def moment(text: str) -> dt.datetime:
    """Return a moment that was typed; without a time zone it is UTC.

    :raises ValueError: it is none.
    """
    typed = dt.datetime.fromisoformat(text)
    return typed if typed.tzinfo else typed.replace(tzinfo=dt.UTC)


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of a command, in argparse's own terms."""

    flags: tuple[str, ...]
    options: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Command:
    """One command; ``function`` is the path of what runs it, imported only then."""

    name: str
    about: str
    function: str
    arguments: tuple[Argument, ...]
    more: str = ""

    @property
    def description(self) -> str:
        """The text above the arguments in the command's help."""
        return f"{self.about}. {self.more}".rstrip()


def _argument(*flags: str, **options: Any) -> Argument:
    return Argument(flags, options)


_SETTINGS = _argument(
    "--settings", metavar="FILE", help="Settings file instead of the one of [asperion] settings"
)
_INTEGRATION = _argument(
    "--integration", metavar="NAME", help="Integration of the settings file; not needed where there is one"
)
_FROM_SAP = ("orders_to_asperion", "customers_to_asperion", "products_to_asperion")
_FLOW = _argument(
    "--flow",
    choices=_FROM_SAP,
    default="orders_to_asperion",
    help="Flow whose mappings and rules count (default: %(default)s)",
)
_FLOW_OF_FILES = _argument(
    "--flow",
    choices=[*_FROM_SAP, "answers_from_sap", *TO_SAP],
    help="Flow whose files they are; not needed for IDocs of SAP's own types",
)
_FILES = _argument("files", metavar="FILE", nargs="+", help="Files of any format; - is standard input")

COMMANDS = (
    Command(
        "check",
        "Try settings, connections, folders and the live administration; one line each",
        "airflow_provider_asperion.cli.check.check",
        (
            _argument(
                "--contract",
                metavar="FILE|URL",
                nargs="?",
                default=False,  # Airflow's parser knows no const: without a name it becomes None
                help="Instead: compare what we call, send and read with an OpenAPI description; "
                "without a name with the live one",
            ),
            _argument("--json", action="store_true", help="With --contract: JSON instead of a table"),
            _INTEGRATION,
            _SETTINGS,
        ),
        "Ends with 1 when something fails. With --contract: 0 it fits, 1 something that we use differs, 2 it "
        "could not be compared.",
    ),
    Command(
        "read",
        "Show the documents of files as JSON lines",
        "airflow_provider_asperion.cli.files.read",
        (_FILES, _FLOW_OF_FILES, _INTEGRATION, _SETTINGS),
        "Needs no network. Ends with 1 when nothing was readable.",
    ),
    Command(
        "map",
        "Show the orders, customers or articles that files become, as JSON lines",
        "airflow_provider_asperion.cli.files.map_",
        (_FILES, _FLOW, _INTEGRATION, _SETTINGS),
        "Needs no network. Ends with 1 when there is none.",
    ),
    Command(
        "plan",
        "Show what would be created, updated, skipped or refused, field by field; nothing is written",
        "airflow_provider_asperion.cli.plan.plan",
        (
            _argument(
                "files",
                metavar="FILE",
                nargs="*",
                help="Local files from SAP; none: those of the drop folder",
            ),
            _argument(
                "--flow",
                metavar="FLOW",
                choices=[*_FROM_SAP, *TO_SAP],
                default="orders_to_asperion",
                help=f"Flow to plan: {_FROM_SAP[0]} (default), {', '.join((*_FROM_SAP[1:], *TO_SAP))}",
            ),
            _argument(
                "--key",
                dest="keys",
                metavar="KEY",
                nargs="+",
                action="extend",
                default=[],
                help="Only these: SKUs, customer or order numbers",
            ),
            _argument("--full", action="store_true", help="To SAP: as if everything were sent again"),
            _argument(
                "--from",
                dest="changed_from",
                metavar="MOMENT",
                type=moment,
                help="To SAP: what changed in Asperion from then on, such as 2026-11-23T08:00",
            ),
            _argument(
                "--to",
                dest="changed_to",
                metavar="MOMENT",
                type=moment,
                help="To SAP: end of that interval, exclusive (default: now)",
            ),
            _argument(
                "--limit", metavar="N", type=int, help="To SAP: show N records; the sums count all of them"
            ),
            _argument("--json", action="store_true", help="JSON lines instead of a table"),
            _argument("--masked", action="store_true", help="Show the form of values instead of the values"),
            _INTEGRATION,
            _SETTINGS,
        ),
    ),
    Command(
        "retry",
        "Try refused orders again: a run reads them anew from the archive, with today's mapping and settings",
        "airflow_provider_asperion.cli.retry.retry",
        (
            _argument(
                "wanted",
                metavar="NAME",
                nargs="*",
                help="Order numbers, names of files, or rules of problems",
            ),
            _argument("--all", action="store_true", help="All refused orders"),
            _argument("--list", action="store_true", help="Only show what would be tried again"),
            _argument("--dry-run", action="store_true", help="The run shows what it would do, in its log"),
            _argument(
                "--set",
                metavar="FIELD=VALUE",
                action="append",
                default=[],
                help="Change a field of the one record that is named, such as lines.1.SKU=4711, for its next "
                "tries; VALUE - is read from standard input. The archived file stays as it is",
            ),
            _INTEGRATION,
            _SETTINGS,
        ),
        "Ends with 1 when there is none.",
    ),
    Command(
        "explain",
        "Tell what happened to a record: where it stood, each decision, what was answered, by which run",
        "airflow_provider_asperion.cli.explain.explain",
        (
            _argument(
                "key", metavar="KEY", help="Order number, SKU, e-mail address, customer number, file or run"
            ),
            _argument(
                "--values",
                action="store_true",
                help="Its values on both sides too, read again now from the file and from Asperion",
            ),
            _argument("--json", action="store_true", help="JSON lines"),
            _INTEGRATION,
            _SETTINGS,
        ),
        "Ends with 1 when nothing is known of it.",
    ),
    Command(
        "notify",
        "Show what is wrong now and send what waits to be told; or try the channels with a test message",
        "airflow_provider_asperion.cli.notify.notify",
        (
            _argument("--test", action="store_true", help="Send a test message through each channel instead"),
            _argument("--channel", metavar="NAME", help="With --test: through this channel only"),
            _INTEGRATION,
            _SETTINGS,
        ),
        "Ends with 1 when a channel fails.",
    ),
    Command(
        "reconcile",
        "Compare files, ledger, Asperion and SAP over an interval: counts, amounts, each difference",
        "airflow_provider_asperion.cli.reconcile.reconcile",
        (
            _argument(
                "--from",
                dest="reconcile_from",
                metavar="MOMENT",
                type=moment,
                help="What landed from then on, such as 2026-11-23T00:00 (default: 24 hours ago)",
            ),
            _argument(
                "--to",
                dest="reconcile_to",
                metavar="MOMENT",
                type=moment,
                help="End of that interval, exclusive (default: now)",
            ),
            _argument("--csv", metavar="FILE", help="Write all of it to a CSV file, too"),
            _argument("--json", action="store_true", help="JSON lines instead of tables"),
            _INTEGRATION,
            _SETTINGS,
        ),
        "Nothing is written on either side. Ends with 1 when something does not tie.",
    ),
    Command(
        "purge",
        "Delete what is older than the settings keep it; or erase one person",
        "airflow_provider_asperion.cli.purge.purge",
        (
            _argument("--dry-run", action="store_true", help="Only show what would go"),
            _argument(
                "--email",
                metavar="ADDRESS",
                nargs="*",
                help="Erase the person with this address; without one it is asked for, and - reads a line "
                "from standard input: so it stays out of the shell's history",
            ),
            _argument(
                "--customer-number", metavar="NUMBER", help="Erase the customer with this number (too)"
            ),
            _argument(
                "--hashes",
                action="store_true",
                help="Of the person also the keyed hashes of debtor and customer record",
            ),
            _SETTINGS,
        ),
        "What is done stays known by its number, so that it is never done twice. Ends with 1 when a task has "
        "records of the person in hand.",
    ),
    Command(
        "circuit",
        "Show which flows stand still because too many records were refused, or let one go on",
        "airflow_provider_asperion.cli.circuit.circuit",
        (
            _argument("action", choices=["show", "reset"], nargs="?", default="show", help="What to do"),
            _argument("--flow", metavar="FLOW", help="With reset: the flow that goes on"),
            _INTEGRATION,
            _SETTINGS,
        ),
    ),
    Command(
        "authorize",
        "Log in at Asperion in the browser and keep the login, encrypted",
        "airflow_provider_asperion.cli.authorize.authorize",
        (
            _argument(
                "--connection", metavar="ID", required=True, help="Airflow connection of type asperion"
            ),
            _argument(
                "--redirect-uri",
                metavar="URL",
                default="http://localhost:8127/callback",
                help="As registered with Asperion for your application (default: %(default)s)",
            ),
            _argument(
                "--no-browser",
                action="store_true",
                help="Open no browser and listen at no port: paste the address you are sent back to",
            ),
            _SETTINGS,
        ),
    ),
    Command(
        "sandbox",
        "Run an Asperion emulator and an SFTP server to try everything with",
        "airflow_provider_asperion.cli.sandbox.sandbox",
        (
            _argument("--port", type=int, default=8400, help="Port of the emulator (default: %(default)s)"),
            _argument(
                "--sftp-port", type=int, default=2222, help="Port of the SFTP server (default: %(default)s)"
            ),
            _argument(
                "--folder",
                metavar="DIR",
                help="Folder that the SFTP server shows; without it there is no SFTP server",
            ),
            _argument(
                "--latency-ms", type=float, default=0, help="Delay of each answer (default: %(default)s)"
            ),
        ),
    ),
    Command(
        "init",
        "Write the ready DAGs, a commented settings file and its schema into a folder",
        "airflow_provider_asperion.cli.init.init",
        (
            _argument("folder", metavar="DIR", help="Usually AIRFLOW_HOME; made when missing"),
            _argument("--force", action="store_true", help="Overwrite files that are there"),
        ),
    ),
)


def get_commands() -> list[CLICommand]:
    """Return the commands for Airflow's parser; it asks at each of its starts."""
    from airflow.cli.cli_config import ActionCommand, Arg, GroupCommand

    commands = [
        ActionCommand(
            name=command.name,
            help=command.about,
            description=command.description,
            func=lazily(command.function),
            args=[Arg(flags=one.flags, **one.options) for one in command.arguments],
        )
        for command in COMMANDS
    ]
    return [GroupCommand(name=GROUP, help=ABOUT, subcommands=commands)]
