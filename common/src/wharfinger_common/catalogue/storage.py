"""What `wharfd fsck` finds in the database and the blob store (WHF1200 to WHF1229)."""

from typing import Final

from wharfinger_common.refusals import Entry

BYTES_MISSING: Final = Entry(
    code="WHF1201",
    status=0,
    message="The store does not have the bytes of the blob {digest} ({repositories})",
    meaning="The database knows the blob, but nothing lies where its bytes should. It cannot be pulled.",
    causes=(
        "A blob store that was restored without its newest files",
        "Files that were deleted behind the service's back",
    ),
    cure=(
        "Restore the file from a backup and check again, or run 'wharfd fsck --repair': the blob then "
        "counts as missing, and pushing an image that holds it stores it anew.",
    ),
)
BYTES_CUT: Final = Entry(
    code="WHF1202",
    status=0,
    message="The store has {stored} bytes of the blob {digest} instead of {size} ({repositories})",
    meaning="What lies there is not the blob, perhaps a file that was written half. It is not served.",
    causes=(
        "A disk that lost what it had acknowledged, in a power failure",
        "A copy of the store that was interrupted",
    ),
    cure=(
        "Restore the file from a backup and check again, or run 'wharfd fsck --repair': the blob then "
        "counts as missing, and pushing an image that holds it stores it anew.",
    ),
)
BYTES_CORRUPT: Final = Entry(
    code="WHF1203",
    status=0,
    message="The bytes of the blob {digest} hash to {actual} ({repositories})",
    meaning=(
        "The file has the right length but other content. Clients that pull the blob notice it and "
        "fail, for as long as it is served."
    ),
    causes=("A failing disk or memory", "Files that were changed behind the service's back"),
    cure=(
        "Run 'wharfd fsck --deep --repair': the blob is no longer served then, and pushing an image "
        "that holds it stores it anew. Have the disk checked.",
    ),
)
BYTES_UNREADABLE: Final = Entry(
    code="WHF1204",
    status=0,
    message="The bytes of the blob {digest} cannot be read: {error} ({repositories})",
    meaning="The store answers, but not for these bytes. The blob cannot be pulled.",
    causes=("A failing disk", "A file that the service's user may not read"),
    cure=(
        "Give the service's user access to the files, or have the disk checked; then check again. "
        "'wharfd fsck --repair' lets the blob count as missing, so that a push stores it anew.",
    ),
)
BLOB_FENCED: Final = Entry(
    code="WHF1205",
    status=0,
    message="The blob {digest} was found damaged and waits to be pushed again ({repositories})",
    meaning="It counts as missing until then: pulls of images that hold it fail with WHF0144.",
    causes=("An earlier check found its bytes missing, cut or changed",),
    cure=(
        "Push an image that holds it again, or restore its file and run 'wharfd fsck --repair', which "
        "reads it and serves it again if it is whole.",
    ),
)
BYTES_ORPHANED: Final = Entry(
    code="WHF1206",
    status=0,
    message="{size} bytes at {location} in the store belong to no blob",
    meaning="They take room and nothing can reach them. Pushes that still run are not meant.",
    causes=(
        "A process that died between storing bytes and writing them down",
        "A database that was restored from before these bytes were pushed",
    ),
    cure=(
        "There is nothing to do: the sweep of the store removes them. 'wharfd fsck --repair' has them "
        "removed sooner. If the database is to be restored from a newer backup, do that first.",
    ),
)
UPLOAD_ORPHANED: Final = Entry(
    code="WHF1207",
    status=0,
    message="What was written of the upload {upload} belongs to no session",
    meaning="It takes room and nobody can go on with it.",
    causes=("A process or machine that died in the middle of an upload",),
    cure=(
        "There is nothing to do: it is removed after the time that upload sessions are kept. "
        "'wharfd fsck --repair' removes it now.",
    ),
)
MANIFEST_CORRUPT: Final = Entry(
    code="WHF1208",
    status=0,
    message="The manifest {digest} in {repository} hashes to {actual}",
    meaning="What the database holds is not what was pushed. Clients that pull it notice it and fail.",
    causes=("A failing disk or memory", "A database that was changed behind the service's back"),
    cure=(
        "Run 'wharfd fsck --repair': the manifest is taken from another repository that has it whole, "
        "or no longer served until somebody pushes it again. Have the disk checked.",
    ),
)
MANIFEST_FENCED: Final = Entry(
    code="WHF1209",
    status=0,
    message="The manifest {digest} in {repository} was found damaged and waits to be pushed again",
    meaning="It counts as missing until then: pulls of it fail with WHF0115.",
    causes=("An earlier check found that it is not what was pushed",),
    cure=("Push the image again.",),
)
CHILD_MISSING: Final = Entry(
    code="WHF1210",
    status=0,
    message="The manifest {digest} in {repository} needs {child}, which the repository does not have",
    meaning="The image cannot be pulled whole.",
    causes=(
        "A database that was restored in part, or changed behind the service's back",
        "A defect of the service",
    ),
    cure=(
        "Run 'wharfd fsck --repair': a blob that the service still has is shown in the repository "
        "again, a manifest is copied from another repository of the account. Otherwise push the "
        "image again.",
    ),
)
REFERENCES_WRONG: Final = Entry(
    code="WHF1211",
    status=0,
    message="What is written down of what the manifest {digest} in {repository} needs is wrong",
    meaning=(
        "By these rows the service knows which blobs to keep. With rows missing, blobs that the image "
        "needs would be collected; with rows too many, garbage is kept."
    ),
    causes=("A database that was changed behind the service's back", "A defect of the service"),
    cure=("Run 'wharfd fsck --repair': the rows are written anew from the manifest.",),
)
REFERENCES_STRAY: Final = Entry(
    code="WHF1212",
    status=0,
    message="Needs are written down of a manifest {digest} that {repository} does not have",
    meaning="They keep blobs that nothing needs from being collected.",
    causes=("A database that was changed behind the service's back", "A defect of the service"),
    cure=("Run 'wharfd fsck --repair': these rows are removed.",),
)
TAG_DANGLING: Final = Entry(
    code="WHF1213",
    status=0,
    message="The tag {tag} in {repository} leads to {digest}, which the repository does not have",
    meaning="It is listed, but cannot be pulled.",
    causes=("A database that was changed behind the service's back", "A defect of the service"),
    cure=(
        "Push the image under this tag again, or run 'wharfd fsck --repair', which removes the tag.",
    ),
)
TRASH_CORRUPT: Final = Entry(
    code="WHF1214",
    status=0,
    message="The deleted image {digest} of {repository} has other bytes in the trash",
    meaning="Restoring it would not bring back what was deleted.",
    causes=("A database that was changed behind the service's back", "A failing disk"),
    cure=("Push the image again if it is needed; the trash lets go of it in time.",),
)
TRASH_PART_GONE: Final = Entry(
    code="WHF1215",
    status=0,
    message="The deleted image {digest} of {repository} needs {child}, which is damaged or gone",
    meaning="It stands in the trash, but cannot be restored whole.",
    causes=(
        "A blob that was lost or fenced since the image was deleted",
        "A database that was restored in part, or changed behind the service's back",
    ),
    cure=(
        "Push the image again if it is needed, or what it lacks: then it can be restored. "
        "Otherwise the trash lets go of it in time.",
    ),
)
