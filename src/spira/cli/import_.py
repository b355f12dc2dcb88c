"""`spira import`: a table's rows become identifies and events, each once, however often it is run.

The table is read and mapped here; what it becomes goes through the workspace's API, which keeps the
cursor when the calls are durable. So a run that was killed goes on where it was, and a table that
was imported before is not imported again.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

import click

from spira.cli.client import Client, connect
from spira.cli.options import json_option, workspace_option
from spira.kernel.clock import pause
from spira.kernel.errors import DefinitionsInvalid, NotFound, SpiraError

if TYPE_CHECKING:
    from spira.collect.connectors.base import Connector, Part
    from spira.collect.imports.checking import Report
    from spira.collect.mapping.build import RowFault
    from spira.collect.mapping.model import MappingDefinition

TRIES = 600  # seconds for which a full log, or a backlog, is waited for
TOLD_FAULTS = 1_000
BUSY = ("E110", "E001")


@click.command("import")
@click.argument("path", metavar="FILE", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--source", help="The source that the events come through.")
@click.option("--mapping", "wanted", help="How rows become calls: a YAML file, or the name of a mapping.")
@click.option("--dry-run", is_flag=True, help="Show what would arrive, and every fault; import nothing.")
@click.option("--guess", "guessing", is_flag=True, help="Print a mapping for this file, to begin with.")
@click.option("--faults", "faults_at", type=click.Path(path_type=Path), help="Where rows at fault go; beside FILE.")
@click.option("--wait", is_flag=True, help="Return when everything can be queried, not when it is durable.")
@workspace_option
@json_option
def import_(
    *,
    path: Path,
    source: str | None,
    wanted: str | None,
    dry_run: bool,
    guessing: bool,
    faults_at: Path | None,
    wait: bool,
    directory: Path,
    as_json: bool,
) -> None:
    """Import a table: CSV, JSON Lines, Parquet or Excel. Rows at fault are left out, and kept in a file."""
    import spira.collect.connectors.builtin  # noqa: F401  (the connectors)

    if guessing or (dry_run and not wanted):
        click.echo(_guessed(path), nl=False)
        return
    if not wanted or not (source or dry_run):
        raise click.UsageError("--source and --mapping are needed; --guess prints a mapping to begin with")
    job = _Job.open(path, wanted, source or "dry-run", directory)
    if dry_run:
        _show(job.check(directory), as_json=as_json)
        return
    with connect(directory) as api:
        told = _Run(api, job, faults_at or path.with_name(f"{path.stem}.faults.csv"), quiet=as_json).carry_out()
        if wait:
            api.post("/api/refresh")
    if as_json:
        click.echo(told.text)
    else:
        _tell(told.value(), faults_at or path.with_name(f"{path.stem}.faults.csv"))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    """A file, and how it is read."""

    connector: Connector
    part: Part
    mapping: MappingDefinition
    builder: Any
    source: str

    @classmethod
    def open(cls, path: Path, wanted: str, source: str, directory: Path) -> _Job:
        from spira.collect.connectors.base import open_connector
        from spira.collect.imports.definition import file_connector
        from spira.collect.mapping.build import Builder
        from spira.kernel.settings import load_settings
        from spira.storage.keys import load_keys

        settings = load_settings(directory)
        mapping = _mapping(wanted, directory)
        kind, options = file_connector(path, mapping)
        connector = open_connector(kind, options)
        zone = settings.workspace.zone
        builder = Builder(mapping, source=source, keys=load_keys(directory), zone=zone)
        return cls(connector=connector, part=connector.parts()[0], mapping=mapping, builder=builder, source=source)

    def check(self, directory: Path) -> Report:
        """What the file would become, by the definitions as they lie in the workspace."""
        import spira.worker.builtin  # noqa: F401  (registers every kind)
        from spira.collect.imports.checking import check
        from spira.collect.tracking import plan_of
        from spira.definitions.workspace import read_workspace
        from spira.kernel.clock import RealClock

        plan = plan_of(each.model for each in read_workspace(directory).world().of("tracking"))
        return check(self.connector, self.part, self.builder, plan=plan, at=RealClock().now())


def _mapping(wanted: str, directory: Path) -> MappingDefinition:
    from spira.collect.mapping.model import mapping_called, read_mapping
    from spira.kernel.diagnostics import render

    path = Path(wanted)
    if path.suffix in (".yaml", ".yml") or path.is_file():
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as fault:
            raise NotFound(f"the mapping `{wanted}` can't be read: {fault}", help="name a YAML file") from None
        model, _, faults = read_mapping(text, PurePath(path))
        if model is None or faults:
            said = "\n\n".join(render(each, text) for each in faults) or f"{wanted} is empty"
            raise DefinitionsInvalid(said, help="docs/reference/imports.md lists what a mapping may say")
        return model
    import spira.worker.builtin  # noqa: F401  (registers every kind)
    from spira.definitions.workspace import read_workspace

    return mapping_called(wanted, (each.model for each in read_workspace(directory).world().of("mapping")))


def _guessed(path: Path) -> str:
    from spira.collect.connectors.base import open_connector
    from spira.collect.imports.definition import file_connector
    from spira.collect.mapping.guess import first_rows, guess

    connector = open_connector(*file_connector(path, None))
    return guess(first_rows(connector, connector.parts()[0]), path.stem)


class _Run:
    """One import through the API."""

    def __init__(self, api: Client, job: _Job, faults_at: Path, *, quiet: bool) -> None:
        self._api = api
        self._job = job
        self._faults_at = faults_at
        self._quiet = quiet
        self._told_faults = 0
        self._kept: set[int] = set()
        self._columns: Sequence[str] = ()

    def carry_out(self) -> Any:
        """Begin or go on, hand everything over, and end."""
        from spira.collect.imports.reading import lots
        from spira.definitions.workspace import fingerprint

        job = self._job
        new = {
            "source": job.source,
            "mapping": job.mapping.mapping,
            "fingerprint": fingerprint(job.mapping.model_dump(mode="json"), {}),
            "part": job.part.name,
            "identity": job.connector.identity(job.part),
        }
        begun = self._api.post("/api/imports", new)
        told = begun.value()
        if told["status"] == "done":
            return begun
        self._remember(going_on=bool(told["cursor"]))
        at = f"/api/imports/{told['import_id']}"
        try:
            with self._progress(int(told["rows"])) as advance, ThreadPoolExecutor(1) as sender:
                sent = None
                for lot in lots(job.connector, job.part, job.builder, str(told["cursor"])):
                    self._keep(at, lot.faults, lot.columns)
                    if sent is not None:
                        sent.result()
                    sent = self._hand_over(sender, at, lot)
                    advance(lot.rows)
                if sent is not None:
                    sent.result()
        except SpiraError as fault:
            self._api.post(f"{at}/end", {"fault": str(fault)})
            raise
        return self._api.post(f"{at}/end", {})

    def _hand_over(self, sender: ThreadPoolExecutor, at: str, lot: Any) -> Any:
        """Send a lot while the next one is read, where a server answers; here, where there is none."""
        if self._api.running:
            return sender.submit(self._send, at, lot)
        self._send(at, lot)
        return None

    def _send(self, at: str, lot: Any) -> None:
        bodies = lot.bodies or [b""]
        for body in bodies[:-1]:
            self._patiently(f"{at}/calls", body, {})
        counted = {
            "cursor": lot.cursor,
            "rows": lot.rows,
            "calls": lot.calls,
            "skipped": lot.skipped,
            "faults": len(lot.faults),
        }
        self._patiently(f"{at}/calls", bodies[-1], counted)

    def _patiently(self, at: str, body: bytes, params: dict[str, Any]) -> None:
        """Send, and again while loading is behind or the disk is full."""
        from spira.cli.faults import code_of

        for _ in range(TRIES):
            try:
                self._api.send(at, body, **params)
                return
            except SpiraError as fault:
                if code_of(fault) not in BUSY:
                    raise
                last = fault
            if self._api.running:
                pause(1)
            else:
                self._api.post("/api/refresh")
        raise last

    def _remember(self, *, going_on: bool) -> None:
        """What an earlier run of the same import wrote into the file of faults; another import's file goes."""
        if not going_on:
            self._faults_at.unlink(missing_ok=True)
        elif self._faults_at.exists():
            with self._faults_at.open(encoding="utf-8-sig", newline="") as file:
                written = list(csv.reader(file))
            self._columns = written[0][3:-2] if written else ()
            self._kept = {int(row[0]) for row in written[1:] if row and row[0].isdecimal()}

    def _keep(self, at: str, faults: Sequence[RowFault], columns: Sequence[str]) -> None:
        """Rows at fault go into a file here; under Imports it is said which they are, and not what stood in them."""
        from spira.collect.imports.reading import faults_csv

        new = [each for each in faults if each.row not in self._kept]
        if not new:
            return
        head = not self._faults_at.exists()
        self._columns = self._columns or columns
        with self._faults_at.open("a", encoding="utf-8-sig" if head else "utf-8", newline="") as file:
            file.write(faults_csv(new, self._columns, head=head))
        told = [
            {"row": each.row, "column": each.column, "reason": each.reason}
            for each in new[: TOLD_FAULTS - self._told_faults]
        ]
        if told:
            self._told_faults += len(told)
            self._api.post(f"{at}/faults", {"faults": told})

    @contextmanager
    def _progress(self, before: int) -> Iterator[Any]:
        """A bar that counts rows, on a terminal's stderr."""
        from rich.console import Console
        from rich.progress import MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

        console = Console(stderr=True)
        columns = (SpinnerColumn(), TextColumn("{task.description}"), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(
            *columns, console=console, transient=True, disable=self._quiet or not console.is_terminal
        ) as bars:
            task = bars.add_task(f"{self._job.part.name}: rows", total=None, completed=before)
            yield lambda rows: bars.advance(task, rows)


def _show(report: Report, *, as_json: bool) -> None:
    from spira.cli.options import table

    if as_json:
        from spira.collect.imports.checking import as_json as written

        click.echo(written(report).decode())
        return
    click.secho(f"{report.part}, read by {report.mapping}", bold=True)
    table(
        ("column", "in the file", "type", "first value"),
        [(each.name, each.column, each.type, each.sample) for each in report.columns],
    )
    if report.unused:
        click.echo(f"not used: {', '.join(report.unused)}")
    click.secho("the first calls as they would arrive", bold=True)
    table(
        ("call", "who", "at", "details"),
        [(each.event or each.type, each.who, each.at, each.details) for each in report.first],
    )
    if report.first_faults:
        click.secho("rows at fault", fg="red", bold=True)
        table(
            ("row", "column", "value", "what is wrong"),
            [(each.row, each.column, each.value, each.reason) for each in report.first_faults],
        )
    for each in report.refused:
        click.secho(f"{each.calls:,} calls `{each.event}` would go into quarantine: {each.detail}", fg="yellow")
    click.echo(
        f"{report.rows:,} rows → {report.calls:,} calls; {report.faults:,} rows at fault, {report.skipped:,} left out"
        " as the mapping says. Nothing was imported."
    )


def _tell(told: dict[str, Any], faults_at: Path) -> None:
    click.echo(f"{told['rows']:,} rows → {told['calls']:,} calls, durable  ({told['import_id']})")
    if told["skipped"]:
        click.echo(f"{told['skipped']:,} rows are left out, as the mapping says")
    if told["faults"]:
        click.secho(f"{told['faults']:,} rows are at fault: mend them in {faults_at} and import that file", fg="yellow")
