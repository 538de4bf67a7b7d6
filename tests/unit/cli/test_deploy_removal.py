"""What `destroy` finds and removes, against moto's AWS."""

from __future__ import annotations

import json

import boto3
import pytest

from cdk.functions import FIRST_TOKEN
from cli import deploy_removal
from cli.deploy_removal import Found
from cli.deploy_sweep import STACK

BUCKETS = ("millrace-uploads-local", "millrace-site-local")


@pytest.fixture
def deployed(session: boto3.Session) -> boto3.Session:
    """A stack of one topic, and data beside it."""
    template = {"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}
    session.client("cloudformation").create_stack(
        StackName=STACK, TemplateBody=json.dumps(template)
    )
    s3 = session.client("s3")
    for bucket in (*BUCKETS, "somebody-elses"):
        s3.create_bucket(Bucket=bucket)
        s3.put_object(Bucket=bucket, Key="videos/1/master.m3u8", Body=b"x")
    s3.create_multipart_upload(Bucket=BUCKETS[0], Key="uploads/2")
    session.client("dynamodb").create_table(
        TableName="millrace",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    return session


def test_nothing_is_found_when_nothing_is_deployed(session: boto3.Session) -> None:
    found = deploy_removal.look(session, "local")
    assert found == Found(0, (), ())
    assert not found.anything


def test_stack_and_data_are_found_when_deployed(deployed: boto3.Session) -> None:
    assert deploy_removal.look(deployed, "local") == Found(1, BUCKETS, ("millrace",))


def test_data_stay_when_the_stack_alone_is_removed(deployed: boto3.Session) -> None:
    deploy_removal.remove_stack(deployed)
    assert deploy_removal.look(deployed, "local") == Found(0, BUCKETS, ("millrace",))
    listed = deployed.client("s3").list_objects_v2(Bucket=BUCKETS[1])
    assert listed["KeyCount"] == 1


def test_every_version_and_part_goes_when_data_are_removed(deployed: boto3.Session) -> None:
    s3 = deployed.client("s3")
    s3.put_bucket_versioning(Bucket=BUCKETS[1], VersioningConfiguration={"Status": "Enabled"})
    for body in (b"1", b"2"):
        s3.put_object(Bucket=BUCKETS[1], Key="again", Body=body)
    s3.delete_object(Bucket=BUCKETS[1], Key="again")
    ssm = deployed.client("ssm")
    for name in (FIRST_TOKEN, "/somebody/elses"):
        ssm.put_parameter(Name=name, Value="x", Type="SecureString")
    deploy_removal.remove_data(deployed, deploy_removal.look(deployed, "local"))
    assert [item["Name"] for item in ssm.describe_parameters()["Parameters"]] == ["/somebody/elses"]
    assert deploy_removal.look(deployed, "local") == Found(1, (), ())
    assert [item["Name"] for item in s3.list_buckets()["Buckets"]] == ["somebody-elses"]


def test_removal_can_be_repeated_when_it_was_cut_short(deployed: boto3.Session) -> None:
    found = deploy_removal.look(deployed, "local")
    deploy_removal.remove_data(deployed, Found(0, found.buckets[:1], ()))
    deploy_removal.remove_stack(deployed)
    deploy_removal.remove_stack(deployed)
    deploy_removal.remove_data(deployed, deploy_removal.look(deployed, "local"))
    assert not deploy_removal.look(deployed, "local").anything
