"""DynamoDB without a download: moto keeps the table definitions, SQLite keeps the items.

`local.dynamodb.provider` is the only module here that knows LocalStack.
"""
