// Small facts of this box in the table `meta`.
#pragma once

#include <optional>
#include <string_view>

#include "engine/database/database.hpp"

namespace satchel::database {

Result<std::optional<ByteBuffer>> meta(Database& database, std::string_view key);
Result<void> set_meta(Database& database, std::string_view key, ByteView value);
Result<void> remove_meta(Database& database, std::string_view key);

// A counter that only goes up; each call gives a number never given before, also after a crash.
Result<std::uint64_t> next_number(Database& database, std::string_view key);

}  // namespace satchel::database
