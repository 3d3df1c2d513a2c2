// What several commands say in the same way.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "cli/commands/context.hpp"

namespace satchel::commands {

inline constexpr std::size_t kSkippedShownMax = 20;  // to people; --json has all that the report has
inline constexpr std::size_t kDeclinedShownMax = 20;

// Names what was left out, on standard error.
void warn_of_skipped(Context& context, const std::vector<site::Skipped>& skipped, std::uint64_t count);
[[nodiscard]] nlohmann::json skipped_fields(Context& context, const std::vector<site::Skipped>& skipped);

// Names the editions that are wanted and were declined for want of room; `no_room` of the fields lists them.
void warn_of_no_room(Context& context, const Result<std::vector<exchange::WantedEdition>>& declined,
                     nlohmann::json& fields);

[[nodiscard]] nlohmann::json edition_fields(const catalogue::Edition& edition);
// In the reader's language, else the course's id.
[[nodiscard]] std::string title_of(Context& context, const catalogue::Edition& edition);

}  // namespace satchel::commands
