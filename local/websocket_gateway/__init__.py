"""API Gateway's WebSocket API on one machine: `$connect`, messages and `$disconnect` become Lambda
invocations; functions answer through `@connections`. LocalStack's open version has none.

`template` reads what is deployed, `gateway` is the server, `launcher` runs it as a process.
"""
