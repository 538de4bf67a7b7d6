"""The S3 side of an upload: what may be sent where, and what has arrived.

Every permission given out is for one key, one length and a few minutes. The bytes go from the
browser to S3; none passes through here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from millrace.upload_rules import Part, normal_etag

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef

VALID_S = 900
"""How long a presigned target can be used. S3 checks when a request begins, so a slow sender only
has to have started by then; expired part URLs are simply asked for again."""


def presigned_post(
    s3: S3Client, bucket: str, key: str, content_type: str, size_bytes: int
) -> dict[str, Any]:
    """A form post of exactly this key, type and length: `{"url": …, "fields": {…}}`."""
    target = s3.generate_presigned_post(
        bucket,
        key,
        Fields={"Content-Type": content_type},
        Conditions=[
            {"Content-Type": content_type},
            ["content-length-range", size_bytes, size_bytes],
        ],
        ExpiresIn=VALID_S,
    )
    return {"url": target["url"], "fields": target["fields"]}


def start_multipart(s3: S3Client, bucket: str, key: str, content_type: str) -> str:
    """Open a multipart upload and return its id."""
    answer = s3.create_multipart_upload(Bucket=bucket, Key=key, ContentType=content_type)
    return answer["UploadId"]


def presigned_part(
    s3: S3Client, bucket: str, key: str, upload_id: str, part_number: int, length: int
) -> str:
    """A URL to PUT one part to. The length is signed: S3 refuses a shorter or longer one."""
    return s3.generate_presigned_url(
        "upload_part",
        Params={
            "Bucket": bucket,
            "Key": key,
            "UploadId": upload_id,
            "PartNumber": part_number,
            "ContentLength": length,
        },
        ExpiresIn=VALID_S,
    )


def stored_parts(s3: S3Client, bucket: str, key: str, upload_id: str) -> list[Part] | None:
    """The parts S3 holds, by number. None when the upload is no longer open."""
    try:
        return list(_stored_parts(s3, bucket, key, upload_id))
    except ClientError as error:
        if error_code(error) == "NoSuchUpload":
            return None
        raise


def complete_multipart(
    s3: S3Client, bucket: str, key: str, upload_id: str, parts: list[Part]
) -> str | None:
    """Put the parts together. None when done, else S3's error code: `NoSuchUpload` when the upload
    is not open any more, `InvalidPart` when a part was replaced since it was listed."""
    listed: list[CompletedPartTypeDef] = [
        {"PartNumber": part.part_number, "ETag": f'"{part.etag}"'} for part in parts
    ]
    try:
        s3.complete_multipart_upload(
            Bucket=bucket, Key=key, UploadId=upload_id, MultipartUpload={"Parts": listed}
        )
    except ClientError as error:
        code = error_code(error)
        if code in ("NoSuchUpload", "InvalidPart"):
            return code
        raise
    return None


def abort_multipart(s3: S3Client, bucket: str, key: str, upload_id: str) -> None:
    """Drop an upload and its parts; already gone is fine."""
    try:
        s3.abort_multipart_upload(Bucket=bucket, Key=key, UploadId=upload_id)
    except ClientError as error:
        if error_code(error) != "NoSuchUpload":
            raise


def object_bytes(s3: S3Client, bucket: str, key: str) -> int | None:
    """Length of an object, None if there is none."""
    try:
        return s3.head_object(Bucket=bucket, Key=key)["ContentLength"]
    except ClientError as error:
        # Without leave to list the bucket, S3 answers 403 for what is not there.
        if error_code(error) in ("404", "403", "NoSuchKey", "NotFound"):
            return None
        raise


def error_code(error: ClientError) -> str:
    """The code inside a botocore ClientError."""
    return str(error.response["Error"]["Code"])


def _stored_parts(s3: S3Client, bucket: str, key: str, upload_id: str) -> Iterator[Part]:
    pages = s3.get_paginator("list_parts").paginate(Bucket=bucket, Key=key, UploadId=upload_id)
    for page in pages:
        for part in page.get("Parts", []):
            yield Part(part["PartNumber"], normal_etag(part["ETag"]), part["Size"])
