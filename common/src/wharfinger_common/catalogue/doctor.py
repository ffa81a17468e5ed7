"""What `wharfd doctor` finds on the server's side (WHF1100 to WHF1173)."""

from typing import Final

from wharfinger_common.refusals import Entry

IN_ORDER: Final = Entry(
    code="WHF1100",
    status=0,
    message="{what}",
    meaning="The check found what it should.",
    causes=("Nothing is wrong",),
    cure=("There is nothing to do.",),
)
CHECK_BROKEN: Final = Entry(
    code="WHF1101",
    status=0,
    message="The check itself failed: {error}",
    meaning="Something that no check foresaw kept this one from looking.",
    causes=("A file or folder that this user may not read", "A defect in the check"),
    cure=("Run the doctor as the user that runs the service; if it stays, report the error.",),
)
SETTINGS_INVALID: Final = Entry(
    code="WHF1102",
    status=0,
    message="The settings are not valid: {error}",
    meaning="With these settings the service does not start.",
    causes=(
        "A mistyped variable or key",
        "A value outside its range",
        "Settings that contradict each other",
    ),
    cure=("Correct the setting that is named; 'wharfd config show' tells what is allowed.",),
)
PLAIN_HTTP_EXPOSED: Final = Entry(
    code="WHF1103",
    status=0,
    message="The service listens on {host} without TLS and behind no proxy that it trusts",
    meaning="Passwords and tokens cross the network in plain text, and most clients refuse such a registry.",
    causes=(
        "host was set for other machines, and TLS was forgotten",
        "A proxy that is not in trusted_proxies",
    ),
    cure=("Set tls_port and name hosts in tls_names, or name the TLS proxy in trusted_proxies.",),
)
CERTIFICATE_UNREADABLE: Final = Entry(
    code="WHF1110",
    status=0,
    message="The certificate in {path} cannot be used: {error}",
    meaning="Without certificate and key the service cannot speak TLS.",
    causes=(
        "The file is missing or not PEM",
        "The key belongs to another certificate",
        "The key is protected by a passphrase",
    ),
    cure=(
        "Put certificate chain and key, unencrypted and of one pair, where tls_certificate and tls_key say.",
    ),
)
CERTIFICATE_EXPIRED: Final = Entry(
    code="WHF1111",
    status=0,
    message="The certificate in {path} is not valid now: it is good from {begins} to {ends}",
    meaning="Every client refuses the connection.",
    causes=("It was not renewed", "The clock of this machine is wrong"),
    cure=(
        "Renew the certificate and restart the service; one that the service issued itself is renewed by the restart.",
    ),
)
CERTIFICATE_ENDS_SOON: Final = Entry(
    code="WHF1112",
    status=0,
    message="The certificate in {path} ends in {days} days, on {ends}",
    meaning="From that day on every client refuses the connection.",
    causes=("It is due for renewal",),
    cure=(
        "Renew the certificate and restart the service; one that the service issued itself is renewed by the restart.",
    ),
)
CERTIFICATE_NAMES: Final = Entry(
    code="WHF1113",
    status=0,
    message="The certificate in {path} does not name the host {host}",
    meaning="Clients that call the service by this host refuse the certificate.",
    causes=("A public URL or region host that was added later",),
    cure=("Get a certificate for all hosts, or add the host to tls_names, and restart.",),
)
CLOCK_BEHIND: Final = Entry(
    code="WHF1115",
    status=0,
    message="The clock is {seconds} seconds behind {what}, which was written in its future",
    meaning="Tokens, leases and expiry go by the clock; what was issued before it was set back seems to come from the future.",
    causes=(
        "The clock was set back",
        "The machine was restored from a snapshot",
        "No time synchronisation",
    ),
    cure=("Synchronise the clock (chrony, systemd-timesyncd), then restart the service.",),
)
CLOCK_APART: Final = Entry(
    code="WHF1116",
    status=0,
    message="This machine's clock and that of the database server are {seconds} seconds apart",
    meaning="Nodes with different clocks disagree about what has expired and whose lease has ended.",
    causes=("No time synchronisation on one of the machines",),
    cure=("Synchronise the clocks of all nodes and of the database server.",),
)
CLOCK_JUMPED: Final = Entry(
    code="WHF1117",
    status=0,
    message="The clock jumped by {seconds} seconds while the doctor ran",
    meaning="Something sets the clock in steps; leases and tokens end too early or too late.",
    causes=("Time synchronisation that steps instead of slewing", "A suspended virtual machine"),
    cure=("Let time synchronisation slew the clock, and keep the machine from being suspended.",),
)
DISK_FULL: Final = Entry(
    code="WHF1120",
    status=0,
    message="The disk under {path} has {free} of {total} bytes left",
    meaning="Pushes are refused, and the database may not be able to write.",
    causes=("Images fill the disk", "Something else on the same disk grows"),
    cure=("Free or add space; deleted images give theirs back when their bytes are collected.",),
)
DISK_LOW: Final = Entry(
    code="WHF1121",
    status=0,
    message="The disk under {path} has only {free} of {total} bytes left",
    meaning="There is room now, but not for long.",
    causes=("Images fill the disk", "Something else on the same disk grows"),
    cure=("Free or add space before it is needed.",),
)
INODES_LOW: Final = Entry(
    code="WHF1122",
    status=0,
    message="The filesystem under {path} has {free} of {total} inodes left",
    meaning="Each blob is a file; without inodes nothing can be stored although there is space.",
    causes=("Very many small files", "A filesystem that was made with few inodes"),
    cure=("Remove what nobody needs, or move the data to a filesystem with more inodes.",),
)
DATA_MISSING: Final = Entry(
    code="WHF1130",
    status=0,
    message="There is no service in {path} yet",
    meaning="The folder holds no database; the first start makes it.",
    causes=("The service was never started", "Another data folder is meant"),
    cure=("Run 'wharfd serve', or name the folder with --data.",),
)
DATABASE_AWAY: Final = Entry(
    code="WHF1131",
    status=0,
    message="The database does not answer: {error}",
    meaning="Without the database every request is answered with 503.",
    causes=(
        "The database server is stopped or not reachable",
        "Wrong user, password or name",
        "The file cannot be read by this user",
    ),
    cure=("Start the database, or correct database_url.",),
)
DATABASE_DAMAGED: Final = Entry(
    code="WHF1132",
    status=0,
    message="The database is damaged: {error}",
    meaning="The database's own check found that its file is not as it was written.",
    causes=(
        "A failing disk",
        "A copy that was taken without the database's backup",
        "A file that another program changed",
    ),
    cure=("Stop the service, keep a copy of the file, and restore the latest backup.",),
)
DATABASE_OLD: Final = Entry(
    code="WHF1133",
    status=0,
    message="The database has the schema {found}; this version needs {head}",
    meaning="The next start migrates it; until then the running service is of an older version.",
    causes=("The service was upgraded and not restarted",),
    cure=("Back up, then restart the service.",),
)
DATABASE_NEWER: Final = Entry(
    code="WHF1134",
    status=0,
    message="The database has the schema {found}, which this version does not know",
    meaning="A newer version wrote it; this one refuses to start on it.",
    causes=("The service was downgraded", "The data folder of a newer service"),
    cure=("Start the newer version, or restore the backup from before the upgrade.",),
)
STORE_AWAY: Final = Entry(
    code="WHF1140",
    status=0,
    message="The blob store cannot be used: {error}",
    meaning="Pushes and pulls fail although the service answers.",
    causes=(
        "The folder is missing, or on a disk that is not mounted",
        "Wrong permissions",
        "The object store is not reachable",
    ),
    cure=("Mount or repair what blobs_url names, and let the service's user write there.",),
)
MASTER_KEY_MISSING: Final = Entry(
    code="WHF1150",
    status=0,
    message="The master key {path} is missing, but the database holds keys that it sealed",
    meaning="The next start would make a new master key, which opens none of them.",
    causes=("A backup that was restored without master.key", "The file was deleted"),
    cure=("Put master.key back from the backup before the next start.",),
)
MASTER_KEY_WRONG: Final = Entry(
    code="WHF1151",
    status=0,
    message="The master key {path} does not open the signing keys: {error}",
    meaning="No token can be issued.",
    causes=(
        "A master key of another service",
        "A damaged file",
        "A database and a key of different backups",
    ),
    cure=("Put the master.key back that belongs to this database.",),
)
SIGNING_KEY_OVERDUE: Final = Entry(
    code="WHF1152",
    status=0,
    message="The newest signing key is {days} days old, although a new one is due every {due} days",
    meaning="Keys are renewed when tokens are issued; this one should have been.",
    causes=("No token was issued for long", "Workers that still run an older version"),
    cure=("Restart the service; if the key stays, look into its log.",),
)
FILE_MODE: Final = Entry(
    code="WHF1155",
    status=0,
    message="Others than its owner can get at {path} (mode {mode})",
    meaning="The file holds secrets of the service.",
    causes=(
        "It was copied without its mode",
        "A permissive umask or an archive that lost the modes",
    ),
    cure=("Run 'chmod {wanted} {path}'.",),
)
OPEN_FILES_LOW: Final = Entry(
    code="WHF1160",
    status=0,
    message="A process may open {limit} files; {wanted} are advisable",
    meaning="Each connection and each blob being served is an open file; beyond the limit clients are turned away.",
    causes=("The default limit of a shell or a service manager",),
    cure=("Raise the limit: LimitNOFILE in a systemd unit, --ulimit nofile for a container.",),
)
PORT_TAKEN: Final = Entry(
    code="WHF1165",
    status=0,
    message="Another program listens on {host}:{port}",
    meaning="The service cannot start there, or clients reach something else.",
    causes=("Another registry or web server", "A second service with the same port"),
    cure=("Stop the other program, or choose another port.",),
)
NOT_SERVED: Final = Entry(
    code="WHF1166",
    status=0,
    message="The service runs, but nothing answers on {host}:{port}",
    meaning="The data folder is in use by a service, and this port of it is silent.",
    causes=(
        "The running service has other settings than these",
        "It is starting or stopping",
        "A worker hangs",
    ),
    cure=(
        "Run the doctor with the settings of the service; restart the service if it stays silent.",
    ),
)
NOT_READY: Final = Entry(
    code="WHF1167",
    status=0,
    message="The service on {host}:{port} says that it is not ready: {parts}",
    meaning="Requests are answered with 503.",
    causes=("Database or blob store do not answer", "The service is stopping"),
    cure=("See the other findings about the part that is named.",),
)
HOST_UNRESOLVED: Final = Entry(
    code="WHF1168",
    status=0,
    message="The host {host} of {setting} has no address here",
    meaning="Challenges and locations send clients to this host.",
    causes=("A mistyped host", "The name is not in DNS yet", "It is known to clients only"),
    cure=("Add the name to DNS, or correct the setting {setting}.",),
)
JOB_FAILING: Final = Entry(
    code="WHF1170",
    status=0,
    message="The job {kind} {subject} has failed {attempts} times: {error}",
    meaning="Background work is tried again, later each time; what it should do is not done meanwhile.",
    causes=("A part that it needs does not answer", "A defect"),
    cure=("Mend what the error names; the job then goes on by itself.",),
)
JOBS_WAIT: Final = Entry(
    code="WHF1171",
    status=0,
    message="{count} jobs are due, the oldest for {seconds} seconds",
    meaning="Deletions, expiry and collection do not happen while nobody takes jobs.",
    causes=(
        "The service is stopped",
        "The jobs process hangs or keeps dying",
        "Very much work at once",
    ),
    cure=("Start the service, or look into the log of its jobs process.",),
)
LEASES_ENDED: Final = Entry(
    code="WHF1172",
    status=0,
    message="{count} jobs are held by processes that gave no sign of life, since {seconds} seconds at most",
    meaning="Whoever held them died; the next jobs process takes them over.",
    causes=("A process was killed", "The service is stopped"),
    cure=("Start the service; what stays held for long after that, report.",),
)
