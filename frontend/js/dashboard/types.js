/**
 * What the API sends an operator (docs/reference/openapi.json), as types for the checker. No code.
 * Times are ISO 8601, money is in US dollars.
 *
 * @typedef {"1h" | "6h" | "24h" | "7d" | "30d"} Range
 *
 * @typedef {object} Spread how long something took, of all it happened to
 * @property {number} count
 * @property {number | null} p50 seconds
 * @property {number | null} p95
 * @property {{ le: number | null, count: number }[]} buckets `le`: the longest that counts, in
 *   seconds; null: any
 *
 * @typedef {object} Window sums over the range
 * @property {number} uploaded
 * @property {number} completed
 * @property {number} failed
 * @property {number} retries
 * @property {number} dead_letters
 * @property {number} lost_workers
 * @property {number | null} videos_per_hour
 * @property {number | null} error_rate 0 to 1; null if none ended
 * @property {number} bytes_in
 * @property {number} bytes_out
 * @property {number} source_seconds
 * @property {number | null} cost_usd
 * @property {number | null} cost_usd_per_source_minute
 * @property {Spread} time_to_playable_s
 * @property {Spread} time_to_complete_s
 *
 * @typedef {object} QueueNow
 * @property {string} name
 * @property {number} waiting
 * @property {number} in_flight
 * @property {number | null} oldest_age_s
 * @property {number} dead_letters
 *
 * @typedef {(number | null)[]} Values null: not sampled
 *
 * @typedef {object} Series
 * @property {string[]} at the beginnings of the steps, oldest first; the last is still running
 * @property {Values} uploaded
 * @property {Values} completed
 * @property {Values} failed
 * @property {Values} retries
 * @property {Values} dead_letters
 * @property {Values} cost_usd
 * @property {Record<string, Values>} queue_depth
 * @property {Values} active videos queued or processing
 * @property {Values} queued those of them that wait for their turn
 *
 * @typedef {object} Stats
 * @property {string} at
 * @property {Range} range
 * @property {string} from
 * @property {number} step_s
 * @property {Record<string, number>} videos how many are in each state now
 * @property {Record<string, number>} tasks
 * @property {Window} window
 * @property {QueueNow[]} queues
 * @property {Series} series
 *
 * @typedef {object} Worker
 * @property {string} id
 * @property {string} function
 * @property {"working" | "idle" | "unresponsive"} status
 * @property {string | null} video_id
 * @property {string | null} task_id
 * @property {number | null} attempt
 * @property {number | null} percent
 * @property {number | null} cpu_percent 100 is one core
 * @property {number | null} memory_bytes
 * @property {string | null} started_at
 * @property {string} heartbeat_at
 * @property {number} heartbeat_age_s
 *
 * @typedef {{ at: string, workers: Worker[] }} Workers
 *
 * @typedef {"done" | "failed" | "retried" | "lost" | "cancelled" | "running"} Outcome
 *
 * @typedef {object} Span
 * @property {string} id
 * @property {string | null} parent_id
 * @property {string} name
 * @property {string} kind
 * @property {string | null} task_id
 * @property {number | null} attempt
 * @property {string | null} worker
 * @property {string} from
 * @property {string | null} to null: it goes on
 * @property {Outcome} outcome
 * @property {string | null} reason
 * @property {string | null} message
 * @property {Record<string, unknown>} [attributes]
 *
 * @typedef {object} Trace
 * @property {string} video_id
 * @property {string} trace_id
 * @property {string} title
 * @property {import("../types.js").Status} status
 * @property {string} from
 * @property {string | null} to
 * @property {Span[]} spans
 * @property {{ at: string, name: string }[]} marks
 *
 * @typedef {object} Attempt
 * @property {number} attempt
 * @property {string | null} worker
 * @property {string | null} started_at
 * @property {string} ended_at
 * @property {string} reason
 * @property {string} message
 * @property {boolean} counted false if it used up no retry
 *
 * @typedef {object} Letter a task that failed for good
 * @property {string} video_id
 * @property {string} title of the video; "" if it is gone
 * @property {string} task_id
 * @property {string} queue
 * @property {"failed" | "dead"} status
 * @property {string} failed_at
 * @property {{ code: string, message: string }} reason
 * @property {Attempt[]} attempts oldest first
 * @property {string} engine_log
 *
 * @typedef {{ dead_letters: Letter[], next_cursor: string | null }} LetterPage
 *
 * @typedef {{ video_id: string, task_id?: string } | { queue: string, cursor?: string } | { all: true, cursor?: string }} RedriveWish
 *
 * @typedef {{ redriven: string[], skipped: string[], next_cursor: string | null }} Redriven
 */

export {};
