from __future__ import annotations

from pathlib import Path

import pytest

from millrace.errors import RetryableError
from millrace.storage import Bucket
from tests.unit.core.harness import SITE, Cloud


@pytest.fixture
def bucket(cloud: Cloud) -> Bucket:
    return Bucket(cloud.s3, SITE)


def test_every_version_and_marker_is_removed_when_the_bucket_keeps_versions(
    cloud: Cloud, bucket: Bucket
) -> None:
    cloud.s3.put_bucket_versioning(Bucket=SITE, VersioningConfiguration={"Status": "Enabled"})
    for content in (b"1", b"2"):
        cloud.s3.put_object(Bucket=SITE, Key="videos/a/x", Body=content)
    cloud.s3.delete_object(Bucket=SITE, Key="videos/a/x")
    cloud.s3.put_object(Bucket=SITE, Key="videos/ab/x", Body=b"a neighbour")
    assert bucket.delete_prefix("videos/a/") == 3
    left = cloud.s3.list_object_versions(Bucket=SITE)
    assert [version["Key"] for version in left["Versions"]] == ["videos/ab/x"]
    assert "DeleteMarkers" not in left


def test_every_page_is_removed_when_there_are_more_than_a_thousand(
    cloud: Cloud, bucket: Bucket
) -> None:
    for number in range(1005):
        cloud.s3.put_object(Bucket=SITE, Key=f"videos/a/{number:05d}", Body=b"")
    assert len(list(bucket.objects("videos/a/"))) == 1005
    assert bucket.delete_prefix("videos/a/") == 1005
    assert bucket.delete_prefix("videos/a/") == 0


def test_one_object_is_removed_when_another_key_begins_alike(cloud: Cloud, bucket: Bucket) -> None:
    for key in ("x/film.mp4", "x/film.mp4.part"):
        cloud.s3.put_object(Bucket=SITE, Key=key, Body=b"")
    assert bucket.delete_key("x/film.mp4") == 1
    assert [found.key for found in bucket.objects("x/")] == ["x/film.mp4.part"]


@pytest.mark.parametrize("prefix", ["", "videos", "videos/abc"])
def test_prefix_is_refused_when_it_could_cover_a_neighbour(bucket: Bucket, prefix: str) -> None:
    with pytest.raises(ValueError, match="slash"):
        bucket.delete_prefix(prefix)


def test_head_is_none_when_nothing_is_stored(bucket: Bucket) -> None:
    assert bucket.head("videos/none") is None


def test_file_is_refused_when_its_type_is_unknown(bucket: Bucket, tmp_path: Path) -> None:
    with pytest.raises(KeyError):
        bucket.put_bytes("videos/a/x.exe", b"", "no-cache")
    with pytest.raises(RetryableError):
        bucket.put_file("videos/a/x.m4s", tmp_path / "gone.m4s")


def test_uploads_are_aborted_when_they_are_below_the_prefix(cloud: Cloud, bucket: Bucket) -> None:
    for key in ("uploads/a/source", "uploads/b/source"):
        cloud.s3.create_multipart_upload(Bucket=SITE, Key=key)
    assert bucket.abort_multipart_uploads("uploads/a/") == 1
    left = cloud.s3.list_multipart_uploads(Bucket=SITE)["Uploads"]
    assert [upload["Key"] for upload in left] == ["uploads/b/source"]
