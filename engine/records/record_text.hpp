// Records as people and other programs write them: `field=value` words, and lines of JSON
// (schemas/record-lines.md).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/records/event.hpp"
#include "engine/records/kinds.hpp"

namespace satchel::records {

inline constexpr std::size_t kLineMax = 64 * 1024;

// Times without an offset are of the network's. kNotFound: no such kind; kUsage names the field and the
// remedy.
Result<Event> event_from_words(std::string_view kind, const std::vector<std::string>& words,
                               std::int32_t utc_offset_minutes);
Result<Event> event_from_json(std::string_view line, std::int32_t utc_offset_minutes);

// One line of JSON without its end: identity, kind, and the fields by name.
[[nodiscard]] std::string json_of(const Identity& identity, const Event& event,
                                  std::int32_t utc_offset_minutes);

// ISO 8601: a date, a time to minutes or seconds, and an offset or none. Milliseconds of UTC.
[[nodiscard]] std::optional<std::int64_t> parse_time(std::string_view text, std::int32_t utc_offset_minutes);
[[nodiscard]] std::string text_of_time(std::int64_t unix_ms, std::int32_t utc_offset_minutes);

}  // namespace satchel::records
