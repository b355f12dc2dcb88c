"""Settings: what `spira.toml` says about one workspace, checked in one pass.

    [workspace]
    brand = "Shop"              # shown to staff and consumers
    zone = "Asia/Shanghai"      # windows, midnights and quiet hours are reckoned in it
    language = "zh-CN"

Every field is documented in `docs/reference/settings.md` (a test compares them). Environment
variables are read here and nowhere else; a secret in a definition is written `env:NAME`.
"""

from __future__ import annotations

import os
import re
import tomllib
from datetime import timedelta
from pathlib import Path, PurePosixPath
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from spira.kernel.durations import BadDuration, parse_duration
from spira.kernel.errors import WorkspaceInvalid
from spira.kernel.i18n import DEFAULT_LANGUAGE, Language

FILE = "spira.toml"
PICTURES = (".png", ".jpg", ".jpeg", ".svg", ".webp")
_ADDRESS = re.compile(r"[^@\s,;<>\"]+@[^@\s,;<>\"]+")


class Section(BaseModel):
    """A table of the settings file; unknown keys are faults."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class WorkspaceSettings(Section):
    """Who the brand is and how it reckons time and money."""

    brand: str = Field(default="Spira", description="The brand's name, shown to staff and consumers.")
    zone: str = Field(default="Asia/Shanghai", description="The time zone of windows, midnights and quiet hours.")
    language: Language = Field(
        default=DEFAULT_LANGUAGE,
        description="The language of pages where neither the person nor their browser says one.",
    )
    currency: str = Field(default="CNY", description="The currency of amounts that name none.")
    colour: str = Field(default="#0B7285", description="The brand's colour on public pages.")
    clock: Literal["real", "manual"] = Field(
        default="real", description="`manual` stands still until it is stepped through the API: for demos and tests."
    )
    postal_address: str = Field(default="", description="The address in the foot of marketing e-mail.")
    logo: str = Field(
        default="", description="The logo on public pages: a PNG, JPEG, SVG or WebP file here, up to 200 KB."
    )
    website: str = Field(default="", description="The brand's own site, which public pages lead back to.")
    privacy_contact: str = Field(
        default="", description="Where people ask what is known of them, or to be erased: an address, or a page."
    )

    @field_validator("zone")
    @classmethod
    def _zone_exists(cls, zone: str) -> str:
        try:
            ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError):
            raise ValueError(f"`{zone}` is not a time zone; write a name such as Asia/Shanghai or UTC") from None
        return zone

    @field_validator("logo")
    @classmethod
    def _logo_is_a_picture(cls, logo: str) -> str:
        path = PurePosixPath(logo)
        if logo and (path.is_absolute() or ".." in path.parts or path.suffix.lower() not in PICTURES):
            raise ValueError(f"`{logo}` is no picture of the workspace; write a path such as brand/logo.png")
        return logo

    @field_validator("website")
    @classmethod
    def _website_is_one(cls, website: str) -> str:
        if website and not website.startswith(("https://", "http://")):
            raise ValueError(f"`{website}` is no site; write it as in https://shop.example")
        return website


class ServerSettings(Section):
    """Where the web server listens and how it is reached from outside."""

    host: str = Field(default="127.0.0.1", description="The address to listen on.")
    port: int = Field(default=8700, ge=0, le=65535, description="The port to listen on; 0 picks a free one.")
    public_url: str = Field(default="", description="How consumers reach this server; links in messages begin with it.")
    trusted_proxies: list[str] = Field(default_factory=list, description="Proxies whose forwarded address is believed.")
    secure_cookies: bool = Field(default=False, description="Send cookies over HTTPS only.")


class CollectSettings(Section):
    """Limits of the collection API."""

    max_event_bytes: int = Field(default=262_144, ge=1_024, description="The largest single event.")
    max_batch_bytes: int = Field(default=4_194_304, ge=4_096, description="The largest request body, after unpacking.")
    future_tolerance_seconds: int = Field(default=300, ge=0, description="How far ahead of the clock an event may lie.")
    backlog_bytes: int = Field(
        default=4_294_967_296, ge=1_048_576, description="Unloaded log above which collection answers 503."
    )
    log: str = Field(
        default="", description="Where accepted calls are kept: files in `data/`, or `kafka://HOST:PORT/TOPIC`."
    )
    import_folders: list[str] = Field(
        default_factory=list, description="Folders outside the workspace that imports may read files from."
    )


class StorageSettings(Section):
    """Budgets of the stores."""

    memory: str = Field(default="4GB", description="The most memory the warehouse may use.")
    threads: int = Field(default=0, ge=0, description="Threads of the warehouse; 0 means one a core.")


class WorkerSettings(Section):
    """The rhythm of the stages when the clock is real."""

    load_seconds: float = Field(default=1.0, gt=0, description="How often accepted events are loaded.")
    tick_seconds: float = Field(
        default=30.0, gt=0, description="How often everything is refreshed and journeys advance."
    )


class SecuritySettings(Section):
    """Sign-in and sessions."""

    session_hours: int = Field(default=12, ge=1, description="How long a sign-in lasts.")
    idle_minutes: int = Field(default=0, ge=0, description="How long a session may lie unused; 0 sets no limit.")
    sign_in_attempts: int = Field(default=10, ge=1, description="Failed sign-ins per address and 15 minutes.")
    second_factor: Literal["optional", "required"] = Field(
        default="optional", description="Whether everybody needs a code from their telephone to sign in."
    )
    reason_roles: list[str] = Field(
        default_factory=lambda: ["privacy_officer", "service", "guide"],
        description="Roles that have to write down why before contact values are shown to them.",
    )
    export_people: int = Field(
        default=20_000, ge=1, description="The most people whose contact values one list may hold."
    )
    requests_per_minute: int = Field(
        default=600, ge=30, description="Requests a minute that one session, token or network address may make."
    )
    facts_per_minute: int = Field(
        default=60_000, ge=60, description="How often a minute one token may ask for the facts of a person."
    )


class RightsSettings(Section):
    """By when what people ask for by right has to be answered, and what the record of processing says of us."""

    law: Literal["pipl", "gdpr", "ccpa"] = Field(
        default="pipl", description="The law that holds where nothing tells where a person is."
    )
    pipl_working_days: int = Field(
        default=15, ge=1, le=90, description="Working days in which a request under the PIPL is answered."
    )
    pipl_extension_working_days: int = Field(
        default=15, ge=0, le=90, description="Working days by which such a request can be extended once."
    )
    gdpr_days: int = Field(default=30, ge=1, le=90, description="Days in which a request under the GDPR is answered.")
    gdpr_extension_days: int = Field(
        default=60, ge=0, le=90, description="Days by which such a request can be extended once."
    )
    ccpa_days: int = Field(default=45, ge=1, le=90, description="Days in which a request under the CCPA is answered.")
    ccpa_extension_days: int = Field(
        default=45, ge=0, le=90, description="Days by which such a request can be extended once."
    )
    warn_days: int = Field(
        default=5, ge=0, le=60, description="How many days before its deadline a request is shown as pressing."
    )
    pipl_incident_hours: int = Field(
        default=24, ge=1, le=720, description="Hours from noticing an incident until the authority has to know, PIPL."
    )
    gdpr_incident_hours: int = Field(
        default=72, ge=1, le=720, description="Hours from noticing an incident until the authority has to know, GDPR."
    )
    ccpa_incident_hours: int = Field(
        default=720, ge=1, le=2_160, description="Hours from noticing an incident until it has to be told, CCPA."
    )
    contact: str = Field(
        default="", max_length=200, description="Who answers for personal data, and how to reach them."
    )
    country: str = Field(default="CN", pattern=r"[A-Z]{2}", description="The country where personal data is kept.")
    processors: list[str] = Field(
        default_factory=list,
        description="Who else handles personal data, as in `Aliyun; SMS; CN`: name, what for, country, and, where they"
        " can be told of erasures by a call, its address.",
    )
    recipient_secret: str = Field(
        default="", description="What signs those calls, as `env:NAME` of a variable that holds base64."
    )
    abroad_people: int = Field(
        default=99_999,
        ge=0,
        description="Of how many people data that is kept in China may go abroad in a year; more once that is filed.",
    )
    abroad_sensitive: int = Field(
        default=0, ge=0, description="Of how many people sensitive data that is kept in China may go abroad in a year."
    )

    @field_validator("recipient_secret")
    @classmethod
    def _secret_is_named(cls, secret: str) -> str:
        return _named_secret(secret)

    @field_validator("processors")
    @classmethod
    def _processors_have_their_parts(cls, written: list[str]) -> list[str]:
        for each in written:
            parts = [part.strip() for part in each.split(";", 3)]
            told = parts[3:] == [] or parts[3].startswith(("https://", "http://"))
            if len(parts) < 3 or not all(parts) or not re.fullmatch("[A-Z]{2}", parts[2]) or not told:
                raise ValueError(f"`{each}` is no processor; write name, what for and country: `Aliyun; SMS; CN`")
        return written


class ConsentSettings(Section):
    """What consent needs beside what people say."""

    guardian_age: int = Field(
        default=14, ge=0, le=18, description="The age below which a guardian's consent is needed to write to somebody."
    )
    marketing_age: int = Field(
        default=18, ge=0, le=21, description="The age below which nobody gets marketing; 0 for no such age."
    )
    opt_out_words: list[str] = Field(
        default_factory=list, description="Answers to messages that mean stop, beside the usual ones."
    )


class RetentionSettings(Section):
    """How long things are kept; what is named in no rule is kept for good."""

    events: list[str] = Field(
        default_factory=list,
        description="How long events are kept, as in `Page Viewed: 400 days`; `*` is every event that no rule names.",
    )
    messages: list[str] = Field(
        default_factory=list,
        description="How long deliveries are kept, by purpose, as in `marketing: 730 days`; `*` is every other.",
    )
    quarantine_days: int = Field(
        default=0, ge=0, description="How many days refused calls are kept; 0 keeps them for good."
    )

    @field_validator("events", "messages")
    @classmethod
    def _rules_have_a_name_and_a_length(cls, written: list[str]) -> list[str]:
        for each in written:
            name, _, length = each.rpartition(":")
            try:
                whole = parse_duration(length) // timedelta(days=1)
            except BadDuration:
                whole = 0
            if not name.strip() or not whole:
                raise ValueError(f"`{each}` is no rule; write a name and a length, as in `Page Viewed: 400 days`")
        return written


class AlertsSettings(Section):
    """Who is told when something needs a person: a silent source, damage, a failing destination, a standstill."""

    email: list[str] = Field(default_factory=list, description="Addresses that alerts are written to.")
    channel: str = Field(
        default="", description="The e-mail channel that alerts go out by; empty takes the first there is."
    )
    webhook: str = Field(default="", description="A URL that alerts are posted to as JSON.")
    secret: str = Field(default="", description="Signs what is posted, as Standard Webhooks do; written env:NAME.")
    destination_tries: int = Field(
        default=5, ge=1, description="How many failed tries of a destination, one after the other, are an alert."
    )
    destination_minutes: int = Field(
        default=60, ge=1, description="For how long a destination may fail before it is an alert, however often tried."
    )

    @field_validator("email")
    @classmethod
    def _addresses_are_such(cls, email: list[str]) -> list[str]:
        for each in email:
            if not _ADDRESS.fullmatch(each):
                raise ValueError(f"`{each}` is no address; write it as in ops@shop.example")
        return email

    @field_validator("webhook")
    @classmethod
    def _webhook_is_a_url(cls, webhook: str) -> str:
        if webhook and not webhook.startswith(("https://", "http://")):
            raise ValueError(f"`{webhook}` is no URL; write it as in https://alerts.example/spira")
        return webhook

    @field_validator("secret")
    @classmethod
    def _secret_is_named(cls, secret: str) -> str:
        return _named_secret(secret)

    @model_validator(mode="after")
    def _webhook_is_signed(self) -> AlertsSettings:
        if self.webhook and not self.secret:
            raise ValueError("a webhook needs `secret`, so that its receiver can tell who calls; write env:NAME")
        return self


class Settings(Section):
    """The whole of `spira.toml`."""

    workspace: WorkspaceSettings = WorkspaceSettings()
    server: ServerSettings = ServerSettings()
    collect: CollectSettings = CollectSettings()
    storage: StorageSettings = StorageSettings()
    worker: WorkerSettings = WorkerSettings()
    security: SecuritySettings = SecuritySettings()
    alerts: AlertsSettings = AlertsSettings()
    rights: RightsSettings = RightsSettings()
    retention: RetentionSettings = RetentionSettings()
    consent: ConsentSettings = ConsentSettings()


def load_settings(directory: Path) -> Settings:
    """The settings of the workspace in `directory`; WorkspaceInvalid names every fault at once."""
    path = directory / FILE
    if not path.is_file():
        raise WorkspaceInvalid(
            f"`{directory}` is not a workspace: it has no {FILE}",
            help="go to a workspace, name one with --dir, or make one with `spira init DIR`",
        )
    try:
        return Settings.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except tomllib.TOMLDecodeError as fault:
        raise WorkspaceInvalid(f"{path} is not TOML: {fault}", help="mend that line") from None
    except ValidationError as faults:
        said = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in faults.errors())
        raise WorkspaceInvalid(f"{path}: {said}", help="docs/reference/settings.md lists every setting") from None


def _named_secret(written: str) -> str:
    if written and not written.startswith("env:"):
        raise ValueError("a secret does not stand in a file; write env:NAME, and set NAME")
    return written


def secret(written: str) -> str:
    """The secret a definition names: `env:NAME` is read from the environment, other text stands for itself."""
    if not written.startswith("env:"):
        return written
    name = written.removeprefix("env:")
    value = os.environ.get(name)
    if value is None:
        raise WorkspaceInvalid(f"the environment has no `{name}`", help=f"set {name} before starting Spira")
    return value


def environment() -> dict[str, str]:
    """A copy of the environment, for starting children with."""
    return dict(os.environ)
