"""Images that the tests push, built on this machine without pulling one."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from tests.functional.clients.commands import run
from tests.support.tools import ensure

ARCHITECTURES = ("amd64", "arm64")


@dataclass(frozen=True)
class Image:
    """An image for one platform: as OCI layout and as an archive for ``docker load``."""

    architecture: str
    layout: Path
    archive: Path

    @property
    def oci(self) -> str:
        """Name of the layout for the containers tools."""
        return f"oci:{self.layout}:image"

    @property
    def loaded_name(self) -> str:
        """Name under which ``docker load`` files the archive."""
        return f"wharfinger.test/image:{self.architecture}"

    @property
    def digest(self) -> str:
        """Digest of the manifest in the layout."""
        index = json.loads((self.layout / "index.json").read_text())
        return str(index["manifests"][0]["digest"])


def build_image(folder: Path, architecture: str) -> Image:
    """Builds a small image from scratch: a static busybox and a file that names the platform."""
    folder.mkdir(parents=True)
    image = Image(architecture, folder / "layout", folder / "image.tar")
    marker = folder / "platform"
    marker.write_text(f"linux/{architecture}\n")
    buildah = Buildah(folder)
    container = buildah("from", "--arch", architecture, "scratch")
    buildah("copy", container, str(ensure("busybox")), "/bin/busybox")
    buildah("copy", container, str(marker), "/etc/platform")
    buildah("config", "--arch", architecture, "--os", "linux", container)
    buildah("config", "--cmd", "/bin/busybox cat /etc/platform", container)
    buildah("commit", "--format=oci", "--disable-compression=false", container, image.oci)
    buildah("rm", container)
    _archive(image, folder)
    return image


class Buildah:
    """Buildah with a storage of its own below a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.prefix = storage_options(ensure("buildah"), folder)

    def __call__(self, *arguments: str) -> str:
        command = [*self.prefix, *arguments]
        done = run(command, home=self.folder, variables={"BUILDAH_ISOLATION": "chroot"})
        return done.succeeded().output.strip().splitlines()[-1] if done.output.strip() else ""


def storage_options(command: Path, folder: Path, state: Path | None = None) -> list[str]:
    """A containers tool's command with its storage below a folder.

    ``state`` is where it keeps what does not outlive a boot; by default below the same folder.
    """
    runroot = state or folder / "state"
    return [
        str(command),
        "--storage-driver=vfs",
        f"--root={folder / 'storage'}",
        f"--runroot={runroot}",
    ]


def _archive(image: Image, folder: Path) -> None:
    target = f"docker-archive:{image.archive}:{image.loaded_name}"
    copy: list[str | Path] = [ensure("skopeo"), "copy", "--insecure-policy", image.oci, target]
    run(copy, home=folder).succeeded()
