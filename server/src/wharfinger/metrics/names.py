"""Every metric of the service; ``docs/reference/metrics.md`` is made from this."""

from typing import Final

from wharfinger.metrics.model import Kind, Metric

_QUICK: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0)
_LONG: Final = (0.01, 0.1, 1.0, 10.0, 60.0, 600.0, 3600.0)

_ROUTE: Final = (
    "route",
    "template of the path, such as `/v2/{name}/blobs/{digest}`; `other` for what is not served",
)
_METHOD: Final = ("method", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS, or `other`")
_SURFACE: Final = (
    "surface",
    "`registry`, `token`, `identity`, `control`, `health`, `metrics` or `other`",
)
_PROCESS: Final = ("process", "`http-0` to the number of workers less one, `jobs`")
_KIND: Final = ("kind", "kind of background work, as `wharfd jobs` names it")
_TASK: Final = (
    "task",
    "`links` (of repositories to blobs), `blobs`, `bytes`, `orphans` (bytes that no row names)",
)
_DURABLE: Final = (
    "durable",
    "`yes` where a commit waits for the disk, `no` for state whose loss costs a retry",
)
_OPERATION: Final = ("operation", "what was asked of the store, such as `commit` or `open`")

HTTP_REQUESTS: Final = Metric(
    "wharfinger_http_requests",
    Kind.COUNTER,
    "Requests answered",
    (
        _SURFACE,
        _ROUTE,
        _METHOD,
        ("status", "class of the status: `2xx` to `5xx`; `gone` where the client left first"),
    ),
)
HTTP_SECONDS: Final = Metric(
    "wharfinger_http_request_seconds",
    Kind.HISTOGRAM,
    "Seconds from the head of a request to the end of its answer",
    (_SURFACE, _ROUTE, _METHOD),
    _QUICK,
)
HTTP_RECEIVED: Final = Metric(
    "wharfinger_http_received_bytes", Kind.COUNTER, "Bytes of request bodies taken", (_ROUTE,)
)
HTTP_SENT: Final = Metric(
    "wharfinger_http_sent_bytes", Kind.COUNTER, "Bytes of answers' bodies sent", (_ROUTE,)
)
HTTP_MALFORMED: Final = Metric(
    "wharfinger_http_malformed",
    Kind.COUNTER,
    "Requests refused before they were one: they are in no other figure",
    (("status", "400, 408, 414 or 431"),),
)
HTTP_CONNECTIONS: Final = Metric(
    "wharfinger_http_connections", Kind.GAUGE, "Connections open now", (_PROCESS,)
)
HTTP_UNDER_WAY: Final = Metric(
    "wharfinger_http_requests_under_way", Kind.GAUGE, "Requests being answered now", (_PROCESS,)
)
THREADS_BUSY: Final = Metric(
    "wharfinger_threads_busy",
    Kind.GAUGE,
    "Calls in, or waiting for, the threads that services run in",
    (_PROCESS,),
)
REFUSALS: Final = Metric(
    "wharfinger_refusals",
    Kind.COUNTER,
    "Answers that said no, by their cause",
    (("code", "code of the [catalogue](errors.md)"),),
)
TOKENS_ISSUED: Final = Metric(
    "wharfinger_tokens_issued",
    Kind.COUNTER,
    "Tokens issued",
    (("type", "`iam`, `refresh` or `registry`"),),
)
STORE_SECONDS: Final = Metric(
    "wharfinger_blob_store_seconds",
    Kind.HISTOGRAM,
    "Seconds that calls of the blob store took",
    (_OPERATION,),
    _QUICK,
)
STORE_ERRORS: Final = Metric(
    "wharfinger_blob_store_errors",
    Kind.COUNTER,
    "Calls of the blob store that failed",
    (
        _OPERATION,
        (
            "error",
            "`full`, `unavailable`, `missing` (a blob that has a row and no bytes) or `other`",
        ),
    ),
)
DATABASE_COMMITS: Final = Metric(
    "wharfinger_database_commits", Kind.COUNTER, "Times that commits were made to last", (_DURABLE,)
)
DATABASE_UNITS: Final = Metric(
    "wharfinger_database_units",
    Kind.COUNTER,
    "Units of work committed; several may be brought to the disk at once",
    (_DURABLE,),
)
DATABASE_SECONDS: Final = Metric(
    "wharfinger_database_commit_seconds",
    Kind.HISTOGRAM,
    "Seconds that it took to make commits last",
    (_DURABLE,),
    _QUICK,
)
DATABASE_ERRORS: Final = Metric(
    "wharfinger_database_errors",
    Kind.COUNTER,
    "Units of work that the database failed",
    (("error", "`full` or `unavailable`"),),
)
DATABASE_CONNECTIONS: Final = Metric(
    "wharfinger_database_connections_in_use",
    Kind.GAUGE,
    "Connections to the database that are in use now",
    (_PROCESS,),
)
JOBS: Final = Metric(
    "wharfinger_jobs",
    Kind.COUNTER,
    "Pieces of background work that a process let go of",
    (_KIND, ("outcome", "`done`, `again` (to be run again later), `failed`, `lost` or `stopped`")),
)
JOB_SECONDS: Final = Metric(
    "wharfinger_job_seconds", Kind.HISTOGRAM, "Seconds that background work took", (_KIND,), _LONG
)
JOBS_WAITING: Final = Metric(
    "wharfinger_jobs_waiting", Kind.GAUGE, "Background work that is due and not begun", (_KIND,)
)
JOBS_RUNNING: Final = Metric(
    "wharfinger_jobs_running", Kind.GAUGE, "Background work under way, on any node", (_KIND,)
)
JOBS_OLDEST: Final = Metric(
    "wharfinger_jobs_oldest_seconds",
    Kind.GAUGE,
    "Seconds that the oldest piece of due work has waited",
    (_KIND,),
)
JOBS_FAILING: Final = Metric(
    "wharfinger_jobs_failing", Kind.GAUGE, "Background work whose last attempt failed", (_KIND,)
)
COLLECTED: Final = Metric(
    "wharfinger_collection_removed",
    Kind.COUNTER,
    "Things that collection removed",
    (_TASK,),
)
COLLECTED_BYTES: Final = Metric(
    "wharfinger_collection_removed_bytes",
    Kind.COUNTER,
    "Bytes of what collection removed; they leave the store with the task `bytes`",
    (_TASK,),
)
COLLECTION_EXAMINED: Final = Metric(
    "wharfinger_collection_examined", Kind.COUNTER, "Things that collection looked at", (_TASK,)
)
COLLECTION_PASSES: Final = Metric(
    "wharfinger_collection_passes",
    Kind.COUNTER,
    "Passes over everything stored that ended",
    (_TASK,),
)
COLLECTION_ENDED: Final = Metric(
    "wharfinger_collection_ended_timestamp_seconds",
    Kind.GAUGE,
    "When a pass that this node ran last ended, in Unix seconds",
    (_TASK,),
)
COLLECTION_ERRORS: Final = Metric(
    "wharfinger_collection_errors",
    Kind.COUNTER,
    "Bytes that could not be deleted; they are tried again",
)
BLOBS_DAMAGED: Final = Metric(
    "wharfinger_blobs_damaged",
    Kind.COUNTER,
    "Blobs that were fenced because their bytes were not what was pushed",
    (("by", "`read` of a client, or `scrub`"),),
)
SCRUBBED: Final = Metric("wharfinger_scrub_blobs", Kind.COUNTER, "Blobs that the scrub looked at")
SCRUBBED_BYTES: Final = Metric(
    "wharfinger_scrub_bytes", Kind.COUNTER, "Bytes of the blobs that the scrub looked at"
)
SCRUB_ENDED: Final = Metric(
    "wharfinger_scrub_ended_timestamp_seconds",
    Kind.GAUGE,
    "When the last scrub that this node finished ended, in Unix seconds",
)
UPLOADS_OPEN: Final = Metric(
    "wharfinger_uploads_open", Kind.GAUGE, "Upload sessions that are neither finished nor expired"
)
PROCESS_STARTS: Final = Metric(
    "wharfinger_process_starts",
    Kind.COUNTER,
    "Times that the process was started since the service was: more than one means that it died",
    (_PROCESS,),
)
PROCESS_MEMORY: Final = Metric(
    "wharfinger_process_resident_bytes",
    Kind.GAUGE,
    "Memory that the process has, in bytes",
    (_PROCESS,),
)
PROCESS_CPU: Final = Metric(
    "wharfinger_process_cpu_seconds", Kind.COUNTER, "Seconds of processor time used", (_PROCESS,)
)
PROCESS_FILES: Final = Metric(
    "wharfinger_process_open_files", Kind.GAUGE, "Files and sockets that are open", (_PROCESS,)
)
INFO: Final = Metric(
    "wharfinger_info", Kind.GAUGE, "Always 1", (("version", "version of the service"),)
)

ALL: Final = tuple(value for value in tuple(globals().values()) if isinstance(value, Metric))
