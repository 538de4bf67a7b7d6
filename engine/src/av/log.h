/// The libraries' logs on standard error, bounded.
#pragma once

namespace millrace::av {

/// To be called while there is one thread. Errors only, of libav at most a few hundred lines: a
/// hostile file must not fill a disk with complaints.
void install_log();

}  // namespace millrace::av
