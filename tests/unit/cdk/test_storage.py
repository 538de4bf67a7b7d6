"""Buckets and table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from millrace import keys
from millrace.model import Item
from tests.unit.cdk.support import Synthesis


def _bucket(template: Synthesis, name: str) -> dict[str, Any]:
    found = template.resources("AWS::S3::Bucket")
    return next(item for key, item in found.items() if template.name_of(key) == name)


def _allowed(template: Synthesis) -> list[dict[str, Any]]:
    policies = template.resources("AWS::S3::BucketPolicy").values()
    statements = [item["Properties"]["PolicyDocument"]["Statement"] for item in policies]
    return [item for found in statements for item in found if item["Effect"] == "Allow"]


def test_no_bucket_is_public_when_cloudfront_serves_it(template: Synthesis) -> None:
    for name in ("uploads", "site"):
        bucket = _bucket(template, name)["Properties"]
        assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    (statement,) = _allowed(template)
    assert statement["Principal"] == {"Service": "cloudfront.amazonaws.com"}
    assert {template.readable(item) for item in statement["Resource"]} == {"site", "site/*"}
    (condition,) = statement["Condition"]["StringEquals"].items()
    assert condition[0] == "AWS:SourceArn"
    (distribution,) = template.resources("AWS::CloudFront::Distribution")
    assert template.readable(condition[1]).endswith(f":distribution/{distribution}")


def test_site_alone_is_public_when_it_is_served_directly(direct: Synthesis) -> None:
    bucket = _bucket(direct, "uploads")["Properties"]
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    (statement,) = _allowed(direct)
    assert direct.readable(statement["Resource"]) == "site/*"
    assert statement["Action"] == "s3:GetObject"
    assert not direct.resources("AWS::CloudFront::Distribution")


def test_buckets_are_encrypted_and_refuse_plain_http_when_synthesised(template: Synthesis) -> None:
    denied = set()
    for policy in template.resources("AWS::S3::BucketPolicy").values():
        statements = policy["Properties"]["PolicyDocument"]["Statement"]
        if any(
            item["Effect"] == "Deny"
            and item["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
            for item in statements
        ):
            denied.add(template.readable(policy["Properties"]["Bucket"]))
    assert denied == {"uploads", "site"}
    for name in denied:
        (rule,) = _bucket(template, name)["Properties"]["BucketEncryption"][
            "ServerSideEncryptionConfiguration"
        ]
        assert rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"


def test_browser_may_upload_parts_from_the_site_only_when_it_asks(template: Synthesis) -> None:
    (rule,) = _bucket(template, "uploads")["Properties"]["CorsConfiguration"]["CorsRules"]
    assert rule["AllowedMethods"] == ["GET", "PUT", "POST"]
    assert rule["ExposedHeaders"] == ["ETag"]
    (origin,) = rule["AllowedOrigins"]
    (distribution,) = template.resources("AWS::CloudFront::Distribution")
    assert template.readable(origin) == f"https://{distribution}"


def test_uploads_come_from_the_bucket_when_it_is_the_site(direct: Synthesis) -> None:
    (rule,) = _bucket(direct, "uploads")["Properties"]["CorsConfiguration"]["CorsRules"]
    assert [direct.readable(origin) for origin in rule["AllowedOrigins"]] == ["https://site"]


def test_old_sources_go_when_the_deployment_says_after_how_long(direct: Synthesis) -> None:
    rules = _bucket(direct, "uploads")["Properties"]["LifecycleConfiguration"]["Rules"]
    (rule,) = [rule for rule in rules if "ExpirationInDays" in rule]
    assert (rule["ExpirationInDays"], rule["Prefix"]) == (30, keys.UPLOAD_PREFIX)


def test_any_page_may_play_ranges_when_it_asks(template: Synthesis) -> None:
    (rule,) = _bucket(template, "site")["Properties"]["CorsConfiguration"]["CorsRules"]
    assert rule["AllowedMethods"] == ["GET", "HEAD"]
    assert rule["AllowedHeaders"] == ["Range"]
    assert rule["AllowedOrigins"] == ["*"]
    assert "Content-Range" in rule["ExposedHeaders"]


def test_abandoned_uploads_are_removed_when_a_week_has_passed(template: Synthesis) -> None:
    (rule,) = _bucket(template, "uploads")["Properties"]["LifecycleConfiguration"]["Rules"]
    assert rule["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 7}
    assert rule["Status"] == "Enabled"


def test_only_uploads_start_the_pipeline_when_objects_are_created(template: Synthesis) -> None:
    bucket = _bucket(template, "uploads")
    (target,) = bucket["Properties"]["NotificationConfiguration"]["QueueConfigurations"]
    assert target["Event"] == "s3:ObjectCreated:*"
    assert template.readable(target["Queue"]) == "millrace-ingest"
    assert target["Filter"]["S3Key"]["Rules"] == [{"Name": "prefix", "Value": keys.UPLOAD_PREFIX}]
    # S3 checks its permission when the bucket is made.
    assert any(name.startswith("QueuesIngestPolicy") for name in bucket["DependsOn"])


def test_data_is_kept_when_the_stack_is_deleted(template: Synthesis) -> None:
    for kind in ("AWS::S3::Bucket", "AWS::DynamoDB::Table"):
        for item in template.resources(kind).values():
            assert item["DeletionPolicy"] == "RetainExceptOnCreate"
            assert item["UpdateReplacePolicy"] == "Retain"


def test_table_has_the_models_keys_and_indexes_when_synthesised(template: Synthesis) -> None:
    (table,) = template.named("AWS::DynamoDB::Table", "TableName").values()
    Item.Meta.table_name = Item.Meta.table_name or "millrace"
    schema = Item._get_schema()
    assert _keys(table) == _keys(_capitalised(schema))
    found = {index["IndexName"]: index for index in table["GlobalSecondaryIndexes"]}
    modelled = {
        index["index_name"]: _capitalised(index) for index in schema["global_secondary_indexes"]
    }
    assert set(found) == set(modelled)
    for name, index in found.items():
        assert _keys(index) == _keys(modelled[name]), name
        assert index["Projection"] == modelled[name]["Projection"], name


def _keys(item: dict[str, Any]) -> dict[str, str]:
    return {key["KeyType"]: key["AttributeName"] for key in item["KeySchema"]}


def _capitalised(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"KeySchema": schema["key_schema"], "Projection": schema.get("projection")}


def test_table_expires_tokens_and_can_go_back_in_time_when_synthesised(
    template: Synthesis,
) -> None:
    (table,) = template.named("AWS::DynamoDB::Table", "TableName").values()
    assert table["TimeToLiveSpecification"] == {"AttributeName": "ttl", "Enabled": True}
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert table["BillingMode"] == "PAY_PER_REQUEST"
