"""The image itself: quota, manifest, first layer, and whether ``latest`` is the newest."""

import platform
from typing import Any, Final
from urllib.parse import urlsplit

from wharf.doctor.patient import Patient
from wharf.doctor.place import Place
from wharf.doctor.reference import LATEST
from wharf.doctor.service import refused, spoken
from wharf.text import Text
from wharfinger_common.catalogue import client_doctor as entries
from wharfinger_common.clients.transport import Answer
from wharfinger_common.digests import Digest
from wharfinger_common.findings import Finding

BYTES: Final = 65_536
"""So much of a layer is fetched: enough to see it flow, too little to cost traffic."""
ACCEPT: Final = ", ".join(
    (
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
        "application/vnd.docker.distribution.manifest.v2+json",
    )
)
_ARCHITECTURES: Final = {"x86_64": "amd64", "aarch64": "arm64"}


def quota(patient: Patient) -> Finding | None:
    """Look whether the account that owns the namespace, if it is ours, has something left."""
    if not patient.image or patient.reference.namespace not in patient.control.namespaces():
        return None
    told = patient.control.quotas()
    limit, usage = told["limit"], told["usage"]
    for kind, entry in (
        ("traffic_bytes", entries.TRAFFIC_USED_UP),
        ("storage_bytes", entries.STORAGE_USED_UP),
    ):
        if 0 <= limit[kind] <= usage[kind]:
            report = patient.fails if entry is entries.TRAFFIC_USED_UP else patient.warns
            return report(entry, used=usage[kind], limit=limit[kind])
    return patient.works(Text("The quotas of the account leave room"))


def manifest(patient: Patient) -> Finding | None:
    """Fetch the manifest, and of an index the one for this machine."""
    if not patient.image:
        return None
    came = _manifest(patient, patient.reference.target)
    told = spoken(came)
    if came.status != 200 or "schemaVersion" not in told:
        return _no_manifest(patient, came)
    if "manifests" in told:
        came = _manifest(patient, _for_this_machine(told["manifests"]))
        told = spoken(came)
    if came.status != 200:
        return _no_manifest(patient, came)
    patient.manifest = told
    count = len(told.get("layers", ()))
    return patient.works(Text("The manifest is there; it has {count} layers", count=count))


def layer(patient: Patient) -> Finding | None:
    """Fetch the first bytes of the first layer, where the registry says that it is."""
    layers = patient.manifest.get("layers")
    if not layers:
        return None
    digest, size = str(layers[0]["digest"]), int(layers[0]["size"])
    path = f"/v2/{patient.reference.repository}/blobs/{digest}"
    span = {"Range": f"bytes=0-{min(BYTES, max(1, size)) - 1}"}
    place, came = patient.registry, patient.ask(path, headers=span)
    if came.status in {302, 303, 307, 308}:
        place, path = _elsewhere(patient, came)
        came = patient.transport(place).look(path, headers=span)
    if came.status not in {200, 206}:
        return refused(patient, place, path.partition("?")[0], came)
    if not _fits(came.content, digest, size):
        return patient.fails(entries.LAYER_CHANGED, digest=digest, host=place.host)
    seen = Text("The first layer comes from {host}", host=place.named)
    return patient.works(seen)


def latest(patient: Patient) -> Finding | None:
    """Warn where the tag ``latest`` is older than the newest tag of the repository."""
    if not patient.image or patient.reference.digest:
        return None
    name = patient.reference.repository
    images = patient.control.call("GET", "/images", query={"repository": name})
    dated = [
        (int(image["Created"] or 0), full.rpartition(":")[2])
        for image in images
        for tags in image["DigestTags"].values()
        for full in tags
    ]
    mine = next((made for made, tag in dated if tag == LATEST), None)
    made, newest = max(dated, default=(0, ""))
    if mine is None or made <= mine:
        return None
    return patient.warns(entries.LATEST_OLD, repository=name, tag=newest)


def _manifest(patient: Patient, reference: str) -> Answer:
    path = f"/v2/{patient.reference.repository}/manifests/{reference}"
    return patient.ask(path, headers={"Accept": ACCEPT})


def _no_manifest(patient: Patient, came: Answer) -> Finding:
    path = f"/v2/{patient.reference.repository}/manifests/{patient.reference.target}"
    return refused(patient, patient.registry, path, came)


def _for_this_machine(listed: list[dict[str, Any]]) -> str:
    """Return the digest for this machine's platform, the first where none is for it."""
    machine = platform.machine()
    wanted = ("linux", _ARCHITECTURES.get(machine, machine))
    for each in listed:
        told = each.get("platform") or {}
        if (told.get("os"), told.get("architecture")) == wanted:
            return str(each["digest"])
    return str(listed[0]["digest"]) if listed else ""


def _elsewhere(patient: Patient, came: Answer) -> tuple[Place, str]:
    told = urlsplit(came.headers.get("location", ""))
    path = f"{told.path}?{told.query}" if told.query else told.path
    return (Place(f"{told.scheme}://{told.netloc}") if told.netloc else patient.registry), path


def _fits(content: bytes, digest: str, size: int) -> bool:
    """Tell whether bytes may be the beginning of a blob; a small one is compared by its digest."""
    if size > BYTES:
        return len(content) >= BYTES
    wanted = Digest.parse(digest)
    return Digest.of(content, wanted.algorithm) == wanted
