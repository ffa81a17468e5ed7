"""Every setting of the server: typed, bounded, with its unit, default and one line of help.

Read from ``WHARFINGER_*`` variables and from a TOML file (``WHARFINGER_CONFIG`` names it); a
variable wins over the file. An unknown key or a value outside its range stops the start.
"""

import os
import re
import types
from collections.abc import Iterable, Mapping
from inspect import get_annotations
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Annotated, Any, Final, Literal, get_args, get_origin
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta

from wharfinger.bucket import BucketInvalid, parse_bucket
from wharfinger.plans import Plan, Plans, PlansInvalid
from wharfinger.regions import Region, Regions, RegionsInvalid

PREFIX: Final = "WHARFINGER_"
CONFIG: Final = "WHARFINGER_CONFIG"

KIB: Final = 1024
MIB: Final = 1024 * KIB
GIB: Final = 1024 * MIB

MOST_WORKERS: Final = 4
"""HTTP workers that are started where nobody says how many."""

PIB: Final = 1024**5
"""More bytes than anything here counts: sums of a few such still fit the database's integers."""

YEAR: Final = 366 * 86400

Port = Annotated[int, Meta(ge=1, le=65535)]
PublicUrl = Annotated[
    str,
    Meta(
        pattern=r"^https?://([A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(:[0-9]{1,5})?/?$",
        description="http:// or https://, a host, and a port if it is not the usual one",
    ),
]
CertificateName = Annotated[
    str,
    Meta(
        pattern=r"^((\*\.)?[A-Za-z0-9]([A-Za-z0-9._-]{0,250}[A-Za-z0-9])?|[0-9A-Fa-f:.]{2,45})$",
        description="a host name in ASCII, or an address",
    ),
]


class SettingInvalid(ValueError):
    """A setting is unknown or has a value that is not allowed; the text says which and why."""


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The server's settings. Names here are the TOML keys; upper-case with prefix, the variables."""

    # Where things are
    data: Annotated[
        str, Meta(min_length=1, description="folder that holds everything the service keeps")
    ] = "data"
    host: Annotated[str, Meta(min_length=1, max_length=253, description="address to listen on")] = (
        "127.0.0.1"
    )
    port: Annotated[
        Port, Meta(description="port of the registry and control API over plain HTTP")
    ] = 5000
    tls_port: Annotated[
        int, Meta(ge=0, le=65535, description="port of the same over TLS; 0 for none")
    ] = 0
    tls_certificate: Annotated[
        str,
        Meta(
            description="PEM file with the certificate chain; empty: issued by the service's own authority"
        ),
    ] = ""
    tls_key: Annotated[str, Meta(description="PEM file with the key of tls_certificate")] = ""
    tls_names: Annotated[
        tuple[CertificateName, ...],
        Meta(description="host names and addresses in the issued certificate, besides localhost"),
    ] = ()
    trust_port: Annotated[Port, Meta(description="port of the trust server over TLS")] = 4443
    public_urls: Annotated[
        tuple[PublicUrl, ...],
        Meta(
            description="URLs under which clients reach the service; empty: the request's own host"
        ),
    ] = ()
    trusted_proxies: Annotated[
        tuple[str, ...], Meta(description="networks (CIDR) whose forwarded headers count")
    ] = ()
    help_url: Annotated[
        str,
        Meta(
            max_length=1000,
            pattern="^(https?://[^ ]+)?$",
            description="URL that error answers give as help, with {code} where the error's code belongs; empty: the service's own pages",
        ),
    ] = ""
    region: Annotated[
        str,
        Meta(
            pattern="^[a-z0-9][a-z0-9-]{0,31}$",
            description="name of the one region that this deployment serves, where regions is empty",
        ),
    ] = "local"
    regions: Annotated[
        tuple[Region, ...],
        Meta(
            max_length=100, description="the regions that this deployment serves, each by its hosts"
        ),
    ] = ()
    database_url: Annotated[
        str,
        Meta(
            pattern="^(sqlite:///.*|postgres(ql)?(\\+psycopg)?://.*)?$",
            description="URL of the database, postgresql://USER:PASSWORD@HOST/NAME; empty: SQLite in the data folder",
        ),
    ] = ""
    database_connections: Annotated[
        int,
        Meta(ge=1, le=500, description="connections of a process to PostgreSQL for its services"),
    ] = 8
    database_read_connections: Annotated[
        int, Meta(ge=1, le=100, description="connections of a worker to PostgreSQL for pulls")
    ] = 4
    database_wait_seconds: Annotated[
        float,
        Meta(
            ge=0,
            le=300,
            description="seconds that requests wait for PostgreSQL to come back before they get 503",
        ),
    ] = 20.0
    database_statement_seconds: Annotated[
        float,
        Meta(ge=0, le=3600, description="seconds that a statement may run in PostgreSQL; 0: any"),
    ] = 30.0
    database_lock_seconds: Annotated[
        float,
        Meta(
            ge=0,
            le=3600,
            description="seconds that a statement may wait for a lock in PostgreSQL; 0: any",
        ),
    ] = 10.0
    database_idle_seconds: Annotated[
        float,
        Meta(
            ge=0,
            le=3600,
            description="seconds after which PostgreSQL ends a transaction that stands still; 0: never",
        ),
    ] = 60.0
    master_key_file: Annotated[
        str,
        Meta(
            description="file with the key that seals secrets in the database, the same on every node; empty: master.key in the data folder"
        ),
    ] = ""
    blobs_url: Annotated[
        str,
        Meta(
            pattern="^((file://)?/.*|s3://.+)?$",
            description="where blobs are stored, file:///PATH or s3://BUCKET/PREFIX?endpoint=URL&region=REGION; empty: the data folder",
        ),
    ] = ""
    blobs_redirect: Annotated[
        bool, Meta(description="send clients that get a blob straight to the object store")
    ] = False
    blobs_redirect_seconds: Annotated[
        int,
        Meta(
            ge=10,
            le=86_400,
            description="life of the URL that blobs_redirect gives a client",
        ),
    ] = 600
    blobs_verify_streams: Annotated[
        bool,
        Meta(
            description="hash whole blobs from an object store as they pass, to cut what is wrong"
        ),
    ] = True
    s3_part_bytes: Annotated[
        int,
        Meta(
            ge=5 * MIB,
            le=GIB,
            description="bytes of an upload's first part on an object store; later ones grow as blob_bytes needs",
        ),
    ] = 8 * MIB
    s3_timeout_seconds: Annotated[
        float,
        Meta(ge=1, le=300, description="seconds that the object store may be silent in a request"),
    ] = 20.0
    s3_attempts: Annotated[
        int,
        Meta(ge=1, le=20, description="attempts of a request that the object store fails"),
    ] = 5
    s3_connections: Annotated[
        int,
        Meta(
            ge=1,
            le=10_000,
            description="downloads from the object store that a worker passes on at once",
        ),
    ] = 128
    operator_email: Annotated[
        str,
        Meta(
            min_length=3,
            max_length=254,
            description="e-mail of the operator that the first start creates",
        ),
    ] = "operator@localhost"

    plugins: Annotated[
        str,
        Meta(
            description="folder of the wheels that the command line may install as plug-ins; empty: plugins in the data folder"
        ),
    ] = ""
    plugin_minimums: Annotated[
        tuple[Annotated[str, Meta(pattern="^[A-Za-z0-9_-]{1,64}=[A-Za-z0-9.!+_-]{1,64}$")], ...],
        Meta(description="least versions of plug-ins that may be used, each as PLUG-IN=VERSION"),
    ] = ()

    cli_version: Annotated[
        str,
        Meta(
            pattern="^([0-9][A-Za-z0-9.]{0,31})?$",
            description="newest version of the command line, which older ones tell their users of; empty: none",
        ),
    ] = ""
    cli_url: Annotated[
        str,
        Meta(
            max_length=1000,
            pattern="^(https?://[^ ]+)?$",
            description="URL of the release notes of cli_version",
        ),
    ] = ""

    # How it runs
    workers: Annotated[
        int,
        Meta(ge=0, le=64, description="HTTP worker processes; 0: one for each core, four at most"),
    ] = 0
    pin_workers: Annotated[
        bool,
        Meta(description="keep each HTTP worker's short work on one core, which is far cheaper"),
    ] = True
    threads: Annotated[int, Meta(ge=2, le=256, description="threads a worker runs services in")] = (
        16
    )
    drain_seconds: Annotated[
        float,
        Meta(
            ge=0,
            le=300,
            description="seconds after SIGTERM in which readiness fails and new transfers get 503",
        ),
    ] = 1.0
    shutdown_seconds: Annotated[
        float,
        Meta(
            ge=0,
            le=3600,
            description="seconds that running transfers have to finish after the listeners closed",
        ),
    ] = 30.0
    jobs_poll_seconds: Annotated[
        float, Meta(gt=0, le=60, description="seconds between looks for background work")
    ] = 1.0
    jobs_lease_seconds: Annotated[
        float,
        Meta(
            ge=1,
            le=3600,
            description="seconds a worker may hold a piece of background work without a sign of life",
        ),
    ] = 60.0
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"],
        Meta(description="least severe log lines written"),
    ] = "info"
    log_format: Annotated[
        Literal["auto", "console", "json"],
        Meta(description="auto: console on a terminal, JSON elsewhere"),
    ] = "auto"

    # Seen from outside
    access_log: Annotated[
        Literal["off", "errors", "all"],
        Meta(
            description="requests that get a log line; errors leaves out what every client meets, such as the first challenge"
        ),
    ] = "errors"
    metrics_port: Annotated[
        int,
        Meta(
            ge=0, le=65535, description="port of /metrics alone, over plain HTTP; 0: on port itself"
        ),
    ] = 0
    metrics_host: Annotated[
        str,
        Meta(min_length=1, max_length=253, description="address that metrics_port listens on"),
    ] = "127.0.0.1"
    metrics_networks: Annotated[
        tuple[str, ...],
        Meta(description="networks (CIDR) that may read /metrics without metrics_token_file"),
    ] = ("127.0.0.0/8", "::1/128")
    metrics_token_file: Annotated[
        str,
        Meta(
            description="file with the bearer token that /metrics then asks of everybody, wherever from"
        ),
    ] = ""
    metrics_folder: Annotated[
        str,
        Meta(
            description="folder in which processes share their figures, such as one in memory; empty: in the data folder"
        ),
    ] = ""
    health_seconds: Annotated[
        float,
        Meta(
            ge=0.1,
            le=60,
            description="seconds after which a part that has not answered counts as not ready",
        ),
    ] = 5.0

    # Limits
    header_bytes: Annotated[
        int, Meta(ge=4 * KIB, le=1 * MIB, description="bytes of a request's headers")
    ] = 32 * KIB
    body_bytes: Annotated[
        int,
        Meta(
            ge=KIB,
            le=64 * MIB,
            description="bytes of a request body that is neither blob nor manifest",
        ),
    ] = 1 * MIB
    manifest_bytes: Annotated[
        int, Meta(ge=64 * KIB, le=64 * MIB, description="bytes of a manifest")
    ] = 4 * MIB
    manifest_references: Annotated[
        int, Meta(ge=16, le=100_000, description="descriptors that a manifest may hold")
    ] = 10_000
    manifest_depth: Annotated[
        int, Meta(ge=8, le=1000, description="levels of nesting in a manifest's JSON")
    ] = 64
    blob_bytes: Annotated[int, Meta(ge=MIB, le=PIB, description="bytes of a blob")] = 100 * GIB
    body_stall_seconds: Annotated[
        float, Meta(ge=1, le=3600, description="seconds that a request body may stand still")
    ] = 60.0
    header_seconds: Annotated[
        float, Meta(ge=1, le=600, description="seconds that a request's headers may take")
    ] = 30.0
    upload_expiry_seconds: Annotated[
        int,
        Meta(
            ge=60,
            le=YEAR,
            description="seconds after its last byte that an upload session is kept",
        ),
    ] = 7 * 86400
    upload_begin_seconds: Annotated[
        int,
        Meta(
            ge=60,
            le=604800,
            description="seconds within which an upload session must get its first bytes",
        ),
    ] = 6 * 3600
    upload_chunk_min_bytes: Annotated[
        int,
        Meta(
            ge=0,
            le=GIB,
            description="smallest chunk that OCI-Chunk-Min-Length asks of clients; 0: s3_part_bytes on an object store, else none",
        ),
    ] = 0
    upload_lease_seconds: Annotated[
        float,
        Meta(
            ge=1,
            le=600,
            description="seconds without a sign of life after which another request may take an upload over",
        ),
    ] = 30.0
    upload_hashes: Annotated[
        int,
        Meta(ge=0, le=1_000_000, description="uploads whose running hash a worker remembers"),
    ] = 1000
    collection_grace_seconds: Annotated[
        int,
        Meta(
            ge=1,
            le=365 * 86400,
            description="seconds that a blob which no manifest needs stays in its repository",
        ),
    ] = 86400
    collection_interval_seconds: Annotated[
        float, Meta(ge=1, le=7 * 86400, description="seconds between passes that look for garbage")
    ] = 3600.0
    collection_share_percent: Annotated[
        float,
        Meta(ge=1, le=100, description="percent of the time that collection works while it runs"),
    ] = 25.0
    discard_delay_seconds: Annotated[
        int,
        Meta(
            ge=0,
            le=30 * 86400,
            description="seconds that bytes stay after their blob was removed",
        ),
    ] = 3600
    orphan_grace_seconds: Annotated[
        int,
        Meta(
            ge=60,
            le=365 * 86400,
            description="seconds after which stored bytes that belong to nothing are removed",
        ),
    ] = 86400
    orphan_interval_seconds: Annotated[
        float, Meta(ge=1, le=30 * 86400, description="seconds between sweeps of the blob store")
    ] = 86400.0
    fsck_mib_per_second: Annotated[
        float, Meta(ge=0.1, le=1_000_000, description="MiB a second that wharfd fsck --deep reads")
    ] = 50.0
    scrub_mib_per_second: Annotated[
        float,
        Meta(ge=0, le=10_000, description="MiB a second that are read to find rot; 0 for none"),
    ] = 4.0
    scrub_interval_seconds: Annotated[
        float,
        Meta(ge=1, le=90 * 86400, description="seconds from the end of one scrub to the next"),
    ] = 86_400.0
    page_entries: Annotated[
        int, Meta(ge=1, le=100_000, description="entries in one page of a list")
    ] = 1000
    request_tags: Annotated[
        int, Meta(ge=1, le=1000, description="tag parameters of one manifest push")
    ] = 100
    image_config_bytes: Annotated[
        int,
        Meta(ge=64 * KIB, le=64 * MIB, description="bytes of an image's config that are looked at"),
    ] = 4 * MIB
    image_labels_bytes: Annotated[
        int,
        Meta(ge=0, le=64 * KIB, description="bytes of an image's labels that lists show"),
    ] = 8 * KIB
    list_images: Annotated[
        int,
        Meta(ge=100, le=1_000_000, description="images in one answer where no page is asked for"),
    ] = 20_000
    trash_days: Annotated[
        int, Meta(ge=0, le=3650, description="days that deleted images can be restored; 0: never")
    ] = 30
    trash_bytes: Annotated[
        int,
        Meta(
            ge=0,
            le=PIB,
            description="bytes of deleted images kept for an account in a region, the last deleted first",
        ),
    ] = 20 * GIB
    retention_push_seconds: Annotated[
        int,
        Meta(
            ge=0,
            le=30 * 86_400,
            description="seconds that an untagged image, or an open upload, counts as part of a push",
        ),
    ] = 3600
    message: Annotated[
        str,
        Meta(
            max_length=2000, description="what GET /api/v1/messages tells everybody; empty: nothing"
        ),
    ] = ""
    bulk_images: Annotated[
        int, Meta(ge=1, le=10_000, description="images that one call may delete")
    ] = 1000
    namespaces_per_account: Annotated[
        int, Meta(ge=1, le=100_000, description="namespaces of an account in a region")
    ] = 100
    clusters_per_account: Annotated[
        int, Meta(ge=1, le=10_000, description="clusters that an account may register")
    ] = 100
    cluster_workers: Annotated[
        int, Meta(ge=1, le=5000, description="workers of a cluster that may be registered")
    ] = 1000
    namespace_hyphens: Annotated[bool, Meta(description="allow hyphens in namespace names")] = True

    # Identity
    iam_token_seconds: Annotated[
        int, Meta(ge=60, le=86_400, description="life of an IAM token")
    ] = 3600
    refresh_token_seconds: Annotated[
        int, Meta(ge=3600, le=31_536_000, description="life of a refresh token")
    ] = 30 * 86_400
    registry_token_seconds: Annotated[
        int, Meta(ge=1, le=3600, description="life of a bearer token for the registry")
    ] = 300
    credential_warning_seconds: Annotated[
        int,
        Meta(
            ge=0,
            le=30 * 86_400,
            description="seconds before its end that a registry token or API key is warned of",
        ),
    ] = 7200
    signing_key_days: Annotated[
        int, Meta(ge=1, le=3650, description="days after which a new signing key takes over")
    ] = 90
    token_cache_entries: Annotated[
        int, Meta(ge=0, le=1_000_000, description="verified tokens a worker remembers")
    ] = 10_000
    revocation_seconds: Annotated[
        float,
        Meta(
            ge=0,
            le=60,
            description="bound on how long a revoked credential may still be honoured by a cache",
        ),
    ] = 5.0
    signin_failures: Annotated[
        int,
        Meta(
            ge=1,
            le=10_000,
            description="failed sign-ins of a user or key at one address within signin_window_seconds; ten times that per address, fifty times that per user or key",
        ),
    ] = 10
    signin_window_seconds: Annotated[
        int, Meta(ge=1, le=86_400, description="window in which failed sign-ins are counted")
    ] = 60
    password_checks: Annotated[
        int, Meta(ge=1, le=64, description="password hashes computed at once")
    ] = 2
    password_min_length: Annotated[
        int, Meta(ge=8, le=128, description="characters that a password has at least")
    ] = 12
    identities_per_account: Annotated[
        int,
        Meta(
            ge=10,
            le=1_000_000,
            description="users, service ids, API keys and policies of an account, of each kind",
        ),
    ] = 10_000
    passcode_seconds: Annotated[
        int, Meta(ge=60, le=3600, description="life of a one-time passcode")
    ] = 300
    oidc_issuer: Annotated[
        str,
        Meta(
            max_length=1000,
            pattern="^(https?://[^ ?#]+)?$",
            description="issuer URL of the OpenID Connect provider that people may sign in with; empty: none",
        ),
    ] = ""
    oidc_client_id: Annotated[
        str, Meta(max_length=255, description="client id of this service at the provider")
    ] = ""
    oidc_client_secret_file: Annotated[
        str, Meta(description="file with the client secret of this service at the provider")
    ] = ""
    oidc_name: Annotated[
        str,
        Meta(min_length=1, max_length=64, description="what the sign-in page calls the provider"),
    ] = "single sign-on"
    token_scopes: Annotated[int, Meta(ge=1, le=1000, description="scopes in one token request")] = (
        100
    )

    # Explanations of refusals
    explain_days: Annotated[
        int, Meta(ge=1, le=365, description="days that refused requests are kept, to be explained")
    ] = 7
    explain_per_account: Annotated[
        int,
        Meta(
            ge=10,
            le=100_000,
            description="refused requests of an account that are kept; the newest win",
        ),
    ] = 1000

    # Quotas and plans
    plans: Annotated[
        tuple[Plan, ...],
        Meta(max_length=100, description="plans besides free and standard, or in their place"),
    ] = ()
    default_plan: Annotated[
        str, Meta(min_length=1, max_length=32, description="plan of new accounts")
    ] = "standard"
    quota_enforcement: Annotated[
        Literal["lenient", "strict"],
        Meta(
            description="lenient: what began below a limit may finish; strict: no limit is ever exceeded"
        ),
    ] = "lenient"
    quota_accounting: Annotated[
        bool,
        Meta(
            description="count storage and traffic; off, no quota holds, and switched on again everything is counted anew"
        ),
    ] = True
    quota_remember_seconds: Annotated[
        float,
        Meta(ge=0, le=60, description="bound on how long a worker may go by a limit since changed"),
    ] = 5.0
    reservation_step_bytes: Annotated[
        int,
        Meta(
            ge=64 * KIB,
            le=GIB,
            description="bytes that an upload of unknown length grows between reservations of storage",
        ),
    ] = 8 * MIB
    reservation_seconds: Annotated[
        float,
        Meta(
            ge=1,
            le=86_400,
            description="seconds without a sign of life after which what an upload reserved is free again",
        ),
    ] = 300.0
    push_gap_seconds: Annotated[
        float,
        Meta(
            ge=0,
            le=600,
            description="seconds between uploads of one push, which may go on beyond a lenient limit until it sets a tag",
        ),
    ] = 5.0
    traffic_lease_bytes: Annotated[
        int,
        Meta(
            ge=KIB,
            le=64 * GIB,
            description="bytes of an account's traffic that a worker leases ahead at first, a sixteenth of what is left of the limit at most",
        ),
    ] = 64 * MIB
    traffic_lease_most_bytes: Annotated[
        int,
        Meta(
            ge=KIB,
            le=64 * GIB,
            description="bytes that a worker holds ahead of a busy account at most, and beyond traffic_lease_bytes a hundredth of what is left of the limit; what a crash may count too much",
        ),
    ] = 4 * GIB
    traffic_lease_seconds: Annotated[
        float, Meta(ge=1, le=3600, description="seconds after which a worker asks for limits anew")
    ] = 60.0
    traffic_tick_seconds: Annotated[
        float,
        Meta(
            ge=0.1,
            le=600,
            description="seconds after which unused traffic is given back, and traffic of unlimited accounts written down; what a crash may count too little",
        ),
    ] = 5.0

    @property
    def offered_plans(self) -> Plans:
        """The plans in force; built anew at each call."""
        return Plans(self.plans, self.default_plan)

    @property
    def http_workers(self) -> int:
        """How many HTTP workers there are."""
        return self.workers or min(MOST_WORKERS, len(os.sched_getaffinity(0)))

    @property
    def data_path(self) -> Path:
        """The data folder, absolute."""
        return Path(self.data).resolve()

    @property
    def served(self) -> Regions:
        """The regions in force; built anew at each call."""
        return Regions(self.regions or (Region(name=self.region),))

    @property
    def certificate_names(self) -> tuple[str, ...]:
        """What the issued certificate names: `tls_names`, and the hosts of the regions."""
        hosts = (urlsplit(f"//{host}").hostname for one in self.regions for host in one.hosts)
        return tuple(dict.fromkeys([*self.tls_names, *filter(None, hosts)]))

    @property
    def master_key_path(self) -> Path:
        """The file of the master key."""
        return Path(self.master_key_file) if self.master_key_file else self.data_path / "master.key"

    @property
    def tls_path(self) -> Path:
        """The folder of the service's certificate authority and of what it issued."""
        return self.data_path / "tls"

    @property
    def plugins_path(self) -> Path:
        """The folder of plug-ins' wheels."""
        return Path(self.plugins) if self.plugins else self.data_path / "plugins"

    @property
    def database(self) -> str:
        """The database URL in force."""
        return self.database_url or f"sqlite:///{self.data_path / 'wharfinger.db'}"

    @property
    def chunk_min_bytes(self) -> int:
        """The smallest chunk that clients are asked for; 0 if any is welcome. Smaller ones work."""
        stored_as_parts = self.blobs_url.startswith("s3://")
        return self.upload_chunk_min_bytes or (self.s3_part_bytes if stored_as_parts else 0)

    @property
    def blobs_path(self) -> Path:
        """The folder of the filesystem blob store."""
        return (
            Path(self.blobs_url.removeprefix("file://"))
            if self.blobs_url
            else self.data_path / "blobs"
        )


def describe(
    of: type[msgspec.Struct] = Settings,
) -> list[tuple[str, str, object, str]]:
    """Return (name, allowed values, default, help) of every setting, in order of definition.

    ``of`` another struct: of every key that the tables of such a setting may hold.
    """
    hints = get_annotations(of)
    return [
        (field.name, _allowed(hints[field.name]), field.default, _help(hints[field.name]))
        for field in msgspec.structs.fields(of)
    ]


def load(environ: Mapping[str, str] | None = None, path: str | None = None) -> Settings:
    """Return the settings from ``environ`` (default: the process's) and the TOML file at ``path``.

    Raises:
        SettingInvalid: a key is unknown, a value not allowed, or the file unreadable.
    """
    environ = os.environ if environ is None else environ
    values = _from_file(path or environ.get(CONFIG, ""))
    for name, value in values.items():
        _require_texts(name, value)
    values.update(_from_environment(environ))
    known = get_annotations(Settings)
    for name in values:
        if name not in known:
            raise SettingInvalid(f"{name}: no such setting; 'wharfd config show' lists all")
    settings = {name: _convert(name, value, known[name]) for name, value in values.items()}
    return _consistent(msgspec.convert(settings, Settings))


def shown(name: str, value: object) -> object:
    """Return the value of a setting as it may be shown: a URL without the passwords in it.

    Also where it is malformed: what is malformed is printed, for whoever has to correct it.
    """
    if not name.endswith(("_url", "_urls", "_issuer")):
        return value
    if isinstance(value, (list, tuple)):
        return [shown(name, one) for one in value]
    if not isinstance(value, str):
        return value
    # A password may hold the signs that should be escaped in it.
    bare = re.sub(r"(?<=://)([^/?#@:]*):.*@", r"\1:***@", value)
    return re.sub(r"(?i)(password=)[^&]*", r"\1***", bare)


def _from_file(path: str) -> dict[str, Any]:
    if not path:
        return {}
    # Imported late: most starts have no such file.
    import tomllib

    try:
        return tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingInvalid(f"{CONFIG}: cannot read '{path}': {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingInvalid(f"{CONFIG}: '{path}' is not valid TOML: {error}") from error


def _from_environment(environ: Mapping[str, str]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for variable, value in environ.items():
        if variable.startswith(PREFIX) and variable != CONFIG:
            name = variable.removeprefix(PREFIX).lower()
            _require_texts(name, value)
            values[name] = _read(name, value)
    return values


def _require_texts(name: str, value: object) -> None:
    """Refuse texts that no path, host or URL can hold: the system would refuse them far later."""
    if isinstance(value, dict):
        value = [*value, *value.values()]
    if isinstance(value, list):
        for one in value:
            _require_texts(name, one)
    # Python reads bytes of a variable that are not UTF-8 as surrogates.
    elif isinstance(value, str) and re.search("[\0\ud800-\udfff]", value):
        raise SettingInvalid(
            f"{name}: {shown(name, value)!a} is not allowed: it holds a NUL, or bytes that are "
            "not UTF-8"
        )


def _read(name: str, value: str) -> object:
    """Return what a variable says: a text, a list of texts, or a list of tables in JSON."""
    if name not in _LISTS:
        return value
    if not value.startswith("["):
        return _split(value)
    try:
        return msgspec.json.decode(value)
    except msgspec.DecodeError as error:
        raise SettingInvalid(f"{name}: it is not a list in JSON: {error}") from error


def _split(value: str) -> list[str]:
    return [part.strip() for part in value.split(",") if part.strip()]


def _convert(name: str, value: object, hint: Any) -> object:
    try:
        return msgspec.convert(value, hint, strict=False)
    except msgspec.ValidationError as error:
        where = f" ({error})" if isinstance(value, list) else ""
        raise SettingInvalid(
            f"{name}: {shown(name, value)!r} is not allowed{where}; {_help(hint)}: {_allowed(hint)}"
        ) from error


def _consistent(settings: Settings) -> Settings:
    _require_urls("public_urls", settings.public_urls)
    _require_urls("oidc_issuer", [settings.oidc_issuer])
    _require_urls("regions", [f"//{host}" for one in settings.regions for host in one.hosts])
    _require_file(settings.database_url)
    if bool(settings.tls_certificate) != bool(settings.tls_key):
        raise SettingInvalid("tls_certificate: set it together with tls_key, or neither")
    optional = [port for port in (settings.tls_port, settings.metrics_port) if port]
    oidc = (settings.oidc_issuer, settings.oidc_client_id, settings.oidc_client_secret_file)
    if any(oidc) and not all(oidc):
        raise SettingInvalid(
            "oidc_issuer: set it together with oidc_client_id and oidc_client_secret_file"
        )
    ports = [settings.port, settings.trust_port, *optional]
    if len(set(ports)) != len(ports):
        names = "port, tls_port, metrics_port and trust_port"
        raise SettingInvalid(f"port: {names} must differ, not {ports}")
    _require_networks(settings)
    if settings.regions and settings.region != Settings().region:
        raise SettingInvalid("region: leave it out where regions are given")
    try:
        _ = settings.served
    except RegionsInvalid as error:
        raise SettingInvalid(f"regions: {error}") from error
    if settings.blobs_url.startswith("s3://"):
        _require_bucket(settings.blobs_url)
    _require_plans(settings)
    return settings


def _require_plans(settings: Settings) -> None:
    name = "plans"
    try:
        offered = Plans(settings.plans)
        name = "default_plan"
        _ = settings.offered_plans
    except PlansInvalid as error:
        named = "" if name == "plans" else f"; name one of {', '.join(p.name for p in offered)}"
        raise SettingInvalid(f"{name}: {error}{named}") from error


def _require_networks(settings: Settings) -> None:
    for name in ("trusted_proxies", "metrics_networks"):
        for network in getattr(settings, name):
            try:
                ip_network(network)
            except ValueError as error:
                raise SettingInvalid(
                    f"{name}: {error}; such as 10.0.0.0/8, 192.0.2.7 or 2001:db8::/32"
                ) from error


def _require_urls(name: str, urls: Iterable[str]) -> None:
    """Refuse addresses and ports that the patterns let through, but are none."""
    for url in urls:
        try:
            parts = urlsplit(url)
            _ = parts.port
            if ":" in (host := parts.hostname or ""):
                ip_address(host)
        except ValueError as error:
            raise SettingInvalid(
                f"{name}: {shown(name, url.removeprefix('//'))!r} is not allowed: {error}; "
                "such as registry.example.com, 192.0.2.7:5000 or [2001:db8::7]:5000"
            ) from error


def _require_file(url: str) -> None:
    """Refuse an embedded database that no other process could open."""
    embedded = url.startswith("sqlite:///")
    if embedded and ("?" in url or Path(url.removeprefix("sqlite:///")).name in {"", ":memory:"}):
        raise SettingInvalid(
            f"database_url: {url!r} is not allowed: it names no file; write sqlite:////FOLDER/FILE, "
            "or leave it out for one in the data folder"
        )


_TABLES: Final = "tables in the TOML file (in a variable: a list of them in JSON)"


def _require_bucket(url: str) -> None:
    try:
        parse_bucket(url)
    except BucketInvalid as error:
        raise SettingInvalid(f"blobs_url: {error}") from None


_KINDS: Final = {int: "an integer", float: "a number", str: "a text", bool: "true or false"}


def _parts(hint: Any) -> tuple[Any, list[Meta]]:
    """Return the bare type and all constraints of a possibly nested Annotated type."""
    metas: list[Meta] = []
    while get_origin(hint) is Annotated:
        hint, *more = get_args(hint)
        metas += [meta for meta in more if isinstance(meta, Meta)]
    return hint, metas


def _allowed(hint: Any) -> str:
    kind, metas = _parts(hint)
    if get_origin(kind) is Literal:
        return "one of " + ", ".join(get_args(kind))
    if get_origin(kind) is tuple:
        return (
            _TABLES if _table(hint) else f"a list{_of(kind)} (in a variable: separated by commas)"
        )
    bounds = {
        "ge": "at least {}",
        "gt": "more than {}",
        "le": "at most {}",
        "lt": "less than {}",
        "min_length": "{} characters or more",
        "max_length": "{} characters at most",
        "pattern": "matching {}",
    }
    limits = [
        text.format(value)
        for meta in metas
        for name, text in bounds.items()
        if (value := getattr(meta, name)) is not None
    ]
    return ", ".join([_KINDS[kind], *limits])


def _of(kind: Any) -> str:
    """Return what each entry of a list is, where the list says it."""
    told = _help(next(iter(get_args(kind)), None))
    return f", each {told}" if told else ""


def table_of(name: str) -> type[msgspec.Struct] | None:
    """Return what the tables of a setting hold; None for a setting that is no list of tables."""
    return _table(get_annotations(Settings)[name])


def _table(hint: Any) -> type[msgspec.Struct] | None:
    element = next(iter(get_args(_parts(hint)[0])), None)
    of_struct = isinstance(element, type) and issubclass(element, msgspec.Struct)
    return element if of_struct else None


def _help(hint: Any) -> str:
    return next((meta.description for meta in _parts(hint)[1] if meta.description), "")


_LISTS: Final[types.MappingProxyType[str, None]] = types.MappingProxyType(
    {
        name: None
        for name, hint in get_annotations(Settings).items()
        if get_origin(_parts(hint)[0]) is tuple
    }
)
