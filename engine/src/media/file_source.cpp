#include "media/file_source.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace millrace::media {

namespace {
std::string system_text() {
  return std::generic_category().message(errno);
}
}  // namespace

FileSource::FileSource(const Source& source, const StopToken& stop)
    : stop_(stop), max_bytes_read_(source.limits.max_bytes_read) {
  descriptor_ = ::open(source.location.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (descriptor_ < 0) {
    const bool missing = errno == ENOENT || errno == ENOTDIR;
    throw EngineError(missing ? Reason::SourceMissing : Reason::SourceUnreadable,
                      "The source cannot be opened: " + system_text() + ".");
  }
  struct stat facts {};
  const bool regular = ::fstat(descriptor_, &facts) == 0 && S_ISREG(facts.st_mode);
  if (!regular) {
    ::close(descriptor_);
    throw EngineError(Reason::SourceUnreadable, "The source is not a regular file.");
  }
  size_ = facts.st_size;
}

FileSource::~FileSource() {
  ::close(descriptor_);
}

size_t FileSource::read_at(int64_t offset, std::span<uint8_t> into) {
  stop_.check();
  for (;;) {
    const ssize_t got = ::pread(descriptor_, into.data(), into.size(), offset);
    if (got >= 0) {
      check_bytes_read(bytes_read_ += got, max_bytes_read_);
      return static_cast<size_t>(got);
    }
    if (errno != EINTR) {
      throw EngineError(Reason::SourceUnreadable, "Reading the source failed: " + system_text());
    }
  }
}

void check_bytes_read(int64_t bytes_read, int64_t limit) {
  if (limit > 0 && bytes_read > limit) {
    throw EngineError(Reason::LimitExceeded, "More than " + std::to_string(limit) +
                                                 " bytes of the source would have to be read.");
  }
}

}  // namespace millrace::media
