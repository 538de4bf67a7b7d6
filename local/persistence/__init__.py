"""LocalStack's state on disk, safe across kill -9 at any instant.

Tables keep themselves (`local.dynamodb`). Objects have their own store (`objects`). Everything else
is saved service by service shortly after it changed (`snapshots`). What is guaranteed is told in
docs/explanation/one-machine.md.
"""
