/// What a file says about itself: titles, languages, which track plays, chapters.
#pragma once

#include "jobs/convert_track.h"

namespace millrace::jobs {

/// Titles and the like, without what describes the source's own container.
void copy_file_tags(const ConvertContext& context);
/// Language and title (if `job.metadata`) and which track plays by default, is forced, …
void copy_stream_tags(const ConvertContext& context, const AVStream& from, AVStream& to);
/// Chapters that lie in the range, cut at its ends.
void copy_chapters(const ConvertContext& context);

}  // namespace millrace::jobs
