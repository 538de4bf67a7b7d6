/// libav's log on standard error, bounded.
#pragma once

namespace millrace::av {

/// Errors only, at most a few hundred lines: a hostile file must not fill a disk with complaints.
void install_log();

}  // namespace millrace::av
