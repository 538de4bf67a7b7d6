#include <array>
#include <cstdio>

#include "jobs/report.h"
#include "media/output_folder.h"
#include "media/still.h"
#include "millrace/engine.h"

namespace millrace {

namespace {
std::string file_name(size_t index) {
  std::array<char, 32> name{};
  std::snprintf(name.data(), name.size(), "%02zu.png", index);
  return name.data();
}
}  // namespace

void thumbnail(const ThumbnailOptions& options, const EventSink& events, const StopToken& stop) {
  jobs::Report report(events);
  media::Input input(options.source, stop);
  const int stream = input.best_video_stream();
  const media::ColorTags color =
      media::output_color(media::video_facts(input.format(), input.stream(stream)));
  media::StillFinder finder(input, options.source.limits.max_pixels, options.width, options.height);
  const media::OutputFolder output(options.output, options.source.limits.max_output_bytes);
  nlohmann::ordered_json images = nlohmann::ordered_json::array();
  for (size_t n = 0; n < options.times_s.size(); ++n) {
    const double wanted_s = options.times_s[n];
    const auto still =
        options.skip_black ? finder.nearest_not_black(wanted_s) : finder.nearest(wanted_s);
    const media::Png png = media::make_png(*still.picture, color, options.width, options.height);
    output.write(file_name(n), png.bytes);
    images.push_back({{"path", file_name(n)},
                      {"requested_s", jobs::seconds(wanted_s)},
                      {"time_s", jobs::seconds(still.time_s)},
                      {"width", png.width},
                      {"height", png.height},
                      {"bytes", png.bytes.size()}});
  }
  report.emit({{"type", "result"},
               {"images", images},
               {"bytes_read", input.bytes_read()},
               {"warnings", report.warnings()}});
}

}  // namespace millrace
