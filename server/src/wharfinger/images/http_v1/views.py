"""What the routes of images take and answer, for their description and the reading of bodies."""

from typing import Annotated, Any

from pydantic import BaseModel, Field

from wharfinger.images.http_v1.bodies import Body
from wharfinger.images.http_v1.names import REPOSITORY


class ImageView(BaseModel):
    """An image with its tags in one repository; ``Vulnerable`` only if it is asked for."""

    Id: str = Field(description="digest of the config; of what has none, of the manifest")
    ParentId: str
    DigestTags: dict[str, list[str]] = Field(description="full names of the tags, by digest")
    RepoTags: list[str] = Field(description="full names of the tags")
    RepoDigests: list[str] = Field(description="full names by digest")
    Created: int = Field(description="Unix seconds; 0 for images without a date")
    Size: int = Field(description="bytes of the compressed layers; of an index, its own")
    VirtualSize: int
    Labels: dict[str, str]
    ManifestType: str
    Vulnerable: str | None = Field(None, description="true, false, unscanned or unsupported")


class AssessmentView(BaseModel):
    """What is known of a tag's vulnerabilities; empty if that is not asked for."""

    vulnerable: str | None = Field(None, description="true, false, unscanned or unsupported")


class DigestView(BaseModel):
    """A manifest, with the tags that lead to it."""

    id: str = Field(description="digest of the manifest")
    created: int = Field(description="Unix seconds; 0 for what has no date")
    manifestType: str  # noqa: N815 - the field's name in the control API
    size: int = Field(description="bytes of the compressed layers; of an index, its own")
    repoTags: dict[str, dict[str, AssessmentView]] = Field(  # noqa: N815 - as above
        description="by full repository name, then by tag"
    )


class DigestFilter(Body):
    """Which manifests to list."""

    exclude_tagged: bool = Field(False, description="only those that no tag leads to")
    exclude_va: bool = Field(False, description="leave out what is known of vulnerabilities")
    include_ibm: bool = Field(False, description="also those of the region of public images")
    repositories: list[Annotated[str, Field(json_schema_extra=REPOSITORY)]] = Field(
        default=[], max_length=1000, description="only of these; all, if empty"
    )


class Untagged(BaseModel):
    """What was taken away."""

    Untagged: str = Field(description="id of the image, or full name of the tag")


class PartView(BaseModel):
    """Why one of several images was not deleted."""

    code: str
    message: str


class BulkDeletion(BaseModel):
    """What became of each reference; the keys are the texts of the request."""

    success: list[str]
    error: dict[str, PartView]


class Inspection(BaseModel):
    """An image in docker's words."""

    Id: str
    Parent: str
    Comment: str
    Created: str = Field(description="RFC 3339, as the config has it")
    Container: str
    ContainerConfig: dict[str, Any]
    DockerVersion: str
    Author: str
    Config: dict[str, Any]
    Architecture: str
    Os: str
    OsVersion: str
    Size: int
    VirtualSize: int
    RootFS: dict[str, Any]
    ManifestType: str = Field(description="media type of the manifest")
