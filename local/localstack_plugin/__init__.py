"""The only code that knows LocalStack's Lambda and SQS internals (written against 4.13).

`lambda_adapter` runs functions with `local.executor`, `queue_consumer` feeds them from queues,
`fifo` mends redelivery from FIFO queues.
"""
