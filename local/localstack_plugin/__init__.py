"""The only code that knows LocalStack's Lambda internals (written against 4.13).

`lambda_adapter` runs functions with `local.executor`, `queue_consumer` feeds them from queues.
"""
