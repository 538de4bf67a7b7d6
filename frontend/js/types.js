/**
 * What the API sends (docs/reference/openapi.json), as types for the checker. No code.
 *
 * @typedef {"awaiting_upload" | "queued" | "processing" | "completed" | "failed" | "cancelled" | "deleting"} Status
 *
 * @typedef {object} Rendition
 * @property {string} name e.g. "720p"
 * @property {number} width
 * @property {number} height
 * @property {string} [codecs] RFC 6381
 * @property {number} [maxrate_bps]
 *
 * @typedef {object} VideoStream
 * @property {string} codec
 * @property {number} [width]
 * @property {number} [height]
 * @property {{ num: number, den: number }} [frame_rate]
 *
 * @typedef {object} MediaInfo what the probe found in the source
 * @property {{ container?: string, duration_s?: number, bytes?: number, bitrate_bps?: number }} [format]
 * @property {VideoStream[]} [video]
 * @property {{ codec: string, channels?: number, language?: string }[]} [audio]
 *
 * @typedef {object} Video
 * @property {string} id
 * @property {string} title
 * @property {Status} status
 * @property {number | null} [percent] 0 to 100
 * @property {boolean} [playable] true as soon as the first part of it can be watched
 * @property {string | null} [created_at] ISO 8601
 * @property {number | null} [duration_s]
 * @property {number | null} [width] of the source, as displayed
 * @property {number | null} [height]
 * @property {string | null} [poster_url]
 * @property {string | null} [storyboard_url] WebVTT of small pictures
 * @property {string | null} [hls_url]
 * @property {string | null} [dash_url] once it is completed
 * @property {Rendition[]} [renditions]
 * @property {{ code: string, message: string } | null} [reason]
 * @property {MediaInfo | null} [media]
 *
 * @typedef {Pick<Video, "id" | "status" | "percent" | "playable" | "reason">} Progress
 *
 * @typedef {{ name: string, roles: string[], expires_at: string | null }} TokenInfo
 *
 * @typedef {"newest" | "oldest" | "title" | "longest" | "shortest"} Sort
 *
 * @typedef {object} VideoPage
 * @property {Video[]} videos in the order asked for
 * @property {string | null} next_cursor
 *
 * @typedef {{ method: "post", url: string, fields: Record<string, string> }} PostTarget
 * @typedef {{ method: "multipart", part_size_bytes: number, part_count: number }} MultipartTarget
 *
 * @typedef {object} UploadTicket
 * @property {string} video_id
 * @property {string} [expires_at]
 * @property {PostTarget | MultipartTarget} upload
 *
 * @typedef {{ part_number: number, url: string }} PartUrl
 * @typedef {{ part_number: number, etag: string, size_bytes?: number }} StoredPart
 * @typedef {{ part_size_bytes: number, part_count: number, parts: StoredPart[] }} StoredParts
 *
 * @typedef {{ name: string, short_side: number, maxrate_bps: number, codec: string }} Rung
 * @typedef {{ name: string, per_title: boolean, rungs: Rung[] }} LadderChoice
 *
 * @typedef {object} SettingChoices
 * @property {LadderChoice[]} ladders
 * @property {string[]} rate_controls
 * @property {{ least: number, most: number, usual: number }} segment_s
 * @property {string[]} priorities
 * @property {string[]} presets
 * @property {string[]} containers
 *
 * @typedef {object} UploadRules what may be uploaded
 * @property {number} max_bytes
 * @property {number} multipart_above_bytes
 * @property {{ extension: string, content_types: string[] }[]} types
 * @property {SettingChoices} settings
 *
 * @typedef {object} VideoSettings how a video is to be made; what is absent is left to the API
 * @property {string} [ladder]
 * @property {string} [rate_control]
 * @property {number} [segment_s]
 * @property {string} [priority]
 * @property {string} [preset]
 * @property {string} [container]
 * @property {boolean} [keep_surround]
 * @property {{ storyboard: boolean }} [thumbnails]
 */

export {};
